"""The options of each kind of job, written once for Reprise and AsyncReprise: what is None is left to the library."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal, TypedDict


# Who asked, for the audit log. `via`: library, command, schedule, startup or rest; `who`: a name; `from`: an address.
Actor = TypedDict("Actor", {"via": str, "who": str, "from": str}, total=False)


class BackupOptions(TypedDict, total=False):
    label: str | None
    include: Sequence[str] | None
    exclude: Sequence[str] | None
    consistency: str | None
    profile: str | None
    accept_smaller: bool | None
    wait_ms: int | None
    actor: Actor | None


class BeforeOptions(TypedDict, total=False):
    keep_days: int | None
    consistency: str | None
    profile: str | None
    accept_smaller: bool | None
    wait_ms: int | None
    actor: Actor | None


class RestoreOptions(TypedDict, total=False):
    mode: str | None
    exact: bool | None
    include: Sequence[str] | None
    exclude: Sequence[str] | None
    to_database: str | None
    to_mongo_url: str | None
    other_database: bool | None
    adopt: bool | None
    no_safety_backup: bool | None
    allow_unsharded: bool | None
    non_unique: bool | None
    accept_unsigned: bool | None
    without_majority: bool | None
    abandon_unfinished: bool | None
    wait_ms: int | None
    actor: Actor | None


class ForgetOptions(TypedDict, total=False):
    dry_run: bool | None
    keep_last: int | None
    keep_hourly: int | None
    keep_daily: int | None
    keep_weekly: int | None
    keep_monthly: int | None
    keep_yearly: int | None
    keep_within: str | None
    max_total_bytes: int | None
    wait_ms: int | None
    actor: Actor | None


class PreviewOptions(RestoreOptions, total=False):
    """A restore's: it tells of the restore with the same ones, and refuses what that refuses."""


OnFailure = Literal["fail", "start_anyway"]
Path = str | os.PathLike[str]


def with_file(options: Any, path: Path | None) -> dict[str, Any]:
    """`path` as the option `file`; without one the library takes the latest."""
    values: dict[str, Any] = dict(options)
    if path is not None:
        values["file"] = os.fspath(path)
    return values


def audit_line(
    what: str, result: str, reason: str | None, file: Path | None, who: str | None, address: str | None
) -> dict[str, Any]:
    """A line of the host's own for the audit log."""
    actor = {key: value for key, value in (("who", who), ("from", address)) if value is not None}
    return {"what": what, "result": result, "reason": reason, "file": file, "actor": actor or None}
