"""One opened engine: what Reprise and AsyncReprise have in common. Nothing here waits for a job."""

from __future__ import annotations

import json
import logging
import os
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from . import _abi
from ._errors import InvalidArgumentError, RepriseError
from ._results import Progress, parse

log = logging.getLogger("reprise")
log.addHandler(logging.NullHandler())  # a host that set up no logging sees nothing on its stderr
# Every line of the audit log as it is written: only who keeps them elsewhere can tell that the last ones were removed.
audit_log = logging.getLogger("reprise.audit")
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
CHUNK_BYTES = 1 << 18
EVENTS_AT_ONCE = 1024
PUMP_MS = 200

ProgressCallback = Callable[[Progress], object]


class Freed(Protocol):
    """What belongs to an engine, and must go before it does."""

    def free(self) -> None: ...


class Engine:
    """Owns a `reprise_engine`. Calls after close() raise; close() waits for calls that are under way."""

    # The data are there and the host serves: what the admin interface asks before it answers.
    started = False
    spans = 0  # lifespans that are open

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._handle = 0
        self._calls = 0
        self._free = threading.Condition()
        self._pump: threading.Thread | None = None
        self._pumping = threading.Event()
        self._kept: weakref.WeakSet[Freed] = weakref.WeakSet()
        self.abi = _abi.abi()
        self._handle = self.abi.open(json.dumps(_given(config), ensure_ascii=False))

    @property
    def closed(self) -> bool:
        return not self._handle

    def close(self) -> None:
        self.stop_pump()
        self.started = False
        with self._free:
            handle, self._handle = self._handle, 0
            while self._calls > 0:
                self._free.wait()
            kept = list(self._kept)
        for each in kept:
            each.free()
        if handle:
            self.abi.close(handle)

    def __del__(self) -> None:
        # A handle that nobody closed at interpreter exit is left to the atexit hook, which has stopped its jobs.
        if getattr(self, "_handle", 0) and not _exiting():
            self.close()

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Runs one function of the Abi on our handle; the handle cannot be closed meanwhile."""
        with self._free:
            if not self._handle:
                raise InvalidArgumentError("this Reprise was closed: open a new one", "closed")
            handle = self._handle
            self._calls += 1
        try:
            return function(handle, *arguments)
        finally:
            with self._free:
                self._calls -= 1
                self._free.notify_all()

    def keep(self, owned: Freed) -> None:
        """Inside a call(): close() frees `owned` first, unless it is gone by then."""
        with self._free:
            self._kept.add(owned)

    def set_secret(self, name: str, secret: bytes | str) -> None:
        self.call(self.abi.secret_set, name, secret.encode() if isinstance(secret, str) else secret)

    def start(self, kind: str, options: Mapping[str, Any]) -> int:
        return int(self.call(self.abi.job_start, kind, json.dumps(_given(options), ensure_ascii=False)))

    def stand(self, job: int, wait_ms: int) -> tuple[int, Progress]:
        status = self.call(self.abi.job_wait, job, wait_ms)
        return int(status.state), _progress(status)

    def result(self, job: int) -> dict[str, Any]:
        try:
            return parse(self.call(self.abi.job_result, job))
        except RepriseError as error:
            error.job = job
            raise

    def mark(self, file: str | None, options: Mapping[str, Any]) -> str:
        return str(self.call(self.abi.mark, file or "", json.dumps(_given(options), ensure_ascii=False)))

    def delete(self, file: str | None, options: Mapping[str, Any]) -> str:
        return str(self.call(self.abi.delete, file or "", json.dumps(_given(options), ensure_ascii=False)))

    def audit_read(self, options: Mapping[str, Any]) -> str:
        return str(self.call(self.abi.audit_read, json.dumps(_given(options), ensure_ascii=False)))

    def audit_add(self, line: Mapping[str, Any]) -> None:
        self.call(self.abi.audit_add, json.dumps(_given(line), ensure_ascii=False))

    def cancel(self, job: int) -> None:
        self.call(self.abi.job_cancel, job)

    def drain_events(self) -> set[int]:
        """Passes log lines on to `logging`; returns the jobs that ended. -1 among them: some ends may be missing."""
        ended: set[int] = set()
        for _ in range(EVENTS_AT_ONCE):
            text = self.call(self.abi.events_next, 0)
            if text is None:
                break
            job = _handle_event(parse(text))
            if job is not None:
                ended.add(job)
        return ended

    def start_pump(self) -> None:
        """Passes log lines on while nobody waits for a job: a schedule has something to say by itself."""
        if self._pump is not None:
            return
        self._pumping.set()
        self._pump = threading.Thread(target=self._drain_on, name="reprise-log", daemon=True)
        self._pump.start()

    def stop_pump(self) -> None:
        pump, self._pump = self._pump, None
        self._pumping.clear()
        if pump is not None and pump is not threading.current_thread():
            pump.join(PUMP_MS * 5 / 1000)

    def _drain_on(self) -> None:
        while self._pumping.is_set() and not _exiting():
            try:
                text = self.call(self.abi.events_next, PUMP_MS)
            except RepriseError:
                return  # closed, or forked meanwhile
            if text is not None:
                _handle_event(parse(text))

    def stream(self, what: str, file: str | None) -> Iterator[bytes]:
        import ctypes

        stream = self.call(self.abi.stream_open, what, file)
        buffer = ctypes.create_string_buffer(CHUNK_BYTES)
        try:
            while chunk := self.abi.stream_read(stream, buffer):
                yield chunk
        finally:
            self.abi.stream_close(stream)


def _handle_event(event: Mapping[str, Any]) -> int | None:
    kind = event.get("event")
    if kind == "log":
        log.log(_LEVELS.get(str(event.get("level")), logging.INFO), "%s", event.get("message", ""))
    elif kind == "job_ended":
        return int(event.get("job", 0))
    elif kind == "audit":
        audit_log.info("%s", json.dumps(event, ensure_ascii=False))
    elif kind == "dropped":
        log.warning("%s events were dropped: nobody took them", event.get("count", "some"))
        return -1
    return None


def _progress(status: _abi.JobStatusStruct) -> Progress:
    return Progress(
        job=int(status.job),
        phase=bytes(status.phase).decode(errors="replace"),
        collection=bytes(status.collection).decode(errors="replace"),
        documents=int(status.documents),
        documents_total=int(status.documents_total),
        bytes=int(status.bytes),
        bytes_total=int(status.bytes_total),
    )


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what was not given, so that the library's default counts; paths as text, tuples and sets as lists."""
    given: dict[str, Any] = {}
    for key, value in values.items():
        if value is None:
            continue
        if isinstance(value, os.PathLike):
            value = os.fspath(value)
        elif isinstance(value, (tuple, set, frozenset)):
            value = sorted(value) if isinstance(value, (set, frozenset)) else list(value)
        given[key] = value
    return given


def file_text(file: str | os.PathLike[str] | None) -> str | None:
    return None if file is None else os.fspath(file)


_at_exit = False


def _exiting() -> bool:
    return _at_exit


def leave() -> None:
    """The atexit hook: asks every job to stop, waits at most 2 s, and leaves the handles to the system."""
    global _at_exit
    _at_exit = True
    _abi.shutdown_at_exit()
