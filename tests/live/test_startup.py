"""Startup over both commands and the package: rules for "empty", and what a host does when the data are not there."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from e2e import Command, fill, fingerprint, wipe

from reprise import AsyncReprise, BusyError, RefusedError, Reprise, RepriseError


@pytest.fixture
def saved(command: Command, database: Any) -> dict[str, Any]:
    """A backup of the HR data; afterwards the database holds its first user alone, as a host leaves it that seeds one."""
    before = fill(database)
    command.result("backup")
    wipe(database)
    database.users.insert_one({"name": "admin", "email": "admin@company.com"})
    return before


@pytest.mark.parametrize(
    "rule",
    [["--minimum", "2"], ["--sentinel", "users", "--minimum=2"], ["--whole-database", "--minimum", "2"],
     ["--collection", "users", "--collection", "absences", "--minimum", "2"], ["--collection", "absences"]],
)  # fmt: skip
def test_hazard_10_a_seeded_user_does_not_hide_the_loss(
    rule: list[str], command: Command, database: Any, saved: dict[str, Any]
) -> None:
    assert command.result("auto")["result"] == "not_needed"
    started = command.result("auto", *rule)
    assert started["result"] == "restored" and started["may_go_on"] is True
    assert started["restore"]["safety_file"].startswith("before_restore_")
    assert fingerprint(database) == saved
    assert command.result("auto", *rule)["result"] == "not_needed"


@pytest.mark.parametrize(
    "rule", [["--minimum", "0"], ["--minimum", "many"], ["--whole-database", "--collection", "users"], ["--collection", "a$b"]]
)
def test_a_rule_that_makes_no_sense_is_refused(rule: list[str], command: Command) -> None:
    ended = command("auto", *rule)
    assert ended.code == 2 and ended.err.count("\n") == 1, ended.err


def test_hazard_23_a_mistyped_sentinel_fails_the_start_and_says_so(command: Command, database: Any) -> None:
    before = fill(database)
    command.result("backup")
    for _ in range(2):
        ended = command("auto", "--sentinel", "usres", "--json")
        assert ended.code == 4
        assert (ended.json["reason"], ended.json["may_go_on"]) == ("sentinel_not_in_backups", False)
    assert fingerprint(database) == before


def test_a_lost_folder_fails_the_start_unless_the_host_starts_anyway(
    command: Command, database: Any, folder: pathlib.Path
) -> None:
    fill(database)
    command.result("backup")
    for name in database.list_collection_names():
        if name != "reprise":
            database.drop_collection(name)
    folder.rename(folder.with_name("elsewhere"))
    ended = command("auto", "--json")
    assert ended.code == 4 and ended.json["reason"] == "backups_missing"
    anyway = command("auto", "--start-anyway", "--json")
    assert anyway.code == 0
    assert (anyway.json["result"], anyway.json["may_go_on"]) == ("refused", True)
    told = command("auto", "--start-anyway")
    assert told.code == 0 and "may start anyway" in told.out
    assert not folder.exists()


def test_a_server_that_is_away_fails_the_start_unless_the_host_starts_anyway(command: Command) -> None:
    nobody = {"MONGO_URL": "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=500"}
    ended = command("auto", "--json", **nobody)
    assert ended.code == 6
    anyway = command("auto", "--start-anyway", "--json", **nobody)
    assert anyway.code == 0
    assert (anyway.json["result"], anyway.json["reason"]) == ("refused", ended.error["reason"])


def test_the_host_chooses_what_a_failed_start_means(url: str, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    with Reprise(url, database.name, folder, sentinel="usres") as opened:
        opened.backup()
        started = opened.auto()
        assert started.rule == {"collections": ["usres"], "minimum": 1}
        with pytest.raises(RefusedError) as refused:
            started.raise_unless_ready()
        assert refused.value.reason == "sentinel_not_in_backups"
        assert opened.auto(on_failure="start_anyway").raise_unless_ready().result == "refused"
    with Reprise(url, database.name, folder, sentinel="usres", startup={"on_failure": "start_anyway"}) as opened:
        assert opened.config()["startup"]["on_failure"] == "start_anyway"
        assert opened.auto().may_go_on
        assert not opened.auto(on_failure="fail").may_go_on


async def busy_and_free(url: str, name: str, folder: pathlib.Path) -> None:
    async with AsyncReprise(url, name, folder, startup={"wait_ms": 300}) as opened:
        started = await opened.auto()
        assert (started.result, started.may_go_on) == ("in_progress", False)
        with pytest.raises(BusyError):
            started.raise_unless_ready()


def test_a_start_beside_a_held_folder_is_in_progress_and_not_a_go(url: str, database: Any, folder: pathlib.Path) -> None:
    import asyncio
    import fcntl
    import struct

    fill(database)
    with Reprise(url, database.name, folder) as opened:
        opened.backup()
    wipe(database)
    with (folder / ".reprise" / "operation.lock").open("r+b") as lock:
        # A lock of the open file, as another process holds it while it works.
        fcntl.fcntl(lock, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
        asyncio.run(busy_and_free(url, database.name, folder))
    with Reprise(url, database.name, folder) as opened:
        assert opened.auto().result == "restored"


def test_unknown_startup_keys_are_refused_by_path(url: str, folder: pathlib.Path) -> None:
    with pytest.raises(RepriseError) as wrong:
        Reprise(url, "hr", folder, startup={"minimun": 2})
    assert "startup.minimun" in wrong.value.message and "startup.minimum" in wrong.value.message
    assert json.dumps(wrong.value.as_json())
