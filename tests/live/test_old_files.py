"""Files of the old system, as json.dump(..., default=str, indent=2) wrote them, restore with a warning."""

from __future__ import annotations

import json
import pathlib
import uuid
from datetime import datetime, timezone
from typing import Any

import pytest
from e2e import Command, fingerprint, leftovers

USERS = 25


def old_file(folder: pathlib.Path, database: str, name: str = "backup_20251012_162721.json") -> pathlib.Path:
    """Ids and dates as text, NaN, a lone surrogate, numbers of every size: what the old script's files hold."""
    users = [
        {
            "_id": str(uuid.UUID(int=number)),
            "id": str(uuid.UUID(int=number)),
            "name": f"Sophie Martin {number}",
            "created_at": datetime(2025, 1, 1, tzinfo=timezone.utc),
            "quota": 7.0 if number else float("nan"),
            "badge": 2**40 + number,
            "note": "half \ud83d of an emoji" if number == 3 else "é",
        }
        for number in range(USERS)
    ]
    content = {
        "backup_date": "2025-10-12T16:27:21.123456",
        "database": database,
        "collections": {"users": users, "absences": [], "work_hours": [{"_id": "w1", "hours": 7}]},
    }
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / name
    path.write_text(json.dumps(content, default=str, indent=2, ensure_ascii=True))
    return path


def test_an_old_file_is_restored_with_the_warning(command: Command, database: Any, folder: pathlib.Path) -> None:
    path = old_file(folder, database.name)
    verified = command.result("verify", path.name)
    assert verified["legacy"] is True and verified["warnings"]
    result = command.result("restore", str(path))
    assert any("old" in each or "whole" in each for each in result["warnings"]), result["warnings"]
    assert database.users.count_documents({}) == USERS
    third = database.users.find_one({"name": "Sophie Martin 3"})
    assert third["note"] == "half \ufffd of an emoji" and third["created_at"] == "2025-01-01 00:00:00+00:00"
    assert third["badge"] == 2**40 + 3 and isinstance(third["quota"], float)
    first = database.users.find_one({"name": "Sophie Martin 0"})
    assert first["quota"] != first["quota"]
    assert leftovers(database, folder) == []


def test_people_see_the_warning(command: Command, database: Any, folder: pathlib.Path) -> None:
    old_file(folder, database.name)
    assert "not verified yet" in command("list").out
    assert "file of the old system" in command("verify", "backup_20251012_162721.json").out
    assert "Warning: " in command("restore", "backup_20251012_162721.json").out


def test_startup_takes_the_old_latest_where_there_is_nothing_newer(
    command: Command, database: Any, folder: pathlib.Path
) -> None:
    old_file(folder, database.name, "backup_latest.json")
    started = command.result("auto")
    assert started["result"] == "restored"
    assert database.users.count_documents({}) == USERS


def test_the_first_new_backup_keeps_the_old_latest_as_a_file(command: Command, database: Any, folder: pathlib.Path) -> None:
    text = old_file(folder, database.name, "backup_latest.json").read_text()
    database.users.insert_many([{"_id": n, "name": "new"} for n in range(USERS)])
    saved = command.result("backup")
    latest = folder / "backup_latest.json"
    assert latest.is_symlink() and latest.resolve().name == saved["file"]
    assert (folder / "backup_20251012_162721.json").read_text() == text


@pytest.mark.parametrize("what", ["cut", "wrappers"])
def test_an_old_file_that_cannot_be_trusted_is_refused(
    what: str, command: Command, database: Any, folder: pathlib.Path
) -> None:
    path = old_file(folder, database.name)
    if what == "cut":
        path.write_text(path.read_text()[:-40])
    else:
        path.write_text(path.read_text().replace('"hours": 7', '"hours": {"$oid": "5f5f5f5f5f5f5f5f5f5f5f5f"}'))
    database.users.insert_one({"_id": 1})
    before = fingerprint(database)
    ended = command("restore", path.name, "--json")
    assert ended.code == 5 and path.name in ended.error["message"]
    assert fingerprint(database) == before
