"""Threads of the library's own, for plain methods."""

from __future__ import annotations

import asyncio
import contextvars
import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextvars import ContextVar
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

__all__ = ["MOST_THREADS", "DaemonThreads", "in_thread", "threads_in_use"]

MOST_THREADS: Final = min(32, (os.cpu_count() or 1) + 4)
"""How many threads a run uses at once; a run makes jobs wait for their turn."""

threads_in_use: ContextVar[Executor | None] = ContextVar("flowdeco.threads_in_use", default=None)
"""Where the run that goes on in a context has its threads."""


class DaemonThreads(Executor):
    """Threads that do not keep the process from ending.

    Those of the standard library are joined at exit, however long they take. There are as many as
    calls at once; who calls sees to it that these are not too many.
    """

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._threads = 0

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Call a function in a thread, now."""
        future: Future[R] = Future()

        def call() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except StopIteration as error:
                # As in a coroutine; a future refuses to carry it.
                raised = RuntimeError("the method raised StopIteration")
                raised.__cause__ = error
                future.set_exception(raised)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        self._calls.put(call)
        if not self._idle.acquire(blocking=False):
            self._threads += 1
            threading.Thread(
                target=self._work, name=f"flowdeco-{self._threads}", daemon=True
            ).start()
        return future

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
            del call  # or its result would live until the next one
            self._idle.release()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """Let the threads end, each when it has nothing to do any more; nobody waits for them."""
        for _ in range(self._threads):
            self._calls.put(None)


async def in_thread(function: Callable[[], R]) -> R:
    """Call a function in a thread, in a copy of the present context, and wait until it has ended.

    A thread cannot be cancelled: a cancellation is swallowed while the function runs. Who cannot
    wait that long has to leave this behind.

    Returns:
        What the function returns.

    Raises:
        BaseException: what the function raises.
    """
    executor = threads_in_use.get()
    context = contextvars.copy_context()
    future = asyncio.get_running_loop().run_in_executor(executor, context.run, function)
    try:
        while True:
            try:
                return await asyncio.shield(future)
            except asyncio.CancelledError:
                if future.cancelled():
                    raise
    finally:
        # Left behind: what the thread has to say later, it says to nobody.
        future.cancel()
