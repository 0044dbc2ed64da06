"""reprise keeps a backend's MongoDB data alive: backup to one readable file, verify, restore, restore at startup."""

from __future__ import annotations

import atexit

from ._asgi import asgi
from ._async import AsyncReprise
from ._before import AsyncBefore, Before, Saved
from ._calls import Actor
from ._client import Reprise
from ._engine import leave as _leave
from ._errors import (
    BusyError,
    CancelledError,
    CorruptError,
    DeniedError,
    InternalError,
    InvalidArgumentError,
    InvalidConfigError,
    IoError,
    LibraryError,
    NotFoundError,
    OutOfMemoryError,
    RefusedError,
    RepriseError,
    ServerError,
    TimedOutError,
    UnavailableError,
    UnsupportedError,
)
from ._keys import KeyPair, new_key, shared_part
from ._lifespan import Lifespan, lifespan
from ._results import (
    Audit,
    Backup,
    BackupResult,
    Deleted,
    ForgetResult,
    PreviewedCollection,
    PreviewResult,
    Progress,
    RehashResult,
    RekeyResult,
    RestoreResult,
    StartupResult,
    Status,
    VerifyResult,
)
from ._wsgi import wsgi

__version__ = "0.1.0"

__all__ = [
    "Actor",
    "AsyncBefore",
    "AsyncReprise",
    "Audit",
    "Backup",
    "BackupResult",
    "Before",
    "BusyError",
    "CancelledError",
    "CorruptError",
    "Deleted",
    "DeniedError",
    "ForgetResult",
    "InternalError",
    "InvalidArgumentError",
    "InvalidConfigError",
    "IoError",
    "KeyPair",
    "LibraryError",
    "Lifespan",
    "NotFoundError",
    "OutOfMemoryError",
    "PreviewResult",
    "PreviewedCollection",
    "Progress",
    "RefusedError",
    "RehashResult",
    "RekeyResult",
    "Reprise",
    "RepriseError",
    "RestoreResult",
    "Saved",
    "ServerError",
    "StartupResult",
    "Status",
    "TimedOutError",
    "UnavailableError",
    "UnsupportedError",
    "VerifyResult",
    "asgi",
    "lifespan",
    "new_key",
    "shared_part",
    "wsgi",
]

atexit.register(_leave)
