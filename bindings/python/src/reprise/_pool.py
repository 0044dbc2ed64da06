"""Short calls of the admin interface for event loops: a few threads of our own, never the loop's default executor."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
MOST_THREADS = 8
IDLE_S = 10.0

Work = Callable[[], None]


class Pool:
    """At most `most` daemon threads, made when there is work, gone when there was none for a while. Any thread may submit."""

    def __init__(self, most: int = MOST_THREADS) -> None:
        self._most = most
        self._work: deque[Work] = deque()
        self._threads = 0
        self._idle = 0
        self._more = threading.Condition()

    def submit(self, work: Work) -> None:
        with self._more:
            self._work.append(work)
            if len(self._work) <= self._idle:
                self._more.notify()
                return
            if self._threads >= self._most:
                return
            self._threads += 1
        try:
            threading.Thread(target=self._serve, name="reprise-admin", daemon=True).start()
        except RuntimeError:
            self._could_not_start(work)

    def _could_not_start(self, work: Work) -> None:
        """The system has no thread left: those that there are do the work; without any it is refused."""
        with self._more:
            self._threads -= 1
            if self._threads > 0 or work not in self._work:
                return
            self._work.remove(work)
        raise RuntimeError("the system gives no thread for a request")

    def _serve(self) -> None:
        while (work := self._next()) is not None:
            work()

    def _next(self) -> Work | None:
        with self._more:
            self._idle += 1
            try:
                if not self._work:
                    self._more.wait_for(lambda: len(self._work) > 0, IDLE_S)
                if self._work:
                    return self._work.popleft()
                self._threads -= 1
                return None
            finally:
                self._idle -= 1


_pool = Pool()


def _fresh() -> None:
    global _pool
    _pool = Pool()  # the parent's threads are not in this child


os.register_at_fork(after_in_child=_fresh)


async def in_pool(function: Callable[[], T]) -> T:
    """Awaits a short call. A cancelled waiter leaves it running; what it then returns is dropped."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    _pool.submit(work_for(loop, future, function))
    return await future


def work_for(loop: asyncio.AbstractEventLoop, future: asyncio.Future[T], function: Callable[[], T]) -> Work:
    """Runs `function` on whichever thread calls it, and settles the loop's future."""

    def settle(value: T | None, error: BaseException | None) -> None:
        if future.cancelled():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(value)  # type: ignore[arg-type]

    def work() -> None:
        value: T | None = None
        error: BaseException | None = None
        try:
            value = function()
        except BaseException as failure:
            error = failure
        try:
            loop.call_soon_threadsafe(settle, value, error)
        except RuntimeError:
            pass  # the loop is closed: nobody waits any more

    return work
