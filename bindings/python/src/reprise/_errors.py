"""One exception per code of the C interface. Decide on `reason`, a stable word; the message is for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ORIGINS = ("own", "server", "system", "http", "tls")
FLAG_RETRYABLE = 1


class RepriseError(Exception):
    """Something could not be done. `code` is the C interface's REPRISE_E_… value."""

    code: int = -14
    code_name: str = "internal"
    origin: str = "own"
    origin_code: int = 0
    retryable: bool = False
    reason: str = "unknown"
    job: int | None = None

    def __init__(self, message: str, reason: str = "unknown", *, code: int | None = None) -> None:
        super().__init__(message, reason)
        self.message = message
        self.reason = reason
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.message} [{self.reason}]"

    def as_json(self) -> dict[str, Any]:
        """What `--json` prints under "error", and what the C++ command prints too."""
        return {
            "code": self.code,
            "code_name": self.code_name,
            "reason": self.reason,
            "message": self.message,
            "origin": self.origin,
            "origin_code": self.origin_code,
            "retryable": self.retryable,
        }


class InvalidArgumentError(RepriseError, ValueError):
    code, code_name = -1, "invalid_argument"


class InvalidConfigError(RepriseError, ValueError):
    code, code_name = -2, "invalid_config"


class NotFoundError(RepriseError):
    code, code_name = -3, "not_found"


class BusyError(RepriseError):
    code, code_name = -4, "busy"


class CancelledError(RepriseError):
    """The job was asked to stop, and did: nothing of it is left."""

    code, code_name = -5, "cancelled"


class TimedOutError(RepriseError):
    code, code_name = -6, "timed_out"


class UnavailableError(RepriseError):
    code, code_name = -7, "unavailable"


class DeniedError(RepriseError):
    code, code_name = -8, "denied"


class CorruptError(RepriseError):
    code, code_name = -9, "corrupt"


class RefusedError(RepriseError):
    code, code_name = -10, "refused"


class IoError(RepriseError):
    code, code_name = -11, "io"


class ServerError(RepriseError):
    code, code_name = -12, "server"


class UnsupportedError(RepriseError):
    code, code_name = -13, "unsupported"


class InternalError(RepriseError):
    code, code_name = -14, "internal"


class OutOfMemoryError(RepriseError):
    code, code_name = -15, "out_of_memory"


class LibraryError(RepriseError, ImportError):
    """libreprise.so is missing, or speaks another ABI than this package."""

    code, code_name = -13, "unsupported"


_CLASSES: dict[int, type[RepriseError]] = {
    kind.code: kind
    for kind in (
        InvalidArgumentError,
        InvalidConfigError,
        NotFoundError,
        BusyError,
        CancelledError,
        TimedOutError,
        UnavailableError,
        DeniedError,
        CorruptError,
        RefusedError,
        IoError,
        ServerError,
        UnsupportedError,
        InternalError,
        OutOfMemoryError,
    )
}


def error_of(code: int, fields: Mapping[str, Any]) -> RepriseError:
    """The exception for `code`, from what a reprise_error holds."""
    kind = _CLASSES.get(code, RepriseError)
    error = kind(str(fields.get("message", "")), str(fields.get("reason", "unknown")), code=code)
    origin = int(fields.get("origin", 0))
    error.origin = ORIGINS[origin] if 0 <= origin < len(ORIGINS) else "own"
    error.origin_code = int(fields.get("origin_code", 0))
    error.retryable = bool(fields.get("retryable", False))
    return error
