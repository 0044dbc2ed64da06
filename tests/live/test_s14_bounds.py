"""S14, bounds: a server that hangs instead of refusing or in the middle of a job, and threads of ours seen from outside."""

from __future__ import annotations

import os
import pathlib
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import servers
from e2e import ROOT, Command, commands, fill, fingerprint, leftovers, pymongo
from test_s14_guest import LONG, grow

HOST = str(ROOT / "build" / "release" / "guest_host")
CANCEL_MS = 2000


@contextmanager
def silent_server() -> Iterator[str]:
    """Accepts every connection, reads what comes, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        links: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    links.append(listener.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"mongodb://127.0.0.1:{listener.getsockname()[1]}/"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)
        for link in links:
            link.close()


@contextmanager
def hanging_job(url: str, database: str, folder: pathlib.Path, kind: str) -> Iterator[subprocess.Popen[bytes]]:
    words = [HOST, "hang", url, database, str(folder), kind]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as host:
        assert host.stdout is not None and host.stdout.readline() == b"started\n"
        try:
            yield host
        finally:
            host.kill()


def cancel(host: subprocess.Popen[bytes]) -> tuple[str, int]:
    """The job's state after a cancel, and how many milliseconds its end took."""
    out, _ = host.communicate(timeout=60)
    state, took, *_ = out.decode().split()
    assert host.returncode == 0
    return {"2": "done", "3": "failed", "4": "cancelled"}.get(state, state), int(took)


@pytest.mark.parametrize("name", ["python", "c++"])
@pytest.mark.parametrize("verb", ["backup", "restore", "auto"])
def test_s14_a_server_that_accepts_and_never_answers_fails_the_command_within_its_bound(
    name: str, verb: str, url: str, database: Any, folder: pathlib.Path, both: dict[str, Command]
) -> None:
    fill(database)
    assert both["c++"]("backup", "--json").code == 0
    with silent_server() as silent:
        ended = both[name](verb, "--json", MONGO_URL=silent + "?connectTimeoutMS=1000&serverSelectionTimeoutMS=1000")
    assert ended.code == 6 and ended.error["reason"] == "server_unreachable", ended


@pytest.mark.parametrize("kind", ["backup", "startup"])
def test_s14_a_job_on_a_silent_server_is_cancelled_within_two_seconds(kind: str, folder: pathlib.Path) -> None:
    with silent_server() as silent, hanging_job(silent, "reprise_silent", folder, kind) as host:
        time.sleep(0.3)
        state, took = cancel(host)
    assert state == "cancelled" and took <= CANCEL_MS


@pytest.fixture(scope="module")
def stoppable() -> Iterator[servers.Server]:
    with servers.start_server() as server:
        yield server


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.15, 0.4] if LONG else [0.05, 0.15])
@pytest.mark.parametrize("kind", ["backup", "restore"])
def test_s14_a_job_is_cancelled_within_two_seconds_when_the_server_stops_in_the_middle(
    kind: str, delay: float, stoppable: servers.Server, tmp_path: pathlib.Path
) -> None:
    name, folder = f"reprise_stopped_{kind}_{int(delay * 100)}", tmp_path / "backups"
    with pymongo.MongoClient(stoppable.url) as client:
        database = client[name]
        before = grow(database, 40_000)
        both = commands(stoppable.url, database, folder)
        assert both["c++"]("backup", "--json").code == 0
        with hanging_job(stoppable.url, name, folder, kind) as host:
            time.sleep(delay)
            os.kill(stoppable.pid, signal.SIGSTOP)
            try:
                time.sleep(0.3)
                state, took = cancel(host)
            finally:
                os.kill(stoppable.pid, signal.SIGCONT)
        print(f"{kind} stopped after {delay} s: {state} in {took} ms")
        assert state in {"cancelled", "done", "failed"} and took <= CANCEL_MS
        assert both["c++"]("backup", "--json", "--wait", "90").code == 0
        assert fingerprint(database) == before and leftovers(database, folder) == []
        client.drop_database(name)


@pytest.mark.skipif(not LONG, reason="waits a minute: REPRISE_LONG=1")
@pytest.mark.parametrize("kind", ["backup", "restore"])
def test_s14_a_job_ends_by_itself_when_the_server_hangs_in_the_middle(
    kind: str, stoppable: servers.Server, tmp_path: pathlib.Path
) -> None:
    name, folder = f"reprise_hung_{kind}", tmp_path / "backups"
    with pymongo.MongoClient(stoppable.url) as client:
        database = client[name]
        before = grow(database, 100_000)
        both = commands(stoppable.url, database, folder)
        assert both["c++"]("backup", "--json").code == 0
        begun = time.monotonic()
        with both["c++"].begin(kind, "--json") as process:
            time.sleep(0.2)
            os.kill(stoppable.pid, signal.SIGSTOP)
            try:
                out, err = process.communicate(timeout=180)
            finally:
                os.kill(stoppable.pid, signal.SIGCONT)
        print(f"{kind}: {time.monotonic() - begun:.0f} s, {out.decode()[:300]}")
        assert process.returncode in (3, 6), err
        assert both["c++"]("backup", "--json", "--wait", "90").code == 0
        assert fingerprint(database) == before and leftovers(database, folder) == []


def test_s14_threads_of_ours_are_named_and_hear_no_signal(url: str, database: Any, folder: pathlib.Path) -> None:
    wanted = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE, signal.SIGALRM, signal.SIGUSR1}
    with silent_server() as silent, hanging_job(silent, "reprise_silent", folder, "backup") as host:
        time.sleep(0.3)
        seen = {}
        for task in pathlib.Path(f"/proc/{host.pid}/task").iterdir():
            status = dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line)
            seen[task.name] = (status["Name"], int(status["SigBlk"], 16))
        cancel(host)
    name, blocked = seen.pop(str(host.pid))
    assert name == "guest_host" and blocked == 0  # the host's own thread is as it was
    assert len(seen) >= 2
    for name, blocked in seen.values():
        assert name.startswith("reprise-"), name
        assert all(blocked >> (number - 1) & 1 for number in wanted), name
