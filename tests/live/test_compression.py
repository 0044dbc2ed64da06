"""gzip and zstd from end to end: every verb on every kind of file, side by side, and files that other programs made."""

from __future__ import annotations

import gzip
import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import pytest
from e2e import Command, files, fill, fingerprint, leftovers, wipe

SUFFIXES = {"none": "", "gzip": ".gz", "gzip:6": ".gz", "zstd": ".zst", "zstd:9": ".zst"}
UNPACK = {".gz": ["gzip", "-dc"], ".zst": ["zstd", "-dcq"], "": ["cat"]}


def backup(command: Command, how: str, *arguments: str) -> dict[str, Any]:
    ended = command("backup", "--json", *arguments, BACKUP_COMPRESSION=how)
    assert ended.code == 0, ended.out + ended.err
    return ended.json


def through(program: list[str], data: bytes) -> bytes:
    return subprocess.run(program, input=data, capture_output=True, check=True).stdout


def unpacked(path: pathlib.Path) -> bytes:
    return through(UNPACK[path.suffix if path.suffix in UNPACK else ""], path.read_bytes())


def pointers(folder: pathlib.Path) -> dict[str, str]:
    return {name: target[3:] for name, target in files(folder).items() if name.startswith("backup_latest")}


@pytest.mark.parametrize("how", ["gzip", "gzip:6", "zstd", "zstd:9"])
def test_backup_drop_startup_brings_everything_back(command: Command, database: Any, folder: pathlib.Path, how: str) -> None:
    before = fill(database, 40)
    saved = backup(command, how)
    assert saved["state"] == "good" and saved["latest"] is True and saved["file"].endswith(".json" + SUFFIXES[how])
    path = folder / saved["file"]
    assert path.stat().st_size == saved["size_bytes"]
    plain = unpacked(path)
    assert len(plain) > 2 * saved["size_bytes"]
    assert json.loads(plain)["summary"]["documents"] == saved["documents"]
    assert pointers(folder) == {"backup_latest.json" + SUFFIXES[how]: saved["file"]}
    verified = command.result("verify", saved["file"])
    assert verified["verified"] is True and verified["documents"] == saved["documents"]
    cat = command("cat")
    assert cat.code == 0 and cat.out.encode() == plain
    wipe(database)
    assert command.result("auto")["result"] == "restored"  # without knowing how the file is stored
    assert fingerprint(database) == before
    assert leftovers(database, folder) == []


def test_files_of_all_kinds_live_side_by_side(command: Command, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    made = []
    for number, how in enumerate(["none", "zstd", "gzip", "zstd:9", "none", "gzip:6"]):
        database.users.insert_one({"_id": f"new{number}", "email": f"new{number}@example"})
        saved = backup(command, how)
        made.append(saved["file"])
        assert saved["file"].endswith(".json" + SUFFIXES[how])
        assert pointers(folder) == {"backup_latest.json" + SUFFIXES[how]: saved["file"]}
        assert command.result("status")["latest"] == saved["file"]
    stems = [name.split(".")[0] for name in made]
    assert len(set(stems)) == len(stems), "gzip -d in the folder must not meet another backup's name"
    listed = command.result("list")["backups"]
    assert [each["filename"] for each in listed] == made[::-1]
    assert all(each["verified"] and each["state"] == "good" for each in listed)
    shown = [command.result("show", name) for name in made]
    assert [each["documents"] for each in shown] == [shown[0]["documents"] + n for n in range(len(made))]
    assert all(each["catalog"]["users"]["type"] == "collection" for each in shown)
    for number, name in enumerate(made):
        command.result("restore", name)
        assert database.users.count_documents({"_id": {"$regex": "^new"}}) == number + 1
    safety = [name for name in files(folder) if name.startswith("before_restore_")]
    assert safety and all(name.endswith(".json") for name in safety), "the environment of these restores says nothing"


def test_a_safety_backup_and_a_rehash_are_compressed_too(command: Command, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    saved = backup(command, "gzip")
    database.users.insert_one({"_id": "later", "email": "later@example"})
    restored = command("restore", "--json", BACKUP_COMPRESSION="zstd").json
    assert restored["safety_file"].endswith(".json.zst")
    command.result("restore", restored["safety_file"])
    assert database.users.count_documents({"_id": "later"}) == 1

    edited = folder / "backup_20200101_000000.json.gz"
    edited.write_bytes(gzip.compress(unpacked(folder / saved["file"]).replace(b"Sophie", b"Sophia")))
    assert command("verify", edited.name, "--json").error["reason"] == "file_edited"
    again = command("rehash", edited.name, "--json", BACKUP_COMPRESSION="zstd").json
    assert again["file"].endswith(".json.zst") and again["changes"]
    assert command.result("verify", again["file"])["verified"] is True


def test_files_that_other_programs_compressed_are_taken(command: Command, database: Any, folder: pathlib.Path) -> None:
    before = fill(database)
    plain = folder / backup(command, "none")["file"]
    content = plain.read_bytes()
    half = len(content) // 2
    made = {
        "backup_20300101_000001.json.gz": through(["gzip", "-9c"], content),
        "backup_20300101_000002.json.zst": through(["zstd", "-cq"], content),
        "backup_20300101_000003.json.gz": gzip.compress(content[:half]) + gzip.compress(content[half:]),
        "backup_20300101_000004.json": gzip.compress(content),  # the content says what it is, not the name
    }
    for name, data in made.items():
        (folder / name).write_bytes(data)
        assert command.result("verify", name)["verified"] is True
    for name in made:
        wipe(database)
        command.result("restore", name)
        assert fingerprint(database) == before


def test_what_is_cut_damaged_or_more_than_a_backup_leaves_the_database_as_it_was(
    command: Command, database: Any, folder: pathlib.Path
) -> None:
    before = fill(database)
    for how in ("gzip", "zstd"):
        data = (folder / backup(command, how)["file"]).read_bytes()
        middle = len(data) // 2
        flipped = data[:middle] + bytes([data[middle] ^ 0x40]) + data[middle + 1 :]
        for data, reasons in (
            (data[:-1], {"file_truncated"}),
            (data[:middle], {"file_truncated"}),
            (flipped, None),  # whatever it is that does not fit first
            (data + b"\0", {"trailing_bytes"}),
        ):
            bad = folder / ("backup_20310101_000001.json" + SUFFIXES[how])
            bad.write_bytes(data)
            refused = command("restore", bad.name, "--json")
            assert refused.code == 5 and refused.error["code_name"] == "corrupt"
            assert reasons is None or refused.error["reason"] in reasons
            assert command("verify", bad.name, "--json").code == 5
            bad.unlink()
    assert fingerprint(database) == before
    command.result("verify")


def test_a_bomb_ends_in_an_error_and_little_memory(command: Command, database: Any, folder: pathlib.Path) -> None:
    fill(database)
    content = unpacked(folder / backup(command, "none")["file"])
    line = content.index(b"\n") + 1
    bomb = content[:line] + b'"reprise":"' + b"x" * 300_000_000
    path = folder / "backup_20310101_000001.json.zst"
    path.write_bytes(through(["zstd", "-cq"], bomb))
    assert path.stat().st_size < 100_000
    peak = folder.parent / "peak"
    measure = [sys.executable, "-S", str(pathlib.Path(__file__).with_name("peak.py")), str(peak), *command.program]
    ended = subprocess.run([*measure, "verify", path.name, "--json"], env={**os.environ, **command.environment},
                           capture_output=True, check=False)
    assert ended.returncode == 5 and json.loads(ended.stdout)["error"]["reason"] == "line_too_long"
    assert int(peak.read_text()) < 256 * 1024


@pytest.mark.parametrize("wrong", ["xz", "gzip:0", "zstd:99", "none:1", "zstd:fast"])
def test_s12_wrong_words_for_compression_are_refused(command: Command, wrong: str) -> None:
    ended = command("backup", "--json", BACKUP_COMPRESSION=wrong)
    assert ended.code == 2 and ended.error["reason"] == "key_value_wrong" and "compression" in ended.error["message"]
    assert wrong not in ended.error["message"]


def test_an_empty_word_is_none(command: Command, database: Any) -> None:
    fill(database)
    assert backup(command, "")["file"].endswith(".json")
