"""Hazard 15: the clock goes back, jumps, or stands still. Names stay unique and ordered, `latest` and retention right."""

from __future__ import annotations

import pathlib
import sys
import time
from typing import Any

import pytest
from lab import INTERPOSER, LONG, PROGRAM, Lab, Seen, attack, documents_in, make, state_of

DAY = 86_400
KEPT = 7
COMMANDS = {"c++": [PROGRAM], "python": [sys.executable, "-m", "reprise"]}
# A second that all backups fall into, then a clock that goes back by hours, years, comes again, and jumps in mid-run.
CLOCKS = ["=1790000000"] * 4 + ["0", "-3600", f"-{400 * DAY}", f"{30 * DAY}", "-10", f"-{90 * DAY}@5", "=1790000000", "-1", "0"]
FAR = [f"{10 * 365 * DAY}", "=1", "-7200", f"{DAY}@9", f"-{DAY}@30", "=4000000000", "0"]


class Clocked:
    """A lab whose command reads a clock that the test sets."""

    def __init__(self, lab: Lab, program: list[str]) -> None:
        self.lab, lab.program = lab, program
        self.made: list[str] = []  # in their order

    def result(self, clock: str, *arguments: str) -> dict[str, Any]:
        return self.lab.result(*arguments, LD_PRELOAD=str(INTERPOSER), REPRISE_FAULT_CLOCK=clock)

    def back_up(self, seen: Seen, clock: str, number: int) -> None:
        self.lab.database.teams.insert_one({"_id": f"clock{number}"})
        before = {each.name for each in self.lab.visible()}
        made = self.result(clock, "backup")
        where = f"{number}: {clock}"
        seen.points += 1
        if clock.startswith("="):
            assert time.strftime("%Y%m%d_%H%M%S", time.gmtime(int(clock[1:]))) in made["file"], "the clock was not moved"
        if made["file"] in before:
            seen.lost += 1
            seen.wrong(where, f"{made['file']} was there already")
        if len(documents_in(pathlib.Path(made["path"]))["teams"]) != 5 + number:
            seen.lost += 1
            seen.wrong(where, f"{made['file']} holds other documents than the database")
        self.made.append(made["file"])
        self.check(seen, where, clock)

    def check(self, seen: Seen, where: str, clock: str) -> None:
        lab, kept = self.lab, self.made[-KEPT:]
        lab.check_folder(seen, where)
        if lab.latest != (lab.folder / kept[-1]).resolve():
            seen.wrong_latest += 1
            seen.wrong(where, f"latest is {lab.latest}, made last was {kept[-1]}")
        left = {each.name for each in lab.visible() if each.name.startswith("backup_")}
        if left != set(kept):
            seen.lost += len(set(kept) - left)
            seen.wrong(where, f"retention left {sorted(left)}, not {kept}")
        listed = self.result(clock, "list")["backups"]
        shown = [each["filename"] for each in listed if each["kind"] == "backup"]
        if shown != kept[::-1]:
            seen.wrong(where, f"list shows {shown}, not {kept[::-1]}")
        if len({each["sequence"] for each in listed}) != len(listed):
            seen.wrong(where, f"a sequence stands twice: {listed}")


@pytest.mark.parametrize("name", list(COMMANDS))
def test_hazard_15_the_clock_goes_back_or_stands(name: str, lab: Lab) -> None:
    with attack(f"the clock goes back, jumps, stands: backup, list, retention ({name})") as seen:
        make(lab.database)
        clocked = Clocked(lab, COMMANDS[name])
        for number, clock in enumerate([*CLOCKS, *FAR, *CLOCKS] if LONG else CLOCKS, start=1):
            clocked.back_up(seen, clock, number)


def test_s3_s6_hazard_15_restores_and_starts_when_the_clock_went_back(lab: Lab) -> None:
    """The newest by sequence comes back, not the one with the latest date; safety backups of one second stand side by side."""
    with attack("the clock goes back, jumps, stands: restore, startup") as seen:
        make(lab.database)
        clocked = Clocked(lab, COMMANDS["c++"])
        for number, clock in enumerate([f"{300 * DAY}", "0", f"-{300 * DAY}"], start=1):
            clocked.back_up(seen, clock, number)
        wanted = state_of(lab.database)
        for clock in ["=1790000000", "=1790000000", f"-{600 * DAY}", "-5@40", f"{600 * DAY}"] * (3 if LONG else 1):
            lab.database.client.drop_database(lab.database.name)
            started = clocked.result(clock, "auto")
            seen.points += 1
            if started["result"] != "restored" or started["file"] != clocked.made[-1]:
                seen.wrong(clock, f"started with {started}")
            lab.check_data(seen, clock, wanted)
            lab.database.teams.insert_one({"_id": "more"})
            before = {each.name for each in lab.visible()}
            restored = clocked.result(clock, "restore", clocked.made[-1])
            if restored["safety_file"] in before or not before <= {each.name for each in lab.visible()}:
                seen.lost += 1
                seen.wrong(clock, f"the safety backup {restored['safety_file']}, before it {sorted(before)}")
            held = documents_in(lab.folder / restored["safety_file"])
            if {"_id": "more"} not in held["teams"]:
                seen.lost += 1
                seen.wrong(clock, "the safety backup lacks a document")
            lab.check_data(seen, clock, wanted)
            lab.check_folder(seen, clock)
            lab.database.teams.insert_one({"_id": f"other{seen.points}"})  # the next safety backup is another one
            wanted = state_of(lab.database)
            clocked.made.append(clocked.result(clock, "backup")["file"])


def test_s14_hazard_15_a_job_that_began_in_the_future_is_not_taken_for_one_that_runs(lab: Lab) -> None:
    with attack("the clock goes back between a job and the look at it") as seen:
        make(lab.database)
        clocked = Clocked(lab, COMMANDS["c++"])
        for clock in [f"{900 * DAY}", f"-{900 * DAY}", "=1"]:
            clocked.back_up(seen, clock, seen.points + 1)
            status = lab.result("status")
            if status["running"] is not None or status["latest"] != clocked.made[-1]:
                seen.wrong(clock, f"status says {status}")
