"""S1, S2, S13, hazard 13: the n-th call of the file system fails, for every n, and the data and the backups stand."""

from __future__ import annotations

from errno import EACCES, EIO, EMFILE, ENOSPC, EPERM, EROFS
from signal import SIGKILL

import pytest
from lab import ALL, INTERPOSER, Call, Ended, Lab, Seen, attack, read_calls, telling, thinned
from victims import SEALED, VICTIMS, Victim

# What a disk, a mount or an administrator does to each kind of call. "short": half of the bytes, then no error.
ERRORS: dict[str, list[int | str]] = {
    "open": [EIO, EACCES, EMFILE],
    "create": [ENOSPC, EACCES, EROFS, EIO],
    "write": [ENOSPC, "short", EIO],
    "sync": [EIO, ENOSPC],
    "rename": [EIO, EACCES, ENOSPC, EROFS],
    "link": [EIO, EACCES],
    "symlink": [ENOSPC, EACCES, EPERM, EROFS],
    "unlink": [EACCES, EIO, EROFS],
    "mkdir": [ENOSPC, EACCES, EROFS],
    "chmod": [EPERM, EIO],
    "truncate": [EIO, ENOSPC],
    "read": [EIO],
    "stat": [EIO, EACCES],
    "readlink": [EIO],
}


def watched(lab: Lab, *arguments: str, **more: str) -> tuple[Ended, list[Call], list[str]]:
    lab.log.unlink(missing_ok=True)
    environment = {"LD_PRELOAD": str(INTERPOSER), "REPRISE_FAULT_FOLDER": str(lab.folder), "REPRISE_FAULT_LOG": str(lab.log)}
    ended = lab.run(*arguments, **environment, **more)
    return (ended, *read_calls(lab.log))


def points(calls: list[Call]) -> list[tuple[Call, int | str]]:
    """Every call in the long run, else the telling ones, each with one of its errors in turn; with all of them if asked."""
    chosen = telling(calls, lambda call: (call.kind, call.path))
    if ALL:
        return [(call, error) for call in chosen for error in ERRORS[call.kind]]
    return [(call, ERRORS[call.kind][at % len(ERRORS[call.kind])]) for at, call in enumerate(chosen)]


def unharmed(victim: Victim, seen: Seen) -> list[Call]:
    victim.before()
    ended, calls, _ = watched(victim.lab, *victim.arguments)
    assert ended.code == 0 and len(calls) > 20, ended.out + ended.err
    victim.after(seen, "unharmed", ended)
    return calls


def attacked(victim: Victim, seen: Seen, lasting: bool, sealed: bool = False) -> None:
    lab = victim.lab
    chosen = points(unharmed(victim, seen))
    for call, error in thinned(chosen, 9, 4) if sealed else thinned(chosen, 1, 3) if lasting else chosen:
        victim.before()
        choice = {"REPRISE_FAULT_CALL": call.name + "+" * lasting, "REPRISE_FAULT_ERROR": str(error)}
        ended, _, hits = watched(lab, *victim.arguments, **choice)
        if not hits:
            continue  # the n-th call of this kind did not come: threads of their own differ a little
        seen.points += 1
        where = f"{call.name}{'+' * lasting} {call.path} {error}"
        lab.check_words(seen, where, ended)
        victim.after(seen, where, ended)


@pytest.mark.parametrize("victim", list(VICTIMS))
def test_s1_s2_s13_hazard_13_one_file_call_fails(victim: str, lab: Lab) -> None:
    with attack(f"{victim}: the n-th file call fails") as seen:
        attacked(VICTIMS[victim](lab), seen, lasting=False)


@pytest.mark.parametrize("victim", list(VICTIMS))
def test_s1_s2_hazard_13_file_calls_fail_from_one_on(victim: str, lab: Lab) -> None:
    """As on a disk that is full, or a mount that became read-only."""
    with attack(f"{victim}: file calls fail from the n-th on") as seen:
        attacked(VICTIMS[victim](lab), seen, lasting=True)


@pytest.mark.parametrize("victim", list(SEALED))
def test_s1_s2_s13_hazard_13_one_file_call_fails_where_backups_are_sealed(victim: str, lab: Lab) -> None:
    with attack(f"{victim}: the n-th file call fails") as seen:
        attacked(SEALED[victim](lab), seen, lasting=False, sealed=True)


KILLED = {"backup": 8, "restore": 8, "startup": 16, "forget": 8, "sealed backup": 20, "sealed restore": 20}


@pytest.mark.parametrize("name", list(KILLED))
def test_s1_s2_s5_hazard_04_hazard_05_killed_at_any_file_call(name: str, lab: Lab) -> None:
    """kill -9 before the call; a write also after half of its bytes."""
    with attack(f"{name}: kill -9 at the n-th file call") as seen:
        victim = {**VICTIMS, **SEALED}[name](lab)
        changes = [call for call in unharmed(victim, seen) if call.kind not in ("read", "stat", "readlink")]
        chosen = [(call, how) for call in telling(changes, lambda call: (call.kind, call.path))
                  for how in (["kill", "torn"] if call.kind == "write" else ["kill"])]  # fmt: skip
        for call, how in thinned(chosen, KILLED[name], 2):
            victim.before()
            choice = {"REPRISE_FAULT_CALL": call.name, "REPRISE_FAULT_ERROR": how}
            ended, _, hits = watched(lab, *victim.arguments, **choice)
            if not hits:
                continue
            where = f"{call.name} {call.path} {how}"
            if ended.code != -SIGKILL:
                seen.wrong(where, f"still alive: {ended}")
            seen.points += 1
            victim.after(seen, where, ended)


@pytest.mark.parametrize("error", [EIO, EACCES])
def test_hazard_13_a_backup_that_cannot_be_looked_at_is_not_no_backup(error: int, lab: Lab) -> None:
    """An empty database, and a folder whose only backup cannot be looked at: a start must not go on as a new deployment."""
    with attack(f"startup: the only backup cannot be looked at (errno {error})") as seen:
        victim = VICTIMS["startup"](lab)
        victim.before()
        _, calls, _ = watched(lab, "auto")
        for call in (each for each in calls if each.kind == "stat" and each.path.endswith("backup_N.json")):
            victim.before()
            choice = {"REPRISE_FAULT_CALL": call.name, "REPRISE_FAULT_ERROR": str(error)}
            ended, _, hits = watched(lab, "auto", **choice)
            seen.points += len(hits)
            if ended.code == 0 and ended.json["result"] != "restored":
                seen.wrong(call.name, f"went on with {ended.out}")
