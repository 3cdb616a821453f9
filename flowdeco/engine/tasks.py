"""Loops and tasks: the things that asyncio leaves open about how coroutines run."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
import time
import types
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any, Final, Protocol, TypeVar

R = TypeVar("R")

__all__ = [
    "Clock",
    "DeferredTask",
    "EagerTask",
    "abandon",
    "clock_of",
    "context_of",
    "deferred",
    "failure_of",
    "foreign",
    "is_abandoned",
    "is_eager",
    "name_current_task",
    "spawned",
    "steps_of",
]


class Clock(Protocol):
    """The clock of a loop."""

    def __call__(self) -> float:
        """Return the time, in seconds."""
        ...


def clock_of(loop: asyncio.AbstractEventLoop) -> Clock:
    """Return the clock of a loop; where it is that of asyncio, without the detour over the loop."""
    is_usual = getattr(loop.time, "__func__", None) is asyncio.BaseEventLoop.time
    return time.monotonic if is_usual else loop.time


def is_eager(loop: asyncio.AbstractEventLoop) -> bool:
    """Tell whether tasks of the loop can start at once; a task factory set there is honoured."""
    return sys.version_info >= (3, 12) and loop.get_task_factory() is None


EagerTask: Final[Any] = asyncio.Task
"""The task of asyncio, for loops for which `is_eager` is true.

With `eager_start=True`, which Python 3.11 does not know, the coroutine has run up to its first
suspension then, or to its end.
"""


class Starter(Protocol):
    """The owner of a task that has not begun."""

    def execute(self, now: float | None) -> Coroutine[Any, Any, None]:
        """Return its guard."""
        ...

    def cancelled_early(self) -> object:
        """Note that the task was cancelled, perhaps before its first step."""


class DeferredTask(asyncio.Task[None]):
    """A task that takes its first step in the next turn of the loop.

    A task that is cancelled before its first step never enters its coroutine, so that no guard in
    there can learn of it. This one tells its starter.
    """

    __slots__ = ("starter",)

    starter: Starter

    def cancel(self, msg: Any | None = None) -> bool:
        """Cancel the task, as any other."""
        if not self.done():
            self.starter.cancelled_early()
        return super().cancel(msg)


def deferred(
    starter: Starter, loop: asyncio.AbstractEventLoop, context: contextvars.Context, name: str
) -> DeferredTask:
    """Make a task of the guard of a starter, which takes its first step in the next turn."""
    guard = starter.execute(None)
    try:
        task = DeferredTask(guard, loop=loop, name=name, context=context)
    except BaseException:
        guard.close()
        raise
    task.starter = starter
    return task


def foreign(
    coroutine: Coroutine[Any, Any, None],
    loop: asyncio.AbstractEventLoop,
    context: contextvars.Context,
) -> asyncio.Task[None]:
    """Let the task factory of the loop make a task of a coroutine.

    The factory may wrap the coroutine, start it at once, or never. So the coroutine must be a new
    one, and its end is known by that of the task.

    Args:
        coroutine: what to run.
        loop: where to run.
        context: the task runs in a copy of it, or of a copy.

    Raises:
        BaseException: what the task factory raises; the coroutine is to be closed then.
    """
    # The task copies the context in which it is made; task factories need not take one.
    return context.copy().run(lambda: loop.create_task(coroutine))


def spawned(
    coroutine: Coroutine[Any, Any, None],
    loop: asyncio.AbstractEventLoop,
    context: contextvars.Context,
) -> asyncio.Task[None]:
    """Make a task of a coroutine; a task factory of the loop is honoured.

    Args:
        coroutine: what to run.
        loop: where to run.
        context: the task runs in it; where there is a task factory, in a copy.

    Raises:
        BaseException: what a task factory raises; the coroutine is to be closed then.
    """
    if loop.get_task_factory() is None:
        return asyncio.Task(coroutine, loop=loop, context=context)
    return foreign(coroutine, loop, context)


def name_current_task(name: str) -> None:
    """Name the task in which this is called."""
    task: Any = asyncio.current_task()
    if task is not None and hasattr(
        task, "set_name"
    ):  # a task factory may have made something else
        task.set_name(name)


def failure_of(task: asyncio.Task[Any]) -> BaseException | None:
    """Return the exception or cancellation that a task has ended with; None for a result."""
    return asyncio.CancelledError() if task.cancelled() else task.exception()


def steps_of(awaitable: Awaitable[R]) -> Generator[Any, Any, R]:
    """Return the iterator that is resumed step by step when something is awaited."""
    if isinstance(awaitable, types.GeneratorType):
        return awaitable  # of a function under @types.coroutine
    return awaitable.__await__()


_abandoned: set[asyncio.Task[Any]] = set()
"""The tasks that runs have left behind: asyncio holds tasks weakly, and they may end some day."""


def abandon(task: asyncio.Task[Any]) -> None:
    """Leave a task behind that does not end, so that it can go on, or be closed later."""
    _abandoned.add(task)
    task.add_done_callback(_abandoned.discard)


def is_abandoned(task: asyncio.Task[Any]) -> bool:
    """Tell whether a run has left this task behind."""
    return task in _abandoned


def context_of(task: asyncio.Task[Any]) -> contextvars.Context | None:
    """Return the context of a task, if that can be found out."""
    if sys.version_info >= (3, 12):
        # A task factory may return something else than a task.
        return task.get_context() if hasattr(task, "get_context") else None
    # It has no name for it; but the collector knows what it has, and that comes first.
    for held in gc.get_referents(task):
        if type(held) is contextvars.Context:
            return held
    return None
