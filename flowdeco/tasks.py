"""Loops and tasks: what asyncio leaves open about when coroutines run."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import types
from collections.abc import Coroutine, Generator
from typing import Any, Final

from .errors import LoopRunningError

__all__ = ["Task", "is_eager", "primed", "refuse_running_loop", "starting"]


def refuse_running_loop(instead: str) -> None:
    """Raise a clear error where a loop is running, before any coroutine is made.

    Raises:
        LoopRunningError: a loop is running in this thread.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise LoopRunningError(
        f"an event loop is running already, as it does in a notebook; use `{instead}`"
    )


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
        loop: where to run; a task factory that was set there is used.
        context: the task runs in a copy of it.

    Raises:
        Exception: what a task factory raises; the coroutine is closed then.
    """
    coroutine.send(None)
    try:
        if loop.get_task_factory() is None:
            return asyncio.Task(coroutine, loop=loop, context=context.copy())
        # The task copies the context in which it is made; task factories need not take one.
        return context.run(lambda: loop.create_task(coroutine))
    except BaseException:
        coroutine.close()
        raise
