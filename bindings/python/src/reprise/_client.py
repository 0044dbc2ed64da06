"""Reprise: the calls that wait, for scripts and threads."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Unpack

from . import _results
from ._abi import JOB_CANCELLED, JOB_DONE, JOB_RUNNING
from ._before import Before, Saved
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
from ._engine import Engine, ProgressCallback, file_text
from ._errors import CancelledError
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

SLICE_MS = 200


class Reprise:
    """One database and one folder. Thread-safe. Opening connects to nothing and starts nothing.

    `config` takes the other keys of the configuration (`sentinel`, `startup`, `include`, `exclude`, `profile`, `consistency`,
    `guard`, `retention`, `compression`, `schedule`, `before`, `encryption`, `signature`, `admin`, `connect_timeout_ms`,
    `log_level`); an unknown one raises InvalidConfigError. `admin` says who may use asgi() and wsgi():
    `admin={"jwt": {"algorithm": "HS256", "secret": …}}`.
    """

    def __init__(self, mongo_url: str, database: str, directory: Path, **config: Any) -> None:
        self._engine = Engine({"mongo_url": mongo_url, "database": database, "directory": directory, **config})

    def __enter__(self) -> Reprise:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Cancels what runs, waits at most 2 s, releases. Calling it twice is fine."""
        self._engine.close()

    def config(self) -> dict[str, Any]:
        """The configuration in effect, secrets replaced by ***."""
        return _results.parse(self._engine.call(self._engine.abi.config))

    def set_secret(self, name: str, secret: bytes | str) -> None:
        """`identity`, `passphrase` or `signing_key`, used instead of the file; an empty one is taken away."""
        self._engine.set_secret(name, secret)

    # ---- jobs

    def backup(self, *, progress: ProgressCallback | None = None, **options: Unpack[BackupOptions]) -> BackupResult:
        """Saves the database to one file of the folder, reads it back, and only then makes it the latest."""
        return _results.read(BackupResult, self.run("backup", dict(options), progress))

    def before(
        self,
        reason: str,
        *,
        restore_on_error: bool = False,
        progress: ProgressCallback | None = None,
        **options: Unpack[BeforeOptions],
    ) -> Before:
        """Saves the database before risky work; `with` it, a block that raises is told how to go back.

        The backup is made by the call, bears the reason as its label, and stays for `before.keep_days` (7).
        `restore_on_error=True` puts everything back when the block raises; without it nothing is ever put back.
        """
        result = _results.read(BackupResult, self.run("before", {"reason": reason, **options}, progress))
        config = self.config()
        return Before(Saved(reason, result, config["database"], config["directory"]), self.restore, restore_on_error)

    def auto(
        self,
        *,
        retry: bool | None = None,
        wait_ms: int | None = None,
        on_failure: OnFailure | None = None,
        progress: ProgressCallback | None = None,
    ) -> StartupResult:
        """Brings the data back when the database is empty. Call it before your own indexes and migrations.

        `on_failure="start_anyway"`: no failure but a cancel raises, and the result says that the host may go on.
        """
        options = {"retry": retry, "wait_ms": wait_ms, "on_failure": on_failure}
        result = _results.startup_result(self.run("startup", options, progress))
        self._engine.started = result.may_go_on
        return result

    def restore(
        self, path: Path | None = None, *, progress: ProgressCallback | None = None, **options: Unpack[RestoreOptions]
    ) -> RestoreResult:
        """Puts a backup (the latest without `path`) back, all or nothing, after a safety backup."""
        return _results.read(RestoreResult, self.run("restore", with_file(options, path), progress))

    def preview(
        self, path: Path | None = None, *, progress: ProgressCallback | None = None, **options: Unpack[PreviewOptions]
    ) -> PreviewResult:
        """What restore() of that backup would change, per collection. Reads only."""
        return _results.preview_result(self.run("preview", with_file(options, path), progress))

    def verify(self, path: Path | None = None, *, progress: ProgressCallback | None = None) -> VerifyResult:
        """Reads a backup to its end and checks hash, counts and digests."""
        return _results.read(VerifyResult, self.run("verify", with_file({}, path), progress))

    def rekey(self, path: Path, *, progress: ProgressCallback | None = None) -> RekeyResult:
        """Encrypts a backup anew for the recipients of today; the old file goes."""
        return _results.read(RekeyResult, self.run("rekey", with_file({}, path), progress))

    def rehash(self, path: Path, *, progress: ProgressCallback | None = None) -> RehashResult:
        """Makes a new backup of a file that was edited on purpose."""
        return _results.read(RehashResult, self.run("rehash", with_file({}, path), progress))

    def forget(self, *, progress: ProgressCallback | None = None, **options: Unpack[ForgetOptions]) -> ForgetResult:
        """Removes what no rule keeps (`retention` of the configuration, or the rules given here); `dry_run` only tells."""
        return _results.read(ForgetResult, self.run("forget", dict(options), progress))

    # ---- the schedule

    def start_service(self) -> None:
        """Starts the configured `schedule` in this process, after any fork; nothing without one. Any number of workers may."""
        self._engine.call(self._engine.abi.service_start)
        self._engine.start_pump()

    def stop_service(self, deadline_ms: int = 10_000) -> None:
        """Stops it; a backup that it is making is cancelled, and made by another worker."""
        self._engine.call(self._engine.abi.service_stop, deadline_ms)
        self._engine.stop_pump()

    # ---- the folder

    def list(self) -> list[Backup]:
        """The backups of the folder, newest first."""
        return _results.backups(_results.parse(self.list_json()))

    def show(self, path: Path | None = None) -> Backup:
        return _results.read(Backup, _results.parse(self.show_json(path)))

    def status(self) -> Status:
        return _results.read(Status, _results.parse(self.status_json()))

    def pin(self, path: Path, pinned: bool = True, *, wait_ms: int | None = None) -> Backup:
        """Retention leaves a pinned file alone. Waits up to `wait_ms` while an operation works in the folder."""
        return self.mark(path, pin=pinned, wait_ms=wait_ms)

    def accept(self, path: Path, *, wait_ms: int | None = None) -> Backup:
        """The suspect backup is right after all (or the good one's lost collections are): later ones are judged by it."""
        return self.mark(path, accept=True, wait_ms=wait_ms)

    def mark(self, path: Path, **options: Any) -> Backup:
        """pin, label, accept, wait_ms; the file as it is afterwards: an accepted suspect has another name."""
        return _results.read(Backup, _results.parse(self.mark_json(path, options)))

    def mark_json(self, path: Path, options: dict[str, Any]) -> str:
        return self._engine.mark(file_text(path), options)

    def delete(self, path: Path, **options: Any) -> Deleted:
        """Deletes one backup. The newest good one, the latest, and pinned ones are refused (`file_protected`)."""
        return _results.read(Deleted, _results.parse(self.delete_json(path, options)))

    def delete_json(self, path: Path, options: dict[str, Any]) -> str:
        return self._engine.delete(file_text(path), options)

    def metrics(self) -> str:
        """Is there a good, recent backup, in Prometheus' text format."""
        return str(self._engine.call(self._engine.abi.metrics))

    def audit(self, *, limit: int | None = None) -> Audit:
        """Who did what and how it ended, newest first (100 lines without `limit`), and whether every line is as it was."""
        return _results.audit(_results.parse(self.audit_json({"limit": limit})))

    def audit_json(self, options: dict[str, Any]) -> str:
        return self._engine.audit_read(options)

    def audit_add(
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
        self._engine.audit_add(audit_line(what, result, reason, file, who, address))

    def jobs(self) -> dict[str, Any]:
        """The jobs of every process on this folder, newest first."""
        return _results.parse(self._engine.call(self._engine.abi.job_list))

    def cat(self, path: Path | None = None) -> Iterator[bytes]:
        """The plain JSON of a backup in pieces. The last piece is followed by an error when the file is not whole."""
        return self._engine.stream("cat", file_text(path))

    def download(self, path: Path | None = None) -> Iterator[bytes]:
        """The stored bytes of a backup in pieces, as they are."""
        return self._engine.stream("download", file_text(path))

    def list_json(self) -> str:
        return str(self._engine.call(self._engine.abi.list))

    def show_json(self, path: Path | None = None) -> str:
        return str(self._engine.call(self._engine.abi.show, file_text(path) or "latest"))

    def status_json(self) -> str:
        return str(self._engine.call(self._engine.abi.status))

    # ---- waiting

    def run(self, kind: str, options: dict[str, Any], progress: ProgressCallback | None = None) -> dict[str, Any]:
        """Starts a job of any kind, waits for its end, returns its result as JSON."""
        job = self._engine.start(kind, options)
        interrupted = self._wait(job, progress)
        return self._outcome(job, interrupted)

    def _wait(self, job: int, progress: ProgressCallback | None) -> BaseException | None:
        try:
            while self._step(job, progress):
                pass
            return None
        except BaseException as error:
            stopped = error
        # Asked to stop: the job decides whether it still can. Another Ctrl-C from here on leaves it running.
        self._engine.cancel(job)
        while self._step(job, None):
            pass
        return stopped

    def _step(self, job: int, progress: ProgressCallback | None) -> bool:
        state, where = self._engine.stand(job, SLICE_MS)
        self._engine.drain_events()
        if progress is not None:
            progress(where)
        return state == JOB_RUNNING

    def _outcome(self, job: int, interrupted: BaseException | None) -> dict[str, Any]:
        state, _ = self._engine.stand(job, 0)
        if interrupted is not None and (state == JOB_CANCELLED or not isinstance(interrupted, KeyboardInterrupt)):
            raise interrupted
        try:
            return self._engine.result(job)
        except CancelledError as error:
            if interrupted is not None and state != JOB_DONE:
                raise interrupted from error
            raise
