"""The audit log when its writer is killed: the operation stands, and the chain goes on."""

from __future__ import annotations

import json
import os
import pathlib
import signal
from typing import Any

import pytest
from e2e import ROOT, commands, fill, fingerprint

BUILD = pathlib.Path(os.environ.get("REPRISE_FAULTS_BUILD", ROOT / "build" / "asan"))
WITH_STEPS = BUILD / "bin" / "reprise"


def lines(folder: pathlib.Path) -> list[dict[str, Any]]:
    files = sorted((folder / ".reprise" / "audit").glob("*.jsonl"))
    return [json.loads(line) for each in files for line in each.read_text().splitlines()]


@pytest.mark.skipif(not WITH_STEPS.exists(), reason="the build with fault steps (asan) is not there")
@pytest.mark.parametrize("step", ["store.state_append.before", "store.state_append.after"])
def test_a_kill_at_the_audit_line_harms_neither_backup_nor_chain(
    step: str, url: str, database: Any, folder: pathlib.Path
) -> None:
    before = fill(database)
    command = commands(url, database, folder)["c++"]
    whole = command.result("backup")
    command.program = [str(WITH_STEPS)]
    killed = command("backup", "--json", REPRISE_STEP_KILL=step, ASAN_OPTIONS="detect_leaks=0")
    assert killed.code == -signal.SIGKILL
    command = commands(url, database, folder)["c++"]
    listed = command.result("list")
    assert listed["total"] == 2 and all(each["verified"] for each in listed["backups"])
    assert [each["latest"] for each in listed["backups"]] == [True, False] and listed["backups"][1]["filename"] == whole["file"]
    assert command.result("verify")["verified"] is True and fingerprint(database) == before
    told = [each["what"] for each in lines(folder)]
    assert told == ["backup"] * (1 if step.endswith("before") else 2) + ["verify"]
    assert command.result("audit")["check"]["whole"] is True


@pytest.mark.skipif(not WITH_STEPS.exists(), reason="the build with fault steps (asan) is not there")
@pytest.mark.parametrize("verb, step", [("backup", "engine.backup.read_back.before"), ("restore", "restore.rename.after")])
def test_an_operation_that_was_killed_is_told_by_the_next_one(
    verb: str, step: str, url: str, database: Any, folder: pathlib.Path
) -> None:
    fill(database)
    command = commands(url, database, folder)["c++"]
    command.result("backup")
    command.program = [str(WITH_STEPS)]
    killed = command(verb, "--json", REPRISE_STEP_KILL=step, ASAN_OPTIONS="detect_leaks=0")
    assert killed.code == -signal.SIGKILL
    command = commands(url, database, folder)["c++"]
    command.result("verify")
    command.result("verify")
    told = [each for each in lines(folder) if each.get("reason") == "process_died"]
    assert [(each["what"], each["result"], each["via"]) for each in told] == [(verb, "failed", "command")]
    assert command.result("audit")["check"]["whole"] is True


def test_a_line_that_was_cut_off_is_told_and_swallows_none(url: str, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    both = commands(url, database, folder)
    both["c++"].result("backup")
    log = next((folder / ".reprise" / "audit").iterdir())
    log.write_bytes(log.read_bytes()[:-20])
    both["python"].result("verify")
    for command in both.values():
        ended = command("audit", "--json")
        assert ended.code == 5, ended.out + ended.err
        assert "cut it off" in ended.json["check"]["problems"][0]
    assert log.read_text().splitlines()[1].startswith('{"n":2,')
