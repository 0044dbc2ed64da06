"""Ctrl-C asks, kill -9 does not: afterwards the data and the files are the old ones or the new ones, whole."""

from __future__ import annotations

import json
import os
import pathlib
import random
import signal
import subprocess
import time
from typing import Any

import pytest
from e2e import Command, files, fill, fingerprint, leftovers

# REPRISE_KILLS=200 for a long night.
KILLS = int(os.environ.get("REPRISE_KILLS", "6"))
SEED = int(os.environ.get("REPRISE_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 30)


def grow(database: Any, documents: int = 4000) -> None:
    more = [{"_id": f"more{n}", "user_id": f"u{n}", "day": n, "text": "é" * 200} for n in range(documents)]
    database.work_hours.insert_many(more)


def duration(command: Command, *arguments: str) -> float:
    begun = time.monotonic()
    command.result(*arguments)
    return time.monotonic() - begun


def killed_after(command: Command, seconds: float, *arguments: str) -> bool:
    """True when the kill came before the end."""
    with command.begin(*arguments) as process:
        try:
            process.communicate(timeout=seconds)
            return False
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return True


def test_a_kill_during_backup_leaves_whole_files(command: Command, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    grow(database)
    command.result("backup")
    longest = duration(command, "backup")
    dice = random.Random(SEED)
    known = visible(folder)
    for _ in range(KILLS):
        killed_after(command, dice.uniform(0, longest), "backup")
        now = visible(folder)
        latest = (folder / "backup_latest.json").resolve()
        assert latest.is_file(), f"seed {SEED}"
        for name, content in known.items():
            assert name == "backup_latest.json" or now[name] == content, f"seed {SEED}: {name} changed"
        for name in (each for each in now if each.startswith("backup_") and each not in known):
            assert command.result("verify", name)["verified"] is True, f"seed {SEED}"
        known = now
    command.result("backup")
    assert leftovers(database, folder) == [], f"seed {SEED}"


def visible(folder: pathlib.Path) -> dict[str, str]:
    """Without what the next operation sweeps."""
    return {name: content for name, content in files(folder).items() if not name.startswith(".")}


def test_a_kill_during_restore_leaves_the_old_data_or_the_new(command: Command, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    grow(database)
    new = command.result("backup")["file"]
    at_backup = fingerprint(database)
    database.users.update_many({}, {"$set": {"changed": True}})
    database.overtime.drop()
    old = command.result("backup")["file"]
    at_old = fingerprint(database)
    longest = duration(command, "restore", new)
    dice = random.Random(SEED)
    for _ in range(KILLS):
        command.result("restore", old)
        killed_after(command, dice.uniform(0, longest), "restore", new)
        # The next operation settles what the dead one left.
        command.result("backup", "--accept-smaller")
        found = fingerprint(database)
        assert found in (at_backup, with_left_alone(at_old, found)), f"seed {SEED}"
        assert leftovers(database, folder) == [], f"seed {SEED}"


def test_a_kill_during_a_long_rename_leaves_nothing_over(command: Command, database: Any, folder: pathlib.Path) -> None:
    """The server goes on with the dead client's command: a rename whose time grows with the documents on secantusd-rs."""
    fill(database)
    grow(database, 20_000)
    new = command.result("backup")["file"]
    at_backup = fingerprint(database)
    database.work_hours.update_many({"day": {"$lt": 100}}, {"$set": {"changed": True}})
    at_old = fingerprint(database)
    with command.begin("restore", new) as process:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            record = database.reprise.find_one({"_id": "restore"})
            if record is not None and record["state"] == "swapping":
                break
        process.kill()
        process.communicate()
    command.result("backup", "--accept-smaller")
    assert fingerprint(database) in (at_backup, at_old)
    assert leftovers(database, folder) == []


def with_left_alone(at_old: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """The old state; `overtime`, which that backup does not know, is left alone by it and may be there."""
    return {**at_old, **({"overtime": found["overtime"]} if "overtime" in found else {})}


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_the_job_and_says_so(how: int, command: Command, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    grow(database, 30_000)
    command.result("backup")
    before, kept = fingerprint(database), files(folder)
    stopped = 0
    for delay in (0.0, 0.3, 0.8):
        with command.begin("restore", "--json") as process:
            wait_for_job(folder)
            time.sleep(delay)
            if process.poll() is None:
                process.send_signal(how)
            out, err = process.communicate(timeout=60)
        if process.returncode == 130:
            stopped += 1
            assert b'"cancelled"' in out and out.count(b"\n") == 1 and err == b""
        else:
            assert process.returncode == 0, (out, err)
        now = files(folder)
        assert {name: now.get(name) for name in kept} == kept
        assert all(name.startswith("before_restore_") for name in set(now) - set(kept)), now
        assert fingerprint(database) == before
        command.result("auto", "--wait", "60")
    assert stopped > 0, "no run was interrupted in time: give the test more documents"
    command.result("backup")
    assert leftovers(database, folder) == []


def wait_for_job(folder: pathlib.Path) -> None:
    """Until a job is told to be running in the folder."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for each in (folder / ".reprise" / "jobs").glob("[!.]*"):
            if b'"running"' in each.read_bytes():
                return
        time.sleep(0.01)
    raise AssertionError("no job began")


def test_two_commands_at_once_one_is_told_that_the_other_is_at_work(
    command: Command, database: Any, folder: pathlib.Path
) -> None:
    fill(database)
    grow(database, 30_000)
    seen = set()
    for _ in range(5):
        with command.begin("backup", "--json") as first, command.begin("backup", "--json") as second:
            ended = [(each.communicate(timeout=60)[0], each.returncode) for each in (first, second)]
        codes = sorted(code for _, code in ended)
        assert codes in ([0, 0], [0, 3]), ended
        for out, code in ended:
            if code == 3:
                error = json.loads(out)["error"]
                assert error["code_name"] == "busy" and error["retryable"] is True
        seen |= set(codes)
        if 3 in seen:
            break
    assert 3 in seen, "the two never met: give the test more documents"


def test_waiting_for_the_other_works(command: Command, database: Any) -> None:
    fill(database)
    grow(database, 10_000)
    with command.begin("backup", "--wait", "60") as first, command.begin("backup", "--wait", "60") as second:
        ended = [(each.communicate(timeout=90), each.returncode) for each in (first, second)]
    assert [code for _, code in ended] == [0, 0], ended
