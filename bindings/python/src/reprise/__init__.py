"""reprise keeps a backend's MongoDB data alive: backup to one readable file, verify, restore, restore at startup."""

from __future__ import annotations

import atexit

from ._async import AsyncReprise
from ._before import AsyncBefore, Before, Saved
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
from ._results import (
    Backup,
    BackupResult,
    ForgetResult,
    Progress,
    RehashResult,
    RekeyResult,
    RestoreResult,
    StartupResult,
    Status,
    VerifyResult,
)

__version__ = "0.1.0"

__all__ = [
    "AsyncBefore",
    "AsyncReprise",
    "Backup",
    "BackupResult",
    "Before",
    "BusyError",
    "CancelledError",
    "CorruptError",
    "DeniedError",
    "ForgetResult",
    "InternalError",
    "InvalidArgumentError",
    "InvalidConfigError",
    "IoError",
    "KeyPair",
    "LibraryError",
    "NotFoundError",
    "OutOfMemoryError",
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
    "new_key",
    "shared_part",
]

atexit.register(_leave)
