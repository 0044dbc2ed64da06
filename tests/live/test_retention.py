"""Guards and retention on a real server: nights go by, accidents happen, and the good backups are still there."""

from __future__ import annotations

import asyncio
import os
import pathlib
from typing import Any

import pytest
from e2e import Command, files, fill, fingerprint, wipe

from reprise import AsyncReprise, BusyError, RefusedError, Reprise

ODD = ["backup_x.json", "backup_2025 1012.json", "-rf", "backup_$(id).json", "backup_a\nb.json", "notes.txt", "backup_é.json"]


def backups(folder: pathlib.Path, prefix: str = "backup_2") -> list[str]:
    return [name for name in files(folder) if name.startswith(prefix) and name not in ODD]


def night(command: Command, database: Any, number: int) -> dict[str, Any]:
    database.work_hours.insert_one({"_id": f"night{number}", "user_id": f"night{number}"})
    return command.result("backup")


def test_hazard_01_nights_of_an_emptied_database_rotate_no_good_backup_away(
    command: Command, database: Any, folder: pathlib.Path
) -> None:
    fill(database)
    for number in range(9):
        last = night(command, database, number)
    good = {name: content for name, content in files(folder).items() if name.startswith("backup_")}
    assert len(good) == 8 and good["backup_latest.json"] == "-> " + last["file"]  # 7 and the pointer
    before = fingerprint(database)
    for name in database.list_collection_names(filter={"type": "collection"}):
        if not name.startswith(("reprise", "system.")):
            database[name].delete_many({})
    for _ in range(8):
        ended = command("backup", "--json")
        assert ended.code == 4 and ended.json["state"] == "suspect" and ended.json["latest"] is False
        assert f"accept {ended.json['file']}" in " ".join(ended.json["warnings"])
    assert {name: content for name, content in files(folder).items() if name.startswith("backup_")} == good
    assert len(backups(folder, "suspect_")) == 3 and ended.json["file"] in backups(folder, "suspect_")
    status = command.result("status")
    assert status["suspects"] == 3 and status["suspect"]["file"] == ended.json["file"]
    assert status["suspect"]["reason"] == ended.json["suspect_reason"]
    told = command.result("forget", "--dry-run", "--keep-last", "1")
    assert told["frozen"] is True and told["removed"] == []
    started = command.result("auto")
    assert started["result"] == "restored" and started["file"] == last["file"]
    assert fingerprint(database) == before
    again = night(command, database, 100)
    assert again["state"] == "good" and again["latest"] is True and len(again["removed"]) == 1
    assert len(backups(folder)) == 7 and command.result("status")["suspect"] is None


def test_hazard_02_rotation_leaves_latest_and_odd_names_alone(
    command: Command, database: Any, folder: pathlib.Path
) -> None:
    fill(database)
    for number in range(3):
        night(command, database, number)
    for name in ODD:
        (folder / name).write_text("not ours")
    (folder / "backup_20200101_000000.json").write_text('{"users": [')
    saved = command.result("backup", "--keep-last", "1")
    assert len(saved["removed"]) == 3
    assert backups(folder) == ["backup_20200101_000000.json", saved["file"]]
    assert files(folder)["backup_latest.json"] == "-> " + saved["file"]
    assert all((folder / name).read_text() == "not ours" for name in ODD)


def test_s7_a_lost_collection_warns_and_pins_its_last_backup_until_the_loss_is_accepted(
    command: Command, database: Any, folder: pathlib.Path
) -> None:
    fill(database)
    holder = command.result("backup")
    database.leave_transactions.drop()
    for _ in range(3):
        saved = command.result("backup", "--keep-last", "2")
        assert saved["state"] == "good" and "leave_transactions is missing" in " ".join(saved["warnings"])
    assert len(backups(folder)) == 3 and holder["file"] in backups(folder)
    lost = command.result("status")["lost"]
    assert [(each["collection"], each["missing"], each["file"]) for each in lost] == [
        ("leave_transactions", True, holder["file"])
    ]
    kept = {each["file"]: each["reasons"] for each in command.result("forget", "--dry-run", "--keep-last", "2")["kept"]}
    assert kept[holder["file"]] == ["holds_lost"]
    assert command.result("accept", "latest")["latest"] is True
    assert command.result("status")["lost"] == []
    assert [each["file"] for each in command.result("forget", "--keep-last", "2")["removed"]] == [holder["file"]]
    assert command.result("backup")["warnings"] == saved["warnings"][:0]


def test_s7_an_accepted_suspect_is_the_latest_and_the_measure(command: Command, database: Any, folder: pathlib.Path) -> None:
    fill(database, 40)
    command.result("backup")
    database.work_hours.drop()
    database.users.delete_many({"email": {"$ne": database.users.find_one()["email"]}})
    for name in ("absences", "leave_transactions", "leave_balances", "overtime", "absence_requests"):
        database[name].delete_many({})
    suspect = command("backup", "--json").json
    assert suspect["state"] == "suspect" and suspect["suspect_reason"] == "fewer_documents"
    accepted = command.result("accept", suspect["file"])
    # Named after its second, with a number when another backup has that name.
    assert accepted["filename"].startswith(suspect["file"].replace("suspect_", "backup_")[:-5]) and accepted["state"] == "good"
    assert accepted["latest"] is True and command.result("verify")["file"] == accepted["filename"]
    assert command.result("backup")["state"] == "good"
    assert command("accept", "nothing.json", "--json").code == 8
    assert command("accept").code == 2


def test_pins_and_dry_runs_tell_what_happens(command: Command, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    saved = [night(command, database, number)["file"] for number in range(4)]
    assert command.result("pin", saved[0])["pinned"] is True
    before = files(folder)
    told = command.result("forget", "--dry-run", "--keep-last=1")
    assert [each["file"] for each in told["removed"]] == [saved[2], saved[1]] and told["freed_bytes"] > 0
    assert {each["file"]: each["reasons"] for each in told["kept"]} == {
        saved[3]: ["newest", "latest", "keep_last"],
        saved[0]: ["pinned"],
    }
    assert files(folder) == before
    said = command("forget", "--dry-run", "--keep-last", "1").out
    assert "Would remove 2 backups" in said and f"{saved[0]}: pinned" in said and f"{saved[1]}: no rule keeps it" in said
    done = command.result("forget", "--keep-last", "1")
    assert {each["file"] for each in done["removed"]} == {saved[1], saved[2]} and done["dry_run"] is False
    assert command.result("unpin", saved[0])["pinned"] is False
    assert command.result("forget", "--keep-within", "1h")["removed"] == []
    assert [each["file"] for each in command.result("forget", "--max-total-bytes", "1")["removed"]] == [saved[0]]
    for wrong in (["--keep-last", "x"], ["--keep-within", "soon"], ["--keep-last", "0"], ["--keep-last"]):
        assert command("forget", *wrong, "--json").code == 2, wrong
    assert backups(folder) == [saved[3]]


def test_s3_a_pin_outlives_a_touched_file_and_one_that_was_damaged_for_a_while(
    command: Command, database: Any, folder: pathlib.Path
) -> None:
    fill(database)
    gold = command.result("backup", "--label", "gold")["file"]
    hurt = night(command, database, 0)["file"]
    command.result("pin", gold)
    command.result("pin", hurt)
    os.utime(folder / gold, (1, 1))  # as tar, rsync or a new disk leave it
    whole = (folder / hurt).read_bytes()
    (folder / hurt).write_bytes(whole[:-5])
    assert command("verify", hurt, "--json").error["reason"] == "file_truncated"
    (folder / hurt).write_bytes(whole)
    for number in range(9):
        night(command, database, number + 1)
    listed = {entry["filename"]: entry for entry in command.result("list")["backups"]}
    assert listed[gold]["pinned"] and listed[gold]["label"] == "gold"
    assert listed[hurt]["pinned"] and len(listed) == 9


def test_s3_a_partial_backup_removes_nothing_while_the_newest_whole_one_is_damaged(
    command: Command, database: Any, folder: pathlib.Path
) -> None:
    fill(database)
    names = [night(command, database, number)["file"] for number in range(3)]
    hurt = folder / names[-1]
    before = hurt.stat()
    hurt.write_bytes(hurt.read_bytes().replace(b'"night1"', b'"nightX"'))
    os.utime(hurt, ns=(before.st_atime_ns, before.st_mtime_ns))
    made = command.result("backup", "--include", "users", "--keep-last", "1")
    assert made["scope"] == "partial" and made["removed"] == []
    assert any("not all removed" in sentence for sentence in made["warnings"])
    wipe(database)
    database.client.drop_database(database.name)
    started = command.result("auto")
    assert (started["result"], started["file"]) == ("restored", names[1])


def test_s2_a_damaged_suspect_is_not_accepted(command: Command, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    good = command.result("backup")["file"]
    database.users.delete_many({})
    suspect = folder / command("backup", "--json").json["file"]
    before, content = suspect.stat(), suspect.read_bytes()
    at = content.index(b'"_id"', content.index(b'"absences"'))
    suspect.write_bytes(content[: at + 1] + b"X" + content[at + 2 :])
    os.utime(suspect, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert command("accept", suspect.name, "--json").code != 0
    assert files(folder)["backup_latest.json"] == "-> " + good
    assert command.result("verify")["file"] == good


def test_hazard_21_another_databases_folder_is_not_rotated(command: Command, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    for number in range(3):
        night(command, database, number)
    before = files(folder)
    ended = command("forget", "--keep-last", "1", "--json", "--database", "another")
    assert ended.code == 4 and ended.error["reason"] == "folder_of_other"
    assert command("accept", "latest", "--json", "--database", "another").error["reason"] == "folder_of_other"
    assert files(folder) == before


def test_s3_a_safety_backup_is_no_part_of_the_rotation(command: Command, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    first = command.result("backup")
    database.users.insert_one({"_id": "new"})
    safety = command.result("restore", first["file"])["safety_file"]
    for number in range(3):
        saved = command.result("backup", "--keep-last", "1")
    assert backups(folder) == [saved["file"]] and (folder / safety).exists()
    kept = {each["file"]: each["reasons"] for each in command.result("forget", "--dry-run")["kept"]}
    assert kept[safety] == ["safety_newest", "safety_young"]


def test_python_pins_accepts_and_forgets(url: str, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    with Reprise(url, database.name, folder, retention=False) as opened:
        saved = [opened.backup().file for _ in range(9)]
        assert len(backups(folder)) == 9 and opened.backup().removed == []
        with pytest.raises(Exception, match="retention is turned off"):
            opened.forget()
        assert opened.pin(saved[0]).pinned and not opened.pin(saved[0], False).pinned
        assert opened.mark(saved[0], label="the first", pin=True).label == "the first"
        gone = opened.forget(keep_last=2, dry_run=True)
        assert len(gone.removed) == 7 and len(gone.kept) == 3 and not gone.frozen
        with pytest.raises(RefusedError) as refused:
            (folder / "backup_20200101_000000.json").write_text("{}")
            opened.accept("backup_20200101_000000.json")
        assert refused.value.reason == "not_verified"
        assert opened.accept("latest").latest

    async def asynchronously() -> None:
        async with AsyncReprise(url, database.name, folder, retention={"keep_last": 3}) as later:
            assert (await later.pin(saved[1])).pinned
            assert len((await later.backup()).removed) == 6
            assert (await later.forget()).removed == []
            assert (await later.accept("latest")).latest

    asyncio.run(asynchronously())
    assert {saved[0], saved[1]} < set(backups(folder))


def test_marks_wait_for_an_operation_or_say_who_works(url: str, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    database.work_hours.insert_many([{"_id": n, "user_id": f"u{n}", "day": n, "text": "é" * 300} for n in range(30_000)])
    with Reprise(url, database.name, folder) as opened:
        first = opened.backup().file
        seen: list[str] = []

        def meanwhile(_: Any) -> None:
            try:
                opened.pin(first)
                seen.append("pinned")
            except BusyError as error:
                seen.append(error.reason)

        # A look may fall before the backup takes the lock or after it gives it back.
        for _ in range(20):
            opened.backup(progress=meanwhile)
            if "folder_locked" in seen:
                break
        assert "folder_locked" in seen and set(seen) <= {"folder_locked", "pinned"}
        assert opened.pin(first, wait_ms=10_000).pinned


def test_a_wiped_database_keeps_its_folder_and_its_rotation(command: Command, database: Any, folder: pathlib.Path) -> None:
    before = fill(database)
    for number in range(8):
        command.result("backup")
    wipe(database)
    assert command.result("auto")["result"] == "restored" and fingerprint(database) == before
    assert command.result("backup")["latest"] is True
    assert len(backups(folder)) == 7


def test_the_command_follows_the_hosts_rules_where_it_is_given_none(
    url: str, command: Command, database: Any, folder: pathlib.Path
) -> None:
    fill(database, 30)
    rules: dict[str, Any] = {"retention": {"keep_last": 9}, "startup": {"minimum": 4}}
    with Reprise(url, database.name, folder, **rules) as host:
        made = [host.backup().file for _ in range(9)]
    command.result("before", "excel import")
    command.result("backup")
    assert len(backups(folder)) == 11 - 1 and set(made[2:]) <= set(backups(folder))  # nine, and the one before the import
    database.users.delete_many({"_id": {"$ne": database.users.find_one()["_id"]}})
    doubted = command("backup", "--json")
    assert doubted.code == 4 and doubted.json["state"] == "suspect", doubted.out
    believed = command.result("backup", "--minimum", "1", "--keep-last", "2", "--collection", "work_hours")
    assert believed["state"] == "good"
    policy = folder / ".reprise" / "policy"
    assert '"keep_last": 9' in policy.read_text()  # one call's rules are not the folder's
    policy.write_text("{")
    assert command.result("backup")["state"] == "good"
