"""Looks into a backup from outside, however it is packed: Debian's age and zstd, then a stranger's reader."""

from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "reader")]

import read_backup  # noqa: E402
from bson import json_util  # noqa: E402

KEYS = "keys"  # the folder of keys, beside the backups


class Keys:
    """An age identity and a signing key in files of their own, and what a host with both is told."""

    def __init__(self, place: pathlib.Path) -> None:
        import reprise

        self.folder = place / KEYS
        self.folder.mkdir(exist_ok=True)
        pair, signing = reprise.new_key("age"), reprise.new_key("signing")
        pair.write(self.folder / "identity")
        signing.write(self.folder / "signing.pem")
        self.environment = {
            "BACKUP_COMPRESSION": "zstd:1",
            "BACKUP_RECIPIENTS": pair.shared.strip(),
            "BACKUP_IDENTITY_FILE": str(self.folder / "identity"),
            "BACKUP_SIGNING_KEY_FILE": str(self.folder / "signing.pem"),
        }


@contextlib.contextmanager
def quiet() -> Any:
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        yield


@contextlib.contextmanager
def unpacked(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """The plain file that is in `path`."""
    age, packed = path.name.endswith(".age"), path.name.removesuffix(".age").endswith(".zst")
    if not (age or packed):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="reprise-unpacked-") as folder:
        content = path.read_bytes()
        if age:
            content = piped(["age", "-d", "-i", str(path.parent.parent / KEYS / "identity")], content)
        if packed:
            content = piped(["zstd", "-d", "-c", "-q"], content)
        plain = pathlib.Path(folder, path.name.split(".")[0] + ".json")
        plain.write_bytes(content)
        yield plain


def piped(command: list[str], content: bytes) -> bytes:
    done = subprocess.run(command, input=content, capture_output=True, timeout=60, check=False)
    if done.returncode:
        raise read_backup.Bad(f"{command[0]} refuses it: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def is_whole(path: pathlib.Path) -> str:
    """What is wrong with the file, by a stranger's reader; empty when nothing is."""
    try:
        with quiet(), unpacked(path) as plain:
            read_backup.check(str(plain))
            if path.name.endswith(".age") and b'"signature":{' not in plain.read_bytes()[-400:]:
                return f"{path.name} is not signed"
    except (read_backup.Bad, OSError) as problem:
        return f"{path.name}: {problem}"
    return ""


def documents_in(path: pathlib.Path) -> dict[str, list[dict[str, Any]]]:
    """The documents of a backup by collection."""
    with unpacked(path) as plain:
        found: dict[str, list[dict[str, Any]]] = json_util.loads(plain.read_text(encoding="utf-8"))["collections"]
    return found
