"""How bodies start: at once where Python can, in a task of their own, and not all in one turn."""

import asyncio
import contextvars
import itertools
import sys
import time

import pytest
from actors import in_loop, virtually
from ticks import TickLoop

from flowdeco import Flow, Job, Scheduler, State, each, service, step
from flowdeco.engine.ready_queue import AT_ONCE, LONGEST_TURN
from flowdeco.testing import VirtualClockLoop

MANY = 30 * AT_ONCE

mark = contextvars.ContextVar("mark", default="none")


async def quick():
    pass


def chain_of(count, body=quick):
    jobs = [Job(body) for _ in range(count)]
    for before, after in itertools.pairwise(jobs):
        after.requires(before)
    return jobs


# Tasks


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks are of Python 3.12")
def test_bodies_that_never_suspend_take_no_turn_of_the_loop_each():
    """The whole chain takes as many turns as it has hundreds, and some for its end."""
    loop = TickLoop()
    try:
        assert loop.run_until_complete(Scheduler(*chain_of(MANY)).co_orchestrate())
    finally:
        loop.close()
    assert loop.ticks < MANY / AT_ONCE + 20


def test_each_body_is_in_a_task_of_its_own_from_its_first_line():
    """So that timeouts and cancellations of the first step act on the right task."""
    tasks = []

    async def body():
        task = asyncio.current_task()
        tasks.append(task)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await asyncio.sleep(10)
        assert asyncio.current_task() is task
        assert task.cancelling() == 0

    first, second, third = chain_of(3, body)
    assert virtually(Scheduler(first, second, third, Job(body)))
    assert len(set(tasks)) == 4


def test_what_a_body_sets_is_not_seen_by_those_that_it_starts():
    """R23: each has a copy of the context of the run, whoever started it."""
    seen = []

    async def body():
        seen.append(mark.get())
        mark.set("changed")

    async def late():
        await asyncio.sleep(0)
        await body()

    async def main():
        mark.set("run")
        await Scheduler(*chain_of(3, body), *chain_of(3, late)).co_orchestrate()
        return mark.get()

    assert in_loop(main()) == "run"
    assert seen == ["run"] * 6


def test_a_failure_has_no_frame_of_the_body_that_started_it():
    """Though that is still on the stack where bodies start at once."""

    async def fails():
        raise ValueError("broken")

    first, second = Job(quick), Job(fails)
    second.requires(first)
    assert virtually(Scheduler(first, second))
    traceback = second.raised_exception().__traceback__
    assert traceback.tb_frame.f_code.co_name == "fails"
    assert traceback.tb_next is None
    assert second.raised_exception().__context__ is None


def test_nested_runs_do_not_start_within_each_other():
    """G25: the depth of the stack does not grow with that of the nesting."""
    depths = []

    async def body():
        depth, frame = 0, sys._getframe()
        while frame is not None:
            depth, frame = depth + 1, frame.f_back
        depths.append(depth)

    def nested(levels):
        return Scheduler(Job(body), *([nested(levels - 1)] if levels else []))

    assert virtually(nested(40))
    assert len(depths) == 41
    assert max(depths[20:]) <= max(depths[:20]) + 5


# Turns of the loop


@pytest.mark.parametrize("shape", ["chain", "apart", "items"])
def test_a_service_has_its_turns_while_many_bodies_start(shape):
    """However long the graph is whose bodies never suspend."""
    turns = 0

    async def ticking():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    class Items(Flow):
        @service
        async def clock(self):
            await ticking()

        @step
        async def items(self):
            return range(MANY)

        @each(items)
        async def item(self, item):
            pass

    if shape == "items":
        assert Items().run(loop_factory=VirtualClockLoop)
    else:
        jobs = chain_of(MANY) if shape == "chain" else [Job(quick) for _ in range(MANY)]
        assert virtually(Scheduler(Job(ticking, forever=True), *jobs))
    assert turns >= MANY / AT_ONCE


@pytest.mark.parametrize("shape", ["chain", "apart"])
def test_a_cancel_from_outside_comes_through_while_many_bodies_start(shape):
    """What was asked for before the run does not wait for its end."""
    jobs = chain_of(MANY) if shape == "chain" else [Job(quick) for _ in range(MANY)]

    async def main():
        task = asyncio.ensure_future(Scheduler(*jobs).co_orchestrate())
        await asyncio.sleep(0)
        task.cancel("why")
        with pytest.raises(asyncio.CancelledError, match="why"):
            await task

    in_loop(main())
    ran = sum(job.state is State.DONE for job in jobs)
    assert 0 < ran <= 5 * AT_ONCE
    assert all(job.state is State.IDLE for job in jobs[ran:])


@pytest.mark.parametrize("own_factory", [False, True])
def test_a_cancel_from_outside_reaches_what_has_a_task_and_has_not_begun(own_factory):
    """It begins no more, and no cancellation is left in its task (rule 11)."""
    started = []

    async def cancels():
        main.task.cancel()

    async def body():
        started.append("body")
        await asyncio.sleep(1)

    first, second = Job(cancels), Job(body)
    scheduler = Scheduler(first >> second)

    async def main():
        loop = asyncio.get_running_loop()
        if own_factory:
            loop.set_task_factory(lambda loop, coroutine: asyncio.Task(coroutine, loop=loop))
        main.task = asyncio.current_task()
        await asyncio.sleep(0)
        await scheduler.co_orchestrate()

    with pytest.raises(asyncio.CancelledError):
        in_loop(main())
    assert first.state is State.DONE
    assert (second.state, started) in [(State.IDLE, []), (State.CANCELLED, ["body"])]


def test_a_body_that_takes_its_time_leaves_the_rest_to_the_next_turn():
    """By the clock of the loop: one that is over the time for a turn is the last in it."""
    order = []

    async def slow():
        until = time.monotonic() + 2 * LONGEST_TURN
        while time.monotonic() < until:
            pass
        order.append("body")

    async def ticking():
        while True:
            order.append("service")
            await asyncio.sleep(0)

    monitor = Job(ticking, forever=True)
    assert Scheduler(monitor, *chain_of(5, slow)).orchestrate()
    assert order.count("body") == 5
    assert "body body" not in " ".join(order)


def test_the_order_of_starts_is_the_same_whatever_is_started_at_once():
    """Rule 16: first those that became ready first."""
    order = []

    def noting(name, turns):
        async def body():
            order.append(name)
            for _ in range(turns):
                await asyncio.sleep(0)

        return Job(body, label=name)

    def scenario():
        a, b, c = noting("a", 0), noting("b", 2), noting("c", 0)
        after = [
            noting(f"{job.label}{i}", i % 2).requires(job) for job in (a, b, c) for i in (0, 1)
        ]
        last = noting("last", 0).requires(after)
        return Scheduler(a, b, c, *after, last)

    assert virtually(scenario())
    first, order = order, []
    for _ in range(3):
        assert virtually(scenario())
        assert order == first
        order.clear()
    assert first == ["a", "b", "c", "a0", "a1", "c0", "c1", "b0", "b1", "last"]


def test_a_window_holds_where_bodies_start_at_once():
    """Rule 6: those that have ended are gone before those that waited begin."""
    most = 0

    async def body():
        nonlocal most
        await asyncio.sleep(1)
        most = max(most, len(asyncio.all_tasks()))

    async def main():
        await Scheduler(*(Job(body) for _ in range(20)), window=4).co_orchestrate()

    loop = VirtualClockLoop()
    try:
        loop.run_until_complete(main())
    finally:
        loop.close()
    assert most == 5  # and the one of the run
