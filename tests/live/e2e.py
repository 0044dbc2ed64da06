"""What the end-to-end tests share: both commands, and looks at a database and a folder."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
HOST = ROOT / "examples" / "fastapi_host"
sys.path[:0] = [str(HERE), str(HOST)]

pymongo = pytest.importorskip("pymongo")
from bson import SON, json_util  # noqa: E402
from bson.raw_bson import RawBSONDocument  # noqa: E402

COMMANDS = {
    "python": [sys.executable, "-m", "reprise"],
    "c++": [os.environ.get("REPRISE_COMMAND", str(ROOT / "build" / "release" / "bin" / "reprise"))],
}
TIMEOUT_S = 120


@dataclass
class Ended:
    """What one run of a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on stdout; anything beside it fails here."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        assert self.out.count("\n") == 1 and self.out.endswith("\n")
        return found

    @property
    def error(self) -> dict[str, Any]:
        assert self.code != 0, self.out
        assert list(self.json) == ["error"]
        return self.json["error"]


def _interruptible() -> None:
    """A shell that runs the tests in its background has them ignore Ctrl-C, and every child would inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Command:
    """One of the two commands, with the environment of the old script."""

    def __init__(self, name: str, environment: dict[str, str]) -> None:
        self.name = name
        self.program = COMMANDS[name]
        self.environment = environment

    def __call__(self, *arguments: str, **environment: str | None) -> Ended:
        with self.begin(*arguments, **environment) as process:
            try:
                out, err = process.communicate(timeout=TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return Ended(process.returncode, out.decode(), err.decode())

    def begin(self, *arguments: str, **environment: str | None) -> subprocess.Popen[bytes]:
        wanted = {**os.environ, **self.environment, "PYTHONWARNINGS": "error"}
        for key, value in environment.items():
            wanted.pop(key, None)
            if value is not None:
                wanted[key] = value
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [*self.program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            env=wanted,
            preexec_fn=_interruptible,
        )

    def result(self, *arguments: str) -> dict[str, Any]:
        """The JSON of a run that must end well."""
        ended = self(*arguments, "--json")
        assert ended.code == 0, ended.out + ended.err
        return ended.json


def commands(url: str, database: Any, folder: pathlib.Path) -> dict[str, Command]:
    environment = {"MONGO_URL": url, "DB_NAME": database.name, "BACKUP_DIR": str(folder)}
    return {name: Command(name, environment) for name in COMMANDS}


def ours(name: str) -> bool:
    return name == "reprise" or name.startswith("reprise_")


def fingerprint(database: Any) -> dict[str, Any]:
    """Documents byte for byte (order aside), options and indexes of everything that is not ours."""
    found: dict[str, Any] = {}
    for described in database.list_collections():
        name = described["name"]
        if ours(name) or name.startswith("system."):
            continue
        options = json_util.dumps(described.get("options", {}), sort_keys=True)
        raw = database.get_collection(name, database.codec_options.with_options(document_class=RawBSONDocument))
        total = count = 0
        for document in raw.find():
            count += 1
            total += int.from_bytes(hashlib.sha256(document.raw).digest()[:16], "big")
        indexes = sorted(json_util.dumps(SON(each)) for each in raw.list_indexes()) if described["type"] != "view" else []
        found[name] = (described["type"], options, count, total, indexes)
    return found


def leftovers(database: Any, folder: pathlib.Path) -> list[str]:
    """What an operation should have swept: staging collections and temporary files."""
    left = [name for name in database.list_collection_names() if name.startswith("reprise_")]
    if folder.is_dir():
        known = ("backup_", "before_restore_", "suspect_")
        left += [each.name for each in folder.iterdir() if not each.name.startswith(known) and each.name != ".reprise"]
    return left


def files(folder: pathlib.Path) -> dict[str, str]:
    """Every backup file by name, and its content's hash; links as what they point to."""
    if not folder.is_dir():
        return {}
    found = {}
    for each in sorted(folder.iterdir()):
        if each.is_symlink():
            found[each.name] = "-> " + os.readlink(each)
        elif each.is_file():
            found[each.name] = hashlib.sha256(each.read_bytes()).hexdigest()
    return found


def fill(database: Any, people: int = 12) -> dict[str, Any]:
    """The HR data of the example host, its indexes, and a view; returns the fingerprint."""
    from hr.indexes import INDEXES
    from hr.seed import make

    for name, documents in make(people).items():
        database[name].insert_many(documents)
    for name, wanted in INDEXES.items():
        for keys, options in wanted:
            database[name].create_index(keys, **options)
    database.command("create", "active_users", viewOn="users", pipeline=[{"$match": {"active": True}}])
    return fingerprint(database)


def wipe(database: Any) -> None:
    """What a disaster does: everything is gone, ours too."""
    database.client.drop_database(database.name)


def interrupt(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
