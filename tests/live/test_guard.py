"""What the guard keeps: each test is an accident that once cost the last backup of the lost documents."""

from __future__ import annotations

import pathlib
import shutil
from typing import Any

import pytest

from reprise import Reprise

SAVED_NIGHTS = 7  # what retention keeps where nothing is configured


def add(database: Any, collection: str, count: int, tag: str = "") -> None:
    database[collection].insert_many([{"_id": f"{tag}{i}", "text": "y" * 50} for i in range(count)])


def nights(opened: Reprise, database: Any, count: int = SAVED_NIGHTS + 2) -> list[Any]:
    made = []
    for number in range(count):
        database.work.insert_one({"_id": f"night{number}"})
        made.append(opened.backup())
    return made


def test_hazard_10_a_seeded_admin_rotates_no_backup_of_the_users_away_where_a_minimum_is_asked(
    url: str, database: Any, folder: pathlib.Path
) -> None:
    add(database, "work", 400)
    add(database, "users", 300)
    with Reprise(url, database.name, folder, startup={"minimum": 2}) as opened:
        good = opened.backup().file
        database.users.delete_many({})
        database.users.insert_one({"_id": "admin"})
        made = nights(opened, database)
        assert {(each.state, each.suspect_reason, each.latest) for each in made} == {("suspect", "sentinel_empty", False)}
        started = opened.auto()
        assert (started.result, started.file) == ("restored", good)
        assert database.users.count_documents({}) == 300


@pytest.mark.parametrize("started_with", [{"guard": {"least_share": 0}}, {}], ids=["same rules", "the folder's rules"])
def test_s7_startup_restores_the_newest_backup_that_the_configured_guard_believes_after_the_manifests_were_lost(
    url: str, database: Any, folder: pathlib.Path, started_with: dict[str, Any]
) -> None:
    add(database, "users", 10)
    add(database, "work", 100)
    with Reprise(url, database.name, folder, guard={"least_share": 0}) as opened:
        opened.backup()
        database.work.delete_many({"_id": {"$regex": "^[2-9]"}})
        newest = opened.backup()
        assert newest.state == "good" and newest.documents < 50
    shutil.rmtree(folder / ".reprise" / "manifests")
    database.client.drop_database(database.name)
    with Reprise(url, database.name, folder, **started_with) as opened:
        started = opened.auto()
        assert (started.result, started.file) == ("restored", newest.file)
        assert {each.state for each in opened.list()} == {"good"}


@pytest.mark.parametrize("manifests", ["kept", "lost"])
def test_s3_a_copied_folder_keeps_every_backup_after_a_restore(
    url: str, database: Any, folder: pathlib.Path, manifests: str
) -> None:
    rules: dict[str, Any] = {"retention": {"keep_last": 100}}
    with Reprise(url, database.name, folder, **rules) as opened:
        for month in range(8):
            add(database, "work", 40, f"month{month}_")
            last = opened.backup().file
        opened.restore(last)
        opened.pin(last)
    copy = folder.with_name("copy")
    shutil.copytree(folder, copy, symlinks=True, copy_function=shutil.copyfile)
    if manifests == "lost":
        shutil.rmtree(copy / ".reprise" / "manifests")
    with Reprise(url, database.name, copy, **rules) as opened:
        made = opened.backup()
        assert made.removed == [] and made.state == "good"
        listed = {each.filename: each for each in opened.list() if each.kind == "backup"}
        assert len(listed) == 9 and {each.state for each in listed.values()} == {"good"}
        assert listed[last].pinned is (manifests == "kept")


@pytest.mark.parametrize("sentinel", [{}, {"sentinel": "users"}], ids=["automatic", "configured"])
def test_s7_users_that_the_largest_backup_never_held_are_kept_and_come_back(
    url: str, database: Any, folder: pathlib.Path, sentinel: dict[str, Any]
) -> None:
    add(database, "work", 1000)
    with Reprise(url, database.name, folder, **sentinel) as opened:
        opened.backup()
        database.work.delete_many({"_id": {"$regex": "^[7-9]"}})
        add(database, "users", 200)
        good = opened.backup().file
        database.users.delete_many({})
        made = nights(opened, database)
        assert {(each.state, each.suspect_reason, each.latest) for each in made} == {("suspect", "sentinel_empty", False)}
        started = opened.auto()
        assert (started.result, started.file) == ("restored", good)
        assert database.users.count_documents({}) == 200


class ImportFailed(Exception):
    pass


def test_hazard_01_a_suspect_backup_that_failed_work_brought_back_rotates_no_good_one_away(
    url: str, database: Any, folder: pathlib.Path
) -> None:
    add(database, "work", 20)
    add(database, "users", 500)
    with Reprise(url, database.name, folder) as opened:
        good = {opened.backup().file, opened.backup().file}
        database.users.delete_many({})
        with pytest.raises(ImportFailed) as caught, opened.before("import", restore_on_error=True) as saved:
            raise ImportFailed
        assert saved.file.startswith("suspect_") and saved.restored is not None
        said = caught.value.__notes__[-1]
        assert f"{saved.file} is a suspect backup (sentinel_empty)" in said and f"accept {saved.file}" in said
        assert {(each.state, each.latest) for each in nights(opened, database)} == {("suspect", False)}
        assert good <= {each.filename for each in opened.list()}
        database.client.drop_database(database.name)
        assert opened.auto().file in good
        assert database.users.count_documents({}) == 500


def test_s7_a_suspect_that_was_restored_by_name_is_the_measure_once_it_is_accepted(
    url: str, database: Any, folder: pathlib.Path
) -> None:
    add(database, "work", 20)
    add(database, "users", 500)
    with Reprise(url, database.name, folder) as opened:
        opened.backup()
        database.users.delete_many({})
        suspect = opened.backup().file
        assert f"{suspect} is a suspect backup" in " ".join(opened.restore(suspect).warnings)
        assert opened.backup().state == "suspect"
        opened.accept(suspect)
        assert opened.backup().state == "good"
