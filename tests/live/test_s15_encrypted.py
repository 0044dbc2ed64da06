"""S15: an encrypted file that was cut, changed, swapped, or is somebody else's is refused with the right word, at restore and
at startup, and after each refusal the database is what it was. REPRISE_LONG=1 tries every bit instead of one of each byte.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest
from e2e import leftovers, wipe

import reprise as package
from reprise import Reprise, RepriseError

LONG = bool(os.environ.get("REPRISE_LONG"))
STARTUP_STEP = 1 if LONG else 16  # bytes between the places where startup is tried: it also examines the folder
# What a changed byte is called by what it hits: the layer's beginning, its header, its chunks.
CHANGED = {"file_damaged", "encryption_invalid", "encryption_forged", "encryption_unknown", "not_a_backup", "armor_invalid"}


class Host:
    """A host with an identity, a database with one document, and one small encrypted backup of it."""

    def __init__(self, url: str, database: Any, folder: pathlib.Path, keys: package.KeyPair) -> None:
        self.url, self.database, self.folder = url, database, folder
        identity = folder.parent / "identity"
        keys.write(identity)
        self.encryption = {"recipients": [keys.shared.strip()], "identity_file": str(identity)}
        self.reprise = self.opened(**self.encryption)
        database.users.insert_one({"_id": 1, "name": "Sophie"})
        saved = self.reprise.backup()
        self.path = pathlib.Path(saved.path)
        self.manifest = folder / ".reprise" / "manifests" / (saved.file + ".json")
        self.sealed, self.known, self.time = self.path.read_bytes(), self.manifest.read_bytes(), self.path.stat().st_mtime_ns

    def opened(self, **encryption: Any) -> Reprise:
        return Reprise(self.url, self.database.name, self.folder, compression="zstd", encryption=encryption)

    def put(self, damaged: bytes, same_time: bool = False) -> None:
        """The file as it is now, under the manifest of the whole one."""
        self.path.write_bytes(damaged)
        if same_time:  # as a disk does that forgets
            os.utime(self.path, ns=(self.time, self.time))
        self.manifest.write_bytes(self.known)

    def restored(self, reprise: Reprise | None = None) -> str:
        with pytest.raises(RepriseError) as raised:
            (reprise or self.reprise).restore(self.path.name)
        return raised.value.reason

    def untouched(self) -> bool:
        names = {name for name in self.database.list_collection_names() if name != "reprise"}
        return names == {"users"} and list(self.database.users.find()) == [{"_id": 1, "name": "Sophie"}]

    def started(self) -> str:
        """The word of a startup on the empty database for our file."""
        answer = self.reprise.auto()
        assert (answer.result, answer.may_go_on) == ("refused", False)
        assert set(self.database.list_collection_names()) <= {"reprise"}
        return next((each["reason"] for each in answer.skipped if each["file"] == self.path.name), answer.reason)


@pytest.fixture
def host(url: str, database: Any, folder: pathlib.Path) -> Iterator[Host]:
    made = Host(url, database, folder, package.new_key())
    with made.reprise:
        yield made
    assert [name for name in leftovers(database, folder) if name != made.path.name] == []


def flipped(sealed: bytes) -> Iterator[bytes]:
    for at in range(len(sealed)):
        for bit in range(8) if LONG else [at * 5 % 8]:
            yield sealed[:at] + bytes([sealed[at] ^ 1 << bit]) + sealed[at + 1 :]


def test_s15_a_cut_at_every_byte_is_refused_as_a_cut_and_touches_nothing(host: Host) -> None:
    for size in range(len(host.sealed)):
        host.put(host.sealed[:size])
        assert (host.restored(), host.untouched()) == ("file_truncated", True), size


def test_s15_a_changed_byte_anywhere_is_refused_as_damage_and_touches_nothing(host: Host) -> None:
    for number, damaged in enumerate(flipped(host.sealed)):
        host.put(damaged, same_time=number % 2 == 0)
        assert host.restored() in CHANGED, number
        assert host.untouched(), number


def test_s15_startup_brings_nothing_back_from_a_cut_or_changed_file(host: Host) -> None:
    wipe(host.database)
    for same_time in (False, True):
        for at in range(0, len(host.sealed), STARTUP_STEP):
            host.put(host.sealed[:at], same_time)
            assert host.started() == "file_truncated", at
            host.put(host.sealed[:at] + bytes([host.sealed[at] ^ 1 << at % 8]) + host.sealed[at + 1 :], same_time)
            assert host.started() in CHANGED, at
    host.put(host.sealed, same_time=True)
    assert host.reprise.auto().result == "restored" and host.untouched()


def test_s15_swapped_repeated_and_missing_chunks_are_refused_and_touch_nothing(host: Host) -> None:
    host.database.users.insert_many([{"text": os.urandom(600).hex()} for _ in range(500)])
    path = pathlib.Path(host.reprise.backup().path)
    before = list(host.database.users.find())
    sealed, chunk = path.read_bytes(), 65552
    begin = sealed.index(b"\n--- ") + 5 + 43 + 1 + 16
    head, chunks = sealed[:begin], [sealed[at : at + chunk] for at in range(begin, len(sealed), chunk)]
    assert len(chunks) > 3
    a, b, *rest = chunks
    for damaged in ([b, a, *rest], [a, a, *rest], [a, *rest], [b, *rest], [a, b, *rest[::-1]], [a, b, *rest, rest[-1]], rest):
        path.write_bytes(head + b"".join(damaged))
        with pytest.raises(RepriseError) as raised:
            host.reprise.restore(path.name)
        assert raised.value.reason in ("file_damaged", "file_truncated", "trailing_bytes")
        assert list(host.database.users.find()) == before
    path.write_bytes(head + b"".join(chunks[:-1]))  # a cut between two chunks
    with pytest.raises(RepriseError) as raised:
        host.reprise.restore(path.name)
    assert raised.value.reason == "file_truncated" and list(host.database.users.find()) == before


def test_s15_a_wrong_key_and_no_key_say_so_and_touch_nothing(host: Host, tmp_path: pathlib.Path) -> None:
    other = package.new_key()
    other.write(tmp_path / "other")
    cases = {"key_wrong": {"identity_file": str(tmp_path / "other")}, "key_missing": {}}
    for reason, encryption in cases.items():
        with host.opened(**encryption) as reader:
            assert (host.restored(reader), host.untouched()) == (reason, True)
    wipe(host.database)
    for reason, encryption in cases.items():
        with host.opened(**encryption) as reader:
            answer = reader.auto()
            assert (answer.result, answer.reason, answer.may_go_on) == ("refused", reason, False)
            assert set(host.database.list_collection_names()) <= {"reprise"}


@pytest.mark.parametrize("how", ["none", "gzip", "zstd"])
def test_cat_gives_what_is_true_and_ends_badly_when_the_last_chunk_fails(
    host: Host, folder: pathlib.Path, how: str
) -> None:
    host.database.users.insert_many([{"text": os.urandom(300).hex()} for _ in range(600)])
    with Reprise(host.url, host.database.name, folder, compression=how, encryption=host.encryption) as reprise:
        saved = reprise.backup()
        path, whole = pathlib.Path(saved.path), b"".join(reprise.cat(saved.file))
        sealed = path.read_bytes()
        assert len(sealed) > 2 * 65552
        for damaged in (sealed[:-1], sealed[:-20] + bytes([sealed[-20] ^ 1]) + sealed[-19:]):
            path.write_bytes(damaged)
            got = []
            with pytest.raises(RepriseError) as raised:
                for piece in reprise.cat(saved.file):
                    got.append(piece)
            assert raised.value.reason == "file_damaged"
            given = b"".join(got)
            assert whole.startswith(given) and 0 < len(given) < len(whole)
