"""Many workers of the HR backend at once on an empty database: one restores, the others wait, all serve."""

from __future__ import annotations

import fcntl
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from e2e import HOST, fill, fingerprint, leftovers, wipe
from test_host import free_port, ready, script

pytest.importorskip("gunicorn")
WORKERS = 8
ROUNDS = 50 if os.environ.get("REPRISE_LONG") else 3
WAIT_S = 120
SERVERS = {
    "uvicorn": ["uvicorn", "main:app", "--port", "{port}", "--workers", str(WORKERS)],
    "gunicorn": ["gunicorn", "main:app", "-k", "asgi", "-b", "127.0.0.1:{port}", "-w", str(WORKERS)],
}
SAID = re.compile(r" (\d+) reprise INFO startup: (\w+):")


class Running:
    """A started server: its process, its port, and what its workers said of reprise."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: pathlib.Path) -> None:
        self.process, self.port, self.log = process, port, log

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def said(self) -> dict[str, str]:
        """The result of startup by worker."""
        return dict(SAID.findall(self.text()))


def until(what: Callable[[], Any], running: Running) -> Any:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        assert running.process.poll() is None, running.text()
        time.sleep(0.02)
    raise AssertionError("it never came: " + running.text())


@contextmanager
def started(words: list[str], environment: dict[str, str], log: pathlib.Path) -> Iterator[Running]:
    port = free_port()
    wanted = {**os.environ, **environment, "PORT": str(port), "PYTHON": sys.executable}
    command = [each.format(port=port) for each in words]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=HOST, env=wanted, stdout=out, stderr=out, start_new_session=True)
    try:
        yield Running(process, port, log)
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def served(name: str) -> list[str]:
    return [sys.executable, "-m", *SERVERS[name]]


def startups(folder: pathlib.Path) -> list[dict[str, Any]]:
    jobs = [json.loads(each.read_text()) for each in (folder / ".reprise" / "jobs").glob("*.json")]
    return [job for job in jobs if job["kind"] == "startup"]


def restores(folder: pathlib.Path) -> set[int]:
    """The jobs that restored, of those whose files are kept (the last 64)."""
    return {job["id"] for job in startups(folder) if (job.get("result") or {}).get("result") == "restored"}


@pytest.fixture
def environment(url: str, database: Any, folder: pathlib.Path) -> dict[str, str]:
    return {"MONGO_URL": url, "DB_NAME": database.name, "BACKUP_DIR": str(folder)}


@pytest.mark.parametrize("server", SERVERS)
def test_hazard_03_s8_of_eight_workers_at_once_one_restores(
    server: str, environment: dict[str, str], database: Any, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    before = fill(database)
    assert script(environment, "backup").code == 0
    seen: set[int] = set()
    for _ in range(ROUNDS):
        wipe(database)
        with started(served(server), environment, tmp_path / "log") as running:
            until(lambda: len(running.said()) == WORKERS, running)
            assert ready(running.port, running.process)["ok"] is True
            results = sorted(running.said().values())
        assert results.count("restored") == 1, results
        assert set(results) <= {"restored", "restored_by_other", "not_needed"}
        new = restores(folder) - seen
        seen |= new
        assert len(new) == 1
        assert database.reprise.find_one({"_id": "restore"}) is None
        assert fingerprint(database) == before
        assert leftovers(database, folder) == []


def stopped_half_way(running: Running, database: Any, folder: pathlib.Path) -> int | None:
    """The worker that restores, stopped while it stages; None when it had gone further before it stopped."""

    def staging() -> bool:
        return any(name.startswith("reprise_") for name in database.list_collection_names())

    until(staging, running)
    held = re.search(r"process (\d+)", (folder / ".reprise" / "operation.lock").read_text())
    if held is None:
        return None
    holder = int(held[1])
    os.kill(holder, signal.SIGSTOP)
    record = database.reprise.find_one({"_id": "restore"})
    if staging() and database.users.find_one() is None and (record is None or record["state"] == "staging"):
        return holder
    os.kill(holder, signal.SIGCONT)
    return None


@pytest.mark.parametrize("server", SERVERS)
def test_hazard_05_the_holder_is_killed_half_way_and_another_ends_it(
    server: str, environment: dict[str, str], database: Any, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    before = fill(database, 150)
    assert script(environment, "backup").code == 0
    for _ in range(10):
        wipe(database)
        earlier = restores(folder)
        with started(served(server), environment, tmp_path / "log") as running:
            holder = stopped_half_way(running, database, folder)
            if holder is None:
                continue
            os.kill(holder, signal.SIGKILL)
            until(lambda: len(set(running.said()) - {str(holder)}) >= WORKERS - 1, running)
            assert ready(running.port, running.process)["ok"] is True
            assert str(holder) not in running.said()
            assert "restored" in running.said().values()
            break
    else:
        raise AssertionError("no worker was stopped while it staged, in ten starts")
    assert len(restores(folder) - earlier) == 1
    assert fingerprint(database) == before
    assert leftovers(database, folder) == []


@pytest.mark.parametrize("server", SERVERS)
def test_hazard_25_a_start_longer_than_the_workers_timeout_ends_well(
    server: str, environment: dict[str, str], database: Any, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    before = fill(database)
    assert script(environment, "backup").code == 0
    wipe(database)
    wanted = {**environment, "SERVER": server, "WORKERS": "2", "WORKER_TIMEOUT": "2"}
    with (folder / ".reprise" / "operation.lock").open("r+b") as lock:
        # Somebody else works in the folder for longer than the workers may take.
        fcntl.fcntl(lock, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
        with started(["sh", "run.sh"], wanted, tmp_path / "log") as running:
            until(lambda: startups(folder), running)
            time.sleep(3)  # the one thing under test: more than the timeout
            assert running.said() == {}
            fcntl.fcntl(lock, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_UNLCK, 0, 0, 0, 0))
            until(lambda: len(running.said()) == 2, running)
            assert ready(running.port, running.process)["startup"] == "not_needed"
            assert set(running.said().values()) == {"not_needed"}
    (job,) = startups(folder)
    assert job["result"]["result"] == "restored" and job["result"]["duration_ms"] > 2000
    assert fingerprint(database) == before
