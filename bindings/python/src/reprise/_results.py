"""What jobs and lists answer, as dataclasses. `raw` holds the whole JSON object, keys of later versions included."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ._errors import BusyError, RefusedError

T = TypeVar("T")
Json = dict[str, Any]


def read(kind: type[T], data: Mapping[str, Any]) -> T:
    """Fills a dataclass by name; a key that is missing or null keeps its default, an unknown one stays in `raw` only."""
    names = {each.name for each in dataclasses.fields(kind)}  # type: ignore[arg-type]
    values: Json = {key: value for key, value in data.items() if key in names and value is not None}
    if "raw" in names:
        values["raw"] = dict(data)
    return kind(**values)


def parse(text: str) -> Json:
    data = json.loads(text)
    return data if isinstance(data, dict) else {}


@dataclass(frozen=True)
class Progress:
    """Where a job stands. Totals are 0 while they are unknown."""

    job: int
    phase: str
    collection: str
    documents: int
    documents_total: int
    bytes: int
    bytes_total: int

    @property
    def fraction(self) -> float | None:
        """0.0 to 1.0 of this phase, None while the total is unknown."""
        if self.bytes_total > 0:
            return min(1.0, self.bytes / self.bytes_total)
        if self.documents_total > 0:
            return min(1.0, self.documents / self.documents_total)
        return None


@dataclass(frozen=True)
class BackupResult:
    file: str = ""
    path: str = ""
    state: str = ""
    suspect_reason: str | None = None
    latest: bool = False
    id: str = ""
    sequence: int = 0
    deployment: str | None = None
    timestamp: str = ""
    documents: int = 0
    size_bytes: int = 0
    consistency: str = ""
    scope: Any = None
    collections: Mapping[str, Any] = field(default_factory=dict)
    label: str | None = None
    keep_until: str | None = None
    without_lease: bool = False
    removed: Sequence[str] = ()
    duration_ms: int = 0
    warnings: Sequence[str] = ()
    raw: Json = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class RestoreResult:
    file: str = ""
    mode: str = ""
    database: str = ""
    safety_file: str | None = None
    copies: Sequence[Any] = ()
    documents: int = 0
    collections: Sequence[Mapping[str, Any]] = ()
    left_alone: Sequence[str] = ()
    swapped_ms: int = 0
    duration_ms: int = 0
    warnings: Sequence[str] = ()
    undo: str = ""
    raw: Json = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class StartupResult:
    """`result`: not_needed, restored, restored_by_other, no_backup, in_progress or refused.

    `may_go_on` is False for in_progress and refused, unless the host asked to start anyway: it must not serve then.
    """

    result: str = ""
    reason: str = ""
    message: str = ""
    may_go_on: bool = False
    rule: Mapping[str, Any] | None = None
    sentinel: str | None = None
    file: str | None = None
    restore: RestoreResult | None = None
    skipped: Sequence[Mapping[str, Any]] = ()
    duration_ms: int = 0
    warnings: Sequence[str] = ()
    raw: Json = field(default_factory=dict, repr=False)

    def raise_unless_ready(self) -> StartupResult:
        """Fails the host's start: BusyError (in_progress) or RefusedError with the result's reason, unless `may_go_on`."""
        if self.may_go_on:
            return self
        kind = BusyError if self.result == "in_progress" else RefusedError
        raise kind(self.message, self.reason)

    @property
    def restored(self) -> bool:
        return self.result == "restored"


@dataclass(frozen=True)
class VerifyResult:
    file: str = ""
    path: str = ""
    verified: bool = False
    intact: bool = False
    signed_by: str | None = None
    legacy: bool = False
    documents: int = 0
    size_bytes: int = 0
    sha256: str | None = None
    collections: Any = None
    backup_date: str = ""
    database: str = ""
    warnings: Sequence[str] = ()
    raw: Json = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class RekeyResult:
    file: str = ""
    path: str = ""
    replaced: str = ""
    id: str = ""
    sha256: str = ""
    size_bytes: int = 0
    warnings: Sequence[str] = ()
    raw: Json = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class RehashResult:
    file: str = ""
    path: str = ""
    edited_from: Any = None
    changes: Sequence[Any] = ()
    documents: int = 0
    warnings: Sequence[str] = ()
    raw: Json = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class ForgetResult:
    """`removed` and `kept`: file, size_bytes, reasons, message. `frozen`: the newest backup is suspect, nothing good goes."""

    dry_run: bool = False
    removed: Sequence[Mapping[str, Any]] = ()
    kept: Sequence[Mapping[str, Any]] = ()
    freed_bytes: int = 0
    frozen: bool = False
    duration_ms: int = 0
    warnings: Sequence[str] = ()
    raw: Json = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Backup:
    """One file of the folder, as `list` and `show` describe it."""

    filename: str = ""
    path: str = ""
    size_bytes: int = 0
    size_kb: float = 0.0
    modified: str = ""
    kind: str = ""
    state: str = ""
    encrypted: bool = False
    verified: bool = False
    signed_by: str | None = None
    latest: bool = False
    label: str | None = None
    pinned: bool = False
    keep_until: str | None = None
    database: str = ""
    deployment: str | None = None
    sequence: int | None = None
    backup_date: str = ""
    scope: Any = None
    documents: int | None = None
    legacy: bool = False
    problem: Any = None
    collections: Any = None
    catalog: Any = None
    consistency: str = ""
    raw: Json = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Status:
    directory: str = ""
    database: str = ""
    latest: Any = None
    last_backup: Any = None
    backups: int = 0
    size_bytes: int = 0
    free_bytes: int = 0
    suspects: int = 0
    suspect: Any = None
    lost: Sequence[Mapping[str, Any]] = ()
    running: Any = None
    schedule: Any = None
    raw: Json = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class PreviewedCollection:
    """What the restore would do with one collection or view: `action` is create, replace, merge, drop or leave.

    `now`, `after`: documents, None when it is not there, or a view. A merge whose documents a unique index or a collation may
    refuse has `at_least` and `at_most` instead of `after`. `same`: neither its documents nor its catalog (type, options,
    indexes) would be other ones; `same_documents` and `same_catalog` say which. `in_backup`: the file holds it, selected or
    not. `inserted` (at most), `replaced` and `unchanged` are a merge's."""

    name: str = ""
    type: str = ""
    in_backup: bool = False
    action: str = ""
    dropped: bool = False
    now: int | None = None
    after: int | None = None
    at_least: int | None = None
    at_most: int | None = None
    same: bool = False
    same_documents: bool = False
    same_catalog: bool = False
    inserted: int = 0
    replaced: int = 0
    unchanged: int = 0


@dataclass(frozen=True)
class PreviewResult:
    """What the restore with the same options would do; nothing was changed."""

    file: str = ""
    mode: str = ""
    database: str = ""
    collections: Sequence[PreviewedCollection] = ()
    duration_ms: int = 0
    warnings: Sequence[str] = ()
    raw: Json = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Deleted:
    filename: str = ""
    freed_bytes: int = 0
    raw: Json = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Audit:
    """`lines`: newest first. `whole`: no line was changed or taken out; that the last ones were cut off shows only when
    `last` and `last_hash` are compared with what the host kept (logger `reprise.audit`)."""

    lines: Sequence[Mapping[str, Any]] = ()
    whole: bool = False
    problems: Sequence[str] = ()
    first: int = 0
    last: int = 0
    last_hash: str = ""
    raw: Json = field(default_factory=dict, repr=False)


def preview_result(data: Mapping[str, Any]) -> PreviewResult:
    collections = [read(PreviewedCollection, each) for each in data.get("collections", [])]
    return dataclasses.replace(read(PreviewResult, data), collections=collections)


def audit(data: Mapping[str, Any]) -> Audit:
    check = {key: value for key, value in data.get("check", {}).items() if key != "lines"}
    found = read(Audit, {"lines": data.get("lines", []), **check})
    return dataclasses.replace(found, raw=dict(data))


def startup_result(data: Mapping[str, Any]) -> StartupResult:
    plain = dict(data)
    nested = plain.get("restore")
    if isinstance(nested, dict):
        plain["restore"] = read(RestoreResult, nested)
    result = read(StartupResult, plain)
    return dataclasses.replace(result, raw=dict(data))


def backups(data: Mapping[str, Any]) -> list[Backup]:
    return [read(Backup, each) for each in data.get("backups", [])]
