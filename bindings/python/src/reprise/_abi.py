"""The C interface, declared for ctypes, and nothing else: every call below is one function of reprise.h.

ctypes releases the interpreter's lock during a call. Strings out are copied and released before a call returns.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ._errors import FLAG_RETRYABLE, LibraryError, RepriseError, error_of

ABI_MAJOR, ABI_MINOR = 1, 2

JOB_RUNNING, JOB_DONE, JOB_FAILED, JOB_CANCELLED = 1, 2, 3, 4


class ErrorStruct(ctypes.Structure):
    _fields_ = [
        ("code", ctypes.c_int32),
        ("origin", ctypes.c_int32),
        ("origin_code", ctypes.c_int32),
        ("flags", ctypes.c_uint32),
        ("reason", ctypes.c_char * 48),
        ("message", ctypes.c_char * 448),
    ]


class JobStatusStruct(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("job", ctypes.c_uint64),
        ("state", ctypes.c_int32),
        ("code", ctypes.c_int32),
        ("documents", ctypes.c_int64),
        ("documents_total", ctypes.c_int64),
        ("bytes", ctypes.c_int64),
        ("bytes_total", ctypes.c_int64),
        ("phase", ctypes.c_char * 32),
        ("collection", ctypes.c_char * 256),
    ]


class HeaderStruct(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("name_size", ctypes.c_size_t),
        ("value", ctypes.c_char_p),
        ("value_size", ctypes.c_size_t),
    ]


class RequestStruct(ctypes.Structure):
    """Points to bytes that its maker keeps alive; NUL inside them is fine, for every text has its size."""

    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("method", ctypes.c_char_p),
        ("method_size", ctypes.c_size_t),
        ("path", ctypes.c_char_p),
        ("path_size", ctypes.c_size_t),
        ("base_path", ctypes.c_char_p),
        ("base_path_size", ctypes.c_size_t),
        ("query", ctypes.c_char_p),
        ("query_size", ctypes.c_size_t),
        ("headers", ctypes.POINTER(HeaderStruct)),
        ("header_count", ctypes.c_size_t),
        ("body", ctypes.c_char_p),
        ("body_size", ctypes.c_size_t),
        ("remote_address", ctypes.c_char_p),
        ("remote_address_size", ctypes.c_size_t),
        ("principal", ctypes.c_char_p),
        ("principal_size", ctypes.c_size_t),
        ("request_id", ctypes.c_char_p),
        ("request_id_size", ctypes.c_size_t),
    ]


_handle = ctypes.c_void_p
_text_in = ctypes.c_char_p
_text_out = ctypes.POINTER(ctypes.c_void_p)
_size = ctypes.c_size_t
_size_out = ctypes.POINTER(ctypes.c_size_t)
_error = ctypes.POINTER(ErrorStruct)
_i32, _i64, _u64 = ctypes.c_int32, ctypes.c_int64, ctypes.c_uint64

_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "reprise_abi": (_i32, ()),
    "reprise_version": (ctypes.c_char_p, ()),
    "reprise_build": (_i32, (_text_out, _size_out, _error)),
    "reprise_code_name": (ctypes.c_char_p, (_i32,)),
    "reprise_free": (None, (ctypes.c_void_p,)),
    "reprise_open": (_i32, (_text_in, _size, ctypes.POINTER(_handle), _error)),
    "reprise_config": (_i32, (_handle, _text_out, _size_out, _error)),
    "reprise_service_start": (_i32, (_handle, _error)),
    "reprise_service_stop": (_i32, (_handle, _i64, _error)),
    "reprise_secret_set": (_i32, (_handle, _text_in, _size, _text_in, _size, _error)),
    "reprise_key_new": (_i32, (_text_in, _size, _text_out, _size_out, _text_out, _size_out, _error)),
    "reprise_key_recipient": (_i32, (_text_in, _size, _text_out, _size_out, _error)),
    "reprise_shutdown": (_i32, (_handle, _i64, _error)),
    "reprise_close": (None, (_handle,)),
    "reprise_job_start": (_i32, (_handle, _text_in, _size, _text_in, _size, ctypes.POINTER(_u64), _error)),
    "reprise_job_wait": (_i32, (_handle, _u64, _i64, ctypes.POINTER(JobStatusStruct), _error)),
    "reprise_job_result": (_i32, (_handle, _u64, _text_out, _size_out, _error)),
    "reprise_job_cancel": (_i32, (_handle, _u64, _error)),
    "reprise_job_list": (_i32, (_handle, _text_out, _size_out, _error)),
    "reprise_list": (_i32, (_handle, _text_out, _size_out, _error)),
    "reprise_show": (_i32, (_handle, _text_in, _size, _text_out, _size_out, _error)),
    "reprise_status": (_i32, (_handle, _text_out, _size_out, _error)),
    "reprise_mark": (_i32, (_handle, _text_in, _size, _text_in, _size, _text_out, _size_out, _error)),
    "reprise_delete": (_i32, (_handle, _text_in, _size, _text_in, _size, _text_out, _size_out, _error)),
    "reprise_metrics": (_i32, (_handle, _text_out, _size_out, _error)),
    "reprise_audit_read": (_i32, (_handle, _text_in, _size, _text_out, _size_out, _error)),
    "reprise_audit_add": (_i32, (_handle, _text_in, _size, _error)),
    "reprise_stream_open": (_i32, (_handle, _text_in, _size, _text_in, _size, ctypes.POINTER(_handle), _error)),
    "reprise_stream_read": (_i32, (_handle, ctypes.c_char_p, _size, _size_out, _error)),
    "reprise_stream_close": (None, (_handle,)),
    "reprise_admin_handle": (_i32, (_handle, ctypes.POINTER(RequestStruct), ctypes.POINTER(_handle), _error)),
    "reprise_response_wait": (_i32, (_handle, _i64, ctypes.POINTER(_i32), ctypes.POINTER(ctypes.c_char_p), _size_out, _error)),
    "reprise_response_read": (_i32, (_handle, ctypes.c_char_p, _size, _size_out, _error)),
    "reprise_response_free": (None, (_handle,)),
    "reprise_events_next": (_i32, (_handle, _i64, _text_out, _size_out, _error)),
    "reprise_events_fd": (_i32, (_handle, ctypes.POINTER(ctypes.c_int), _error)),
}


def candidates() -> Iterator[str]:
    """Where the library may lie, the most explicit place first."""
    given = os.environ.get("REPRISE_LIBRARY")
    if given:
        yield given
        return
    here = Path(__file__).resolve().parent
    yield str(here / "libreprise.so")
    for up in (here.parents[3], here.parents[2]):
        yield str(up / "build" / "release" / "lib" / "libreprise.so")
    yield "libreprise.so.1"
    yield "libreprise.so"
    found = ctypes.util.find_library("reprise")
    if found:
        yield found


def load() -> ctypes.CDLL:
    """Loads libreprise.so and checks that it speaks our ABI. LibraryError says what was tried."""
    tried: list[str] = []
    for path in candidates():
        if os.sep in path and not os.path.exists(path):
            tried.append(path)
            continue
        try:
            library = ctypes.CDLL(path)
        except OSError as failure:
            if os.sep in path:
                raise LibraryError(f"cannot load {path}: {failure}", "library_unusable") from None
            tried.append(path)
            continue
        _declare(library, path)
        return library
    raise LibraryError(
        f"libreprise.so was not found (tried {', '.join(tried)}): build it, or name it in REPRISE_LIBRARY", "library_missing"
    )


def _declare(library: ctypes.CDLL, path: str) -> None:
    try:
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(library, name)
            function.restype = result
            function.argtypes = arguments
    except AttributeError as failure:
        raise LibraryError(f"{path} is not a reprise library of this ABI: {failure}", "abi_mismatch") from None
    abi = int(library.reprise_abi())
    if abi // 1000 != ABI_MAJOR or abi % 1000 < ABI_MINOR:
        wanted = f"{ABI_MAJOR}.{ABI_MINOR}"
        raise LibraryError(f"{path} has ABI {abi // 1000}.{abi % 1000}, this package needs {wanted}", "abi_mismatch")


class Abi:
    """The functions of reprise.h with Python's types: failures are raised, strings are str."""

    def __init__(self) -> None:
        self._library = load()

    def version(self) -> str:
        return bytes(self._library.reprise_version()).decode()

    def build(self) -> str:
        return self._text("reprise_build") or "{}"

    def open(self, config: str) -> int:
        data = config.encode()
        handle = ctypes.c_void_p()
        self._call("reprise_open", data, len(data), ctypes.byref(handle))
        return int(handle.value or 0)

    def config(self, engine: int) -> str:
        return self._text("reprise_config", engine) or "{}"

    def service_start(self, engine: int) -> None:
        self._call("reprise_service_start", engine)

    def service_stop(self, engine: int, deadline_ms: int) -> None:
        self._call("reprise_service_stop", engine, deadline_ms)

    def secret_set(self, engine: int, name: str, secret: bytes) -> None:
        word = name.encode()
        self._call("reprise_secret_set", engine, word, len(word), secret, len(secret))

    def key_new(self, kind: str) -> tuple[bytes, str]:
        word = kind.encode()
        secret, shared = ctypes.c_void_p(), ctypes.c_void_p()
        secret_size, shared_size = ctypes.c_size_t(), ctypes.c_size_t()
        outs = (ctypes.byref(secret), ctypes.byref(secret_size), ctypes.byref(shared), ctypes.byref(shared_size))
        self._call("reprise_key_new", word, len(word), *outs)
        return self._taken(secret, secret_size), self._taken(shared, shared_size).decode()

    def key_recipient(self, secret: bytes) -> str:
        return self._text("reprise_key_recipient", secret, len(secret)) or ""

    def shutdown(self, engine: int | None, deadline_ms: int) -> None:
        self._call("reprise_shutdown", engine, deadline_ms)

    def close(self, engine: int) -> None:
        self._library.reprise_close(engine)

    def job_start(self, engine: int, kind: str, options: str) -> int:
        word, data = kind.encode(), options.encode()
        job = ctypes.c_uint64()
        self._call("reprise_job_start", engine, word, len(word), data, len(data), ctypes.byref(job))
        return int(job.value)

    def job_wait(self, engine: int, job: int, wait_ms: int) -> JobStatusStruct:
        status = JobStatusStruct(struct_size=ctypes.sizeof(JobStatusStruct))
        self._call("reprise_job_wait", engine, job, wait_ms, ctypes.byref(status))
        return status

    def job_result(self, engine: int, job: int) -> str:
        return self._text("reprise_job_result", engine, job) or "{}"

    def job_cancel(self, engine: int, job: int) -> None:
        self._call("reprise_job_cancel", engine, job)

    def job_list(self, engine: int) -> str:
        return self._text("reprise_job_list", engine) or "{}"

    def list(self, engine: int) -> str:
        return self._text("reprise_list", engine) or "{}"

    def show(self, engine: int, file: str | None) -> str:
        return self._text("reprise_show", engine, *_optional(file)) or "{}"

    def status(self, engine: int) -> str:
        return self._text("reprise_status", engine) or "{}"

    def mark(self, engine: int, file: str, options: str) -> str:
        data = options.encode()
        return self._text("reprise_mark", engine, *_optional(file), data, len(data)) or "{}"

    def delete(self, engine: int, file: str, options: str) -> str:
        data = options.encode()
        return self._text("reprise_delete", engine, *_optional(file), data, len(data)) or "{}"

    def metrics(self, engine: int) -> str:
        return self._text("reprise_metrics", engine) or ""

    def audit_read(self, engine: int, options: str) -> str:
        data = options.encode()
        return self._text("reprise_audit_read", engine, data, len(data)) or "{}"

    def audit_add(self, engine: int, line: str) -> None:
        data = line.encode()
        self._call("reprise_audit_add", engine, data, len(data))

    def admin_handle(self, engine: int, request: RequestStruct) -> int:
        response = ctypes.c_void_p()
        self._call("reprise_admin_handle", engine, ctypes.byref(request), ctypes.byref(response))
        return int(response.value or 0)

    def response_wait(self, response: int, wait_ms: int) -> tuple[int, str]:
        """Status and headers as JSON; (0, "") while they are not known."""
        status, headers, size = ctypes.c_int32(), ctypes.c_char_p(), ctypes.c_size_t()
        outs = (ctypes.byref(status), ctypes.byref(headers), ctypes.byref(size))
        self._call("reprise_response_wait", response, wait_ms, *outs)
        return int(status.value), (headers.value or b"").decode()

    def response_read(self, response: int, buffer: ctypes.Array[ctypes.c_char]) -> bytes:
        size = ctypes.c_size_t()
        self._call("reprise_response_read", response, buffer, len(buffer), ctypes.byref(size))
        return ctypes.string_at(buffer, size.value)

    def response_free(self, response: int) -> None:
        self._library.reprise_response_free(response)

    def events_next(self, engine: int, wait_ms: int) -> str | None:
        return self._text("reprise_events_next", engine, wait_ms)

    def events_fd(self, engine: int) -> int:
        descriptor = ctypes.c_int(-1)
        self._call("reprise_events_fd", engine, ctypes.byref(descriptor))
        return int(descriptor.value)

    def stream_open(self, engine: int, what: str, file: str | None) -> int:
        word = what.encode()
        stream = ctypes.c_void_p()
        self._call("reprise_stream_open", engine, word, len(word), *_optional(file), ctypes.byref(stream))
        return int(stream.value or 0)

    def stream_read(self, stream: int, buffer: ctypes.Array[ctypes.c_char]) -> bytes:
        size = ctypes.c_size_t()
        self._call("reprise_stream_read", stream, buffer, len(buffer), ctypes.byref(size))
        return ctypes.string_at(buffer, size.value)

    def stream_close(self, stream: int) -> None:
        self._library.reprise_stream_close(stream)

    def _call(self, name: str, *arguments: Any) -> None:
        error = ErrorStruct()
        code = int(getattr(self._library, name)(*arguments, ctypes.byref(error)))
        if code != 0:
            raise _raised(code, error)

    def _text(self, name: str, *arguments: Any) -> str | None:
        text, size = ctypes.c_void_p(), ctypes.c_size_t()
        self._call(name, *arguments, ctypes.byref(text), ctypes.byref(size))
        return self._taken(text, size).decode() if text.value else None

    def _taken(self, text: ctypes.c_void_p, size: ctypes.c_size_t) -> bytes:
        try:
            return ctypes.string_at(text.value or 0, size.value)
        finally:
            self._library.reprise_free(text)


def _optional(text: str | None) -> tuple[bytes | None, int]:
    if text is None:
        return None, 0
    data = os.fsencode(text)
    return data, len(data)


def _raised(code: int, error: ErrorStruct) -> RepriseError:
    return error_of(
        code,
        {
            "message": error.message.decode(errors="replace"),
            "reason": error.reason.decode(errors="replace") or "unknown",
            "origin": error.origin,
            "origin_code": error.origin_code,
            "retryable": bool(error.flags & FLAG_RETRYABLE),
        },
    )


_log = logging.getLogger("reprise")
_loaded: Abi | None = None


def abi() -> Abi:
    """The library, loaded at the first use and kept: threads of ours may still run in it."""
    global _loaded
    if _loaded is None:
        _loaded = Abi()
    return _loaded


def shutdown_at_exit() -> None:
    """Asks every job of this process to stop and gives them 2 s: what is stuck then touches nothing any more."""
    if _loaded is None:
        return
    try:
        _loaded.shutdown(None, 2000)
    except RepriseError:
        # Only where somebody listens: without a handler logging would write to standard error.
        if _log.hasHandlers():
            _log.warning("a job did not stop within 2 s; the next operation settles what it left")
