"""AsyncReprise: the same calls for asyncio, woken by the engine's descriptor, never on the default executor."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any, TypeVar, Unpack

from . import _results
from ._abi import JOB_CANCELLED, JOB_RUNNING
from ._before import AsyncBefore, Saved
from ._calls import (
    BackupOptions,
    BeforeOptions,
    ForgetOptions,
    OnFailure,
    Path,
    PreviewOptions,
    RestoreOptions,
    audit_line,
    with_file,
)
from ._client import SLICE_MS
from ._engine import Engine, ProgressCallback, file_text
from ._errors import CancelledError
from ._pool import work_for
from ._results import (
    Audit,
    Backup,
    BackupResult,
    Deleted,
    ForgetResult,
    PreviewResult,
    RehashResult,
    RekeyResult,
    RestoreResult,
    StartupResult,
    Status,
    VerifyResult,
)

T = TypeVar("T")
# The descriptor wakes us; this is the look that catches an end whose event was dropped.
LOOK_S = 1.0


class AsyncReprise:
    """One database and one folder, for one event loop. Opening connects to nothing and starts nothing.

    A cancelled task asks the job to stop and waits until it has ended; a second cancel detaches.
    """

    def __init__(self, mongo_url: str, database: str, directory: Path, **config: Any) -> None:
        self._engine = Engine({"mongo_url": mongo_url, "database": database, "directory": directory, **config})
        self._waiting: dict[int, asyncio.Event] = {}
        self._descriptor = -1
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __aenter__(self) -> AsyncReprise:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Cancels what runs, waits at most 2 s (not in the loop), releases. Calling it twice is fine."""
        self._unwatch()
        await _in_thread(self._engine.close)

    def set_secret(self, name: str, secret: bytes | str) -> None:
        """`identity`, `passphrase` or `signing_key`, used instead of the file; an empty one is taken away."""
        self._engine.set_secret(name, secret)

    # ---- jobs

    async def backup(self, *, progress: ProgressCallback | None = None, **options: Unpack[BackupOptions]) -> BackupResult:
        return _results.read(BackupResult, await self.run("backup", dict(options), progress))

    def before(
        self,
        reason: str,
        *,
        restore_on_error: bool = False,
        progress: ProgressCallback | None = None,
        **options: Unpack[BeforeOptions],
    ) -> AsyncBefore:
        """`async with` it: saves the database before risky work; a block that raises is told how to go back.

        Awaited alone it saves and no more. `restore_on_error=True` puts everything back when the block raises.
        """

        async def save() -> Saved:
            result = _results.read(BackupResult, await self.run("before", {"reason": reason, **options}, progress))
            config = _results.parse(self._engine.call(self._engine.abi.config))
            return Saved(reason, result, config["database"], config["directory"])

        return AsyncBefore(save, self.restore, restore_on_error)

    async def auto(
        self,
        *,
        retry: bool | None = None,
        wait_ms: int | None = None,
        on_failure: OnFailure | None = None,
        progress: ProgressCallback | None = None,
    ) -> StartupResult:
        """Brings the data back when the database is empty. Await it before your own indexes and migrations.

        `on_failure="start_anyway"`: no failure but a cancel raises, and the result says that the host may go on.
        """
        options = {"retry": retry, "wait_ms": wait_ms, "on_failure": on_failure}
        result = _results.startup_result(await self.run("startup", options, progress))
        self._engine.started = result.may_go_on
        return result

    async def restore(
        self, path: Path | None = None, *, progress: ProgressCallback | None = None, **options: Unpack[RestoreOptions]
    ) -> RestoreResult:
        return _results.read(RestoreResult, await self.run("restore", with_file(options, path), progress))

    async def preview(
        self, path: Path | None = None, *, progress: ProgressCallback | None = None, **options: Unpack[PreviewOptions]
    ) -> PreviewResult:
        """What restore() of that backup would change, per collection. Reads only."""
        return _results.preview_result(await self.run("preview", with_file(options, path), progress))

    async def verify(self, path: Path | None = None, *, progress: ProgressCallback | None = None) -> VerifyResult:
        return _results.read(VerifyResult, await self.run("verify", with_file({}, path), progress))

    async def rekey(self, path: Path, *, progress: ProgressCallback | None = None) -> RekeyResult:
        return _results.read(RekeyResult, await self.run("rekey", with_file({}, path), progress))

    async def rehash(self, path: Path, *, progress: ProgressCallback | None = None) -> RehashResult:
        return _results.read(RehashResult, await self.run("rehash", with_file({}, path), progress))

    async def forget(self, *, progress: ProgressCallback | None = None, **options: Unpack[ForgetOptions]) -> ForgetResult:
        """Removes what no rule keeps (`retention` of the configuration, or the rules given here); `dry_run` only tells."""
        return _results.read(ForgetResult, await self.run("forget", dict(options), progress))

    # ---- the schedule

    async def start_service(self) -> None:
        """Starts the configured `schedule` in this process, after any fork; nothing without one. Any number of workers may."""
        self._watch()  # the loop passes its log lines on
        await _in_thread(lambda: self._engine.call(self._engine.abi.service_start))

    async def stop_service(self, deadline_ms: int = 10_000) -> None:
        """Stops it; a backup that it is making is cancelled, and made by another worker."""
        await _in_thread(lambda: self._engine.call(self._engine.abi.service_stop, deadline_ms))

    # ---- the folder: short, but the disk may be slow, so a thread of our own asks

    async def list(self) -> list[Backup]:
        text = await _in_thread(lambda: self._engine.call(self._engine.abi.list))
        return _results.backups(_results.parse(text))

    async def show(self, path: Path | None = None) -> Backup:
        file = file_text(path) or "latest"
        return _results.read(Backup, _results.parse(await _in_thread(lambda: self._engine.call(self._engine.abi.show, file))))

    async def status(self) -> Status:
        return _results.read(Status, _results.parse(await _in_thread(lambda: self._engine.call(self._engine.abi.status))))

    async def pin(self, path: Path, pinned: bool = True, *, wait_ms: int | None = None) -> Backup:
        return await self.mark(path, pin=pinned, wait_ms=wait_ms)

    async def accept(self, path: Path, *, wait_ms: int | None = None) -> Backup:
        return await self.mark(path, accept=True, wait_ms=wait_ms)

    async def mark(self, path: Path, **options: Any) -> Backup:
        """pin, label, accept, wait_ms; the file as it is afterwards: an accepted suspect has another name."""
        return _results.read(Backup, _results.parse(await _in_thread(lambda: self._engine.mark(file_text(path), options))))

    async def delete(self, path: Path, **options: Any) -> Deleted:
        """Deletes one backup. The newest good one, the latest, and pinned ones are refused (`file_protected`)."""
        return _results.read(Deleted, _results.parse(await _in_thread(lambda: self._engine.delete(file_text(path), options))))

    async def metrics(self) -> str:
        """Is there a good, recent backup, in Prometheus' text format."""
        return str(await _in_thread(lambda: self._engine.call(self._engine.abi.metrics)))

    async def audit(self, *, limit: int | None = None) -> Audit:
        """Who did what and how it ended, newest first (100 lines without `limit`), and whether every line is as it was."""
        return _results.audit(_results.parse(await _in_thread(lambda: self._engine.audit_read({"limit": limit}))))

    async def audit_add(
        self,
        what: str,
        *,
        result: str = "done",
        reason: str | None = None,
        file: Path | None = None,
        who: str | None = None,
        address: str | None = None,
    ) -> None:
        """Adds a line of the host's own, such as `audit_add("import", who="sophie")`. No document's value belongs in it."""
        line = audit_line(what, result, reason, file, who, address)
        await _in_thread(lambda: self._engine.audit_add(line))

    async def jobs(self) -> dict[str, Any]:
        return _results.parse(await _in_thread(lambda: self._engine.call(self._engine.abi.job_list)))

    def cat(self, path: Path | None = None) -> AsyncIterator[bytes]:
        """The plain JSON of a backup in pieces. The last piece is followed by an error when the file is not whole."""
        return self._stream("cat", path)

    def download(self, path: Path | None = None) -> AsyncIterator[bytes]:
        """The stored bytes of a backup in pieces, as they are."""
        return self._stream("download", path)

    async def _stream(self, what: str, path: Path | None) -> AsyncIterator[bytes]:
        pieces = self._engine.stream(what, file_text(path))
        try:
            while chunk := await _in_thread(lambda: next(pieces, b"")):
                yield chunk
        finally:
            pieces.close()  # type: ignore[attr-defined]

    # ---- waiting

    async def run(self, kind: str, options: dict[str, Any], progress: ProgressCallback | None = None) -> dict[str, Any]:
        """Starts a job of any kind, awaits its end, returns its result as JSON."""
        self._watch()
        job = self._engine.start(kind, options)
        self._waiting[job] = asyncio.Event()
        try:
            interrupted = await self._wait(job, progress)
            return self._outcome(job, interrupted)
        finally:
            self._waiting.pop(job, None)

    async def _wait(self, job: int, progress: ProgressCallback | None) -> BaseException | None:
        try:
            while await self._step(job, progress):
                pass
            return None
        except BaseException as error:
            stopped = error
        self._engine.cancel(job)
        while await self._step(job, None):
            pass
        return stopped

    async def _step(self, job: int, progress: ProgressCallback | None) -> bool:
        state, where = self._engine.stand(job, 0)
        if progress is not None:
            progress(where)
        if state != JOB_RUNNING:
            self._engine.drain_events()
            return False
        try:
            await asyncio.wait_for(self._waiting[job].wait(), SLICE_MS / 1000 if progress else LOOK_S)
            self._waiting[job].clear()
        except asyncio.TimeoutError:
            pass
        return True

    def _outcome(self, job: int, interrupted: BaseException | None) -> dict[str, Any]:
        state, _ = self._engine.stand(job, 0)
        if interrupted is not None and (state == JOB_CANCELLED or not isinstance(interrupted, asyncio.CancelledError)):
            raise interrupted
        try:
            return self._engine.result(job)
        except CancelledError as error:
            if interrupted is not None:
                raise interrupted from error
            raise

    # ---- the descriptor

    def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return
        self._unwatch()
        self._descriptor = int(self._engine.call(self._engine.abi.events_fd))
        loop.add_reader(self._descriptor, self._readable)
        self._loop = loop

    def _unwatch(self) -> None:
        loop, self._loop = self._loop, None
        if loop is not None and not loop.is_closed():
            loop.remove_reader(self._descriptor)

    def _readable(self) -> None:
        ended = self._engine.drain_events()
        for job, event in self._waiting.items():
            if job in ended or -1 in ended:
                event.set()


async def _in_thread(function: Callable[[], T]) -> T:
    """Runs a call on a thread made for it, for it may wait; the loop goes on meanwhile."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    threading.Thread(target=work_for(loop, future, function), name="reprise-call", daemon=True).start()
    return await future
