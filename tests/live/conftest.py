"""Fixtures of the end-to-end tests: a server, a database of one's own, a folder, the commands."""

from __future__ import annotations

import pathlib
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import servers  # noqa: E402
from e2e import COMMANDS, Command, commands, pymongo  # noqa: E402


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    with servers.any_server() as found:
        yield found


@pytest.fixture(scope="session")
def client(url: str) -> Iterator[Any]:
    with pymongo.MongoClient(url, serverSelectionTimeoutMS=20_000, tz_aware=True) as opened:
        yield opened


@pytest.fixture
def database(client: Any) -> Iterator[Any]:
    name = f"reprise_e2e_{uuid.uuid4().hex[:8]}"
    yield client[name]
    client.drop_database(name)


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "backups"


@pytest.fixture(params=list(COMMANDS))
def command(request: pytest.FixtureRequest, url: str, database: Any, folder: pathlib.Path) -> Command:
    return commands(url, database, folder)[request.param]


@pytest.fixture
def both(url: str, database: Any, folder: pathlib.Path) -> dict[str, Command]:
    return commands(url, database, folder)
