"""Bodies that hold the thread of the loop are told of in debug mode (rule 19)."""

import asyncio
import gc
import logging
import re
import threading
import time
import types

import pytest
from actors import in_loop, sleeps, waits

from flowdeco import Flow, Job, Scheduler, each, service, step
from flowdeco.engine import block_monitor
from flowdeco.engine.block_monitor import BlockMonitor
from flowdeco.testing import VirtualClockLoop

CAP = 10
"""Seconds after which something that should have been seen is not waited for any more."""


class DebugLoop(VirtualClockLoop):
    """In debug mode, and of little patience. Its clock is virtual, that of the watch is not."""

    def __init__(self):
        super().__init__()
        self.set_debug(True)
        self.slow_callback_duration = 0.05


def blocked(caplog):
    return [r.getMessage() for r in caplog.records if "blocked the loop" in r.getMessage()]


@pytest.fixture(autouse=True)
def _slowness_not_told():
    """Here it is told of, in place of the fixture of all tests."""


def hold():
    """Be at work: where the machine lets the thread wait, for longer."""
    began = time.thread_time()
    while time.thread_time() - began < 0.15:
        pass


def test_a_body_that_blocks_the_thread_is_told_of_with_the_place(caplog):
    """T05: its job is named, and the line of the user where it stood."""

    async def busy():
        await asyncio.sleep(1)
        hold()
        await asyncio.sleep(1)

    scheduler = Scheduler(Job(busy), Job(lambda: asyncio.sleep(1), label="idle"))
    assert scheduler.orchestrate(loop_factory=DebugLoop)
    # On a machine that is busy itself, others are told of as well.
    (message,) = (one for one in blocked(caplog) if one.startswith("'busy' "))
    found = re.fullmatch(r"'busy' blocked the loop for \d+\.\d{3} s, at (.*):(\d+)", message)
    assert found[1] == __file__
    line = int(found[2])
    assert hold.__code__.co_firstlineno < line <= hold.__code__.co_firstlineno + 3
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


def test_nobody_is_watched_without_debug_mode(caplog):
    """It costs a thread and some time in each step."""
    threads = []

    async def busy():
        hold()
        threads.extend(thread.name for thread in threading.enumerate())

    def quiet_loop():
        loop = VirtualClockLoop()
        loop.set_debug(False)
        return loop

    assert Scheduler(Job(busy)).orchestrate(loop_factory=quiet_loop)
    assert blocked(caplog) == []
    assert "watch of flowdeco" not in threads


def test_who_holds_the_thread_is_named_and_not_who_is_around_it(caplog, monkeypatch):
    """Services, items and nested runs are each watched for themselves."""
    now = [0.0]
    monkeypatch.setattr(block_monitor, "time", types.SimpleNamespace(monotonic=lambda: now[0]))

    def hold():
        now[0] += 1

    class Busy(Flow):
        @service
        async def server(self):
            yield "up"
            hold()

        @step
        async def items(self):
            return [1]

        @each(items)
        async def item(self, item):
            hold()

    assert Scheduler(Busy().scheduler, label="outer").orchestrate(loop_factory=DebugLoop)
    assert [message.split(" blocked")[0] for message in blocked(caplog)] == [
        "'item[0]'",
        "'server'",
    ]


def test_values_failures_and_cancellations_pass_through_the_watch():
    """A watched body is as any other."""

    async def value():
        await asyncio.sleep(1)
        return 42

    async def fails():
        await asyncio.sleep(1)
        raise ValueError("broken")

    async def stopped():
        try:
            await asyncio.sleep(10)
        finally:
            await asyncio.sleep(0.5)

    jobs = [Job(value), Job(fails), Job(stopped, forever=True)]
    assert Scheduler(*jobs).orchestrate(loop_factory=DebugLoop)
    assert jobs[0].result() == 42
    assert str(jobs[1].raised_exception()) == "broken"
    assert [job.state.name for job in jobs] == ["DONE", "FAILED", "CANCELLED"]


def test_a_stuck_body_is_seen_where_it_stands_though_it_is_watched(caplog):
    """Rule 8: the line is that of the user."""

    async def deaf():
        while True:
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                pass

    scheduler = Scheduler(Job(deaf), timeout=1, grace=1)
    assert not scheduler.orchestrate(loop_factory=DebugLoop)
    (message,) = [r.getMessage() for r in caplog.records if "is stuck" in r.getMessage()]
    assert f"{__file__}:{deaf.__code__.co_firstlineno + 3}" in message


def test_the_thread_of_the_watch_ends_with_the_run():
    """R20: it is the run's."""

    async def main():
        asyncio.get_running_loop().set_debug(True)
        watching = []

        async def look():
            watching.extend(t for t in threading.enumerate() if t.name == "watch of flowdeco")

        await Scheduler(Job(look)).co_orchestrate()
        return watching

    (thread,) = in_loop(main())
    assert thread.daemon
    thread.join(CAP)
    assert not thread.is_alive()


def test_a_watched_run_leaves_nothing_for_the_collector():
    """R20: no more than one that is not watched."""
    scheduler = Scheduler(Job(sleeps(1)), Job(waits, forever=True))
    found = []

    async def main():
        asyncio.get_running_loop().set_debug(True)
        gc.collect()
        gc.disable()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            assert await scheduler.co_orchestrate()
            await asyncio.sleep(1)  # what is called back once more has been
            gc.collect()
            found.extend(type(one).__qualname__ for one in gc.garbage)
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()

    in_loop(main())
    assert found == []


# With a clock that is put forward by hand

LIMIT = 1000.0
"""Seconds: the thread of the watch does not look by itself while a test lasts."""


class Hand:
    """A clock, a watch that goes by it, and bodies that hold the thread for some time."""

    def __init__(self):
        self.now = 10 * LIMIT
        self.watch = BlockMonitor(types.SimpleNamespace(slow_callback_duration=LIMIT), "whole")

    def hold(self, share):
        """Hold the thread for that part of what is allowed."""
        self.now += share * LIMIT

    def watched(self, body, name="body"):
        """Let a body be watched from its start to its end."""

        async def main():
            return await self.watch.over(body(), name, name)

        return in_loop(main())


@pytest.fixture
def hand(monkeypatch):
    made = []
    fake = types.SimpleNamespace(monotonic=lambda: made[0].now if made else 0.0)
    monkeypatch.setattr(block_monitor, "time", fake)
    made.append(Hand())
    yield made[0]
    made[0].watch.close()


@pytest.mark.parametrize(
    ("share", "told"),
    [(0.99, []), (1, ["'body' blocked the loop for 1000.000 s"])],
)
def test_a_step_is_told_of_that_takes_as_long_as_asyncio_calls_slow(share, told, hand, caplog):
    """A loop in debug mode draws the line at the same place."""

    async def body():
        hand.hold(share)

    hand.watched(body)
    assert [message.partition(",")[0] for message in blocked(caplog)] == told


def test_each_step_counts_for_itself(hand, caplog):
    """What waits in between holds nobody up."""

    async def body():
        for _ in range(3):
            hand.hold(0.9)
            await asyncio.sleep(0)

    hand.watched(body)
    assert blocked(caplog) == []


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        ((0.4, 5, 0.4), ["'inner' 5000.000"]),
        ((2, 5, 1), ["'inner' 5000.000", "'outer' 3000.000"]),
        ((2, 0.5, 0), ["'outer' 2000.000"]),
    ],
)
def test_of_bodies_within_each_other_each_is_told_of_for_its_own_time(shares, told, hand, caplog):
    """Before, within and after the inner one."""
    before, within, after = shares

    async def inner():
        hand.hold(within)

    async def outer():
        hand.hold(before)
        await hand.watch.over(inner(), "inner", "outer/inner")
        hand.hold(after)

    hand.watched(outer, "outer")
    messages = (message.split(" blocked the loop for ") for message in blocked(caplog))
    assert [f"{name} {rest.split()[0]}" for name, rest in messages] == told


def test_a_place_that_nobody_has_looked_at_is_not_known(hand, caplog):
    """The thread of the watch may not have had its turn."""

    async def body():
        hand.hold(1)

    hand.watched(body)
    assert blocked(caplog)[0].endswith(", at a place that could not be seen")


def line_of(function, number):
    """How a line of a function is named, the first one in it being 1."""
    return f"{__file__}:{function.__code__.co_firstlineno + number}"


def test_the_place_is_where_a_step_stands_that_has_taken_half_of_what_is_allowed(hand, caplog):
    """Where it stood before, or stands later, is not it."""

    async def body():
        hand.hold(0.4)
        hand.watch.look()
        hand.hold(0.2)
        hand.watch.look()
        hand.hold(0.4)
        hand.watch.look()

    hand.watched(body)
    assert blocked(caplog)[0].endswith(f", at {line_of(body, 4)}")


def test_after_an_inner_body_the_place_is_that_of_the_outer_one(hand, caplog):
    """The inner step is over."""

    async def inner():
        hand.hold(0.1)

    async def outer():
        await hand.watch.over(inner(), "inner", "outer/inner")
        hand.hold(2)
        hand.watch.look()

    hand.watched(outer)
    assert blocked(caplog)[0].endswith(f", at {line_of(outer, 3)}")


def test_between_the_steps_there_is_nothing_to_see(hand, caplog):
    """Not even when nobody has had a turn for long."""
    hand.hold(5)
    hand.watch.look()

    async def body():
        hand.hold(1)

    hand.watched(body)
    hand.hold(5)
    hand.watch.look()
    assert blocked(caplog)[0].endswith(", at a place that could not be seen")


def test_the_thread_looks_before_a_step_has_taken_too_long(monkeypatch):
    """Between the half of what is allowed and all of it."""
    waits_for = []

    class Recorded(threading.Event):
        def wait(self, timeout=None):
            waits_for.append(timeout)
            return super().wait(timeout)

    monkeypatch.setattr(block_monitor, "threading", types.SimpleNamespace(**vars(threading)))
    monkeypatch.setattr(block_monitor.threading, "Event", Recorded)
    before = set(threading.enumerate())
    one = BlockMonitor(types.SimpleNamespace(slow_callback_duration=LIMIT), "whole")
    one.close()
    for thread in set(threading.enumerate()) - before:
        thread.join(CAP)
    assert 0 < waits_for[0] < LIMIT / 2


def test_a_loop_that_does_not_say_what_is_slow_is_taken_for_one_of_asyncio(monkeypatch, caplog):
    """It is a tenth of a second there."""
    now = [0.0]
    monkeypatch.setattr(block_monitor, "time", types.SimpleNamespace(monotonic=lambda: now[0]))
    one = BlockMonitor(types.SimpleNamespace(), "whole")

    async def body(seconds):
        now[0] += seconds

    async def main():
        await one.over(body(0.09), "quick", "quick")
        await one.over(body(0.11), "slow", "slow")

    try:
        in_loop(main())
    finally:
        one.close()
    (message,) = blocked(caplog)
    assert message.startswith("'slow' blocked the loop")
