"""Tasks whose coroutine is sure to be entered, whatever happens to them."""

from __future__ import annotations

import asyncio
import contextvars
import types
from collections.abc import Coroutine, Generator
from typing import Any

__all__ = ["started", "starting"]


@types.coroutine
def starting() -> Generator[None, None, None]:
    """Await this first in a coroutine for `started`."""
    yield


def started(
    loop: asyncio.AbstractEventLoop,
    context: contextvars.Context,
    coroutine: Coroutine[Any, Any, None],
) -> asyncio.Task[None]:
    """Make a task of a coroutine that begins with `await starting()`.

    A task that is cancelled before its first step never enters its coroutine. This one has been
    entered, up to that line: a cancellation is raised there, where the coroutine can learn of it.

    Args:
        loop: where to run; a task factory that was set there is used.
        context: the task runs in a copy of it.
        coroutine: what to run.

    Raises:
        Exception: what a task factory raises; the coroutine is closed then.
    """
    coroutine.send(None)
    try:
        # The task copies the context in which it is made; task factories need not take one.
        return context.run(lambda: loop.create_task(coroutine))
    except BaseException:
        coroutine.close()
        raise
