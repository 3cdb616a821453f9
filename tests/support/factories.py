"""Task factories as programs set them, which a run has to do with (R12)."""

from __future__ import annotations

import asyncio
import itertools
import sys

__all__ = ["FACTORIES", "NoTaskError", "scarce", "without"]


class NoTaskError(RuntimeError):
    """What a factory raises that makes no task."""


def plain(loop, coroutine, **options):
    """Do as asyncio does without a factory; but no task starts at once then."""
    return asyncio.Task(coroutine, loop=loop, **options)


def wrapping(loop, coroutine, **options):
    """Await the coroutine in another one, as those do that trace tasks (OpenTelemetry's)."""

    async def traced():
        return await coroutine

    return asyncio.Task(traced(), loop=loop, **options)


def reporting(loop, coroutine, **options):
    """Await the coroutine in another one, and look at what it raises (Sentry's)."""

    async def reported():
        try:
            return await coroutine
        except StopAsyncIteration as error:
            raise error from None
        except BaseException as error:
            raise error.with_traceback(error.__traceback__)  # noqa: B904

    task = asyncio.Task(reported(), loop=loop, **options)
    task.set_name(f"{getattr(coroutine, '__qualname__', 'coroutine')} (wrapped)")
    return task


def starting(loop, coroutine, **options):
    """Await the coroutine in another one, which starts at once."""

    async def traced():
        return await coroutine

    return asyncio.eager_task_factory(loop, traced(), **options)


def scarce(every=4):
    """Return a factory that raises instead of making each `every`-th task."""
    return _choosy(lambda number: number % every == 0)


def without(refused):
    """Return a factory that raises instead of making one task, the so-and-so-many-th."""
    return _choosy(lambda number: number == refused)


def _choosy(refuses):
    count = itertools.count(1)

    def factory(loop, coroutine, **options):
        factory.asked = next(count)
        if refuses(factory.asked):
            factory.refused += 1
            raise NoTaskError("no task")
        return asyncio.Task(coroutine, loop=loop, **options)

    factory.asked = factory.refused = 0
    return factory


FACTORIES = {
    "default": lambda: None,
    "plain": lambda: plain,
    "wrapping": lambda: wrapping,
    "reporting": lambda: reporting,
    "scarce": scarce,
}
"""What makes each of them, for one loop. Python 3.11 starts no task at once, whatever is set."""

if sys.version_info >= (3, 12):
    FACTORIES["eager"] = lambda: asyncio.eager_task_factory
    FACTORIES["starting"] = lambda: starting
