"""Both commands, verb by verb, on a real server: the same words, JSON and exit codes."""

from __future__ import annotations

import json
import os
import pathlib
import stat
from typing import Any

import pytest
from e2e import Command, fill, fingerprint, leftovers, wipe

USAGE_CASES = [
    [],
    ["bacup"],
    ["backup", "--nonsense"],
    ["backup", "extra"],
    ["backup", "--label"],
    ["backup", "--json=1"],
    ["backup", "--wait", "soon"],
    ["backup", "--wait", "86401"],
    ["backup", "--wait=-1"],
    ["rehash"],
    ["verify", "a", "b"],
    ["list", "--label", "x"],
    ["restore", "--to-mongo-url-env", "NOT_SET_ANYWHERE"],
    ["delete"],
    ["audit", "--limit", "all"],
    ["audit", "extra"],
    ["preview", "--retry"],
]


def test_backup_drop_restore_brings_everything_back(command: Command, database: Any, folder: pathlib.Path) -> None:
    before = fill(database)
    saved = command.result("backup", "--label", "nightly")
    assert saved["state"] == "good" and saved["latest"] is True
    assert saved["documents"] == sum(each[2] for each in before.values() if each[0] != "view")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(os.stat(saved["path"]).st_mode) == 0o600
    assert os.readlink(folder / "backup_latest.json") == saved["file"]
    wipe(database)
    restored = command.result("restore")
    assert restored["documents"] == saved["documents"] and restored["database"] == database.name
    assert fingerprint(database) == before
    assert leftovers(database, folder) == []


def test_auto_restores_an_empty_database_once(command: Command, database: Any) -> None:
    before = fill(database)
    command.result("backup")
    assert command.result("auto")["result"] == "not_needed"
    wipe(database)
    started = command.result("auto")
    assert started["result"] == "restored" and started["restore"]["documents"] > 0
    assert fingerprint(database) == before
    assert command.result("auto")["result"] == "not_needed"


def test_auto_on_a_new_deployment_has_nothing_to_restore(command: Command) -> None:
    assert command.result("auto")["result"] == "no_backup"


def test_a_restore_over_data_says_how_to_go_back(command: Command, database: Any) -> None:
    fill(database)
    command.result("backup")
    database.users.insert_one({"_id": "late", "name": "added after the backup"})
    changed = fingerprint(database)
    ended = command("restore")
    assert ended.code == 0, ended.err
    assert "To go back" in ended.out and "before_restore_" in ended.out
    assert database.users.find_one({"_id": "late"}) is None
    safety = next(each for each in ended.out.split() if each.strip(".,").startswith("before_restore_")).strip(".,")
    assert command("restore", safety).code == 0
    assert fingerprint(database) == changed


def test_restore_takes_the_old_scripts_path(command: Command, database: Any, folder: pathlib.Path) -> None:
    before = fill(database)
    first = command.result("backup")
    database.users.delete_many({"role": "manager"})
    command.result("backup")
    assert command.result("restore", str(folder / first["file"]))["file"] == first["file"]
    assert fingerprint(database) == before


def test_list_shows_name_size_time_and_the_latest(command: Command, database: Any, folder: pathlib.Path) -> None:
    assert command("list").out == f"No backups in {folder}.\n"
    fill(database)
    first, second = command.result("backup")["file"], command.result("backup", "--label", "été")["file"]
    listed = command.result("list")
    assert [each["filename"] for each in listed["backups"]] == [second, first] and listed["total"] == 2
    for each in listed["backups"]:
        assert each["path"] == str(folder / each["filename"])
        assert each["size_bytes"] == os.stat(each["path"]).st_size
        assert each["size_kb"] == pytest.approx(each["size_bytes"] / 1024, abs=0.1)
    lines = command("list").out.splitlines()
    assert lines[0] == f"2 backups in {folder}:"
    assert second in lines[1] and "latest" in lines[1] and "été" in lines[1]
    assert first in lines[2] and "latest" not in lines[2]


def test_show_verify_status_and_cat(command: Command, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    saved = command.result("backup")
    shown = command.result("show", saved["file"])
    assert shown["collections"]["users"]["documents"] == 12
    assert command.result("verify")["verified"] is True
    status = command.result("status")
    assert status["database"] == database.name and status["backups"] == 1
    cat = command("cat", saved["file"])
    assert cat.code == 0 and cat.out == (folder / saved["file"]).read_text()
    assert json.loads(cat.out)["database"] == database.name


def test_an_edited_file_is_refused_until_it_is_rehashed(command: Command, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    path = folder / command.result("backup")["file"]
    text = path.read_text()
    edited = folder / "backup_20200101_000000.json"
    edited.write_text(text.replace("company.com", "société.fr"))
    ended = command("verify", edited.name, "--json")
    assert ended.code == 5 and "rehash" in ended.error["message"]
    fresh = command.result("rehash", edited.name)
    assert command.result("verify", fresh["file"])["verified"] is True
    command.result("restore", fresh["file"])
    assert database.users.count_documents({"email": {"$regex": "société.fr$"}}) == 12


def test_include_and_exclude_make_a_partial_backup(command: Command, database: Any) -> None:
    fill(database)
    whole = command.result("backup")
    part = command.result("backup", "--include", "users", "--include", "absences")
    assert sorted(part["collections"]) == ["absences", "users"] and part["latest"] is False
    latest = [each["filename"] for each in command.result("list")["backups"] if each.get("latest")]
    assert latest == [whole["file"]]


def test_an_emptied_database_is_kept_aside_as_suspect(command: Command, database: Any) -> None:
    fill(database)
    good = command.result("backup")
    database.users.delete_many({})
    ended = command("backup", "--json")
    assert ended.code == 4 and ended.json["state"] == "suspect" and ended.json["latest"] is False
    latest = [each["filename"] for each in command.result("list")["backups"] if each.get("latest")]
    assert latest == [good["file"]]
    accepted = command("backup", "--accept-smaller", "--json")
    assert accepted.code == 0 and accepted.json["latest"] is True


def test_merge_leaves_what_the_backup_does_not_know(command: Command, database: Any) -> None:
    fill(database)
    command.result("backup")
    database.users.insert_one({"_id": "late"})
    database.absences.delete_many({})
    merged = command.result("restore", "--merge")
    assert merged["mode"] == "merge"
    assert database.users.count_documents({}) == 13 and database.absences.count_documents({}) > 0


def test_a_drill_restores_under_another_name(command: Command, database: Any, client: Any) -> None:
    before = fill(database)
    command.result("backup")
    other = client[database.name + "_drill"]
    try:
        result = command.result("restore", "--to-database", other.name)
        assert result["database"] == other.name
        assert fingerprint(other) == before == fingerprint(database)
    finally:
        client.drop_database(other.name)


def test_both_commands_say_the_same(both: dict[str, Command], database: Any) -> None:
    fill(database)
    for name in ("python", "c++"):
        both[name].result("backup", "--label", f"by {name}")
    asked = [["list"], ["show"], ["verify"], ["status"], ["cat"], ["verify", "nothing.json"], ["auto"], ["--help"]]
    asked += [["forget", "--dry-run", "--keep-last", "1"], ["pin", "latest"], ["forget"], ["unpin", "latest"]]
    asked += [["accept", "latest"]]
    asked += [["forget", "--keep-last", "none"], ["pin"], ["accept", "nothing.json"]]
    asked += [["preview"], ["preview", "--include", "users"], ["audit"], ["audit", "--limit", "2"], ["audit", "--limit", "-1"]]
    asked += [["delete"], ["delete", "latest"], ["delete", "nothing.json"]]
    for arguments in asked:
        for extra in ([], ["--json"]):
            if arguments == ["cat"] and extra:
                continue
            python, native = both["python"](*arguments, *extra), both["c++"](*arguments, *extra)
            assert (python.code, python.err) == (native.code, native.err), arguments
            assert without_times(python.out) == without_times(native.out), arguments


def without_times(text: str) -> list[str]:
    """free_bytes and duration_ms may differ between two runs, and the lines of the audit log, which grows; nothing else may."""
    import re

    changing = r'("(?:free_bytes|duration_ms|n|job|last|lines)":)\d+|("(?:time|prev|last_hash)":")[^"]*|free: [^.]*\.\d \w+'
    changing += r"|\d+  [0-9-]{10} [0-9:]{8} UTC|\d+ lines, 1 to \d+|line \d+: [0-9a-f]{64}"
    return re.sub(changing, r"\1\2", text).split("\n")


@pytest.mark.parametrize("arguments", USAGE_CASES, ids=" ".join)
def test_wrong_usage_is_one_sentence_and_exit_2(both: dict[str, Command], arguments: list[str]) -> None:
    said = {name: command(*arguments) for name, command in both.items()}
    for ended in said.values():
        assert ended.code == 2 and ended.out == ""
        assert ended.err.startswith("reprise: ") and ended.err.endswith("[usage]\n") and ended.err.count("\n") == 1
    assert said["python"].err == said["c++"].err


def test_cat_has_no_json_form(both: dict[str, Command]) -> None:
    said = {name: command("cat", "--json") for name, command in both.items()}
    assert said["python"] == said["c++"]
    assert said["c++"].code == 2 and said["c++"].error["reason"] == "usage"


def test_preview_says_what_would_change_and_changes_nothing(command: Command, database: Any) -> None:
    fill(database)
    command.result("backup")
    database.users.delete_many({})
    database.extra.insert_one({"_id": 1})
    changed = fingerprint(database)
    preview = {each["name"]: each for each in command.result("preview")["collections"]}
    assert (preview["users"]["now"], preview["users"]["after"], preview["users"]["same"]) == (0, 12, False)
    assert preview["absences"]["same"] is True and preview["extra"]["in_backup"] is False
    said = command("preview")
    assert said.code == 0 and "nothing was changed" in said.out and "not in the backup" in said.out
    assert fingerprint(database) == changed


def test_one_backup_is_deleted_and_the_latest_is_not(command: Command, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    old, new = command.result("backup")["file"], command.result("backup")["file"]
    size = (folder / old).stat().st_size
    command.result("pin", old)
    assert command("delete", old, "--json").error["reason"] == "file_protected"
    command.result("unpin", old)
    needed = folder / ".reprise" / "needed"  # as a restore writes it before its record stands in the database
    needed.write_text(json.dumps({"files": [old], "since_us": 0}))
    kept = command("delete", old, "--json")
    assert kept.error["reason"] == "file_protected" and "unfinished restore" in kept.error["message"]
    needed.unlink()
    assert command.result("delete", old) == {"filename": old, "freed_bytes": size}
    assert command("delete", new, "--json").error["reason"] == "file_protected"
    assert not (folder / old).exists() and (folder / new).exists()


def test_the_audit_log_says_who_used_the_command_and_shows_what_was_changed(
    command: Command, database: Any, folder: pathlib.Path
) -> None:
    import pwd

    assert command("audit").out == "The audit log is empty.\n"
    fill(database)
    made = command.result("backup")["file"]
    command.result("pin", made)
    assert command("delete", made).code == 4
    found = command.result("audit")
    told = [(each["what"], each["result"], each["via"], each["who"], each.get("file")) for each in found["lines"]]
    me = pwd.getpwuid(os.getuid()).pw_name
    assert told == [
        ("delete", "refused", "command", me, made),
        ("pin", "done", "command", me, made),
        ("backup", "done", "command", me, made),
    ]
    assert found["check"]["whole"] is True and len(command.result("audit", "--limit", "1")["lines"]) == 1
    assert found["check"]["last_hash"] in command("audit").out
    log = next((folder / ".reprise" / "audit").iterdir())
    log.write_text(log.read_text().replace('"pin"', '"pan"'))
    ended = command("audit", "--json")
    assert ended.code == 5 and ended.json["check"]["whole"] is False and ended.json["check"]["problems"]
    assert "The chain is broken:" in command("audit").out


def test_no_secret_is_printed(command: Command, database: Any, url: str) -> None:
    secret = "s3cr3t-pässword"
    with_password = url.replace("mongodb://", "mongodb://someone:s3cr3t-p%C3%A4ssword@", 1)
    for arguments in (["backup"], ["auto"], ["restore"], ["list"], ["status"], ["backup", "--verbose"]):
        for extra in ([], ["--json"]):
            ended = command(*arguments, *extra, MONGO_URL=with_password)
            assert "s3cr3t" not in ended.out + ended.err and secret not in ended.out + ended.err, arguments
