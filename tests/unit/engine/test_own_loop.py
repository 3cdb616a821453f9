"""The loop that `run()` makes for itself: its signals, and how it is closed (rules 8 and 12)."""

import asyncio
import contextlib
import contextvars
import gc
import logging
import signal
import sys
import threading

import pytest
from actors import cleans_up, fails, perform, quick, sleeps, swallows, virtually, waits

from flowdeco import Flow, Job, Scheduler, State, service, step
from flowdeco.engine import own_loop
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


def test_a_sigterm_leaves_with_its_exit_code():
    """R10: 128 and its number, as a shell says it."""

    async def sends():
        signal.raise_signal(signal.SIGTERM)

    with pytest.raises(SystemExit) as caught:
        virtually(Scheduler(Job(sends)))
    assert caught.value.code == 143


def test_three_signals_before_the_first_turn_of_the_loop_leave():
    """R09: the run is not known yet."""

    class Interrupted(VirtualClockLoop):
        left = 3

        def create_task(self, coroutine, **options):
            task = super().create_task(coroutine, **options)
            while self.left:
                self.left -= 1
                interrupt()
            return task

    job = Job(quick)
    with pytest.raises(KeyboardInterrupt):
        Scheduler(job).orchestrate(loop_factory=Interrupted)
    assert job.state is State.IDLE


def test_of_two_signals_at_once_the_first_one_leaves():
    """Rule 15: of two that count the same, the earlier one."""

    async def sends():
        interrupt()
        signal.raise_signal(signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        virtually(Scheduler(Job(sends)))


def test_a_signal_while_an_exit_of_a_job_is_cleaned_up_changes_nothing():
    """Rule 15: what leaves is what the report names."""
    error = SystemExit(3)

    async def interrupted():
        try:
            await waits()
        finally:
            interrupt()
            await asyncio.sleep(1)

    scheduler = Scheduler(Job(interrupted), Job(fails(1, error)))
    with pytest.raises(SystemExit) as caught:
        virtually(scheduler)
    assert scheduler.report.reason.exception is caught.value is error


def test_a_signal_after_the_last_turn_of_the_loop_leaves_too():
    """R08: nothing is left that could react to it."""

    class Late(VirtualClockLoop):
        last = False

        async def shutdown_default_executor(self, timeout=None):
            await super().shutdown_default_executor(timeout)
            self.last = True

        def run_forever(self):
            super().run_forever()
            if self.last:
                interrupt()

    job = Job(quick)
    with pytest.raises(KeyboardInterrupt):
        Scheduler(job).orchestrate(loop_factory=Late)
    assert job.state is State.DONE


THIRD = pytest.mark.parametrize(
    ("third", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]
)
"""What a third signal can be, and what it raises whatever the first ones were."""


@THIRD
@pytest.mark.parametrize("turns", [0, 1])
def test_the_third_signal_skips_the_hooks(turns, third, error):
    """R09: it leaves the body where the code stands; asyncio then complains about nothing."""
    seen = []

    async def hook():
        seen.append("hook")

    async def sends():
        for _ in range(turns):
            await asyncio.sleep(0)
        interrupt()
        interrupt()
        signal.raise_signal(third)
        seen.append("after it")

    with pytest.raises(error):
        virtually(Scheduler(Job(sends, shutdown=hook)))
    assert seen == []


def test_after_the_third_signal_nothing_is_declared_stuck(caplog):
    """R09: the run is over, and what its report says does not change any more."""

    async def interrupted():
        asyncio.get_running_loop().call_later(1, interrupt)
        try:
            await waits()
        finally:
            interrupt()
            interrupt()

    scheduler = Scheduler(Job(interrupted), Job(swallows))
    with pytest.raises(KeyboardInterrupt):
        virtually(scheduler)
    assert scheduler.report.stuck == ()
    assert "is stuck" not in caplog.text


def test_an_exit_after_the_second_signal_does_not_skip_the_hooks():
    """R09: what a callback raises is no third signal."""
    seen = []

    async def hook():
        seen.append("hook")

    async def sends():
        asyncio.get_running_loop().call_soon(sys.exit)
        interrupt()
        interrupt()
        await waits()

    with pytest.raises(KeyboardInterrupt):
        virtually(Scheduler(Job(sends, shutdown=hook)))
    assert seen == ["hook"]


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


@THIRD
def test_a_third_signal_gets_out_of_the_close(third, error, caplog):
    """R09: out of a task that was left behind, too; asyncio then complains about nothing."""

    async def blocks():
        try:
            await waits()
        finally:
            interrupt()
            interrupt()
            signal.raise_signal(third)

    async def forgets():
        forgets.task = asyncio.create_task(blocks())
        await asyncio.sleep(0)

    job = Job(forgets)
    with caplog.at_level(logging.DEBUG, "flowdeco"):
        with pytest.raises(error):
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


def test_a_run_in_another_thread_touches_no_handler():
    """R05: Python would not let it."""
    seen = []

    async def look():
        seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=lambda: seen.append(virtually(Scheduler(Job(look)))))
    thread.start()
    thread.join(SOON)
    assert seen == [signal.getsignal(signal.SIGINT), True]


def test_a_handler_of_the_user_is_left_alone():
    """R10: the run takes a signal only where its default handler is found."""
    seen = []
    before = signal.signal(signal.SIGTERM, lambda number, _: seen.append(number))

    async def sends():
        signal.raise_signal(signal.SIGTERM)

    try:
        assert virtually(Scheduler(Job(sends)))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert seen == [signal.SIGTERM]


def test_of_two_exits_outside_of_the_jobs_the_first_one_leaves():
    """Rule 15: what a callback raises while the run ends already changes nothing."""

    async def work():
        asyncio.get_running_loop().call_soon(sys.exit, "first")
        try:
            await waits()
        finally:
            asyncio.get_running_loop().call_soon(sys.exit, "second")
            await asyncio.sleep(1)

    with pytest.raises(SystemExit) as caught:
        virtually(Scheduler(Job(work)))
    assert caught.value.code == "first"


# The close


@pytest.fixture
def parked(monkeypatch):
    """What is kept after the close, which lasts no longer than the test."""
    parked = set()
    monkeypatch.setattr(own_loop, "_parked", parked)
    yield parked
    parked.clear()
    gc.collect()


@pytest.mark.parametrize(("signals", "cleaned"), [(0, True), (1, True), (2, False)])
def test_a_forgotten_task_has_what_is_left_of_the_time_for_its_clean_up(signals, cleaned):
    """Rules 8 and 12: nothing is left of it after the second signal."""
    body = cleans_up(3)

    async def forgets():
        forgets.task = asyncio.create_task(body())
        await asyncio.sleep(0)
        for _ in range(signals):
            interrupt()

    with pytest.raises(KeyboardInterrupt) if signals else contextlib.nullcontext():
        virtually(Scheduler(Job(forgets), grace=5))
    assert (forgets.task.done(), body.cleaned) == (True, cleaned)


def test_a_run_in_a_stuck_body_starts_nothing_more_when_its_loop_is_closed(caplog):
    """Rules 4 and 8: it is closed by force with that body, before its own bodies have ended."""
    first, after = Job(waits), Job(quick)
    after.requires(first)
    run = Scheduler(first, after)

    async def begins_late():
        while job.state is not State.STUCK:
            try:
                await asyncio.sleep(0.1)
            except asyncio.CancelledError:
                pass
        await run.co_orchestrate()

    job = Job(begins_late, shutdown=sleeps(0.5))
    assert virtually(Scheduler(job, timeout=1, grace=1)) is False
    assert first.started_at is not None
    assert first.is_done()
    assert after.state is State.IDLE
    assert "a task" not in caplog.text


def test_a_forgotten_run_whose_bodies_do_not_end_is_closed(caplog):
    """Rules 4 and 8: by force, and so are they, which have no run any more to tell of it."""
    stubborn, after = Job(swallows), Job(quick)
    after.requires(stubborn)
    run = Scheduler(stubborn, after)

    async def begins():
        await run.co_orchestrate()

    async def forgets():
        context = contextvars.Context()  # so that it is no nested run
        forgets.task = asyncio.get_running_loop().create_task(begins(), context=context)
        await asyncio.sleep(0)

    assert virtually(Scheduler(Job(forgets), grace=1))
    assert forgets.task.done()
    assert after.state is State.IDLE
    assert caplog.records == []


def test_each_forgotten_task_has_that_time():
    """Rule 8: the first that has ended does not end the others."""
    bodies = [cleans_up(1), cleans_up(2), cleans_up(3)]
    tasks = []

    async def forgets():
        tasks.extend(asyncio.create_task(body()) for body in bodies)
        await asyncio.sleep(0)

    assert virtually(Scheduler(Job(forgets), grace=5))
    assert [task.done() for task in tasks] == [True] * 3
    assert [body.cleaned for body in bodies] == [True] * 3


def test_two_signals_while_a_forgotten_task_cleans_up_end_it():
    """R09: the second one skips the rest of the time there, too."""
    loop = VirtualClockLoop()
    reached = []

    async def interrupted():
        try:
            await waits()
        finally:
            interrupt()
            await asyncio.sleep(1)
            reached.append("after the first")
            interrupt()
            await asyncio.sleep(1)
            reached.append("after the second")

    async def forgets():
        forgets.task = asyncio.create_task(interrupted())
        await asyncio.sleep(0)

    with pytest.raises(KeyboardInterrupt):
        Scheduler(Job(forgets), grace=60).orchestrate(loop_factory=lambda: loop)
    assert reached == ["after the first"]
    assert forgets.task.done()
    assert loop.time() == 1


def test_an_exit_of_a_forgotten_task_leaves_when_the_others_have_ended():
    """Rule 12: after their clean-up, as one of a job would."""
    other = cleans_up(1)
    tasks = []

    async def exits():
        try:
            await waits()
        finally:
            sys.exit(3)

    async def forgets():
        tasks.extend(asyncio.create_task(body()) for body in (exits, other))
        await asyncio.sleep(0)

    with pytest.raises(SystemExit) as caught:
        virtually(Scheduler(Job(forgets), grace=5))
    assert caught.value.code == 3
    assert [task.done() for task in tasks] == [True, True]
    assert other.cleaned


def test_a_forgotten_task_that_cancels_all_tasks_does_not_stop_the_close():
    """X13: those of the close are among them."""
    tasks = []

    async def cancels():
        try:
            await waits()
        finally:
            for task in asyncio.all_tasks():
                task.cancel()

    async def forgets():
        tasks.extend(asyncio.create_task(body()) for body in (cancels, swallows))
        await asyncio.sleep(0)

    assert virtually(Scheduler(Job(forgets), grace=1))
    assert [task.done() for task in tasks] == [True, True]


def test_a_generator_that_does_not_end_is_closed_within_the_bound(parked, caplog):
    """X14 R20: what comes after it in the close is done all the same, and nothing is kept."""
    loop = VirtualClockLoop()
    seen = []

    async def generator():
        try:
            yield 1
        finally:
            try:
                await swallows()
            finally:
                seen.append("closed")

    async def forgets():
        forgets.generator = generator()
        await anext(forgets.generator)

    assert Scheduler(Job(forgets), grace=1, shutdown_timeout=1).orchestrate(
        loop_factory=lambda: loop
    )
    del forgets.generator
    gc.collect()
    assert seen == ["closed"]
    assert 2 <= loop.time() < 2.1
    assert caplog.records == []
    assert parked == set()


@pytest.mark.parametrize("signals", [0, 2])
def test_an_error_of_the_loop_itself_leaves_when_the_jobs_have_ended(signals):
    """Rules 9 and 10: hooks are called whatever has ended the bodies."""
    seen = []

    class Broken(VirtualClockLoop):
        broken = False

        def run_forever(self):
            super().run_forever()
            if self.broken:
                self.broken = False
                raise OSError("broken")

    async def hook():
        seen.append("hook")

    async def breaks():
        for _ in range(signals):
            interrupt()
        loop.broken = True
        loop.stop()
        try:
            await waits()
        finally:
            seen.append("cleaned up")

    loop = Broken()
    with pytest.raises(OSError, match="broken"):
        Scheduler(Job(breaks, shutdown=hook)).orchestrate(loop_factory=lambda: loop)
    assert seen == ["cleaned up", "hook"]


def test_what_prevents_a_run_leaves():
    """The loop is closed."""
    loop = VirtualClockLoop()

    def make():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        own_loop.execute(make, lambda: loop)
    assert loop.is_closed()


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
    assert (
        "a task could not be closed: RuntimeError: coroutine ignored GeneratorExit" in caplog.text
    )


def test_a_forgotten_task_that_swallows_its_cancellation_is_closed_at_the_bound(caplog):
    """X13: how it ends then is not logged, for it is by force."""
    loop = VirtualClockLoop()

    async def forgets():
        forgets.task = asyncio.create_task(swallows())
        await asyncio.sleep(0)

    scheduler = Scheduler(Job(forgets), grace=1, shutdown_timeout=1)
    assert scheduler.orchestrate(loop_factory=lambda: loop)
    assert forgets.task.done()
    assert loop.time() == 2
    assert caplog.records == []


def test_a_loop_whose_close_raises_is_closed(caplog):
    """What a loop of the user raises there is logged, and does not change the verdict."""

    class Broken(VirtualClockLoop):
        async def shutdown_asyncgens(self):
            raise OSError("no")

    loop = Broken()
    assert Scheduler(Job(quick)).orchestrate(loop_factory=lambda: loop)
    assert loop.is_closed()
    assert "closing the loop raised" in caplog.text


@pytest.fixture
def blocked(parked):
    """A function that blocks until the test is over, and an event that it sets when it ends."""
    gate, ended = threading.Event(), threading.Event()
    before = set(threading.enumerate())

    def blocks():
        gate.wait(SOON)
        ended.set()

    yield blocks, ended
    gate.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(SOON)


def forgetting(blocks):
    """A job that forgets a thread of the default executor."""

    async def forgets():
        forgets.task = asyncio.create_task(asyncio.to_thread(blocks))
        await asyncio.sleep(0)

    return Job(forgets)


def test_a_thread_of_the_default_executor_does_not_hang_the_close(blocked, parked, caplog):
    """Rule 8: the run returns while the thread is still at work, and says so."""
    blocks, ended = blocked

    assert Scheduler(forgetting(blocks), grace=0.02, shutdown_timeout=0.02).orchestrate()
    assert not ended.is_set()
    assert "threads of the default executor of the loop are still at work" in caplog.text
    assert len(parked) == 1


def test_two_signals_while_the_close_waits_for_a_thread_end_it(blocked):
    """R09: the second one skips the rest of the time there, too."""
    blocks, ended = blocked

    class Signalled(asyncio.SelectorEventLoop):
        async def shutdown_default_executor(self, timeout=None):
            self.call_later(0.01, interrupt)
            self.call_later(0.02, interrupt)
            await super().shutdown_default_executor()

    with pytest.raises(KeyboardInterrupt):
        Scheduler(forgetting(blocks), grace=60).orchestrate(loop_factory=Signalled)
    assert not ended.is_set()
