"""The schedule in real processes: one backup per due time, missed runs, a killed worker, forks and exits."""

from __future__ import annotations

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from e2e import Command, commands, fill, ours

from reprise import AsyncReprise, Reprise

WAIT_S = 60
EVERY_2S = {"every": "2s"}
DAILY = {"at": "02:00", "time_zone": "Europe/Paris"}
WORKER = """
import json, logging, sys
from reprise import Reprise
logging.basicConfig(level=logging.WARNING)
reprise = Reprise(**json.loads(sys.argv[1]))
reprise.start_service()
print("started", flush=True)
sys.stdin.read()
reprise.stop_service()
reprise.close()
"""


class Worker:
    """One process of a backend with the service running."""

    def __init__(self, config: dict[str, Any]) -> None:
        words = [sys.executable, "-c", WORKER, json.dumps(config)]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"started\n"

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self) -> None:
        _, said = self.process.communicate(timeout=WAIT_S)
        assert self.process.returncode == 0, said.decode()


@contextmanager
def running(config: dict[str, Any], count: int) -> Iterator[list[Worker]]:
    workers = [Worker(config) for _ in range(count)]
    try:
        yield workers
        for each in workers:
            if each.process.poll() is None:
                each.stop()
    finally:
        for each in workers:
            if each.process.poll() is None:
                each.process.kill()
                each.process.communicate()


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come to pass")


@pytest.fixture
def config(url: str, database: Any, folder: pathlib.Path) -> dict[str, Any]:
    fill(database)
    return {"mongo_url": url, "database": database.name, "directory": str(folder)}


def state(folder: pathlib.Path) -> dict[str, Any]:
    path = folder / ".reprise" / "schedule"
    return dict(json.loads(path.read_text())) if path.exists() else {}


def labels(config: dict[str, Any]) -> list[str]:
    with Reprise(**config) as opened:
        return sorted(each.label or "" for each in opened.list())


def threads() -> set[str]:
    found = set()
    for each in pathlib.Path("/proc/self/task").iterdir():
        try:
            found.add((each / "comm").read_text().strip())
        except OSError:
            continue  # it has just ended
    return found


def test_a_schedule_is_off_by_default_and_until_it_is_started(config: dict[str, Any], folder: pathlib.Path) -> None:
    with Reprise(**config) as opened:
        assert opened.config()["schedule"] is None
        opened.start_service()
        assert "reprise-ticker" not in threads() and not folder.exists()
        assert opened.status().schedule is None
        opened.stop_service()
    with Reprise(**config, schedule=EVERY_2S) as opened:
        status = opened.status()
        assert "reprise-ticker" not in threads() and not folder.exists()
        assert status.schedule["started"] is False and status.schedule["next_run"] and status.schedule["last_run"] is None


def test_two_workers_make_one_backup_per_due_time(config: dict[str, Any], folder: pathlib.Path) -> None:
    with running({**config, "schedule": EVERY_2S}, 2):
        until(lambda: len(labels(config)) >= 3)
    made = labels(config)
    assert len(made) == len(set(made)), made
    assert all(re.fullmatch(r"scheduled \d{4}-\d\d-\d\dT\d\d:\d\d:\d[02468]Z", each) for each in made), made
    with Reprise(**config, schedule=EVERY_2S) as opened:
        assert all(each.state == "good" and each.verified for each in opened.list())
        told = opened.status().schedule
    assert told["last_run"]["state"] == "done" and (folder / told["last_run"]["file"]).exists()
    assert told["failures"] == 0 and told["running"] is False


def back_in_time(folder: pathlib.Path, days: int) -> None:
    """As if nobody had been there for some days."""
    known = state(folder)
    known["handled_until"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - days * 86400))
    (folder / ".reprise" / "schedule").write_text(json.dumps(known))


def test_what_was_missed_is_made_up_for_once(config: dict[str, Any], folder: pathlib.Path) -> None:
    daily = {**config, "schedule": DAILY}
    with running(daily, 1):
        until(lambda: state(folder))
    assert labels(config) == []
    back_in_time(folder, 5)
    with running(daily, 3):
        until(lambda: (state(folder)["last"] or {}).get("state") == "done")
    with running(daily, 1):
        with Reprise(**daily) as opened:
            assert opened.status().schedule["next_run"] > time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    assert len(labels(config)) == 1


def test_what_was_missed_is_passed_over_without_catch_up(config: dict[str, Any], folder: pathlib.Path) -> None:
    daily = {**config, "schedule": {**DAILY, "catch_up": False}}
    with running(daily, 1):
        until(lambda: state(folder))
    back_in_time(folder, 5)
    before = state(folder)["handled_until"]
    with running(daily, 1):
        until(lambda: state(folder)["handled_until"] > before)
    assert labels(config) == [] and state(folder)["last"] is None


def caught_at_work(folder: pathlib.Path) -> int:
    """Stops a worker in the middle of its backup, and returns its pid."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        claim = state(folder).get("claim")
        if not claim or not claim["job"]:
            time.sleep(0.001)
            continue
        pid = int(claim["process"]["pid"])
        os.kill(pid, signal.SIGSTOP)
        still = state(folder).get("claim")
        if still and still["job"] == claim["job"]:
            return pid
        os.kill(pid, signal.SIGCONT)
    raise AssertionError("no worker was ever met at work")


def test_a_killed_worker_is_replaced_by_another_one(config: dict[str, Any], database: Any, folder: pathlib.Path) -> None:
    database.growth.insert_many([{"_id": f"more{n}", "text": "é" * 200} for n in range(20_000)])
    with running({**config, "schedule": EVERY_2S}, 2) as workers:
        victim = caught_at_work(folder)
        due = state(folder)["claim"]["due"]
        assert victim in {each.pid for each in workers}
        os.kill(victim, signal.SIGKILL)
        until(lambda: (state(folder)["last"] or {}).get("state") == "done" and state(folder)["last"]["due"] >= due)
        assert f"scheduled {due}" in labels(config)
    made = labels(config)
    assert len(made) == len(set(made)), made


def test_a_failed_run_is_told_and_tried_again(
    config: dict[str, Any], folder: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    gone = {**config, "mongo_url": "mongodb://127.0.0.1:1/", "connect_timeout_ms": 200, "schedule": {"every": "1s"}}
    with Reprise(**gone) as opened:
        opened.start_service()
        until(lambda: state(folder).get("failures", 0) >= 1)
        told = opened.status().schedule
        assert told["started"] and told["last_run"]["reason"] == "server_unreachable"
        until(lambda: any("the scheduled backup failed" in each.getMessage() for each in caplog.records))
        opened.stop_service()
        assert opened.status().schedule["started"] is False
    with running({**config, "schedule": {"every": "1s"}}, 1):
        until(lambda: state(folder)["failures"] == 0 and state(folder)["last"]["state"] == "done")


def test_a_stopped_worker_leaves_its_backup_to_the_next(config: dict[str, Any], database: Any, folder: pathlib.Path) -> None:
    database.growth.insert_many([{"_id": f"more{n}", "text": "é" * 200} for n in range(20_000)])
    often = {**config, "schedule": {"every": "1h"}}
    with running(often, 1):
        until(lambda: state(folder))
    back_in_time(folder, 1)
    with running(often, 1) as workers:
        pid = caught_at_work(folder)
        assert pid == workers[0].pid
        threading.Timer(0.2, os.kill, (pid, signal.SIGCONT)).start()
        workers[0].stop()  # it reads that it should stop as soon as it goes on
        known = state(folder)
    if known["last"] is None:  # cancelled, unless the backup was past its point of no return
        assert known["claim"] is None and known["failures"] == 0 and labels(config) == []
        with running(often, 1):
            until(lambda: (state(folder)["last"] or {}).get("state") == "done")
    assert len(labels(config)) == 1


FORKS = """
import json, os, sys
from reprise import BusyError, Reprise
reprise = Reprise(**json.loads(sys.argv[1]))
reprise.start_service()
child = os.fork()
if child == 0:
    try:
        reprise.list()
    except BusyError as error:
        os._exit(7 if error.reason == "forked_while_busy" else 8)
    os._exit(9)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
reprise.stop_service()
child = os.fork()
if child == 0:
    reprise.list()
    reprise.start_service()
    assert reprise.status().schedule["started"]
    reprise.stop_service()
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
reprise.start_service()
"""


def test_s14_forks_and_the_exit_of_a_process_that_ticks(config: dict[str, Any]) -> None:
    words = [sys.executable, "-c", FORKS, json.dumps({**config, "schedule": DAILY})]
    ended = subprocess.run(words, capture_output=True, timeout=WAIT_S, check=False)
    assert (ended.returncode, ended.stderr.decode()) == (0, "")


def test_asyncio_starts_and_stops_it(config: dict[str, Any]) -> None:
    import asyncio

    async def work() -> Any:
        async with AsyncReprise(**config, schedule=EVERY_2S) as opened:
            await opened.start_service()
            while not await opened.list():
                await asyncio.sleep(0.1)
            told = (await opened.status()).schedule
            await opened.stop_service()
            return told

    assert asyncio.run(asyncio.wait_for(work(), WAIT_S))["started"] is True


def test_the_backend_backs_up_by_its_schedule(url: str, database: Any, folder: pathlib.Path, config: dict[str, Any]) -> None:
    pytest.importorskip("fastapi")
    from test_host import backend, ready

    environment = {"MONGO_URL": url, "DB_NAME": database.name, "BACKUP_DIR": str(folder), "BACKUP_SCHEDULE": '{"every": "2s"}'}
    with backend(environment, workers=2) as (port, process):
        assert ready(port, process)["ok"] is True
        until(lambda: len(labels(config)) >= 2)
    made = labels(config)
    assert len(made) == len(set(made)) and all(each.startswith("scheduled ") for each in made), made


def test_both_commands_tell_the_schedule(config: dict[str, Any], database: Any, folder: pathlib.Path, url: str) -> None:
    with running({**config, "schedule": EVERY_2S}, 1):
        until(lambda: (state(folder).get("last") or {}).get("state") == "done")
    both: dict[str, Command] = commands(url, database, folder)
    said = {name: each("status") for name, each in both.items()}
    assert "Next scheduled backup: " in said["c++"].out and ", done." in said["c++"].out
    line = [each for each in said["c++"].out.splitlines() if each.startswith("Next")]
    assert line == [each for each in said["python"].out.splitlines() if each.startswith("Next")]
    assert [each for each in database.list_collection_names() if ours(each)] == ["reprise"]
