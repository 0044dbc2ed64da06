"""What the attacks share: a victim (the command `reprise`), its database and folder, and the look at both afterwards."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "live")]

import e2e  # noqa: E402
import pymongo  # noqa: E402
from bson import json_util  # noqa: E402
from bson.raw_bson import RawBSONDocument  # noqa: E402
from packed import Keys, documents_in, is_whole  # noqa: E402

PROGRAM = os.environ.get("REPRISE_COMMAND", str(ROOT / "build" / "release" / "bin" / "reprise"))
INTERPOSER = ROOT / "build" / "fault" / "interpose.so"
ALL = os.environ.get("REPRISE_LONG") == "all"  # every point with every kind of harm: hours
LONG = bool(os.environ.get("REPRISE_LONG"))
TIMEOUT_S = 60
KINDS = ("backup_", "before_restore_", "suspect_")
MAX_TOLD = 12

State = dict[str, tuple[str, str, tuple[str, ...], Counter[bytes]]]


@functools.lru_cache
def known_reasons() -> set[str]:
    return set(re.findall(r"^\| `([a-z_0-9]+)` \|", (ROOT / "capi" / "ABI.md").read_text(encoding="utf-8"), re.MULTILINE))


@dataclass
class Seen:
    """What one attack came to: the row of the table."""

    name: str
    points: int = 0
    lost: int = 0
    half_visible: int = 0
    wrong_latest: int = 0
    duplicates: int = 0
    seconds: float = 0.0
    told: list[str] = field(default_factory=list)  # what went wrong, a line each

    def wrong(self, where: str, what: str) -> None:
        self.told.append(f"{where}: {what}")

    @property
    def clean(self) -> bool:
        return not (self.lost or self.half_visible or self.wrong_latest or self.duplicates or self.told)


@contextlib.contextmanager
def attack(name: str) -> Any:
    """Counts, tells the report, and fails the test when anything went wrong or nothing was attacked."""
    seen, begun = Seen(name), time.monotonic()
    yield seen
    seen.seconds = time.monotonic() - begun
    row = {key: value for key, value in vars(seen).items() if key != "told"}
    if report := os.environ.get("REPRISE_FAULT_REPORT"):
        with open(report, "a", encoding="utf-8") as lines:
            lines.write(json.dumps({**row, "wrong": len(seen.told)}) + "\n")
    told = "\n  ".join(seen.told[:MAX_TOLD])
    assert seen.points > 0, f"{name}: nothing was attacked"
    assert seen.clean, f"{name}: {row}, {len(seen.told)} told:\n  {told}"


@dataclass
class Ended:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def reason(self) -> str:
        return str(self.json["error"]["reason"]) if self.code else ""


def state_of(database: Any) -> State:
    """Everything that is not ours: type, options, indexes, and every document byte for byte."""
    found: State = {}
    for described in database.list_collections():
        name, kind = described["name"], described["type"]
        if e2e.ours(name) or name.startswith("system."):
            continue
        raw = database.get_collection(name, database.codec_options.with_options(document_class=RawBSONDocument))
        documents = Counter(bytes(each.raw) for each in raw.find()) if kind != "view" else Counter()
        indexes = tuple(sorted(json_util.dumps(each) for each in database[name].list_indexes())) if kind != "view" else ()
        found[name] = (kind, json_util.dumps(described.get("options", {}), sort_keys=True), indexes, documents)
    return found


def missing(wanted: State, found: State) -> tuple[int, int, list[str]]:
    """Documents that are not there, documents too many, and what else differs."""
    lost = surplus = 0
    told = []
    for name in sorted({*wanted, *found}):
        here, there = wanted.get(name), found.get(name)
        lost += sum(((here[3] if here else Counter()) - (there[3] if there else Counter())).values())
        surplus += sum(((there[3] if there else Counter()) - (here[3] if here else Counter())).values())
        if (here and here[:3]) != (there and there[:3]):
            told.append(f"{name}: {here and here[:3]} became {there and there[:3]}")
    return lost, surplus, told


def make(database: Any, changed: bool = False) -> State:
    """The data of the attacks: small, with a unique index and a view. `changed`: other documents in about the same number."""
    for name in ("users", "absences", "teams", "active_users", "stranger"):
        database[name].drop()
    mark = "new" if changed else "old"
    database.users.insert_many([{"_id": n + changed * 3, "email": f"{mark}{n}@x", "text": "é" * 30} for n in range(20)])
    database.absences.insert_many([{"_id": f"{mark}{n}", "user": n, "day": 1.5 * n} for n in range(12)])
    database.teams.insert_many([{"_id": n, "name": mark} for n in range(5)])
    database.users.create_index("email", unique=True)
    database.command("create", "active_users", viewOn="users", pipeline=[{"$match": {"_id": {"$gt": 2}}}])
    return state_of(database)


class Lab:
    """A victim's surroundings: one database, one folder, and the folder as it was before the attack."""

    def __init__(self, url: str, database: Any, place: pathlib.Path) -> None:
        self.url, self.database, self.folder = url, database, place / "backups"
        self.template, self.log = place / "template", place / "calls"
        self.place, self.said = place, ""
        self.keys: Keys | None = None
        self.program = [PROGRAM]

    def seal(self) -> None:
        """From here on backups are compressed, encrypted and signed."""
        self.keys = Keys(self.place)

    def environment(self, url: str | None = None) -> dict[str, str]:
        more = self.keys.environment if self.keys else {}
        where = {"MONGO_URL": url or self.url, "DB_NAME": self.database.name, "BACKUP_DIR": str(self.folder)}
        return {**os.environ, **where, **more}

    def begin(self, *arguments: str, url: str | None = None, **more: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        environment = {**self.environment(url), **more}
        command = [*self.program, *arguments, "--json"]
        nothing = subprocess.DEVNULL
        return subprocess.Popen(command, stdin=nothing, stdout=pipe, stderr=pipe, text=True, env=environment, umask=0)

    def run(self, *arguments: str, url: str | None = None, **more: str) -> Ended:
        with self.begin(*arguments, url=url, **more) as process:
            try:
                out, err = process.communicate(timeout=TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        self.said += out + err
        return Ended(process.returncode, out, err)

    def result(self, *arguments: str, **more: str) -> dict[str, Any]:
        ended = self.run(*arguments, **more)
        assert ended.code == 0, f"{arguments}: {ended.out}{ended.err}"
        return ended.json

    # ---- the folder

    def keep_folder(self) -> None:
        shutil.rmtree(self.template, ignore_errors=True)
        shutil.copytree(self.folder, self.template, symlinks=True)

    def reset_folder(self) -> None:
        self.said = ""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.template.is_dir():
            shutil.copytree(self.template, self.folder, symlinks=True)

    def visible(self) -> list[pathlib.Path]:
        found = self.folder.iterdir() if self.folder.is_dir() else []
        plain = (each for each in found if each.name.startswith(KINDS) and not each.is_symlink())
        return sorted(each for each in plain if not each.name.startswith("backup_latest."))

    @property
    def latest(self) -> pathlib.Path | None:
        link = self.folder / ("backup_latest.json.zst.age" if self.keys else "backup_latest.json")
        if link.is_symlink() or not link.exists():
            return link.resolve() if link.is_symlink() else None
        name = self.result("status")["latest"]  # a hard link or copy, where links are refused
        return self.folder / name if name else None

    def check_folder(self, seen: Seen, where: str, had_latest: bool = True) -> None:
        """S1, S2, S13 as they stand right now."""
        for each in self.visible():
            if problem := is_whole(each):
                seen.half_visible += 1
                seen.wrong(where, f"not whole: {problem}")
            if self.keys and not each.name.endswith(".json.zst.age"):
                seen.wrong(where, f"{each.name} is not sealed")
        latest = self.latest
        if had_latest and (latest is None or not latest.is_file() or not latest.name.startswith("backup_") or is_whole(latest)):
            seen.wrong_latest += 1
            seen.wrong(where, f"latest is {latest}")
        for each in [self.folder, *self.folder.rglob("*")] if self.folder.is_dir() else []:
            mode = each.lstat().st_mode
            wanted = 0o700 if stat.S_ISDIR(mode) else 0o600
            if not stat.S_ISLNK(mode) and stat.S_IMODE(mode) != wanted:
                seen.wrong(where, f"{each.name} has mode {stat.S_IMODE(mode):o}")

    def take_kept(self, seen: Seen, where: str) -> None:
        """Collections kept on purpose, because what they hold could be neither compared nor copied: said, and not lost."""
        for name in self.database.list_collection_names():
            if re.fullmatch(r"reprise_[0-9a-f]{8}_k\d+_\d+", name):
                if name not in self.said:
                    seen.wrong(where, f"{name} was kept and nobody was told")
                self.database[name].drop()

    def leftovers(self) -> list[str]:
        left = [name for name in self.database.list_collection_names() if name.startswith("reprise_")]
        return left + [each.name for each in self.folder.rglob(".reprise_tmp_*")]

    # ---- what a run said, what the data became

    def check_words(self, seen: Seen, where: str, ended: Ended) -> None:
        """Either one object that holds the result, or an error with a known reason and a sentence."""
        if ended.code == 0:
            return
        try:
            error = ended.json["error"]
        except (ValueError, KeyError):
            seen.wrong(where, f"exit code {ended.code} with {ended.out!r} {ended.err[-300:]!r}")
            return
        fine = error["reason"] in known_reasons() and error["code_name"] != "internal" and len(error["message"]) > 15
        if not fine or ended.code < 0:
            seen.wrong(where, f"exit code {ended.code}, an error that helps nobody: {error}")

    def check_data(self, seen: Seen, where: str, *allowed: State) -> int:
        """Which of the allowed states the database is in; -1 when it is in none."""
        found = state_of(self.database)
        for number, wanted in enumerate(allowed):
            if found == wanted:
                return number
        differences = [missing(wanted, found) for wanted in allowed]
        lost, surplus, told = min(differences, key=lambda one: (one[0] + one[1], len(one[2])))
        seen.lost += lost
        seen.duplicates += surplus
        seen.wrong(where, f"neither the old nor the new data: {lost} lost, {surplus} too many, {told}")
        return -1

    def check_next(self, seen: Seen, where: str, *arguments: str) -> None:
        """The next operation works, sweeps, and its backup holds all that the database does."""
        ended = self.run("backup", *arguments)
        if ended.code:
            seen.wrong(where, f"the next backup ended with {ended.code}: {ended.out}{ended.err}")
            return
        self.take_kept(seen, where)
        if left := self.leftovers():
            seen.wrong(where, f"left over after the next backup: {left}")
        self.check_backup(seen, where, ended.json)

    def check_backup(self, seen: Seen, where: str, result: dict[str, Any]) -> None:
        """A backup that said it went well holds every document, and is the latest."""
        path = pathlib.Path(result["path"])
        if not result["latest"] or self.latest != path.resolve():
            seen.wrong_latest += 1
            seen.wrong(where, f"{path.name} went well, latest is {self.latest}")
        counted = {name: sum(one[3].values()) for name, one in state_of(self.database).items() if one[0] != "view"}
        held = {name: len(documents) for name, documents in documents_in(path).items()}
        if counted != held:
            seen.lost += sum(max(0, count - held.get(name, 0)) for name, count in counted.items())
            seen.wrong(where, f"the backup holds {held} of {counted}")


def lab_on(url: str, place: pathlib.Path) -> Iterator[Lab]:
    """A lab with a database of its own, which is dropped in the end."""
    with pymongo.MongoClient(url, serverSelectionTimeoutMS=20_000, tz_aware=True) as client:
        database: Any = client[f"reprise_fault_{uuid.uuid4().hex[:8]}"]
        yield Lab(url, database, place)
        client.drop_database(database.name)


# ---- calls of the file system

@dataclass(frozen=True)
class Call:
    kind: str
    number: int  # the n-th of its kind
    path: str  # without what differs from run to run

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.number}"


def plain(path: str) -> str:
    path = re.sub(r"\.reprise_tmp_[0-9a-f]{32}", "TMP", path)
    return re.sub(r"\d{3,}(_\d+)?", "N", path)


def read_calls(log: pathlib.Path) -> tuple[list[Call], list[str]]:
    """The calls in their order, and those that were made to fail."""
    count: Counter[str] = Counter()
    calls, hits = [], []
    for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else []:
        kind, path = line.split(" ", 1)
        if kind == "hit":
            hits.append(path)
            continue
        count[kind] += 1
        calls.append(Call(kind, count[kind], plain(path)))
    return calls, hits


def thinned(things: list[Any], short: int, long: int = 1) -> list[Any]:
    """Every `short`th of them in the short run, every `long`th in the long one, all of them where all are asked for."""
    return things[:: 1 if ALL else long if LONG else short]


def telling(things: Iterable[Any], sort: Callable[[Any], Any]) -> list[Any]:
    """All of them in the long run, else the first and the last of every sort."""
    listed = list(things)
    if LONG:
        return listed
    ends: dict[Any, list[Any]] = {}
    for each in listed:
        ends.setdefault(sort(each), []).append(each)
    kept = {id(each) for group in ends.values() for each in (group[0], group[-1])}
    return [each for each in listed if id(each) in kept]
