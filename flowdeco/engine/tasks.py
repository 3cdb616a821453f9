"""Loops and tasks: what asyncio leaves open about when coroutines run."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
import types
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any, Final, TypeVar

R = TypeVar("R")

__all__ = [
    "Task",
    "abandon",
    "context_of",
    "failure_of",
    "foreign",
    "is_abandoned",
    "is_eager",
    "primed",
    "spawned",
    "starting",
    "steps_of",
]


@types.coroutine
def starting() -> Generator[None, None, None]:
    """Await this first in a coroutine for `primed`."""
    yield


def is_eager(loop: asyncio.AbstractEventLoop) -> bool:
    """Tell whether tasks of the loop can start at once; a task factory set there is honoured."""
    return sys.version_info >= (3, 12) and loop.get_task_factory() is None


Task: Final[Any] = asyncio.Task
"""That of asyncio, for loops for which `is_eager` is true.

With `eager_start=True`, which is not known on Python 3.11, the coroutine has run up to its first
suspension then, or to its end.
"""


def primed(
    coroutine: Coroutine[Any, Any, None],
    loop: asyncio.AbstractEventLoop,
    context: contextvars.Context,
) -> asyncio.Task[None]:
    """Make a task of a coroutine that begins with `await starting()`.

    A task that is cancelled before its first step never enters its coroutine. This one has been
    entered, up to that line: a cancellation is raised there, where the coroutine can learn of it.

    Args:
        coroutine: what to run.
        loop: where to run; it has no task factory.
        context: the task runs in it.
    """
    coroutine.send(None)
    return asyncio.Task(coroutine, loop=loop, context=context)


def foreign(
    coroutine: Coroutine[Any, Any, None],
    loop: asyncio.AbstractEventLoop,
    context: contextvars.Context,
) -> asyncio.Task[None]:
    """Let the task factory of the loop make a task of a coroutine.

    What comes of it is the factory's: it may wrap the coroutine, start it at once, or never. So
    the coroutine must be a new one, and whoever needs to know of its end asks the task.

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


def failure_of(task: asyncio.Task[Any]) -> BaseException | None:
    """Return what a task that is done has ended with, if that is no result."""
    return asyncio.CancelledError() if task.cancelled() else task.exception()


def steps_of(awaitable: Awaitable[R]) -> Generator[Any, Any, R]:
    """Return what is resumed step by step when something is awaited."""
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
        return task.get_context()
    # It has no name for it; but the collector knows what it has, and that comes first.
    held = (one for one in gc.get_referents(task) if type(one) is contextvars.Context)
    return next(held, None)
