"""The HR backend of examples/fastapi_host, as a user runs it: run.sh, two workers, a lost database."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from e2e import HOST, Ended, fill, fingerprint, wipe
from hosts import SECRET, token
from hr import settings

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
START_S = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int, path: str, body: object = None) -> Any:
    """As an administrator who is logged in."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token()}"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


@contextmanager
def backend(environment: dict[str, str], workers: int = 1, first: bool = True) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The running backend and its port; `first`: by run.sh, which calls `reprise auto` before the workers."""
    port = free_port()
    wanted = {**os.environ, **environment, "PORT": str(port), "WORKERS": str(workers), "PYTHON": sys.executable}
    uvicorn = [sys.executable, "-m", "uvicorn", "main:app", "--port", str(port), "--workers", str(workers)]
    words = ["sh", "run.sh"] if first else uvicorn
    process = subprocess.Popen(
        words, cwd=HOST, env=wanted, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        yield port, process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def ready(port: int, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            assert process.stdout is not None
            raise AssertionError(process.stdout.read().decode())
        try:
            return dict(ask(port, "/healthz"))
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError("the backend did not answer")


@pytest.fixture
def environment(url: str, database: Any, folder: pathlib.Path) -> dict[str, str]:
    return {"MONGO_URL": url, "DB_NAME": database.name, "BACKUP_DIR": str(folder), "JWT_SECRET": SECRET}


def script(environment: dict[str, str], *arguments: str) -> Ended:
    words = [sys.executable, "backup_restore.py", *arguments]
    ended = subprocess.run(words, cwd=HOST, env={**os.environ, **environment}, capture_output=True, timeout=120, check=False)
    return Ended(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


@pytest.mark.parametrize(("workers", "first"), [(1, True), (2, True), (2, False)])
def test_a_lost_database_comes_back_when_the_backend_starts(
    workers: int, first: bool, environment: dict[str, str], database: Any
) -> None:
    before = fill(database)
    assert script(environment, "backup").code == 0
    wipe(database)
    with backend(environment, workers, first) as (port, process):
        assert ready(port, process)["ok"] is True
        assert ask(port, "/api/counts") == {name: each[2] for name, each in before.items() if each[0] != "view"}
        assert fingerprint(database) == before


def test_the_backend_serves_and_keeps_what_is_added(environment: dict[str, str], database: Any) -> None:
    with backend(environment) as (port, process):
        assert ready(port, process)["startup"] == "no_backup"
        person = {"name": "Zoé Lefèvre", "email": "zoe@company.com"}
        made = ask(port, "/api/users", person)
        with pytest.raises(urllib.error.HTTPError) as taken:
            ask(port, "/api/users", person)
        assert taken.value.code == 409
        absence = {"user_id": made["id"], "kind": "RTT", "start": "2025-10-12T08:00:00Z", "days": 1.5}
        assert ask(port, "/api/absence-requests", absence)["status"] == "pending"
        assert ask(port, f"/api/users/{made['id']}")["name"] == "Zoé Lefèvre"
        assert script(environment, "backup").code == 0
    before = fingerprint(database)
    wipe(database)
    with backend(environment) as (port, process):
        ready(port, process)
        assert ask(port, f"/api/users/{made['id']}")["email"] == "zoe@company.com"
    assert fingerprint(database) == before


def test_the_backend_does_not_start_when_startup_is_refused(
    environment: dict[str, str], database: Any, folder: pathlib.Path
) -> None:
    fill(database)
    assert script(environment, "backup").code == 0
    for each in folder.glob("backup_2*.json"):
        each.write_bytes(each.read_bytes()[:-100])
    wipe(database)
    with backend(environment) as (_, process):
        out, _err = process.communicate(timeout=START_S)
        assert process.returncode not in (0, None), out
    assert fingerprint(database) == {}


def test_the_drop_in_script_does_what_the_old_one_did(environment: dict[str, str], database: Any, folder: pathlib.Path) -> None:
    before = fill(database)
    assert script(environment, "backup").code == 0
    listed = script(environment, "list").out
    name = next(each for each in listed.split() if each.startswith("backup_2"))
    for collection in settings.COLLECTIONS:
        database[collection].delete_many({})
    assert script(environment, "restore").code == 0
    assert fingerprint(database) == before
    database.users.delete_many({})
    assert script(environment, "restore", str(folder / name)).code == 0
    assert fingerprint(database) == before
    wipe(database)
    assert script(environment, "auto").code == 0
    assert fingerprint(database) == before


def test_the_drop_in_functions_are_kept(environment: dict[str, str], database: Any) -> None:
    before = fill(database)
    code = """
import asyncio
import backup_restore as old
old.COLLECTIONS_TO_BACKUP = ["users", "absences"]
path = asyncio.run(old.backup_database())
listed = asyncio.run(old.list_backups())
assert [each["path"] for each in listed] == [path] and listed[0]["size_kb"] > 0, listed
assert asyncio.run(old.auto_restore_if_empty()) is False
assert asyncio.run(old.restore_database(path)) is True
"""
    words = [sys.executable, "-c", code]
    ended = subprocess.run(words, cwd=HOST, env={**os.environ, **environment}, capture_output=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr.decode()
    assert fingerprint(database) == before
