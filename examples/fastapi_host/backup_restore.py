#!/usr/bin/env python3
"""Drop-in for the old script: the same commands, paths, environment and functions, over reprise.

    python3 backup_restore.py backup | list | restore [FILE] | auto        (verify, show, status … too)
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from reprise import AsyncReprise, RepriseError
from reprise.__main__ import main as command
from reprise._command import EXIT_FAILED, EXIT_OF_CODE, EXIT_OK

MONGO_URL = os.environ.get("MONGO_URL", "mongodb://localhost:27017")
DB_NAME = os.environ.get("DB_NAME", "test_database")
BACKUP_DIR = Path(os.environ.get("BACKUP_DIR", "/app/data/backups"))

# None: every collection. A list saves only these; the backups then say so ("configured"), and startup takes them.
COLLECTIONS_TO_BACKUP: list[str] | None = None


def _open() -> AsyncReprise:
    lists: dict[str, Any] = {"include": COLLECTIONS_TO_BACKUP} if COLLECTIONS_TO_BACKUP else {}
    return AsyncReprise(MONGO_URL, DB_NAME, BACKUP_DIR, **lists)


async def backup_database() -> str:
    """Saves the database; returns the path of the new file."""
    async with _open() as reprise:
        return (await reprise.backup()).path


async def restore_database(backup_file: str | os.PathLike[str] | None = None) -> bool:
    """Puts a backup back, the latest without a name: all or nothing, after a safety backup. Raises when it cannot."""
    async with _open() as reprise:
        await reprise.restore(backup_file)
    return True


async def list_backups() -> list[dict[str, Any]]:
    """filename, path, size_kb and modified of every backup, newest first."""
    async with _open() as reprise:
        return [dict(each.raw) for each in await reprise.list()]


async def auto_restore_if_empty() -> bool:
    """Restores when the database is empty; True when it did. Raises when the host must not go on."""
    async with _open() as reprise:
        started = await reprise.auto()
    if not started.may_go_on:
        raise RuntimeError(f"{started.result} ({started.reason}): {started.message}")
    return started.restored


def main(arguments: list[str]) -> int:
    os.environ.setdefault("MONGO_URL", MONGO_URL)
    os.environ.setdefault("DB_NAME", DB_NAME)
    os.environ.setdefault("BACKUP_DIR", str(BACKUP_DIR))
    if COLLECTIONS_TO_BACKUP and arguments == ["backup"]:
        # The command line has lists for one call only; the list above is this script's configuration.
        return _backup_listed()
    return command(arguments)


def _backup_listed() -> int:
    try:
        print(f"Backup: {asyncio.run(backup_database())}")
        return EXIT_OK
    except RepriseError as error:
        print(f"backup_restore: {error}", file=sys.stderr)
        return EXIT_OF_CODE.get(error.code, EXIT_FAILED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
