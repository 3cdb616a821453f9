"""Threads of the library's own, for plain methods."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextvars import ContextVar
from typing import Final, Generic, ParamSpec, TypeVar, cast

from flowdeco.base import locations

from .current import current_execution

P = ParamSpec("P")
R = TypeVar("R")

__all__ = ["MOST_THREADS", "DaemonThreads", "ThreadCall", "in_thread", "threads_in_use"]

MOST_THREADS: Final = min(32, (os.cpu_count() or 1) + 4)
"""How many threads a run uses at once; a run makes jobs wait for their turn."""

threads_in_use: ContextVar[Executor | None] = ContextVar("flowdeco.threads_in_use", default=None)
"""Where the run that goes on in a context has its threads."""


class DaemonThreads(Executor):
    """Threads that do not keep the process from ending.

    Those of the standard library are joined at exit, however long they take.

    Args:
        most: how many calls are at work at once, those that were given up not counted.
    """

    def __init__(self, most: int = MOST_THREADS) -> None:
        self.closed = False
        """Whether the run is over that has these threads."""
        self._calls: queue.SimpleQueue[Callable[[], Callable[[], None]] | None]
        self._calls = queue.SimpleQueue()
        self._most = most
        self._threads = 0
        self._given_up = 0
        """How many of them are at work on a call that does not end."""
        self._unended = 0
        """How many calls have not ended, waiting ones included."""
        self._lock = threading.Lock()

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Call a function in a thread, as soon as one has time for it.

        Raises:
            RuntimeError: the run is over, or the system gives no thread. Nothing is called then.
        """
        if self.closed:
            raise RuntimeError("the run is over whose threads these are")
        future: Future[R] = Future()

        def call() -> Callable[[], None]:
            if not future.set_running_or_notify_cancel():
                return lambda: None
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:
                return functools.partial(future.set_exception, error)
            return functools.partial(future.set_result, result)

        with self._lock:
            self._start_thread_if_needed(self._unended + 1)
            self._unended += 1
        self._calls.put(call)
        return future

    def give_up_one(self) -> None:
        """Do without a thread that does not end: another may take its place."""
        with self._lock:
            self._given_up += 1
            with contextlib.suppress(RuntimeError):  # what waits is not called then
                self._start_thread_if_needed(self._unended)

    def _start_thread_if_needed(self, calls: int) -> None:
        if self._threads < min(calls, self._most + self._given_up):
            name = f"flowdeco-{self._threads + 1}"
            thread = threading.Thread(target=self._work, name=name, daemon=True)
            try:
                thread.start()
            except RuntimeError:
                # The system gives no more of them: those that are there do all the work.
                if self._threads <= self._given_up:
                    raise
            else:
                self._threads += 1

    def _work(self) -> None:
        process = os.getpid()
        while (call := self._calls.get()) is not None:
            tell = call()
            if os.getpid() != process:
                return  # a child that the call has forked, which ends as its function has returned
            # Before it is told: who hears of it may submit the next call, which is for this thread.
            with self._lock:
                self._unended -= 1
            tell()
            del call, tell  # or the result would live until the next one

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """Let the threads end, each when it has nothing to do any more; nobody waits for them."""
        self.closed = True
        for _ in range(self._threads):
            self._calls.put(None)


class ThreadCall(Generic[R]):
    """A function that is called in a thread. Nobody can stop it, but it can be left behind.

    Args:
        function: what to call.
        name: the name of the thread for that time, if it is to have another one.
    """

    def __init__(self, function: Callable[[], R], name: str = "") -> None:
        # In lists, to be taken out: the traceback of a failure knows the frames that have it, and
        # must keep neither the function nor its context alive.
        self._functions = [function]
        self._name = name
        self.failures: list[BaseException] = []
        """What the function raised.

        Handed over by itself: a future of asyncio refuses some exceptions, and makes others of
        some, which have no traceback.
        """
        self._lock = threading.Lock()
        self._thread: int | None = None
        self._has_ended = False
        self._tell: Callable[[BaseException | None], object] | None = None

    def __call__(self) -> R | None:
        """Call the function."""
        self._thread = threading.get_ident()
        thread = threading.current_thread()
        name = thread.name
        thread.name = self._name or name
        try:
            return self._functions.pop()()
        except BaseException as error:
            self.failures.append(error)
            return None
        finally:
            thread.name = name
            self._end()

    def _end(self) -> None:
        with self._lock:
            self._has_ended = True
            self._thread = None
            tell, self._tell = self._tell, None
        if tell is not None:
            tell(self.failures[0] if self.failures else None)

    @property
    def place(self) -> str:
        """The line of the user's at which the thread stands."""
        return locations.of_thread(self._thread)

    def leave(self, tell: Callable[[BaseException | None], object]) -> bool:
        """Leave it behind, as nobody waits for it any more.

        Args:
            tell: called in the thread when the function has ended, with what it raised.

        Returns:
            Whether it was at work; else its end is known to who has waited for it.
        """
        with self._lock:
            if not self._has_ended:
                self._tell = tell
            return not self._has_ended


async def in_thread(function: Callable[[], R]) -> R:
    """Call a function in a thread, in a copy of the present context, and wait until it has ended.

    A thread cannot be cancelled: a cancellation is swallowed while the function runs, until the run
    is over. Who cannot wait that long has to leave this behind.

    Returns:
        What the function returns.

    Raises:
        BaseException: what the function raises.
    """
    executor = threads_in_use.get()
    execution = current_execution.get()
    name = "" if execution is None else execution.path
    call = ThreadCall(functools.partial(contextvars.copy_context().run, function), name)
    if execution is not None:
        execution.runs_in_thread(call)
    future = asyncio.get_running_loop().run_in_executor(executor, call)
    try:
        while not future.done():
            try:
                await asyncio.wait([future])
            except asyncio.CancelledError:
                if isinstance(executor, DaemonThreads) and executor.closed:
                    raise  # nobody waits for it any more but a loop that wants to close
        value = future.result()
    finally:
        # Left behind: it is not called any more, and what it has to say later, it says to nobody.
        future.cancel()
    if call.failures:
        raise call.failures.pop()
    return cast("R", value)
