"""S2, S3, S5, S8: several processes of both commands back up, restore and forget at once, for a minute; some are killed."""

from __future__ import annotations

import json
import pathlib
import random
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from attack_clock import COMMANDS
from lab import LONG, TIMEOUT_S, Lab, Seen, State, attack, documents_in, is_whole, make, state_of

SECONDS = 60 if LONG else 10
WORKERS = 4
KEEP = "4"
WAIT = ("--wait", "30")
KILLED_SHARE = 0.1


def shape(path: pathlib.Path) -> dict[str, list[str]]:
    """What a backup holds, to be compared with another."""
    return {name: sorted(json.dumps(each, sort_keys=True, default=str) for each in held)
            for name, held in documents_in(path).items()}  # fmt: skip


class Crowd:
    """What all workers know: both states of the data, the pinned backup of each, and what everybody was told."""

    def __init__(self, lab: Lab, seen: Seen) -> None:
        self.lab, self.seen = lab, seen
        self.states: list[State] = []
        self.pinned: list[str] = []
        for changed in (False, True):
            self.states.append(make(lab.database, changed=changed))
            self.pinned.append(lab.result("backup")["file"])
            lab.result("pin", self.pinned[-1])
        self.shapes = [shape(lab.folder / name) for name in self.pinned]
        self.lock = threading.Lock()
        self.made, self.removed = set(self.pinned), set[str]()
        self.copies: set[str] = set()
        self.done = Counter[str]()  # what went well
        self.looks = 0
        self.over = threading.Event()

    def wrong(self, where: str, what: str) -> None:
        with self.lock:
            self.seen.wrong(where, what)

    def work(self, number: int) -> None:
        """One of the processes, again and again."""
        chance = random.Random(number)
        program = list(COMMANDS.values())[number % len(COMMANDS)]
        mine = Lab(self.lab.url, self.lab.database, self.lab.place)
        mine.program = program
        while not self.over.is_set():
            act: Callable[[Lab, random.Random], None] = chance.choice([self.back_up, self.back_up, self.restore, self.forget])
            try:
                act(mine, chance)
            except Exception as problem:  # a thread's own would be lost
                self.wrong(act.__name__, f"{type(problem).__name__}: {problem}")

    def run(self, lab: Lab, *arguments: str) -> dict[str, Any]:
        ended = lab.run(*arguments, *WAIT)
        with self.lock:
            self.seen.points += 1
            self.done[arguments[0]] += ended.code == 0
        if ended.code not in (0, 3):
            self.wrong(" ".join(arguments), f"{ended.code}: {ended.out}{ended.err}"[:600])
        return ended.json if ended.code == 0 else {}

    def back_up(self, lab: Lab, chance: random.Random) -> None:
        if chance.random() < KILLED_SHARE:
            return self.killed(lab, chance, "backup", "--no-retention")
        told = self.run(lab, "backup", "--keep-last", KEEP)
        self.told(told.get("file"), told.get("removed", []))

    def restore(self, lab: Lab, chance: random.Random) -> None:
        which = chance.randrange(2)
        if chance.random() < KILLED_SHARE:
            return self.killed(lab, chance, "restore", self.pinned[which])
        told = self.run(lab, "restore", self.pinned[which])
        with self.lock:
            self.copies |= {*told.get("copies", []), *([told["safety_file"]] if told.get("safety_file") else [])}

    def forget(self, lab: Lab, chance: random.Random) -> None:
        told = self.run(lab, "forget", "--keep-last", KEEP)
        self.told(None, [each["file"] for each in told.get("removed", [])])

    def told(self, made: str | None, removed: list[str]) -> None:
        with self.lock:
            self.made |= {made} if made else set()
            self.removed |= set(removed)

    def killed(self, lab: Lab, chance: random.Random, *arguments: str) -> None:
        with lab.begin(*arguments, *WAIT) as process:
            try:
                process.communicate(timeout=chance.uniform(0.02, 0.5))
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate(timeout=TIMEOUT_S)
        with self.lock:
            self.seen.points += 1

    # ---- what must hold meanwhile, and in the end

    def watch(self) -> None:
        """S1, S2: at every instant `latest` names a whole backup, and no visible file is half (but for one removed since)."""
        link = self.lab.folder / "backup_latest.json"
        while not self.over.is_set():
            target = link.readlink()
            problem = is_whole(self.lab.folder / target)
            self.looks += 1
            if problem and link.readlink() == target:
                with self.lock:
                    self.seen.wrong_latest += 1
                self.wrong("latest", f"{target}: {problem}")
            for each in self.lab.visible():
                problem = is_whole(each)
                if problem and each.exists():
                    with self.lock:
                        self.seen.half_visible += 1
                    self.wrong("a visible file", problem)
            self.over.wait(0.01)

    def judge(self) -> None:
        lab, seen = self.lab, self.seen
        lab.check_next(seen, "afterwards", "--keep-last", KEEP)
        lab.check_data(seen, "afterwards", *self.states)
        lab.check_folder(seen, "afterwards")
        there = {each.name for each in lab.visible()}
        after = {each["filename"]: each for each in lab.result("list")["backups"]}
        newest = sorted((each["sequence"], name) for name, each in after.items() if name.startswith("backup_"))
        if lab.latest is None or lab.latest.name != newest[-1][1]:
            seen.wrong_latest += 1
            seen.wrong("afterwards", f"latest is {lab.latest}, the newest {newest[-1]}")
        if len({sequence for sequence, _ in newest}) != len(newest):
            seen.wrong("afterwards", f"a sequence stands twice: {newest}")
        for name in there:
            if shape(lab.folder / name) not in self.shapes:
                seen.wrong("afterwards", f"{name} holds neither the one state nor the other: a half restore was backed up")
        # Pinned ones stay for ever, safety backups for 30 days.
        if lost := {*self.pinned, *self.copies} - there:
            seen.lost += len(lost)
            seen.wrong("afterwards", f"gone, and no rule says so: {lost}")
        # The last of those that were made and that nobody said to have removed. The final backup may have removed some.
        kept = [name for _, name in newest if name not in self.pinned]
        if unsaid := {name for name in self.made - there - self.removed if kept and name > kept[0]}:
            seen.lost += len(unsaid)
            seen.wrong("afterwards", f"newer than what is there, and nobody said to have removed it: {unsaid}")


def test_s2_s3_s5_s8_hazard_02_many_processes_back_up_restore_and_forget_at_once(lab: Lab) -> None:
    with attack(f"{WORKERS} processes of both commands at once for {SECONDS} s") as seen:
        shutil.rmtree(lab.folder, ignore_errors=True)
        crowd = Crowd(lab, seen)
        threads = [threading.Thread(target=crowd.work, args=(number,)) for number in range(WORKERS)]
        threads.append(threading.Thread(target=crowd.watch))
        for thread in threads:
            thread.start()
        time.sleep(SECONDS)
        crowd.over.set()
        for thread in threads:
            thread.join(timeout=2 * TIMEOUT_S)
        assert not any(thread.is_alive() for thread in threads)
        crowd.judge()
        assert min(crowd.done[each] for each in ("backup", "restore", "forget")) > 1, crowd.done
        assert crowd.looks > 10
        assert state_of(lab.database) in crowd.states
