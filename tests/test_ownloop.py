"""The loop that `run()` makes for itself: its signals, and how it is closed (rules 8 and 12)."""

import asyncio
import gc
import logging
import signal
import threading

import pytest
from actors import perform, quick, swallows, virtually, waits

from flowdeco import Flow, Job, Scheduler, State, ownloop, service, step
from flowdeco.testing import VirtualClockLoop

SOON = 2.0
"""The seconds that something in a thread may take at most: it is never waited for that long."""


def interrupt():
    """What Ctrl-C does, where the code stands."""
    signal.raise_signal(signal.SIGINT)


# Signals


class SignalledLoop(VirtualClockLoop):
    """Signals come before the first line of the run: two at once, the others a little later."""

    def __init__(self, count):
        super().__init__()
        self.left = count

    def create_task(self, coroutine, **options):
        for number in range(self.left):
            if number < 2:
                interrupt()
            else:
                self.call_soon(interrupt)
        self.left = 0
        return super().create_task(coroutine, **options)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_signals_before_the_run_is_made_let_no_body_start(count):
    """R08 R09: it has not come to its first line, and ends as if it had."""
    job = Job(quick)
    with pytest.raises(KeyboardInterrupt):
        Scheduler(job).orchestrate(loop_factory=lambda: SignalledLoop(count))

    assert job.state is State.IDLE


def test_after_the_second_signal_services_have_no_time_either():
    """R09: a teardown begins, and what it then waits for does not hold the run up."""
    seen = []

    class Deploy(Flow, grace=60):
        @service
        async def quick_to_end(self):
            yield 1
            seen.append("down")

        @service
        async def slow_to_end(self):
            yield 1
            seen.append("going down")
            while True:
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    seen.append("cancelled")

        @step
        async def work(self):
            asyncio.get_running_loop().call_later(1, interrupt)
            try:
                await waits()
            finally:
                interrupt()
                await asyncio.sleep(60)

    flow = Deploy()
    with pytest.raises(KeyboardInterrupt):
        perform(flow)

    assert seen == ["down", "going down", "cancelled"]
    assert flow.scheduler.report.duration == 1.0
    assert [record.path for record in flow.scheduler.report.stuck] == ["slow_to_end"]


def test_a_third_signal_gets_out_of_the_close(caplog):
    """R09: out of a task that was left behind, too; asyncio then complains about nothing."""

    async def blocks():
        try:
            await waits()
        finally:
            for _ in range(3):
                interrupt()

    async def forgets():
        forgets.task = asyncio.create_task(blocks())
        await asyncio.sleep(0)

    job = Job(forgets)
    with caplog.at_level(logging.DEBUG, "flowdeco"):
        with pytest.raises(KeyboardInterrupt):
            Scheduler(job).orchestrate(loop_factory=VirtualClockLoop)
        del forgets.task
        gc.collect()

    assert job.state is State.DONE
    assert "after the loop was closed: Task was destroyed" in caplog.text


def test_a_handler_that_a_body_has_set_stays():
    """R10: what was there before the run is put back only where the handler is still the run's."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    mine = signal.SIG_IGN

    async def sets():
        signal.signal(signal.SIGTERM, mine)

    try:
        assert virtually(Scheduler(Job(sets)))
        after = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before[1])
    assert after == (before[0], mine)


# The close


def test_what_a_forgotten_task_raises_in_the_end_is_logged(caplog):
    """Rule 14: nobody else would hear of it."""

    async def fails():
        try:
            await waits()
        finally:
            raise ValueError("in the clean-up")

    async def forgets():
        forgets.task = asyncio.create_task(fails())
        await asyncio.sleep(0)

    assert virtually(Scheduler(Job(forgets)))
    assert "a task that was left behind raised" in caplog.text
    assert "ValueError: in the clean-up" in caplog.text


async def refuses_to_be_closed():
    """Await in answer to the `GeneratorExit`, which Python does not allow."""
    try:
        await swallows()
    except GeneratorExit:
        await asyncio.sleep(3600)


@pytest.mark.parametrize("body", [waits, swallows, refuses_to_be_closed])
def test_a_task_that_a_clean_up_leaves_behind_is_ended_too(body):
    """X13: also where it swallows every cancellation."""
    left = []

    async def leaves_more():
        try:
            await waits()
        finally:
            left.append(asyncio.create_task(body()))
            await asyncio.sleep(0)

    async def forgets():
        left.append(asyncio.create_task(leaves_more()))
        await asyncio.sleep(0)

    assert virtually(Scheduler(Job(forgets), grace=1))
    assert [task.done() for task in left] == [True, True]


def test_a_forgotten_task_that_refuses_to_be_closed_is_logged(caplog):
    """X13: it is cancelled for the last time, and has ended."""

    async def forgets():
        forgets.task = asyncio.create_task(refuses_to_be_closed())
        await asyncio.sleep(0)

    assert virtually(Scheduler(Job(forgets), grace=1))
    assert forgets.task.done()
    assert "a task could not be closed: coroutine ignored GeneratorExit" in caplog.text


def test_a_loop_whose_close_raises_is_closed(caplog):
    """What a loop of the user raises there is logged, and does not change the verdict."""

    class Broken(VirtualClockLoop):
        async def shutdown_asyncgens(self):
            raise OSError("no")

    loop = Broken()
    assert Scheduler(Job(quick)).orchestrate(loop_factory=lambda: loop)
    assert loop.is_closed()
    assert "closing the loop raised" in caplog.text


def test_a_thread_of_the_default_executor_does_not_hang_the_close(caplog, monkeypatch):
    """Rule 8: the run returns while the thread is still at work, and says so."""
    parked = set()
    monkeypatch.setattr(ownloop, "_parked", parked)
    gate, ended = threading.Event(), threading.Event()
    before = set(threading.enumerate())

    def blocks():
        gate.wait(SOON)
        ended.set()

    async def forgets():
        forgets.task = asyncio.create_task(asyncio.to_thread(blocks))
        await asyncio.sleep(0)

    try:
        assert Scheduler(Job(forgets), grace=0.02, shutdown_timeout=0.02).orchestrate()
        assert not ended.is_set()
        assert "threads of the default executor of the loop are still at work" in caplog.text
        assert len(parked) == 1
    finally:
        gate.set()
        for thread in set(threading.enumerate()) - before:
            thread.join(SOON)
        parked.clear()
        gc.collect()
