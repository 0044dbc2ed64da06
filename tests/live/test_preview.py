"""A preview promises what the restore with the same options then does, and refuses what that refuses; it only reads.

Each case asks for the preview, then for the real restore, and compares what was promised with what happened."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from bson import Int64
from e2e import COMMANDS, Command, commands, files, fill, fingerprint, ours, wipe
from hosts import SECRET, token

from reprise import Reprise, wsgi

werkzeug_test = pytest.importorskip("werkzeug.test")
View = tuple[str, str, int, int, list[str]]


@dataclass
class Asked:
    """Options of one restore, in the words of the library; `rest` says whether the REST interface has them too."""

    file: str = "latest"
    merge: bool = False
    exact: bool = False
    include: list[str] = field(default_factory=list)
    exclude: list[str] = field(default_factory=list)
    other_database: bool = False
    more: list[str] = field(default_factory=list)  # flags of the commands alone

    @property
    def rest(self) -> bool:
        return not self.exclude and not self.more

    @property
    def flags(self) -> list[str]:
        found = [self.file, *(["--merge"] if self.merge else []), *(["--exact"] if self.exact else [])]
        found += [each for name in self.include for each in ("--include", name)]
        found += [each for name in self.exclude for each in ("--exclude", name)]
        return found + (["--other-database"] if self.other_database else []) + self.more

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"filename": self.file, "mode": "merge" if self.merge else "replace"}
        if self.exact:
            body["exact"] = True
        if self.include:
            body["collections"] = self.include
        if self.other_database:
            body["other_database"] = True
        return body


Way = Callable[[bool, Asked], tuple[str, dict[str, Any]]]  # dry, options: the reason it was refused for, or "" and the result


def by_command(command: Command) -> Way:
    def ask(dry: bool, asked: Asked) -> tuple[str, dict[str, Any]]:
        ended = command("preview" if dry else "restore", *asked.flags, "--json")
        return (ended.error["reason"], {}) if ended.code else ("", ended.json)

    return ask


def by_rest(opened: Reprise) -> Way:
    client = werkzeug_test.Client(wsgi(opened))
    headers = {"Authorization": f"Bearer {token()}"}

    def ask(dry: bool, asked: Asked) -> tuple[str, dict[str, Any]]:
        answer = client.post("/restore", json={"dry_run": True, **asked.body} if dry else asked.body, headers=headers)
        found = answer.get_json()
        return ("", found) if answer.status_code == 200 else (found["type"].rsplit("/", 1)[-1], {})

    return ask


@pytest.fixture(params=["c++", "rest"])  # the other command says the same: the last test of this file
def way(request: pytest.FixtureRequest, url: str, database: Any, folder: pathlib.Path) -> Iterator[Way]:
    if request.param != "rest":
        yield by_command(commands(url, database, folder)[request.param])
        return
    with Reprise(url, database.name, folder, admin={"jwt": {"algorithm": "HS256", "secret": SECRET}}) as opened:
        assert opened.auto().may_go_on  # an empty database and no backup: the interface serves from here on
        yield by_rest(opened)


@pytest.fixture
def command(url: str, database: Any, folder: pathlib.Path) -> Command:
    """That makes the backups, whatever way previews and restores are asked for."""
    return commands(url, database, folder)["c++"]


def our_documents(database: Any) -> list[Any]:
    return [*database.reprise.find(), *sorted(name for name in database.list_collection_names() if ours(name))]


def count(there: View | None) -> int | None:
    return there[2] if there is not None and there[0] != "view" else None


def keeps_options(database: Any) -> bool:
    """Whether this server keeps the options of a collection that is renamed; the Python test server does not."""
    database.create_collection("renamed_from", validator={"a": 1})
    database.renamed_from.rename("renamed_to")
    found = next(iter(database.list_collections(filter={"name": "renamed_to"})))
    database.renamed_to.drop()
    return bool(found["options"])


def check_row(row: dict[str, Any], before: View | None, after: View | None, options_lost: bool) -> None:
    """What was said of one collection, against what became of it: (type, options, documents, their hashes, indexes).

    `options_lost`: the restore said that the server did not keep the options of a collection that was renamed.
    """
    assert row["now"] == count(before), row
    gone = before is not None and after is None
    assert row["dropped"] is gone and (row["action"] == "drop") is gone, row
    assert (row["action"] == "create") is (before is None and after is not None), row
    if gone:
        assert row["after"] == (None if count(before) is None else 0), row
    elif row["at_most"] is None:
        assert row["after"] == count(after), row
    else:
        assert row["after"] is None and row["at_least"] <= (count(after) or 0) <= row["at_most"], row
    catalog = [None if each is None else (each[0], "" if options_lost else each[1], each[4]) for each in (before, after)]
    assert row["same_catalog"] is (catalog[0] == catalog[1]) or options_lost, row
    views = [each is not None and each[0] == "view" for each in (before, after)]
    content = [None if each is None or each[0] == "view" else each[2:4] for each in (before, after)]
    assert row["same_documents"] is (views[0] == views[1] and content[0] == content[1] and not gone), row
    assert row["same"] is (row["same_documents"] and row["same_catalog"]), row
    if row["action"] == "leave":
        assert row["same"] is True and catalog[0] == catalog[1] and content[0] == content[1], row


def kept(way: Way, database: Any, folder: pathlib.Path, asked: Asked) -> str:
    """Preview, restore, compare. Returns the reason for which both refused, or ""."""
    before, folder_before, ours_before = fingerprint(database), files(folder), our_documents(database)
    refused, promised = way(True, asked)
    assert (fingerprint(database), files(folder)) == (before, folder_before), "a preview only reads"
    assert our_documents(database) == ours_before, "a preview takes no lease"
    really_refused, done = way(False, asked)
    after = fingerprint(database)
    assert refused == really_refused, asked
    if refused:
        assert after == before
        return refused
    rows = {each["name"]: each for each in promised["collections"]}
    assert list(rows) == sorted(rows) and set(rows) >= set(before) | set(after), asked
    for name, row in rows.items():
        lost = any(f"did not keep the options of collection {name}" in each for each in done["warnings"])
        check_row(row, before.get(name), after.get(name), lost)
    assert promised["mode"] == done["mode"] == ("merge" if asked.merge else "replace")
    if not asked.merge:
        touched = {each["name"] for each in done["collections"]}
        assert touched == {name for name, row in rows.items() if row["action"] in ("create", "replace")}
    for each in done["collections"] if asked.merge else []:
        row = rows[each["name"]]
        assert (row["replaced"], row["unchanged"]) == (each["replaced"], each["unchanged"]), each
        assert each["inserted"] <= row["inserted"] <= each["inserted"] + each["conflicts"], each
        assert row["at_most"] is not None or row["inserted"] == each["inserted"], each
    told = [[each for each in found["warnings"] if "is left as it is" in each] for found in (promised, done)]
    assert told[0] == told[1], "views, which a merge leaves"
    return ""


def begin(database: Any, command: Command) -> str:
    """The file's data: what e2e has, and what else a database may hold."""
    fill(database)
    database.create_collection("same_but_indexes").insert_one({"_id": 1, "a": 1})
    database.same_but_indexes.create_index("a", expireAfterSeconds=10**9)
    database.same_but_indexes.create_index([("a", -1)], name="down")
    database.create_collection("checked", validator={"a": {"$gt": 0}}).insert_one({"_id": 1, "a": 1})
    database.create_collection("sorted_otherwise", collation={"locale": "fr", "strength": 1})
    database.sorted_otherwise.insert_many([{"_id": "é"}, {"_id": "z"}])
    database.create_collection("was_a_view").insert_one({"_id": 1})
    database.create_collection("vanished").insert_many([{"_id": number} for number in range(3)])
    database.command("create", "was_a_collection", viewOn="users", pipeline=[])
    return str(command.result("backup")["file"])


def disturb(database: Any) -> None:
    """The same database some days later."""
    people = [each["_id"] for each in database.users.find({}, {"_id": 1}).sort("_id", 1)]
    database.users.delete_many({"_id": {"$in": people[:3]}})
    database.users.update_one({"_id": people[5]}, {"$set": {"name": "someone else"}})
    database.users.insert_many([{"email": f"new{number}@example.org"} for number in range(4)])
    database.absences.delete_one({})
    database.cse_cessions.drop()
    database.same_but_indexes.drop_index("down")
    database.command("collMod", "checked", validator={"a": {"$gt": 1}}, validationLevel="moderate")
    database.sorted_otherwise.delete_one({"_id": "é"})
    database.sorted_otherwise.insert_one({"_id": "e"})  # the same by its collation
    database.vanished.drop()
    database.active_users.drop()
    database.command("create", "active_users", viewOn="absences", pipeline=[])
    database.was_a_collection.drop()
    database.was_a_collection.insert_one({"_id": 1})
    database.was_a_view.drop()
    database.command("create", "was_a_view", viewOn="users", pipeline=[])
    database.extra.insert_many([{"_id": number} for number in range(2)])
    database.command("create", "extra_view", viewOn="extra", pipeline=[])


PLAIN = ["users", "absences", "vanished", "same_but_indexes", "sorted_otherwise", "checked", "active_users"]
CASES = {
    "everything": (Asked(), ""),
    "exact": (Asked(exact=True), ""),
    "selected": (Asked(include=["absences"]), ""),
    "a view selected": (Asked(include=["active_users", "was_a_collection"]), ""),
    "excluded": (Asked(exclude=["users", "vanished"]), ""),
    "merge": (Asked(merge=True, include=PLAIN), ""),
    "merge takes nothing away": (Asked(merge=True, include=PLAIN, more=["--no-safety-backup"]), ""),
    "merge where a view is": (Asked(merge=True), "merge_unsupported"),
    "an unknown name": (Asked(include=["nope"]), "collection_missing"),
    "an unknown name to leave": (Asked(exclude=["nope"]), "collection_missing"),
    "exact with a list": (Asked(exact=True, include=["users"]), "exact_with_lists"),
    "no such file": (Asked(file="backup_20010101_000000.json"), "file_missing"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_restore_does_what_its_preview_said(
    way: Way, command: Command, database: Any, folder: pathlib.Path, case: str, request: pytest.FixtureRequest
) -> None:
    asked, reason = CASES[case]
    if "rest" in request.node.callspec.params.values() and not asked.rest:
        pytest.skip("the REST interface has no such option")
    begin(database, command)
    disturb(database)
    assert kept(way, database, folder, asked) == reason
    if reason or asked.merge:
        return
    assert kept(way, database, folder, asked) == ""  # and now that nothing is left to change
    same = "same" if keeps_options(database) else "same_documents"
    rows = way(True, asked)[1]["collections"]
    assert all(each[same] for each in rows), [each for each in rows if not each[same]]


def test_merge_with_exact_drops_nothing(way: Way, command: Command, database: Any, folder: pathlib.Path) -> None:
    database.a.insert_many([{"_id": number} for number in range(5)])
    command.result("backup")
    database.a.insert_many([{"_id": number} for number in range(10, 13)])
    database.b.insert_one({"_id": 1})
    assert kept(way, database, folder, Asked(merge=True, exact=True)) == ""
    assert database.a.count_documents({}) == 8 and database.b.count_documents({}) == 1


def test_a_merge_is_counted_over_many_batches(way: Way, command: Command, database: Any, folder: pathlib.Path) -> None:
    """2 500 documents are three batches; numbers that are equal are one _id, whatever their types."""
    database.numbers.insert_many([{"_id": number, "n": number} for number in range(2500)])
    command.result("backup")
    database.numbers.delete_many({"_id": {"$gte": 900, "$lt": 2100}})
    database.numbers.insert_many([{"_id": 900.0}, {"_id": 901.0}, {"_id": 5000}])
    database.numbers.update_many({"_id": {"$lt": 10}}, {"$set": {"n": -1}})
    rows = {each["name"]: each for each in way(True, Asked(merge=True))[1]["collections"]}
    assert (rows["numbers"]["now"], rows["numbers"]["after"], rows["numbers"]["inserted"]) == (1303, 2501, 1198)
    assert kept(way, database, folder, Asked(merge=True)) == ""
    assert database.numbers.count_documents({}) == 2501


def test_what_a_unique_index_may_refuse_is_told_as_a_range(
    way: Way, command: Command, database: Any, folder: pathlib.Path
) -> None:
    database.people.create_index("email", unique=True)
    database.people.insert_many([{"_id": number, "email": f"{number}@example.org"} for number in range(4)])
    command.result("backup")
    database.people.delete_many({"_id": {"$in": [0, 1]}})
    database.people.insert_one({"_id": 9, "email": "0@example.org"})
    row = way(True, Asked(merge=True))[1]["collections"][0]
    assert (row["now"], row["after"], row["at_least"], row["at_most"]) == (3, None, 3, 5)
    assert kept(way, database, folder, Asked(merge=True)) == ""
    assert database.people.count_documents({}) == 4


def test_a_file_of_another_database_is_refused_until_it_is_asked_for(
    way: Way, command: Command, url: str, client: Any, database: Any, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    database.a.insert_one({"_id": 1})
    command.result("backup")
    other = client[f"{database.name}_other"]
    try:
        other.a.insert_many([{"_id": 1}, {"_id": 2}])
        other.only_there.insert_one({"_id": 1})
        saved = commands(url, other, tmp_path / "elsewhere")["c++"].result("backup")
        name = "backup_20300101_000000.json"
        (folder / name).write_bytes(pathlib.Path(saved["path"]).read_bytes())
        assert kept(way, database, folder, Asked(file=name)) == "other_database"
        assert kept(way, database, folder, Asked(file=name, other_database=True)) == ""
        assert database.a.count_documents({}) == 2 and database.only_there.count_documents({}) == 1
    finally:
        client.drop_database(other.name)


def test_the_file_of_another_deployment_is_refused_until_it_is_asked_for(
    way: Way, command: Command, database: Any, folder: pathlib.Path
) -> None:
    database.a.insert_one({"_id": 1})
    command.result("backup")
    wipe(database)
    (folder / ".reprise" / "owner").unlink()
    database.b.insert_one({"_id": 1})
    database.reprise.insert_one({"_id": "deployment", "value": "0" * 32})
    assert kept(way, database, folder, Asked()) == "other_deployment"
    assert kept(way, database, folder, Asked(other_database=True)) == ""


def test_the_folder_of_another_database_is_refused(way: Way, command: Command, database: Any, folder: pathlib.Path) -> None:
    database.a.insert_one({"_id": 1})
    command.result("backup")
    (folder / ".reprise" / "owner").write_text(json.dumps({"database": "somebody_elses", "deployment": None}))
    assert kept(way, database, folder, Asked()) == "folder_of_other"


def test_a_part_of_the_database_is_not_restored_exactly(
    way: Way, command: Command, database: Any, folder: pathlib.Path
) -> None:
    database.a.insert_one({"_id": 1})
    database.b.insert_one({"_id": 1})
    saved = command.result("backup", "--include", "a")
    assert kept(way, database, folder, Asked(file=saved["file"], exact=True)) == "scope_partial"
    database.a.delete_many({})
    assert kept(way, database, folder, Asked(file=saved["file"])) == ""


def test_a_damaged_file_is_refused(way: Way, command: Command, database: Any, folder: pathlib.Path) -> None:
    database.a.insert_many([{"_id": number, "text": "x" * 50} for number in range(20)])
    path = folder / command.result("backup")["file"]
    os.chmod(path, 0o600)
    path.write_bytes(path.read_bytes().replace(b"xxxx", b"yyyy", 1))
    assert kept(way, database, folder, Asked(file=path.name)) != ""
    path.write_bytes(path.read_bytes()[:-40])
    assert kept(way, database, folder, Asked(file=path.name)) == "file_truncated"


def test_capped_collections_and_time_series_are_told_as_they_are(
    way: Way, command: Command, client: Any, database: Any, folder: pathlib.Path
) -> None:
    from datetime import datetime, timedelta, timezone

    if not keeps_options(database):
        pytest.skip("this server forgets the options of a collection that is renamed, also that it is capped")
    database.create_collection("log", capped=True, size=4096, max=100).insert_many([{"_id": n} for n in (3, 1, 2)])
    if client.server_info()["versionArray"][0] >= 5:
        database.create_collection("heat", timeseries={"timeField": "at", "metaField": "room"}, expireAfterSeconds=10**9)
        begun = datetime.now(timezone.utc) - timedelta(hours=1)
        database.heat.insert_many([{"at": begun + timedelta(seconds=n), "room": n % 3, "t": n} for n in range(30)])
    command.result("backup")
    assert kept(way, database, folder, Asked()) == ""
    assert all(each["same"] for each in way(True, Asked())[1]["collections"])
    database.log.insert_one({"_id": 4})
    assert kept(way, database, folder, Asked(merge=True)) == "merge_unsupported"
    assert kept(way, database, folder, Asked()) == ""


def test_an_old_file_keeps_options_and_indexes_and_its_preview_says_so(
    way: Way, database: Any, folder: pathlib.Path
) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    collections = {"users": [{"_id": "a"}, {"_id": "b"}], "absences": [], "nameless": [{"id": "x"}]}
    content = {"backup_date": "2025-10-12T16:27:21.123456", "database": database.name, "collections": collections}
    (folder / "backup_20251012_162721.json").write_text(json.dumps(content, indent=2))
    database.create_collection("users", validator={"_id": {"$type": "string"}}).create_index("email", name="by_email")
    database.absences.insert_one({"_id": 1})
    asked = Asked(file="backup_20251012_162721.json")
    assert kept(way, database, folder, asked) == ""
    assert "by_email" in database.users.index_information()
    rows = {each["name"]: each for each in way(True, asked)[1]["collections"]}
    assert rows["users"]["same"] and rows["absences"]["same"] and not rows["nameless"]["same"]
    assert kept(way, database, folder, Asked(file=asked.file, merge=True, include=["users", "absences"])) == ""
    nameless = Asked(file=asked.file, merge=True, include=["nameless"])
    assert way(True, nameless)[0] == way(False, nameless)[0] == "merge_unsupported"


def test_an_unfinished_restore_is_told_and_one_of_a_newer_version_is_refused(
    way: Way, command: Command, database: Any, folder: pathlib.Path
) -> None:
    database.a.insert_one({"_id": 1})
    command.result("backup")
    record = {"_id": "restore", "format": 1, "min_reader": 99, "version": "9.0.0", "op": "0a0b0c0d", "term": Int64(1)}
    record.update(attempts=0, state="swapping", backup={"name": "some.json", "sha256": ""}, steps=[])
    record.update(safety="", safety_sha256="")
    database.reprise.insert_one(record)
    assert kept(way, database, folder, Asked()) == "record_newer"
    database.reprise.update_one({"_id": "restore"}, {"$set": {"min_reader": 1}})
    assert any("some.json was cut off while it swapped" in said for said in way(True, Asked())[1]["warnings"])
    assert kept(way, database, folder, Asked()) == ""


def test_what_nobody_signed_is_refused_until_it_is_asked_for(
    command: Command, database: Any, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    from test_signed import signing_key

    database.a.insert_one({"_id": 1})
    command.result("backup")
    key = str(signing_key(tmp_path, "host")[0])
    for name in COMMANDS:
        trusting = by_command(Command(name, {**command.environment, "BACKUP_SIGNING_KEY_FILE": key}))
        assert kept(trusting, database, folder, Asked()) == "signature_missing"
        assert kept(trusting, database, folder, Asked(more=["--accept-unsigned"])) == ""


def test_a_preview_tells_of_another_target_too(command: Command, client: Any, database: Any) -> None:
    database.a.insert_many([{"_id": 1}, {"_id": 2}])
    command.result("backup")
    other = f"{database.name}_drill"
    try:
        rows = command.result("preview", "--to-database", other)["collections"]
        assert [(each["name"], each["action"], each["now"], each["after"]) for each in rows] == [("a", "create", None, 2)]
        assert other not in client.list_database_names()
        command.result("restore", "--to-database", other)
        assert client[other].a.count_documents({}) == 2
    finally:
        client.drop_database(other)


def test_both_commands_say_the_same_of_every_preview(both: dict[str, Command], command: Command, database: Any) -> None:
    begin(database, command)
    disturb(database)
    wanted = {
        "": ["created", "left alone", "different documents", "different definition", "different options or indexes"],
        "--exact": ["not in the backup, dropped"],
        "--include absences": ["left alone", "not in the backup, left alone"],
        "--merge " + " ".join(f"--include {name}" for name in PLAIN): [" new, ", " replaced", " to ", "left alone"],
        "--merge": ["cannot be merged"],
    }
    for arguments, words in wanted.items():
        said = [each("preview", *arguments.split()) for each in both.values()]
        assert said[0] == said[1], arguments
        results = [each("preview", "--json", *arguments.split()).json for each in both.values()]
        assert [each.get("collections") for each in results] == [results[0].get("collections")] * 2, arguments
        for word in words:
            assert word in said[0].out + said[0].err, (arguments, word, said[0])
