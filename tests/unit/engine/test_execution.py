"""A job in a run: how it starts, where it stands, and how it is given up."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import threading
import types
from collections.abc import Coroutine

import pytest
from actors import (
    in_loop,
    quick,
    sleeps,
    states,
    swallows,
    swallows_times,
    threads_for_plain_bodies,
    virtually,
    waits,
)

from flowdeco import Flow, Job, Scheduler, State, each, service, step
from flowdeco.errors import SelfCancelledError
from flowdeco.jobs.bodies import MethodBody
from flowdeco.jobs.threads import MOST_THREADS
from flowdeco.testing import VirtualClockLoop

SOON = 2.0
"""The seconds that something in a thread may take at most: it is never waited for that long."""


def own_factory_loop(made=None):
    """A loop with a task factory, so that bodies start in the next turn; it notes what it makes."""
    made = [] if made is None else made
    loop = VirtualClockLoop()

    def factory(loop, coroutine, **options):
        made.append("a task")
        return asyncio.Task(coroutine, loop=loop, **options)

    loop.set_task_factory(factory)
    return loop


def loop_that_makes(make):
    """A loop whose task factory makes the task of the first body in this way.

    That is the second task: the first is that of who runs the scheduler.
    """
    loop, made = VirtualClockLoop(), []

    def factory(loop, coroutine, **options):
        made.append("a task")
        if len(made) == 2:
            return make(loop, coroutine, **options)
        return asyncio.Task(coroutine, loop=loop, **options)

    loop.set_task_factory(factory)
    return loop


# Its beginning


def test_a_job_that_is_cancelled_by_another_before_its_first_line_has_failed():
    """Rule 13: where tasks start in the next turn; what comes after it starts all the same."""
    began = []

    async def murderer():
        for task in asyncio.all_tasks() - {asyncio.current_task(), main.task}:
            task.cancel()

    async def body():
        began.append("body")

    killer, victim, after = Job(murderer), Job(body), Job(quick)
    after.requires(victim)
    scheduler = Scheduler(killer, victim, after)

    async def main():
        main.task = asyncio.current_task()
        return await scheduler.co_orchestrate()

    with asyncio.Runner(loop_factory=own_factory_loop) as runner:
        assert runner.run(main())

    assert states(killer, victim, after) == ["DONE", "FAILED", "DONE"]
    assert isinstance(victim.raised_exception(), SelfCancelledError)
    assert began == []


@pytest.mark.parametrize("factory", [own_factory_loop, VirtualClockLoop])
def test_what_has_a_task_and_has_not_begun_when_its_run_is_cancelled_stays_idle(factory):
    """Rule 11: it needs no cancelling, for it does not begin; where bodies start at once it has."""
    began = []

    async def cancels():
        main.task.cancel()

    async def body():
        began.append("body")
        await asyncio.sleep(1)

    async def main():
        main.task = asyncio.current_task()
        await asyncio.sleep(0)
        await scheduler.co_orchestrate()

    first, second = Job(cancels), Job(body)
    scheduler = Scheduler(first >> second)
    with asyncio.Runner(loop_factory=factory) as runner, pytest.raises(asyncio.CancelledError):
        runner.run(main())

    at_once = factory is VirtualClockLoop and sys.version_info >= (3, 12)
    expected = ("CANCELLED", ["body"]) if at_once else ("IDLE", [])
    assert (second.state.name, began) == expected


def delaying(seconds, *, deaf=False):
    """A loop whose task factory has a body wait before it begins; a deaf one is not stopped."""

    async def later(loop, coroutine):
        over = loop.time() + seconds
        while loop.time() < over:
            try:
                await asyncio.sleep(over - loop.time())
            except asyncio.CancelledError:
                if not deaf:
                    raise
        return await coroutine

    return loop_that_makes(
        lambda loop, coroutine, **options: asyncio.Task(
            later(loop, coroutine), loop=loop, **options
        )
    )


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("forever", [False, True])
def test_a_task_in_which_a_body_has_not_begun_is_cancelled_with_its_run(forever, caplog):
    """Rules 8 and 9: what a factory has put round a body takes no grace, and nothing is stuck."""
    job = Job(waits, forever=forever)
    scheduler = Scheduler(job, grace=5)

    async def main():
        ok = await scheduler.co_orchestrate(timeout=1)
        return ok, asyncio.get_running_loop().time(), asyncio.all_tasks() - {main.task}

    with asyncio.Runner(loop_factory=lambda: delaying(100)) as runner:
        main.task = runner.get_loop().create_task(main())
        ok, over, left = runner.get_loop().run_until_complete(main.task)

    assert (ok, over, left) == (False, 1.0, set())
    assert states(job) == ["IDLE"]
    assert not any("stuck" in message for message in caplog.messages)


@pytest.mark.filterwarnings("error")
def test_a_task_in_which_a_body_never_begins_is_left_behind_in_the_end(caplog):
    """Rule 8: the run ends in its time; the body, which is told to begin after that, does not."""
    began = []

    async def body():
        began.append("body")

    job = Job(body, label="job")
    scheduler = Scheduler(job, grace=5)

    async def main():
        ok = await scheduler.co_orchestrate(timeout=1)
        over = asyncio.get_running_loop().time()
        await asyncio.sleep(200)
        return ok, over

    with asyncio.Runner(loop_factory=lambda: delaying(100, deaf=True)) as runner:
        assert runner.run(main()) == (False, 6.0)

    assert (states(job), began) == (["IDLE"], [])
    (told,) = [message for message in caplog.messages if "did not end" in message]
    assert "'job'" in told
    assert "task factory" in told


def test_what_a_task_raises_in_which_a_body_has_not_begun_is_not_lost(caplog):
    """Rule 14: it is logged, though the job has never started."""

    async def later():
        try:
            await waits()
        finally:
            raise ValueError("tracing")

    def make(loop, coroutine, **options):
        coroutine.close()
        return asyncio.Task(later(), loop=loop, **options)

    job = Job(quick, label="job")

    assert not Scheduler(job).orchestrate(1, loop_factory=lambda: loop_that_makes(make))
    assert states(job) == ["IDLE"]
    (told,) = [message for message in caplog.messages if "ValueError: tracing" in message]
    assert "'job'" in told


def gives_none(_loop, coroutine, **_options):
    coroutine.close()


def is_cancelled(_loop, _coroutine, **_options):
    raise asyncio.CancelledError("no task")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("make", "error"), [(gives_none, AttributeError), (is_cancelled, SelfCancelledError)]
)
def test_a_factory_that_gives_no_task_is_a_failure_of_the_job(make, error):
    """Rules 9 and 13: what comes after it starts, and the run is not held up."""
    first, second = Job(quick), Job(quick)

    assert Scheduler(first >> second).orchestrate(5, loop_factory=lambda: loop_that_makes(make))
    assert states(first, second) == ["FAILED", "DONE"]
    assert isinstance(first.raised_exception(), error)


def test_a_place_that_comes_when_the_run_has_closed_goes_to_who_waits_next():
    """Rule 6: the job that has waited for it makes no task any more, and stays idle."""
    tasks, made = [], []

    def drawn():
        tasks.append(asyncio.current_task())
        yield 1

    class Fan(Flow, window=1):
        @step
        async def items(self):
            return drawn()

        @step(after=[items])
        async def holder(self):
            await asyncio.sleep(1)
            tasks[0].cancel()  # the run of the items closes in the turn in which its place comes
            made.clear()

        @each(items)
        async def victim(self, item):
            raise AssertionError

        @step(after=[holder])
        async def late(self):
            return list(made)

    flow = Fan()
    assert flow.run(loop_factory=lambda: own_factory_loop(made))

    assert states(flow.victim, *flow.victim.children) == ["FAILED", "IDLE"]
    assert len(flow.late.result()) == 1  # its own


def test_who_waited_for_one_place_takes_the_next_one_as_well(monkeypatch):
    """Rule 6: an item that has got its place of the flow queues for a thread, as any other does."""
    monkeypatch.setattr("flowdeco.engine.session.MOST_THREADS", 1)
    gate, ended = threading.Event(), asyncio.Event()

    class Fan(Flow, window=2):
        @step
        def blocker(self):
            return gate.wait(SOON)

        @step
        async def items(self):
            return [1]

        @step(after=[items])
        async def holder(self):
            await asyncio.sleep(0)
            ended.set()

        @each(items, window=1)
        def item(self, item):
            return item

        @service
        async def looks(self):
            await ended.wait()
            for _ in range(5):
                await asyncio.sleep(0)
            seen.extend(states(*self.item.children))
            gate.set()
            await waits()

    seen = []
    flow = Fan()
    try:
        assert flow.run(loop_factory=VirtualClockLoop)
    finally:
        gate.set()

    assert seen == ["SCHEDULED"]
    assert flow.item.result() == [1]


# Where it stands


class Slot:
    """Something to wait for that is not a coroutine."""

    def __await__(self):
        while True:
            try:
                yield from asyncio.sleep(3600).__await__()
            except asyncio.CancelledError:
                pass


@types.coroutine
def through(awaitable):
    yield from awaitable.__await__()


async def waits_for_a_slot():
    await Slot()


async def waits_through_a_generator():
    await through(Slot())


async def yields_and_waits():
    yield
    await Slot()


def line_of(function, offset):
    return f"{__file__}:{function.__code__.co_firstlineno + offset}"


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    ("body", "options"),
    [
        (waits_for_a_slot, {}),
        (waits_through_a_generator, {}),
        (yields_and_waits, {"forever": True}),
    ],
)
def test_what_is_stuck_is_told_of_with_the_line_where_it_stands(body, options, debug, caplog):
    """Rule 8: the innermost one that is not asyncio's, whatever the body awaits there."""
    stuck = Job(body, label="stuck", **options)
    scheduler = Scheduler(stuck, Job(sleeps(1)), grace=1, timeout=2)

    loop = VirtualClockLoop()
    loop.set_debug(debug)
    scheduler.orchestrate(loop_factory=lambda: loop)

    assert stuck.state is State.STUCK
    assert caplog.messages[0] == (
        "'stuck' is stuck: it did not end although it was cancelled; it stands at "
        + line_of(Slot.__await__, 3)
    )


class Wrapped(Coroutine):
    """What a task factory can put round a coroutine; it shows no frame."""

    def __init__(self, coroutine):
        self._coroutine = coroutine

    def send(self, value):
        return self._coroutine.send(value)

    def throw(self, *error):
        return self._coroutine.throw(*error)

    def close(self):
        self._coroutine.close()

    def __await__(self):
        return self._coroutine.__await__()


def test_where_a_body_stands_is_known_though_its_task_hides_it(caplog):
    """Rule 8: a task factory may have put round it what shows no frame."""
    loop = VirtualClockLoop()
    loop.set_debug(False)  # or the watch would know it all the same
    loop.set_task_factory(
        lambda loop, coroutine, **options: asyncio.Task(Wrapped(coroutine), loop=loop, **options)
    )
    stuck = Job(swallows, label="stuck")

    assert Scheduler(stuck, grace=1).orchestrate(1, loop_factory=lambda: loop) is False

    assert stuck.state is State.STUCK
    assert re.search(r"it stands at .*actors\.py:\d+$", caplog.messages[0])
    assert not any("which was stuck" in message for message in caplog.messages)


# Its end, when it is given up


async def returns():
    pass


async def cancels_itself():
    raise asyncio.CancelledError


@pytest.mark.parametrize("end", [returns, cancels_itself])
def test_the_end_of_what_was_stuck_is_told_of_as_no_failure(end, caplog):
    """Rule 14: at INFO, once, and without a traceback."""

    async def late():
        await swallows_times(6)()
        await asyncio.sleep(10)
        await end()

    async def main():
        await Scheduler(Job(late, label="late"), timeout=1, grace=1).co_orchestrate()
        caplog.clear()
        await asyncio.sleep(20)

    with caplog.at_level(logging.INFO, "flowdeco"):
        in_loop(main())

    told = [(record.levelname, record.getMessage(), record.exc_info) for record in caplog.records]
    assert told == [("INFO", "'late', which was stuck, has ended", None)]


def test_a_stuck_coroutine_makes_no_room_for_another_thread():
    """Section 8: there are as many threads as before, for it has none."""
    gate = threading.Event()
    seen = []

    async def call():
        await Job(MethodBody(lambda _: gate.wait(SOON), None, "call")).co_run()

    async def calls():
        tasks = [asyncio.ensure_future(call()) for _ in range(MOST_THREADS + 1)]
        for _ in range(3):
            await asyncio.sleep(0)
        seen.extend(threads_for_plain_bodies())
        gate.set()
        await asyncio.gather(*tasks)

    stuck = Job(swallows, timeout=1)
    try:
        virtually(Scheduler(stuck >> Job(calls), grace=1))
    finally:
        gate.set()

    assert stuck.state is State.STUCK
    assert len(seen) == MOST_THREADS
