"""Hazards 12, 16, 17: 10 000 files in the folder, the oddest names, the biggest document."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import time
from typing import Any

import bson
import pymongo.errors
import pytest
from attack_clock import COMMANDS
from bson.raw_bson import RawBSONDocument
from lab import LONG, Ended, Lab, Seen, attack, is_whole, make, state_of

CROWDED = 10_000
BOUND_S = 60  # of one command in a crowded folder, a named maximum; on an idle machine each takes a second or two
STRANGERS = ("notes", "backup_x", ".hidden", "Backup 20", "-rf ")


def crowd(lab: Lab, count: int) -> tuple[list[str], list[str]]:
    """Ours, in the order in which they were made, and strangers' files: half and half."""
    made = lab.result("backup")
    manifest = lab.folder / ".reprise" / "manifests" / f"{made['file']}.json"
    known, content = json.loads(manifest.read_text()), pathlib.Path(made["path"])
    ours, strangers = [made["file"]], []
    for number in range(count // 2 - 1):
        name = time.strftime("backup_%Y%m%d_%H%M%S.json", time.gmtime(946_684_800 + number * 86_400))
        copy = lab.folder / name
        shutil.copy2(content, copy)
        own = {**known, "name": name, "sequence": number + 2, "id": f"{number:032x}"}  # copies of one backup count as one
        path = manifest.with_name(f"{name}.json")
        path.write_text(json.dumps(own))
        path.chmod(0o600)
        ours.append(name)
    for number in range(count // 2):
        stranger = lab.folder / f"{STRANGERS[number % len(STRANGERS)]}{number}.json"
        stranger.write_text("{}")
        stranger.chmod(0o600)
        strangers.append(stranger.name)
    sequence = lab.folder / ".reprise" / "sequence"
    sequence.write_text(json.dumps({each: count for each in json.loads(sequence.read_text())}))
    return ours, strangers


class Timed:
    """Runs commands in the crowded folder, each within the bound."""

    def __init__(self, lab: Lab, seen: Seen) -> None:
        self.lab, self.seen = lab, seen

    def __call__(self, *arguments: str) -> dict[str, Any]:
        begun = time.monotonic()
        ended: Ended = self.lab.run(*arguments)
        self.seen.points += 1
        if ended.code or time.monotonic() - begun > BOUND_S:
            self.seen.wrong(" ".join(arguments), f"{time.monotonic() - begun:.1f} s, {ended.code}: {ended.out[:500]}")
        return ended.json


def test_s3_hazard_02_ten_thousand_files_in_the_folder(lab: Lab) -> None:
    with attack("10 000 files in the folder: list, startup, backup, forget") as seen:
        wanted, run = make(lab.database), Timed(lab, seen)
        ours, strangers = crowd(lab, CROWDED)
        listed = run("list")
        assert {each["filename"] for each in listed["backups"]} >= set(ours)
        if [each["filename"] for each in listed["backups"] if each["sequence"]] != ours[::-1]:
            seen.wrong("list", "not in the order of the sequences")
        lab.database.client.drop_database(lab.database.name)
        started = run("auto")
        if started.get("file") != ours[-1]:
            seen.wrong("auto", f"{started}"[:500])
        lab.check_data(seen, "auto", wanted)
        made = run("backup", "--no-retention")
        if lab.latest != (lab.folder / made["file"]).resolve():
            seen.wrong_latest += 1
        run("status")
        would = run("forget", "--dry-run", "--keep-last", "3")
        gone = run("forget", "--keep-last", "3")
        assert {each["file"] for each in would["removed"]} == {each["file"] for each in gone["removed"]} != set()
        stay = {made["file"], *ours[-2:]}
        left = {each.name for each in lab.folder.iterdir() if not each.is_symlink() and each.is_file()}
        if lost := ({*strangers, *stay}) - left:
            seen.lost += len(lost)
            seen.wrong("forget", f"took {sorted(lost)[:5]}")
        if surplus := (left - set(strangers)) - stay:
            seen.wrong("forget", f"left {len(surplus)}: {sorted(surplus)[:5]}")
        if any(is_whole(lab.folder / name) for name in stay):
            seen.half_visible += 1
        for name in strangers:
            (lab.folder / name).unlink()
        lab.check_folder(seen, "afterwards")
        lab.check_next(seen, "afterwards")


def test_hazard_02_a_crowded_folder_that_nothing_is_known_of(lab: Lab) -> None:
    """`.reprise/` was lost: each file is read again before it counts."""
    with attack("a crowded folder without manifests: startup, backup") as seen:
        wanted, run = make(lab.database), Timed(lab, seen)
        ours, _ = crowd(lab, 4000 if LONG else 400)
        shutil.rmtree(lab.folder / ".reprise")
        run("list")
        lab.database.client.drop_database(lab.database.name)
        run("auto")
        lab.check_data(seen, "auto", wanted)
        made = run("backup")
        if lab.latest != (lab.folder / made["file"]).resolve() or is_whole(lab.folder / made["file"]):
            seen.wrong_latest += 1
        assert ours


# ---- odd names

NAMES = ["a/b", "100%", 'quo"te', "apo'strophe", "new\nline", "dots.in.it", "..", ".", "-rf", "$", " ", "tab\tbed", "{}",
         "back\\slash", "ünïcödé", "𝄞 clef", "\u202eright", "\u0001", "NUL.json", "a" * 120, "%2e%2e%2f", "reprisal",
         "systematic", "`id`"]  # fmt: skip
FIELDS = ["", "$set", "$", "a.b", ".", "..", "new\nline", '"', "\\", "%00", "__proto__", "$date", "$oid", "$numberLong", "é",
          "\u0007", "$ref", "$binary", "_id ", "constructor", "\u2028", "x" * 1000]  # fmt: skip


def odd(lab: Lab) -> int:
    """Makes what the server takes."""
    made = 0
    for name in NAMES:
        try:
            lab.database.create_collection(name)
        except (pymongo.errors.OperationFailure, pymongo.errors.InvalidName):
            continue
        made += 1
        for number, field in enumerate(FIELDS):
            for value in [field, {field: [{field: number}]}]:
                # Some servers refuse some names at the top, or everywhere.
                document = {"_id": f"{number}{type(value).__name__}", field: value, "in": {field: value}}
                insert(lab.database, name, document)
    return made


def insert(database: Any, name: str, document: dict[str, Any]) -> None:
    """As it is: pymongo's own checks aside."""
    raw = RawBSONDocument(bson.encode(document))
    for each in (raw, RawBSONDocument(bson.encode({"_id": document["_id"], "in": document["in"]}))):
        reply = database.command({"insert": name, "documents": [each], "ordered": True}, check=False)
        if not reply.get("writeErrors"):
            return


@pytest.mark.parametrize("name", list(COMMANDS))
def test_hazard_16_odd_names_of_collections_and_fields(name: str, lab: Lab) -> None:
    with attack(f"odd names of collections and fields: backup, restore, startup ({name})") as seen:
        lab.program = COMMANDS[name]
        seen.points = odd(lab)
        assert seen.points > 10
        wanted = state_of(lab.database)
        assert sum(sum(one[3].values()) for one in wanted.values()) > seen.points * 20
        file = lab.result("backup")["file"]
        lab.check_folder(seen, "backup")
        for collection in wanted:
            lab.database[collection].insert_one({"_id": "more"})
        lab.result("restore", file)
        lab.check_data(seen, "restore", wanted)
        lab.database.client.drop_database(lab.database.name)
        lab.result("auto", "--whole-database")
        lab.check_data(seen, "auto", wanted)
        lab.check_next(seen, "afterwards")


# ---- the biggest document

BIGGEST = 16 * 1024 * 1024
LEVELS = 100


def nested(levels: int) -> dict[str, Any]:
    """A document of so many levels."""
    document: dict[str, Any] = {"end": 1}
    for level in range(levels - 1):
        document = {"n" if level % 2 else "": document}
    return document


def biggest(identity: int) -> RawBSONDocument:
    """Exactly as large as a server takes them and 100 levels deep, with text that escapes and bytes that do not repeat."""
    document = {"_id": identity, "n": nested(LEVELS - 1), "text": '\\"\u0001é' * 500_000, "rest": b""}
    document["rest"] = os.urandom(BIGGEST - len(bson.encode(document)))
    raw = bson.encode(document)
    assert len(raw) == BIGGEST
    return RawBSONDocument(raw)


def test_hazard_12_hazard_17_the_biggest_document(lab: Lab) -> None:
    with attack("documents of 16 MiB, 100 levels deep: backup, restore, startup") as seen:
        for identity in range(4 if LONG else 2):
            lab.database.users.insert_one(biggest(identity))
        wanted = state_of(lab.database)
        for compression in ("none", "gzip", "zstd") if LONG else ("none", "zstd"):
            made = lab.result("backup", BACKUP_COMPRESSION=compression)
            seen.points += 1
            lab.database.users.delete_many({"_id": 1})
            lab.result("restore", made["file"])
            lab.check_data(seen, f"{compression}: restore", wanted)
            lab.result("verify", made["file"])
        lab.database.client.drop_database(lab.database.name)
        lab.result("auto")
        seen.points += 1
        lab.check_data(seen, "auto", wanted)
