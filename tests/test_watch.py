"""Bodies that hold the thread of the loop are told of in debug mode (rule 19)."""

import asyncio
import logging
import threading
import time

import pytest
from actors import in_loop

from flowdeco import Flow, Job, Scheduler, each, service, step
from flowdeco.testing import VirtualClockLoop

CAP = 10
"""Seconds after which something that should have been seen is not waited for any more."""


class DebugLoop(VirtualClockLoop):
    """In debug mode, and of little patience. Its clock is virtual, that of the watch is not."""

    def __init__(self):
        super().__init__()
        self.set_debug(True)
        self.slow_callback_duration = 0.02


def blocked(caplog):
    return [r.getMessage() for r in caplog.records if "blocked the loop" in r.getMessage()]


@pytest.fixture(autouse=True)
def _quiet():
    """Asyncio itself tells of the slow callback, which is no error here."""
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    yield
    logging.getLogger("asyncio").setLevel(logging.NOTSET)


def hold():
    began = time.monotonic()
    while time.monotonic() - began < 0.1:
        pass


def test_a_body_that_blocks_the_thread_is_told_of_with_the_place(caplog):
    """T05: its job is named, and the line of the user where it stood."""

    async def busy():
        await asyncio.sleep(1)
        hold()
        await asyncio.sleep(1)

    scheduler = Scheduler(Job(busy), Job(lambda: asyncio.sleep(1), label="idle"))
    assert scheduler.orchestrate(loop_factory=DebugLoop)
    (message,) = blocked(caplog)
    assert message.startswith("'busy' blocked the loop for 0.")
    assert f"at {__file__}:" in message
    line = int(message.rpartition(":")[2])
    assert hold.__code__.co_firstlineno < line <= hold.__code__.co_firstlineno + 3
    assert caplog.records[0].levelno == logging.WARNING


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


def test_who_holds_the_thread_is_named_and_not_who_is_around_it(caplog):
    """Services, items and nested runs are each watched for themselves."""

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
    thread.join(CAP)
    assert not thread.is_alive()
