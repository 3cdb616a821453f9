"""How coroutines begin, without a run: at once, or so that a cancellation reaches them."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import time

import pytest

from flowdeco.engine.tasks import DeferredTask, EagerTask, clock_of, context_of, foreign, is_eager
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
        task = EagerTask(body(), loop=loop, eager_start=True)
        assert seen == [task]
        await task

    loop.run_until_complete(main())
    assert seen[1:] == ["on"]


def test_a_task_says_that_it_was_cancelled_before_its_first_step(loop):
    """X11: for its coroutine is never entered, and no guard in there learns of it."""
    seen = []

    class Starter:
        def cancelled_early(self):
            seen.append("told")

    async def body():
        raise AssertionError

    async def main():
        task = DeferredTask(body(), loop=loop)
        task.starter = Starter()
        assert task.cancel("why") is True
        await asyncio.wait([task])
        return task.cancelled(), task.cancel()

    assert loop.run_until_complete(main()) == (True, False)
    assert seen == ["told"]


def test_the_context_of_a_task_is_found(loop):
    """Rule 18: on every Python; observers are called there when a job is stuck."""
    context = contextvars.copy_context()

    async def body():
        await asyncio.sleep(1)

    async def main():
        task = asyncio.Task(body(), loop=loop, context=context)
        found = context_of(task)
        await task
        return found

    assert loop.run_until_complete(main()) is context


def test_the_clock_of_a_loop_is_its_own(loop):
    """Rule 5: whatever class it is of; asyncio's is read without the detour over the loop."""
    usual = asyncio.SelectorEventLoop()
    try:
        assert clock_of(usual) is time.monotonic
    finally:
        usual.close()

    loop.leap(5)
    assert clock_of(loop)() == loop.time() == 5


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
