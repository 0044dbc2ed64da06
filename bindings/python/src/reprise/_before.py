"""A backup before risky work, and what is said when the work then fails: how to go back, never done by itself unasked."""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable, Generator
from contextlib import suppress
from types import TracebackType
from typing import Any

from ._engine import log
from ._results import BackupResult, RestoreResult

RESTORE_WAIT_MS = 60_000  # as long as the backup waits for somebody else at work


def _is_fault(error: BaseException) -> bool:
    """A generator that is closed, and a program that ends well, leave nothing half done that a person must hear of."""
    if isinstance(error, SystemExit):
        return error.code not in (None, 0)
    return not isinstance(error, GeneratorExit)


class Saved:
    """The database as it was before some work. `with reprise.before("excel import") as saved:`

    When the block raises, the exception gets a note that says how to go back (PEP 678) and the attribute
    `reprise_saved`, and the same is logged; the exception goes on in any case.
    """

    def __init__(self, reason: str, result: BackupResult, database: str, directory: str) -> None:
        self.reason = reason
        self.result = result
        self.restored: RestoreResult | None = None
        self._database = database
        self._directory = directory

    @property
    def file(self) -> str:
        return self.result.file

    @property
    def path(self) -> str:
        return self.result.path

    @property
    def command(self) -> str:
        """What to type to go back; MONGO_URL and the keys (BACKUP_…) are taken from the environment."""
        where = f"DB_NAME={shlex.quote(self._database)} BACKUP_DIR={shlex.quote(self._directory)}"
        return f"{where} python3 -m reprise restore {shlex.quote(self.file)}"

    def offer(self, error: BaseException, goes_back: bool) -> bool:
        """Says how to go back, unless that is done at once; False when the block's end was no fault."""
        if not _is_fault(error):
            return False
        said = f'reprise: the database was saved before "{self.reason}" in {self.path}'
        how = f"To go back: {self.command} (or in Python: restore({self.file!r}))"
        self._tell(error, said if goes_back else f"{said}; nothing was put back. {how}")
        with suppress(AttributeError, TypeError):
            error.reprise_saved = self  # type: ignore[attr-defined]
        return True

    def tell_restored(self, error: BaseException, restored: RestoreResult) -> None:
        self.restored = restored
        said = f"reprise: restored {restored.documents} documents from {self.file}, as restore_on_error asked"
        self._tell(error, " ".join([f"{said}.", restored.undo, *restored.warnings]))

    def tell_failed(self, error: BaseException, failure: Exception) -> None:
        self._tell(error, f"reprise: restore_on_error could not restore {self.file}: {failure}. To go back: {self.command}")

    @staticmethod
    def _tell(error: BaseException, said: str) -> None:
        said = said.strip()
        error.add_note(said)
        log.error("%s", said)


class Before(Saved):
    """What `Reprise.before` returns: the backup is made; `with` watches over the work."""

    def __init__(self, saved: Saved, restore: Callable[..., RestoreResult], on_error: bool) -> None:
        super().__init__(saved.reason, saved.result, saved._database, saved._directory)
        self._restore = restore
        self._on_error = on_error

    def restore(self) -> RestoreResult:
        """Puts everything back as it was before the work."""
        return self._restore(self.file)

    def __enter__(self) -> Before:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None or not self.offer(error, self._on_error) or not self._on_error:
            return
        try:
            self.tell_restored(error, self._restore(self.file, wait_ms=RESTORE_WAIT_MS))
        except Exception as failure:
            self.tell_failed(error, failure)


class AsyncBefore:
    """What `AsyncReprise.before` returns: `async with` it, or await it for the backup alone."""

    def __init__(
        self,
        save: Callable[[], Awaitable[Saved]],
        restore: Callable[..., Awaitable[RestoreResult]],
        on_error: bool,
    ) -> None:
        self._save = save
        self._restore = restore
        self._on_error = on_error
        self._saved: Saved | None = None

    def __await__(self) -> Generator[Any, None, Saved]:
        return self._save().__await__()

    async def __aenter__(self) -> Saved:
        self._saved = await self._save()
        return self._saved

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        saved = self._saved
        if error is None or saved is None or not saved.offer(error, self._on_error) or not self._on_error:
            return
        try:
            saved.tell_restored(error, await self._restore(saved.file, wait_ms=RESTORE_WAIT_MS))
        except Exception as failure:
            saved.tell_failed(error, failure)
