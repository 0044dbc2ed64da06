"""The package and the host are typed: mypy --strict."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest
from e2e import HOST, ROOT

pytest.importorskip("mypy")


@pytest.mark.parametrize(
    ("folder", "what"),
    [(ROOT / "bindings" / "python", ["src/reprise"]), (HOST, ["main.py", "backup_restore.py", "look.py", "hr"])],
    ids=["package", "host"],
)
def test_mypy_strict_is_clean(folder: pathlib.Path, what: list[str], tmp_path: pathlib.Path) -> None:
    words = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), *what]
    ended = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
