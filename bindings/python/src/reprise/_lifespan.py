"""The life of reprise inside an asyncio web application: the data back first, then the schedule, then requests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Any

from ._async import AsyncReprise, _in_thread
from ._calls import OnFailure
from ._engine import log
from ._errors import BusyError
from ._results import StartupResult

STOP_MS = 10_000


class Lifespan:
    """What lifespan() returns: a lifespan for a web framework, and a context manager inside one's own."""

    def __init__(self, reprise: AsyncReprise, on_failure: OnFailure | None) -> None:
        self._reprise = reprise
        self._on_failure = on_failure

    def __call__(self, app: Any) -> AbstractAsyncContextManager[None]:
        return self._span()

    @asynccontextmanager
    async def _span(self) -> AsyncIterator[None]:
        async with self:
            yield

    async def __aenter__(self) -> StartupResult:
        started = await self._reprise.auto(on_failure=self._on_failure)
        log.info("startup: %s: %s", started.result, started.message)
        started.raise_unless_ready()
        await self._reprise.start_service()
        self._reprise._engine.spans += 1
        return started

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        engine = self._reprise._engine
        engine.spans -= 1
        if engine.spans > 0 or engine.closed:
            return
        engine.started = False
        try:
            await _in_thread(lambda: engine.call(engine.abi.shutdown, STOP_MS))
        except BusyError as busy:
            log.warning("%s", busy)
        self._reprise._unwatch()


def lifespan(reprise: AsyncReprise, *, on_failure: OnFailure | None = None) -> Lifespan:
    """`FastAPI(lifespan=lifespan(reprise))`, or `async with lifespan(reprise) as started:` inside a lifespan of one's own.

    Brings the data back when the database is empty, and starts the schedule where one is configured; at the end it stops
    what runs. A start that must not go on raises BusyError or RefusedError (`on_failure="start_anyway"`: it goes on).
    Starting again afterwards is fine, and so are several applications on one AsyncReprise: the last one ends it.
    """
    return Lifespan(reprise, on_failure)
