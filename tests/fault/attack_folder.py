"""Hazards 13, 21, S11: the folder is shared, removed, moved away, a link, read-only, full, or holds 10 000 files."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pymongo
import pytest
import servers
from lab import LONG, Ended, Lab, Seen, State, attack, is_whole, make, state_of, telling, thinned
from wire import Message, Proxy

MOUNTS = os.geteuid() == 0 and shutil.which("mount") is not None


def contents(folder: pathlib.Path) -> dict[str, bytes]:
    """Everything that is visible, and what is known of it but for the time of the last look."""
    plain = [each for each in folder.iterdir() if each.is_file() and not each.is_symlink()]
    known = list((folder / ".reprise" / "manifests").iterdir())
    found = {str(each.relative_to(folder)): each.read_bytes() for each in [*plain, *known, folder / ".reprise" / "owner"]}
    return {name: re.sub(rb'"verified_us": \d+', b"", content) for name, content in found.items()}


@contextlib.contextmanager
def other_lab(lab: Lab, url: str | None = None, name: str | None = None) -> Iterator[Lab]:
    """Another host that was given the same folder."""
    with pymongo.MongoClient(url or lab.url, tz_aware=True) as client:
        database: Any = client[name or f"reprise_fault_{uuid.uuid4().hex[:8]}"]
        other = Lab(url or lab.url, database, lab.place)
        yield other
        client.drop_database(database.name)


def intruders(file: str) -> list[tuple[str, ...]]:
    return [("backup",), ("before", "an import"), ("restore", file), ("restore", file, "--exact"), ("auto",), ("forget",),
            ("forget", "--keep-last", "1"), ("pin", file), ("accept", file), ("delete", file), ("rehash", file),
            ("rekey", file), ("backup", "--accept-smaller"), ("list",), ("verify",), ("status",)]  # fmt: skip


READING = ("list", "verify", "status")
# Do not ask the server: the database's name is all that tells them.
LOCAL = ("pin", "accept", "delete", "rehash", "rekey", "forget")


def refused(owner: Lab, other: Lab, seen: Seen, reasons: tuple[str, ...]) -> None:
    """Whatever the second one asks for: nothing of the first one's changes, and it is told whose folder it is."""
    before, database = contents(owner.folder), state_of(owner.database)
    latest = owner.latest
    assert latest is not None
    for with_data in (True, False):
        if with_data:
            make(other.database, changed=True)
        else:
            other.database.client.drop_database(other.database.name)
        state = state_of(other.database)
        for arguments in intruders(latest.name):
            where = f"{'full' if with_data else 'empty'}: {' '.join(arguments)}"
            ended = other.run(*arguments)
            seen.points += 1
            if not ended.out.startswith('{"result":'):
                other.check_words(seen, where, ended)
            if arguments[0] not in READING and not turned_away(ended, arguments, reasons):
                seen.wrong(where, f"was let in: {ended.out}")
            if contents(owner.folder) != before or owner.latest != latest:
                seen.lost += len(set(before) - set(contents(owner.folder)))
                seen.wrong(where, f"the folder changed: {sorted(set(before) ^ set(contents(owner.folder)))}")
            other.check_data(seen, where, state)
            owner.check_data(seen, where, database)


def turned_away(ended: Ended, arguments: tuple[str, ...], reasons: tuple[str, ...]) -> bool:
    if arguments == ("auto",) and "result" in ended.json:
        return ended.json["result"] in ("not_needed", "refused")
    return ended.code != 0 and ended.reason in (*reasons, "database_missing")


def test_hazard_21_two_databases_in_one_folder(lab: Lab) -> None:
    with attack("a folder that belongs to another database") as seen, other_lab(lab) as other:
        make(lab.database)
        lab.seal()
        other.keys = lab.keys
        lab.result("backup")
        refused(lab, other, seen, ("folder_of_other", "other_database"))
        lab.check_next(seen, "afterwards")


def test_hazard_21_two_deployments_in_one_folder(lab: Lab) -> None:
    """The same name of a database on another server: production, and the staging that was set up with its settings."""
    with attack("a folder that belongs to another deployment") as seen, servers.start_server() as server:
        with other_lab(lab, server.url, lab.database.name) as other:
            make(other.database, changed=True)
            other.folder = lab.place / "its own"
            other.result("backup")
            deployment = other.database.reprise.find_one({"_id": "deployment"})
            other.folder = lab.folder
            make(lab.database)
            lab.result("backup")
            for arguments in intruders("backup_latest.json"):
                before = contents(lab.folder)
                make(other.database, changed=True)
                state = state_of(other.database)
                ended = other.run(*arguments)
                seen.points += 1
                other.check_words(seen, str(arguments), ended)
                if arguments[0] not in (*READING, *LOCAL) and not turned_away(
                    ended, arguments, ("folder_of_other", "other_deployment")
                ):
                    seen.wrong(str(arguments), f"was let in: {ended.out}")
                if arguments[0] not in (*LOCAL, "verify") and contents(lab.folder) != before:
                    seen.wrong(str(arguments), "the folder changed")
                other.check_data(seen, str(arguments), state)
            assert other.database.reprise.find_one({"_id": "deployment"}) == deployment
            lab.check_next(seen, "afterwards")


def test_hazard_21_a_start_does_not_take_another_deployments_data(lab: Lab) -> None:
    """The database of the second one was emptied, but it remembers who it is."""
    with attack("startup in another deployment's folder") as seen, servers.start_server() as server:
        with other_lab(lab, server.url, lab.database.name) as other:
            make(other.database)
            other.folder = lab.place / "its own"
            other.result("backup")
            other.folder = lab.folder
            make(lab.database, changed=True)
            lab.result("backup")
            for name in ("users", "absences", "teams"):
                other.database[name].delete_many({})
            for _ in range(2):
                ended = other.run("auto")
                seen.points += 1
                if ended.code == 0 or other.database.users.find_one():
                    seen.wrong("auto", f"went on: {ended.out}")
            lab.check_next(seen, "afterwards")


def test_hazard_21_two_first_backups_at_once_into_a_new_folder(lab: Lab) -> None:
    """One of them owns it then."""
    with attack("two databases make the first backup of a folder at once") as seen, other_lab(lab) as other:
        make(lab.database)
        make(other.database, changed=True)
        for turn in range(20 if LONG else 4):
            shutil.rmtree(lab.folder, ignore_errors=True)
            begun = [one.begin("backup", "--wait", "20") for one in (lab, other)[:: 1 if turn % 2 else -1]]
            ended = [Ended(one.returncode, *said) for one in begun for said in [one.communicate(timeout=60)]]
            seen.points += 1
            if sorted(one.code for one in ended) != [0, 4] or "folder_of_other" not in {one.reason for one in ended}:
                seen.wrong(str(turn), str(ended))
            if len(lab.visible()) != 1:
                seen.wrong(str(turn), f"the folder holds {lab.visible()}")
            lab.check_folder(seen, str(turn))


# ---- the folder goes away


def removed(folder: pathlib.Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def moved(folder: pathlib.Path) -> None:
    """An administrator moves it to a larger disk, and makes a link."""
    away = folder.with_name("larger")
    if not folder.is_symlink():
        folder.rename(away)
        folder.symlink_to(away)


def made_anew(folder: pathlib.Path) -> None:
    """A mount that went away: an empty folder stands there."""
    if folder.is_dir():
        folder.rename(folder.with_name("unmounted"))
        folder.mkdir(mode=0o700)


GONE: dict[str, Callable[[pathlib.Path], None]] = {"removed": removed, "moved": moved, "made anew": made_anew}


def clean(lab: Lab) -> None:
    for name in ("larger", "unmounted"):
        shutil.rmtree(lab.place / name, ignore_errors=True)
    lab.folder.unlink() if lab.folder.is_symlink() else None
    lab.reset_folder()


@pytest.mark.parametrize("name", list(GONE))
def test_s2_s6_hazard_13_the_folder_goes_away_at_any_message(name: str, lab: Lab) -> None:
    """A backup that went well is there. A restore has replaced nothing without a safety backup that is there at the swap."""
    with attack(f"backup, restore: the folder is {name} at the n-th message") as seen:
        new = make(lab.database, changed=True)
        file = lab.result("backup")["file"]
        old = make(lab.database)
        lab.result("backup")
        lab.keep_folder()
        with Proxy(urllib.parse.urlsplit(lab.url).port or 0) as proxy:
            for arguments in [("backup",), ("restore", file)]:
                for message in gone_at(lab, proxy, arguments):
                    clean(lab)
                    if state_of(lab.database) != old:
                        make(lab.database)
                    proxy.strike(message, lambda: GONE[name](lab.folder))
                    ended = lab.run(*arguments, url=proxy.url)
                    assert not proxy.failed, proxy.failed
                    seen.points += proxy.struck
                    judge_gone(lab, seen, f"{arguments[0]} {message.name}", (ended, old, new))


def gone_at(lab: Lab, proxy: Proxy, arguments: tuple[str, ...]) -> list[Message]:
    """Up to the first rename, after which the safety backup has done its work, or to the lease's release, after all of it."""
    clean(lab)
    proxy.plan(lambda _: None)
    lab.result(*arguments, url=proxy.url)
    sent = [each for each in proxy.seen if each.command not in ("handshake", "endSessions")]
    swap = [at for at, each in enumerate(sent) if each.command == "renameCollection"]
    read = [at for at, each in enumerate(sent) if each.command == "listIndexes"]
    before = sent[: swap[0] if swap else read[-1]]
    return thinned(telling(before, lambda message: message.sort), 4, 5)


def judge_gone(lab: Lab, seen: Seen, where: str, what: tuple[Ended, State, State]) -> None:
    ended, old, new = what
    lab.check_words(seen, where, ended)
    if ended.code == 0:
        path = pathlib.Path(ended.json.get("path") or lab.folder / ended.json["safety_file"])
        if not path.is_file() or is_whole(path):
            seen.lost += sum(len(documents) for documents in (one[3] for one in old.values()))
            seen.wrong(where, f"it went well, and {path} is not there")
    else:
        lab.check_data(seen, where, old)
    for each in lab.visible():
        if problem := is_whole(each):
            seen.half_visible += 1
            seen.wrong(where, problem)
    lab.check_next(seen, where)
    lab.check_data(seen, where, old, new)


def test_hazard_13_startup_without_the_folder_it_had(lab: Lab) -> None:
    """The database remembers that it has had backups: an empty folder is no new deployment."""
    with attack("startup: the folder of the backups is not there") as seen:
        for harm in (removed, made_anew):
            make(lab.database)
            shutil.rmtree(lab.folder, ignore_errors=True)
            lab.result("backup")
            for name in ("users", "absences", "teams"):
                lab.database[name].delete_many({})
            harm(lab.folder)
            ended = lab.run("auto")
            seen.points += 1
            if ended.code == 0 or "backups_missing" not in ended.out:
                seen.wrong(harm.__name__, ended.out)
            shutil.rmtree(lab.place / "unmounted", ignore_errors=True)


def test_s11_hazard_13_a_folder_that_is_a_link_or_no_folder(lab: Lab) -> None:
    """A link to a folder is one; a link that leads nowhere, or to a file, is refused, and nothing is made behind it."""
    with attack("the folder is a link, a dangling link, a file") as seen:
        data = make(lab.database)
        real = lab.place / "real"
        real.mkdir(mode=0o700)
        lab.folder.symlink_to(real)
        lab.check_next(seen, "a link")
        lab.check_folder(seen, "a link")
        lab.folder.unlink()
        for what in ("a dangling link", "a link to a file", "a file"):
            target = lab.place / what.replace(" ", "_")
            if what == "a file":
                lab.folder.write_text("not ours")
            else:
                lab.folder.symlink_to(target)
            if what == "a link to a file":
                target.write_text("not ours")
            for arguments in [("backup",), ("auto",), ("forget",), ("list",), ("restore",)]:
                ended = lab.run(*arguments)
                seen.points += 1
                lab.check_words(seen, f"{what}: {arguments}", ended)
                if ended.code == 0 and arguments[0] in ("backup", "restore"):
                    seen.wrong(what, f"{arguments} went well: {ended.out}")
                lab.check_data(seen, what, data)
            if target.exists() and (target.is_dir() or target.read_text() != "not ours"):
                seen.wrong(what, "something was made behind it")
            lab.folder.unlink()


# ---- mounts


@contextlib.contextmanager
def mounted(folder: pathlib.Path, size_kb: int) -> Iterator[None]:
    folder.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_kb}k,mode=0700", "reprise-test", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(folder: pathlib.Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


@pytest.mark.skipif(not MOUNTS, reason="only root may mount a small tmpfs and a read-only one")
def test_s1_s3_s6_hazard_13_a_disk_that_is_really_full(lab: Lab) -> None:
    """From nothing free to just enough: what does not fit is an error, nothing old goes, nothing half stays."""
    with attack("a full tmpfs: backup, restore, forget, startup") as seen, mounted(lab.folder, 512):
        new = make(lab.database, changed=True)
        file = lab.result("backup")["file"]
        old = make(lab.database)
        lab.result("backup")
        filler = lab.folder / "notes.txt"
        for free_kb in range(0, 44, 4 if LONG else 12):
            for arguments in [("backup",), ("restore", file), ("forget", "--keep-last", "2"), ("auto",)]:
                make(lab.database)
                kept = {each.name for each in lab.visible()}
                fill(filler, free_kb)
                where = f"{free_kb} KiB free: {arguments[0]}"
                ended = lab.run(*arguments)
                seen.points += 1
                lab.check_words(seen, where, ended)
                lab.check_folder(seen, where)
                if ended.code and (gone := kept - {each.name for each in lab.visible()}):
                    seen.lost += len(gone)
                    seen.wrong(where, f"it failed, and {gone} went")
                filler.unlink()
                lab.check_data(seen, where, *((new, old) if ended.code == 0 else (old,)))
                lab.check_next(seen, where)


def fill(file: pathlib.Path, free_kb: int) -> None:
    with open(file, "wb", buffering=0) as filler, contextlib.suppress(OSError):
        os.chmod(file, 0o600)
        while filler.write(b"x" * 4096):
            pass
    size = file.stat().st_size
    os.truncate(file, max(0, size - free_kb * 1024))


@pytest.mark.skipif(not MOUNTS, reason="only root may mount a small tmpfs and a read-only one")
def test_s6_hazard_13_a_mount_that_is_read_only(lab: Lab) -> None:
    with attack("a read-only mount: every command") as seen, mounted(lab.folder, 4096):
        data = make(lab.database)
        file = lab.result("backup")["file"]
        remount(lab.folder, "ro")
        for arguments in [("backup",), ("restore", file), ("forget",), ("before", "x"), ("pin", file), ("rehash", file)]:
            ended = lab.run(*arguments)
            seen.points += 1
            lab.check_words(seen, str(arguments), ended)
            if ended.code == 0:
                seen.wrong(str(arguments), f"went well: {ended.out}")
            lab.check_data(seen, str(arguments), data)
        for arguments in [("list",), ("status",), ("verify", file), ("show", file), ("auto",), ("forget", "--dry-run")]:
            ended = lab.run(*arguments)
            seen.points += 1
            if ended.code:
                seen.wrong(str(arguments), f"reading needs no writing: {ended.out}")
        lab.check_folder(seen, "read-only")
        remount(lab.folder, "rw")
        lab.check_next(seen, "writable again")
