"""S4, S5, hazards 8, 9, 19: what others see of a restore, and what they write after one that died."""

from __future__ import annotations

import subprocess
import threading
from collections import Counter

import lab as labs
from attack_writers import NAMES, Document, Restore, Writer, begun, documents_of, judge_writes, proxy
from lab import TIMEOUT_S, Ended, Lab, Seen, attack, thinned
from wire import Harm, Message, Proxy

__all__ = ["proxy"]  # a fixture
WEEK = 20  # writes of the application before somebody looks


class Looks:
    """Looks at the database at every message of a restore."""

    def __init__(self, restore: Restore) -> None:
        self.restore, self.number, self.lock = restore, 0, threading.Lock()
        self.old: dict[str, Counter[Document]] = {}
        self.new: dict[str, Counter[Document]] = {}

    def look(self) -> None:
        with self.lock:
            self.number += 1
            found = self.restore.lab.database.list_collection_names()
            missing = [name for name in NAMES if name not in found]
            seen, where = self.restore.seen, f"look {self.number}"
            for name in NAMES:
                held = {each for each in documents_of(self.restore.lab.database) if each[0] == name}
                kinds = [{each for each in state if each[0] == name} for state in (self.restore.old, self.restore.new)]
                # Its name may be missing between two renames, while the old data stand under another and the new are ready.
                between = name in missing and len(missing) == 1 and any(each.startswith("reprise_") for each in found)
                if held not in kinds and not between:
                    seen.lost += max(0, min(len(kind - held) for kind in kinds))
                    seen.duplicates += min(len(held - kind) for kind in kinds)
                    seen.wrong(where, f"{name} holds {len(held)} documents, neither the old nor the new")


def test_s5_hazard_08_hazard_09_at_no_message_of_a_restore_is_a_collection_empty_mixed_or_twice(
    lab: Lab, proxy: Proxy
) -> None:
    """No "stop, clear, restore, start": each collection is the old one, then the new one."""
    with attack("restore: others look at every message") as seen:
        restore = begun(lab, proxy, seen)
        looks = Looks(restore)
        ended = restore.struck(lambda now: looks.look if now.command != "endSessions" else None)
        assert ended.code == 0, ended.out
        lab.check_data(seen, "afterwards", restore.victim.new)
        seen.points = looks.number


def test_s4_nothing_is_written_before_the_whole_file_was_read(lab: Lab, proxy: Proxy) -> None:
    """A file whose last line is wrong: no message of the restore made a staging collection, a record or a safety backup."""
    with attack("restore: the last line of the file is wrong") as seen:
        restore = begun(lab, proxy, seen)
        path = lab.template / restore.victim.arguments[1]
        content = path.read_bytes()
        edited, digit = content.replace(b"new19@x", b"NEW19@x"), b"1" if content[-40:-39] == b"0" else b"0"
        for spoilt in (content[:-2], content[:-40] + digit + content[-39:], edited, content + b" "):
            path.write_bytes(spoilt)
            ended = restore.struck(lambda _: None)
            seen.points += 1
            if ended.code != 5:
                seen.wrong("restore", f"{ended.code}: {ended.out}")
            wrote = [each.command for each in proxy.seen if each.way == "request" and writes(each)]
            if wrote:
                seen.wrong("restore", f"the database was written to: {wrote}")
            if {each.name for each in lab.visible()} != {each.name for each in lab.template.iterdir() if kept(each.name)}:
                seen.wrong("restore", f"the folder holds {lab.visible()}")
        path.write_bytes(content)


def kept(name: str) -> bool:
    return name.startswith("backup_2")


def writes(message: Message) -> bool:
    """All but the lease, which every operation takes first."""
    changing = ("create", "insert", "createIndexes", "renameCollection", "drop", "collMod", "delete", "update")
    return message.command in changing and not str(message.document.get(message.command)) == "reprise"


def test_s5_hazard_19_an_application_that_goes_on_after_a_restore_died(lab: Lab, proxy: Proxy) -> None:
    """kill -9 at the n-th message, then a week of writes. Before the swap the next operation takes it back, in the swap it ends
    it; none of the week's writes is lost."""
    with attack("restore: kill -9 at the n-th message, then others write for a week") as seen:
        restore = begun(lab, proxy, seen)
        back = forth = 0
        requests = [each for each in restore.messages if each.way == "request"]
        for message in thinned(requests, 6, 2):
            writer = Writer(lab.database)
            # The request does not arrive: who dies has not sent it.
            if died(restore, message).code == 0:
                continue  # that many messages did not come
            forward = in_swap(lab) or documents_of(lab.database) == restore.new
            for _ in range(WEEK):
                writer.insert()
            writer.change()
            back, forth = back + (not forward), forth + forward
            ended = Ended(1, '{"error": {"reason": "%s"}}' % ("name_contended" if forward else "process_died"), "")
            if not forward:
                lab.check_next(seen, message.name, "--accept-smaller")
            judge_writes(restore, message.name, ended, writer)
            if left := lab.leftovers():
                seen.wrong(message.name, f"left over: {left}")
        assert back and forth, (back, forth)


def in_swap(lab: Lab) -> bool:
    record = lab.database.reprise.find_one({"_id": "restore"})
    return record is not None and record["state"] == "swapping"


def died(restore: Restore, at: Message) -> Ended:
    begun_ = threading.Event()
    process: list[subprocess.Popen[str]] = []
    lab = restore.lab

    def harm(now: Message) -> Harm:
        if (now.way, now.number) != (at.way, at.number):
            return None
        begun_.wait(TIMEOUT_S)
        process[0].kill()
        return "cut"

    lab.reset_folder()
    labs.make(lab.database)
    restore.old = documents_of(lab.database)
    restore.proxy.plan(harm)
    with lab.begin(*restore.victim.arguments, url=restore.proxy.url) as started:
        process.append(started)
        begun_.set()
        out, err = started.communicate(timeout=TIMEOUT_S)
    restore.proxy.cut_all()
    restore.seen.points += restore.proxy.struck
    return Ended(started.returncode, out, err)
