"""Fixtures of the attacks: a server, and a lab of one's own on it."""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Iterator

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "live")]

import servers  # noqa: E402
from lab import Lab, lab_on  # noqa: E402


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    with servers.any_server() as found:
        yield found


@pytest.fixture
def lab(url: str, tmp_path: pathlib.Path) -> Iterator[Lab]:
    yield from lab_on(url, tmp_path)
