"""How coroutines begin, without a run: at once, or so that a cancellation reaches them."""

from __future__ import annotations

import asyncio
import contextvars
import sys

import pytest

from flowdeco.engine.tasks import Task, foreign, is_eager, primed, starting
from flowdeco.testing import VirtualClockLoop

place = contextvars.ContextVar("place", default="outside")


@pytest.fixture
def loop():
    loop = VirtualClockLoop()
    yield loop
    loop.close()


def make_task(loop, coroutine, **options):
    return asyncio.Task(coroutine, loop=loop, **options)


def test_bodies_start_at_once_where_python_can_and_nobody_makes_tasks_his_way(loop):
    """R12: a task factory is honoured, so it makes all tasks."""
    assert is_eager(loop) is (sys.version_info >= (3, 12))

    loop.set_task_factory(make_task)
    assert is_eager(loop) is False


@pytest.mark.skipif(sys.version_info < (3, 12), reason="tasks start in the next turn")
def test_what_starts_at_once_has_run_to_its_first_suspension(loop):
    """In a task of its own."""
    seen = []

    async def body():
        seen.append(asyncio.current_task())
        await asyncio.sleep(0)
        seen.append("on")

    async def main():
        task = Task(body(), loop=loop, eager_start=True)
        assert seen == [task]
        await task

    loop.run_until_complete(main())
    assert seen[1:] == ["on"]


def test_a_cancellation_reaches_what_is_primed(loop):
    """X11: though it comes before the first step of the task; the context is that given."""
    seen = []

    async def body():
        try:
            await starting()
        except asyncio.CancelledError:
            seen.append(place.get())
            place.set("changed")
            raise

    async def main():
        context = contextvars.copy_context()
        context.run(place.set, "inside")
        task = primed(body(), loop, context)
        assert seen == []
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled(), context[place]

    assert loop.run_until_complete(main()) == (True, "changed")
    assert seen == ["inside"]


def test_what_a_task_factory_raises_comes_out(loop):
    """R12: whoever has made the coroutine closes it."""

    async def body():
        raise AssertionError

    def factory(loop, coroutine, **options):
        kept.append(coroutine)
        raise OSError("no task")

    kept = []
    loop.set_task_factory(factory)

    with pytest.raises(OSError, match="no task"):
        foreign(coroutine := body(), loop, contextvars.copy_context())

    assert kept == [coroutine]
    coroutine.close()
