"""S5, S6: others write, and empty everything, at any message of a restore; what was acknowledged to them is not lost."""

from __future__ import annotations

import pathlib
import threading
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import e2e
import lab as labs
import pytest
from bson import json_util
from lab import LONG, Ended, Lab, Seen, attack, make, telling, thinned
from victims import RestoreVictim
from wire import Message, Proxy

NAMES = ("users", "absences", "teams")
SWAP = {"renameCollection", "drop"}
Document = tuple[str, str]  # its collection, its text


def text(document: dict[str, Any]) -> str:
    return json_util.dumps(document, sort_keys=True)


def documents_of(database: Any) -> Counter[Document]:
    return Counter((name, text(each)) for name in NAMES for each in database[name].find())


def in_file(path: pathlib.Path) -> dict[str, Counter[Document]]:
    held = labs.documents_in(path)
    return {name: Counter((name, text(each)) for each in documents) for name, documents in held.items()}


@dataclass
class Writer:
    """Another client of the same database. It remembers what the server acknowledged, and only that."""

    database: Any
    written: list[Document] = field(default_factory=list)  # inserted, or updated to this
    gone: list[Document] = field(default_factory=list)  # deleted, or updated from this
    number: int = 0
    lock: Any = field(default_factory=threading.Lock)  # messages come on several connections at once

    def insert(self) -> None:
        self.number += 1
        for name in NAMES:
            document = {"_id": f"writer{self.number}", "email": f"writer{self.number}@x", "by": "writer"}
            self.database[name].insert_one(document)
            self.written.append((name, text(document)))

    def change(self) -> None:
        """Updates one document and deletes another in each collection, where they are there."""
        for name in NAMES:
            collection = self.database[name]
            before = collection.find_one_and_update({"by": {"$exists": False}}, {"$set": {"by": f"writer{self.number}"}})
            if before:
                self.gone.append((name, text(before)))
                self.written.append((name, text({**before, "by": f"writer{self.number}"})))
            if deleted := collection.find_one_and_delete({"by": {"$exists": False}}):
                self.gone.append((name, text(deleted)))

    def write(self) -> None:
        with self.lock:
            self.insert()
            self.change()


@pytest.fixture
def proxy(url: str) -> Iterator[Proxy]:
    with Proxy(urllib.parse.urlsplit(url).port or 27017) as opened:
        yield opened


@dataclass
class Restore:
    """The restore that is attacked, what it replaces (`old`) and what it brings (`new`)."""

    victim: RestoreVictim
    proxy: Proxy
    seen: Seen
    messages: list[Message]
    new: Counter[Document]
    old: Counter[Document] = field(default_factory=Counter)

    @property
    def lab(self) -> Lab:
        return self.victim.lab

    def struck(self, plan: Callable[[Message], Any]) -> Ended:
        """One restore, while harm is done as planned. The old data stand before it, whole."""
        self.lab.reset_folder()
        make(self.lab.database)
        self.old = documents_of(self.lab.database)
        self.proxy.plan(plan)
        ended = self.lab.run(*self.victim.arguments, url=self.proxy.url)
        self.proxy.cut_all()
        self.seen.points += min(1, self.proxy.struck)
        assert not self.proxy.failed, self.proxy.failed
        return ended

    def at(self, message: Message, harm: Callable[[], None]) -> Callable[[Message], Any]:
        return lambda now: harm if (now.way, now.number) == (message.way, message.number) else None


def begun(lab: Lab, proxy: Proxy, seen: Seen) -> Restore:
    victim = RestoreVictim(lab)
    victim.before()
    proxy.plan(lambda _: None)
    ended = lab.run(*victim.arguments, url=proxy.url)
    assert ended.code == 0, ended.out + ended.err
    sent = [each for each in proxy.seen if each.command not in ("handshake", "endSessions")]
    return Restore(victim, proxy, seen, sent, documents_of(lab.database))


def chosen(restore: Restore, every: int, long: int = 1) -> list[Message]:
    """In the short run the swap more densely than what comes before it."""
    if LONG:
        return thinned(restore.messages, every, long)
    swap = [each for each in restore.messages if each.command in SWAP]
    ends = [each for each in telling(restore.messages, lambda message: message.sort) if each.command not in SWAP]
    return sorted([*ends[::every], *swap[:: max(1, every // 3)]], key=lambda each: (each.way, each.number))


def images_of(lab: Lab, files: list[str]) -> dict[str, list[Counter[Document]]]:
    """By collection, what stands in these files: a safety backup, then copies of collections that were written to since."""
    found = {name: [Counter[Document]()] for name in NAMES}
    for at, file in enumerate(files):
        for collection, documents in in_file(lab.folder / pathlib.Path(file).name).items():
            found[collection] = [*(found[collection] if at else []), documents]
    return found


def settled(restore: Restore, where: str, ended: Ended) -> dict[str, list[Counter[Document]]]:
    """The restore was cut off past its point of no return: the next operation finishes it, and names what it put aside."""
    lab = restore.lab
    known = {each.name for each in lab.template.iterdir()}
    finished = lab.run("backup", "--accept-smaller")
    if finished.code:
        restore.seen.wrong(where, f"what should finish it: {finished.out}")
        return images_of(lab, [])
    new = [each.name for each in lab.visible() if each.name not in {*known, finished.json["file"]}]
    for name in new[1:]:  # the first is the safety backup
        if name not in finished.out:
            restore.seen.wrong(where, f"nobody is told of {name}: {finished.out}")
    return images_of(lab, new)


def judge_writes(restore: Restore, where: str, ended: Ended, writer: Writer) -> None:
    """What was acknowledged is in the database, or in what the result names; what was deleted did not come back."""
    seen, lab = restore.seen, restore.lab
    done = ended.code == 0 or ended.reason == "name_contended"
    if ended.code == 0:
        aside = images_of(lab, [ended.json["safety_file"], *ended.json["copies"]])
    else:
        aside = settled(restore, where, ended) if done else images_of(lab, [])
    live = documents_of(lab.database)
    saved: Counter[Document] = Counter()
    for each in (one for found in aside.values() for one in found):
        saved |= each
    gone, written = set(writer.gone), set(writer.written) - set(writer.gone)
    if lost := [each for each in written if not live[each] and not saved[each]]:
        seen.lost += len(lost)
        seen.wrong(where, f"acknowledged, and nowhere: {lost[:3]}")
    if lost := [each for each in restore.old if each not in gone and not live[each] and not saved[each]]:
        seen.lost += len(lost)
        seen.wrong(where, f"it was there before, and is nowhere: {lost[:3]}")
    wanted = restore.new if done else restore.old
    if lost := [each for each in wanted if each not in gone and not live[each]]:
        seen.lost += len(lost)
        seen.wrong(where, f"not in the database: {lost[:3]}")
    surplus = [each for each in live if live[each] > 1 or (each not in wanted and each not in written)]
    for each in gone:
        came_back = live[each] if each in wanted else all(image[each] for image in aside[each[0]])
        surplus += [each] * bool(came_back)
    if surplus:
        seen.duplicates += len(surplus)
        seen.wrong(where, f"too many, or back after it was deleted: {surplus[:3]}")


def judge(restore: Restore, where: str, ended: Ended) -> None:
    restore.lab.check_words(restore.seen, where, ended)
    restore.lab.check_folder(restore.seen, where)
    if ended.code and ended.reason not in ("database_changing", "name_contended"):
        restore.seen.wrong(where, f"ended with {ended.out}")


def test_s5_s6_others_write_at_any_message_of_a_restore(lab: Lab, proxy: Proxy) -> None:
    with attack("restore: others insert, update, delete at the n-th message") as seen:
        restore = begun(lab, proxy, seen)
        for message in chosen(restore, 12, 2):
            writer = Writer(lab.database)
            ended = restore.struck(restore.at(message, writer.write))
            judge(restore, message.name, ended)
            judge_writes(restore, message.name, ended, writer)
            lab.check_next(seen, message.name)


def test_s5_s6_others_go_on_writing_during_a_restore(lab: Lab, proxy: Proxy) -> None:
    """From the n-th message on, at every one: the restore ends, with the new data or as busy."""
    with attack("restore: others go on writing from the n-th message on") as seen:
        restore = begun(lab, proxy, seen)
        requests = [each for each in restore.messages if each.way == "request"]
        for message in thinned(requests, len(requests) // 5, 10):
            writer = Writer(lab.database)
            first = message.number
            ended = restore.struck(lambda now, from_=first, w=writer: w.write if now.way == "request" and now.number >= from_
                                   and now.command != "endSessions" else None)  # fmt: skip
            judge(restore, message.name, ended)
            judge_writes(restore, f"from {message.name} on", ended, writer)
            lab.check_next(seen, message.name, "--accept-smaller")


def empty(database: Any, ours: bool) -> Callable[[], None]:
    """`delete_many` on every collection, as a script that clears a database does."""

    def harm() -> None:
        for described in database.list_collections():
            name = described["name"]
            if described["type"] == "collection" and not name.startswith("system.") and (ours or not e2e.ours(name)):
                database[name].delete_many({})

    return harm


def judge_emptied(restore: Restore, where: str, ended: Ended) -> None:
    """Every collection is old, new, or empty; no file is lost; the data come back by name, and at a start."""
    lab, seen = restore.lab, restore.seen
    lab.check_words(seen, where, ended)
    lab.check_folder(seen, where)
    live = documents_of(lab.database)
    for name in NAMES:
        here = {each for each in live if each[0] == name}
        kinds = [{each for each in state if each[0] == name} for state in (restore.old, restore.new)]
        if here and here not in (kinds[1:] if ended.code == 0 else kinds):
            seen.lost += max(len(kind - here) for kind in kinds)
            seen.wrong(where, f"{name} holds {len(here)} documents after exit code {ended.code}")
    held = Counter[Document]()
    for path in lab.visible():
        for documents in in_file(path).values():
            held |= documents
    if lost := [each for each in [*restore.old, *restore.new] if not held[each]]:
        seen.lost += len(lost)
        seen.wrong(where, f"in no backup any more: {lost[:3]}")
    if not live:
        started = lab.run("auto")
        brought = documents_of(lab.database)
        if started.code or started.json["result"] not in ("restored", "restored_by_other"):
            seen.wrong(where, f"the next start: {started.out}{started.err}")
        elif brought not in (restore.old, restore.new):
            seen.lost += len((restore.old - brought))
            seen.wrong(where, f"the next start brought {sum(brought.values())} documents")
    again = lab.run(*restore.victim.arguments)
    if again.code or documents_of(lab.database) != restore.new:
        seen.lost += sum((restore.new - documents_of(lab.database)).values())
        seen.wrong(where, f"restored again by name: {again.out}{again.err}")
    lab.check_next(seen, where)


@pytest.mark.parametrize("ours", [False, True], ids=["theirs", "all"])
def test_s5_s6_every_collection_is_emptied_at_any_message_of_a_restore(ours: bool, lab: Lab, proxy: Proxy) -> None:
    what = "every collection, ours too," if ours else "every collection of theirs"
    with attack(f"restore: delete_many empties {what} at the n-th message") as seen:
        restore = begun(lab, proxy, seen)
        for message in chosen(restore, 15, 3):
            ended = restore.struck(restore.at(message, empty(lab.database, ours)))
            judge_emptied(restore, message.name, ended)


