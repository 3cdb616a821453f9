"""Plain methods: they run in threads of the library's own (section 8)."""

import asyncio
import concurrent.futures
import contextlib
import contextvars
import gc
import logging
import signal
import subprocess
import sys
import textwrap
import threading
import time
import weakref

import pytest
from actors import co_perform, in_loop, perform, states, threads_for_plain_bodies
from slowness import without_slowness

from flowdeco import Flow, Job, Scheduler, State, current_job, each, service, step, subflow
from flowdeco.jobs.bodies import MethodBody
from flowdeco.jobs.threads import MOST_THREADS, DaemonThreads
from flowdeco.testing import VirtualClockLoop

CAP = 10
"""Seconds after which a process that should have ended fails the test."""

SOON = 2.0
"""The seconds that something in a thread may take at most: it is never waited for that long."""


def plain(function, **options):
    """A job whose body is a plain function."""
    return Job(MethodBody(lambda _: function(), None, function.__name__), **options)


@pytest.fixture
def gate():
    """An event on which threads may wait; it is set at the end in any case."""
    event = threading.Event()
    yield event
    event.set()


class LateClockLoop(asyncio.SelectorEventLoop):
    """Its clock begins when a thread gets something to do, however late a busy machine does that.

    Else a short timeout could be over before anything has started. When those of a hundredth of a
    second are over, it opens the gate if it is given one.
    """

    def __init__(self, gate=None):
        self.since = None
        self.gate = gate
        super().__init__()

    def time(self):
        return 0.0 if self.since is None else super().time() - self.since

    def run_in_executor(self, *args):
        if self.since is None:
            self.since = super().time()
            if self.gate is not None:
                self.call_later(0.05, self.gate.set)
        return super().run_in_executor(*args)


class HeedlessLoop(VirtualClockLoop):
    """Its virtual clock does not stand still for threads."""

    def waits_for_threads(self):
        return False


def run_late(coroutine):
    """Run a coroutine by a clock that begins late."""
    with asyncio.Runner(loop_factory=LateClockLoop) as runner:
        return runner.run(coroutine)


# Where they run


tag = contextvars.ContextVar("tag", default="none")


def test_a_plain_method_runs_off_the_thread_of_the_loop():
    """In a daemon thread, with values as any step has them."""
    seen = []

    class Plain(Flow):
        @step
        def first(self):
            seen.append(threading.current_thread())
            return 20

        @step(after=first)
        def second(self, value):
            return value + 1

        @step(after=second)
        async def third(self, value):
            return value * 2

    flow = Plain()
    assert perform(flow)
    assert flow.third.result() == 42
    assert seen[0] is not threading.main_thread()
    assert seen[0].daemon


def test_it_runs_in_a_copy_of_the_context():
    """Rule 18: `current_job` works there, and what it sets stays there."""
    seen = []

    class Plain(Flow):
        @step
        def first(self):
            seen.append((current_job() is self.first, tag.get()))
            tag.set("changed")

        @step(after=first)
        def second(self):
            seen.append((current_job() is self.second, tag.get()))

    token = tag.set("run")
    try:
        perform(Plain())
    finally:
        tag.reset(token)
    assert seen == [(True, "run"), (True, "run")]
    assert tag.get() == "none"


def test_a_plain_service_is_refused_and_a_plain_each_runs_in_threads():
    """A service has something to wait for; a fan-out does not need it."""

    class Fan(Flow):
        @step
        def items(self):
            return [1, 2, 3]

        @each(items)
        def work(self, item):
            return threading.current_thread() is threading.main_thread(), item

    flow = Fan()
    assert perform(flow)
    assert flow.work.result() == [(False, 1), (False, 2), (False, 3)]


def test_the_method_of_a_subflow_is_called_in_the_thread_of_the_loop():
    """It only makes the flow."""

    class Inner(Flow):
        @step
        def work(self):
            return threading.current_thread().name

    class Outer(Flow):
        @subflow
        def inner(self) -> Inner:
            self.made_in = threading.current_thread()
            return Inner()

    outer = Outer()
    assert perform(outer)
    assert outer.made_in is threading.main_thread()
    assert outer.inner.work.result() == "inner/Inner/work"


def test_a_plain_function_outside_of_a_run_uses_the_executor_of_the_loop():
    """`standalone_run` has no threads of its own."""

    class Plain(Flow):
        @step
        def work(self):
            return threading.current_thread() is threading.main_thread()

    assert Plain().work.standalone_run() is False


def test_a_cancel_outside_of_a_run_waits_for_the_thread(gate):
    """It is swallowed there as well, for the thread goes on in any case."""
    started = threading.Event()

    class Plain(Flow):
        @step
        def work(self):
            started.set()
            gate.wait(SOON)
            return "value"

    async def main():
        task = asyncio.ensure_future(Plain().work.co_run())
        while not started.is_set():
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        gate.set()
        return await task

    assert in_loop(main()) == "value"


# Values and exceptions


@pytest.mark.parametrize("value", [None, 0, False, [], "text", ValueError("a value"), object()])
def test_any_value_comes_back_as_it_is(value):
    """Falsy ones and exceptions too."""
    job = plain(lambda: value)
    assert Scheduler(job).orchestrate(loop_factory=VirtualClockLoop)
    assert job.result() is value


class OddError(BaseException):
    pass


def raises(error):
    def body():
        raise error

    return body


@pytest.mark.parametrize(
    "error",
    [ValueError("x"), OddError(), GeneratorExit(), StopAsyncIteration(), TimeoutError("mine")],
    ids=repr,
)
def test_an_exception_is_that_of_the_job(error):
    """The same object, with the line that raised it last in its traceback (rule 13)."""
    job = plain(raises(error))
    assert Scheduler(job, plain(int)).orchestrate(loop_factory=VirtualClockLoop)
    assert (job.state, job.raised_exception()) == (State.FAILED, error)
    traceback = error.__traceback__
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    assert traceback.tb_frame.f_code.co_name == "body"


def test_a_stop_iteration_appears_as_in_a_coroutine():
    """F14: a future cannot carry it."""
    job = plain(raises(StopIteration(3)))
    assert Scheduler(job).orchestrate(loop_factory=VirtualClockLoop)
    assert type(job.raised_exception()) is RuntimeError
    assert isinstance(job.raised_exception().__cause__, StopIteration)


class OwnError(Exception):
    """Whose end is noticed."""

    def __init__(self, gone):
        super().__init__("broken")
        weakref.finalize(self, gone.set)


@pytest.mark.parametrize("in_a_run", [True, False])
def test_a_failure_leaves_nothing_for_the_collector(in_a_run):
    """R20: it goes with the last reference to it, in a run or outside of one."""
    gone = threading.Event()
    left = [OwnError(gone)]

    def work():
        if left:
            raise left.pop()

    async def alone():
        with contextlib.suppress(OwnError):
            await plain(work).co_run()

    gc.disable()
    try:
        if in_a_run:
            scheduler = Scheduler(plain(work))
            for _ in range(2):  # the second run lets go of the failure of the first
                assert scheduler.orchestrate(loop_factory=VirtualClockLoop)
        else:
            in_loop(alone())
        assert gone.wait(SOON)  # the thread may know of it a little longer
    finally:
        gc.enable()


@pytest.mark.parametrize("make", [asyncio.CancelledError, concurrent.futures.CancelledError])
def test_a_cancelled_error_of_a_thread_is_a_failure(make):
    """Rule 13: as one that a coroutine raises of its own accord."""
    job = plain(raises(make("own")))
    other = plain(int)
    assert Scheduler(job, other).orchestrate(loop_factory=VirtualClockLoop)
    assert states(job, other) == ["FAILED", "DONE"]
    assert isinstance(job.raised_exception(), Exception)


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()], ids=repr)
def test_an_exit_in_a_thread_leaves_bare(error):
    """Rule 12: after the clean-up, in the thread of the caller."""
    cleaned = []

    class Exits(Flow):
        @step
        async def beside(self):
            try:
                await asyncio.Event().wait()
            finally:
                cleaned.append("beside")

        @step
        def leave(self):
            raise error

    with pytest.raises((SystemExit, KeyboardInterrupt)) as caught:
        perform(Exits())
    assert caught.value is error
    assert cleaned == ["beside"]


def test_a_critical_failure_in_a_thread_ends_the_run():
    """Rule 4."""

    class Fails(Flow, critical=True):
        @step
        def work(self):
            raise ValueError

        @step(after=work)
        def never(self): ...

    flow = Fails()
    assert not perform(flow)
    assert states(flow.work, flow.never) == ["FAILED", "IDLE"]


# How many


def test_at_most_so_many_at_once_and_the_rest_is_scheduled(gate):
    """They have no task, and start in order as threads come free."""
    lock = threading.Lock()
    running = most = 0
    full = threading.Event()

    def work():
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            if running == MOST_THREADS:
                full.set()
        gate.wait(SOON)
        with lock:
            running -= 1

    jobs = [plain(work) for _ in range(MOST_THREADS + 5)]
    before = set(threads_for_plain_bodies())
    seen = []

    async def look():
        await asyncio.to_thread(full.wait, SOON)
        seen.extend(states(*jobs))
        seen.append(len(set(threads_for_plain_bodies()) - before))
        gate.set()

    assert Scheduler(Job(look), *jobs).orchestrate()
    assert seen == ["RUNNING"] * MOST_THREADS + ["SCHEDULED"] * 5 + [MOST_THREADS]
    assert most == MOST_THREADS
    assert states(*jobs) == ["DONE"] * len(jobs)


def test_threads_are_used_again_and_never_more_than_that():
    """However many jobs there are, and how quickly they end."""
    most = 0

    class Many(Flow):
        @step
        def items(self):
            return range(500)

        @each(items)
        def work(self, item):
            nonlocal most
            most = max(most, len(threads_for_plain_bodies()))

    assert perform(Many())
    assert 1 <= most <= MOST_THREADS


def test_nested_runs_share_the_threads_of_the_outermost(gate):
    """At most so many at once means in all levels together."""
    lock = threading.Lock()
    running = most = 0

    def work():
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        gate.wait(0.05)
        with lock:
            running -= 1

    def level():
        return Scheduler(*(plain(work) for _ in range(MOST_THREADS)))

    assert Scheduler(level(), level(), level()).orchestrate(loop_factory=VirtualClockLoop)
    assert most <= MOST_THREADS


def test_a_window_counts_for_plain_methods_too():
    """Rule 6, beside the number of threads."""
    lock = threading.Lock()
    running = most = 0

    def work():
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.001)
        with lock:
            running -= 1

    jobs = [plain(work) for _ in range(10)]
    assert Scheduler(*jobs, window=2).orchestrate(loop_factory=VirtualClockLoop)
    assert most <= 2


def test_no_thread_is_left_after_the_run():
    """They end by themselves; nobody waits for them, so this does, within a bound."""
    perform_many = Scheduler(*(plain(int) for _ in range(20)))
    for _ in range(3):
        assert perform_many.orchestrate(loop_factory=VirtualClockLoop)
    for thread in threads_for_plain_bodies():
        thread.join(SOON)
    assert threads_for_plain_bodies() == []


def test_a_run_without_plain_methods_starts_no_thread():
    """It costs nothing."""
    before = threads_for_plain_bodies()

    async def look():
        look.threads = threads_for_plain_bodies()

    Scheduler(Job(look)).orchestrate(loop_factory=VirtualClockLoop)
    assert set(look.threads) <= set(before)


def test_an_executor_of_these_threads_is_an_executor(gate):
    """Calls that were cancelled before their turn are left out."""
    threads = DaemonThreads(1)
    assert threads.submit(lambda a, b: a + b, 1, b=2).result(SOON) == 3
    with pytest.raises(ValueError, match="invalid literal"):
        threads.submit(int, "x").result(SOON)
    held = threads.submit(gate.wait, SOON)
    called = []
    cancelled = threads.submit(called.append, "cancelled")
    assert cancelled.cancel()
    gate.set()
    assert threads.submit(called.append, "last").result(SOON) is None
    assert (held.result(SOON), called) == (True, ["last"])
    threads.shutdown()
    with pytest.raises(RuntimeError, match="is over"):
        threads.submit(int)


def test_there_are_never_more_threads_than_promised(gate):
    """Also when nobody sees to it: those that wait are called when a thread has time for them."""
    threads = DaemonThreads(2)
    before = set(threads_for_plain_bodies())
    futures = [threads.submit(gate.wait, SOON) for _ in range(5)]
    assert len(set(threads_for_plain_bodies()) - before) == 2
    gate.set()
    assert [future.result(SOON) for future in futures] == [True] * 5
    threads.shutdown()


def test_a_thread_that_has_nothing_to_do_makes_the_next_call():
    """Another one starts only when there are more calls than threads."""
    threads = DaemonThreads(5)
    before = set(threads_for_plain_bodies())
    assert [threads.submit(int).result(SOON) for _ in range(5)] == [0] * 5
    assert len(set(threads_for_plain_bodies()) - before) == 1
    threads.shutdown()


def test_after_calls_that_have_ended_as_many_are_made_at_once_as_before():
    """The second of the two waits for the first, and would for ever if it had no thread."""
    threads = DaemonThreads(2)
    both = threading.Barrier(2)
    assert [threads.submit(int).result(SOON) for _ in range(2)] == [0, 0]
    futures = [threads.submit(both.wait, SOON) for _ in range(2)]
    assert sorted(future.result(SOON) for future in futures) == [0, 1]
    threads.shutdown()


def test_a_thread_that_waits_for_a_call_does_not_keep_the_last_result():
    """What nobody else has is gone when the call is over, not when the next one is made."""
    threads = DaemonThreads(1)
    gone = threading.Event()

    class Result:
        pass

    result = threads.submit(Result).result(SOON)
    weakref.finalize(result, gone.set)
    del result
    assert gone.wait(SOON)
    threads.shutdown()


def test_a_call_that_no_thread_could_be_started_for_is_never_made(monkeypatch):
    """Who submits it hears of that; the next call has a thread when there is one again."""
    threads = DaemonThreads(1)
    called = []

    def refuse(_):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="new thread"):
            threads.submit(called.append, "first")
    assert threads.submit(called.append, "second").result(SOON) is None
    assert called == ["second"]
    threads.shutdown()


def test_a_thread_is_given_up_though_there_is_no_other_to_be_had(monkeypatch):
    """R14: the run goes on to its end; what waits has a thread when one of the others is free."""
    threads = DaemonThreads(2)
    gates = [threading.Event(), threading.Event()]
    stuck, busy = (threads.submit(gate.wait, SOON) for gate in gates)
    waiting = threads.submit(lambda: "at last")

    def refuse(_):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        threads.give_up_one()
    assert not waiting.done()
    gates[1].set()

    assert waiting.result(SOON) == "at last"
    assert busy.result(SOON) is True
    assert not stuck.done()
    gates[0].set()
    threads.shutdown()


def test_the_threads_are_numbered():
    """So that a debugger, or a dump of all stacks, can tell them from others."""
    threads = DaemonThreads(2)
    both = threading.Barrier(2)

    def name():
        both.wait(SOON)
        return threading.current_thread().name

    futures = [threads.submit(name) for _ in range(2)]
    assert sorted(future.result(SOON) for future in futures) == ["flowdeco-1", "flowdeco-2"]
    threads.shutdown()


def test_another_thread_takes_the_place_of_one_that_was_given_up(gate):
    """The call that waits is made at once, and then there are as many threads at work as before."""
    threads = DaemonThreads(1)
    before = set(threads_for_plain_bodies())
    stuck = threads.submit(gate.wait, CAP)
    waiting = threads.submit(int)
    threads.give_up_one()
    assert waiting.result(SOON) == 0
    assert [threads.submit(int).result(SOON) for _ in range(3)] == [0, 0, 0]
    held = [threads.submit(gate.wait, CAP) for _ in range(2)]
    assert len(set(threads_for_plain_bodies()) - before) == 2
    gate.set()
    assert [future.result(SOON) for future in (stuck, *held)] == [True, True, True]
    threads.shutdown()


def test_jobs_that_call_other_jobs_have_no_more_threads_than_others(gate):
    """A body may await what another job would do; that is no way round the number of threads."""
    most = 0

    def work():
        nonlocal most
        most = max(most, len(threads_for_plain_bodies()))
        gate.wait(0.01)

    async def all_at_once():
        await asyncio.gather(*(plain(work).co_run() for _ in range(MOST_THREADS * 3)))

    assert Scheduler(Job(all_at_once)).orchestrate(loop_factory=VirtualClockLoop)
    assert 1 <= most <= MOST_THREADS


# What cannot be stopped


def blocked(gate, started=None):
    def body():
        if started is not None:
            started.set()
        gate.wait(CAP)
        return "late"

    return body


def test_a_job_over_its_timeout_is_waited_for_during_the_grace(gate):
    """It has failed, and is not stuck, if it ends in that time."""

    def slow():
        gate.wait(CAP)

    job = plain(slow, timeout=0.01)
    assert Scheduler(job, grace=SOON).orchestrate(loop_factory=lambda: LateClockLoop(gate))
    assert job.state is State.FAILED
    assert isinstance(job.raised_exception(), TimeoutError)


def test_a_failure_after_the_timeout_is_the_cause(gate):
    """As that of a coroutine."""

    def slow():
        gate.wait(CAP)
        raise KeyError("late")

    job = plain(slow, timeout=0.01)
    assert Scheduler(job, grace=SOON).orchestrate(loop_factory=lambda: LateClockLoop(gate))
    assert isinstance(job.raised_exception().__cause__, KeyError)


def test_a_thread_that_does_not_end_is_stuck_and_the_run_ends_on_time(gate, caplog):
    """R14: the warning names the job; the value that comes later is nobody's."""
    job = plain(blocked(gate), label="blocked")
    scheduler = Scheduler(job, timeout=0.05, grace=0.1)
    began = time.monotonic()

    assert scheduler.orchestrate(loop_factory=HeedlessLoop) is False

    assert time.monotonic() - began < SOON
    assert job.state is State.STUCK
    assert scheduler.report.duration == pytest.approx(0.15)
    assert "'blocked' is stuck" in caplog.text


@pytest.mark.parametrize("within", [False, True])
def test_a_stuck_thread_gives_its_place_back_and_the_run_goes_on(within, gate):
    """There may be one thread more than places for a while: it is abandoned, in nested runs too."""
    stuck = [plain(blocked(gate), timeout=0.01, label="stuck") for _ in range(MOST_THREADS)]
    after = plain(int, label="after")
    before = [Scheduler(*stuck, grace=0.05)] if within else stuck
    if within:
        after.requires(before)

    Scheduler(*before, after, grace=0.05, timeout=SOON).orchestrate()

    assert {job.state for job in stuck} == {State.STUCK}
    assert after.state is State.DONE


def test_the_value_of_a_thread_that_ends_in_the_grace_of_a_stopped_run_is_kept(gate):
    """X07: done, as a job that swallowed its cancellation."""

    def slow():
        gate.wait(CAP)
        return "value"

    job = plain(slow)
    scheduler = Scheduler(job, timeout=0.01, grace=SOON)
    assert scheduler.orchestrate(loop_factory=lambda: LateClockLoop(gate)) is False
    assert (job.state, job.result()) == (State.DONE, "value")


def test_a_cancel_while_waiting_for_a_thread_starts_nothing_and_loses_no_place(gate):
    """W02: those who wait are idle again, and the places are free in the next run."""
    started = threading.Event()
    calls = []

    def first():
        started.set()
        gate.wait(SOON)

    jobs = [plain(first) for _ in range(MOST_THREADS)]
    waiting = [plain(lambda: calls.append(1)) for _ in range(3)]
    scheduler = Scheduler(*jobs, *waiting)

    async def main():
        task = asyncio.ensure_future(scheduler.co_orchestrate())
        await asyncio.to_thread(started.wait, SOON)
        assert states(*waiting) == ["SCHEDULED"] * 3
        task.cancel()
        asyncio.get_running_loop().call_later(0.02, gate.set)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert states(*waiting) == ["IDLE"] * 3
        assert calls == []
        return await scheduler.co_orchestrate()

    assert asyncio.run(main()) is True
    assert calls == [1, 1, 1]


def test_an_item_that_waits_for_a_thread_gives_its_other_places_back(gate):
    """The each is stopped while an item holds a place of the window, and waits for a thread."""

    class Fan(Flow, window=MOST_THREADS + 2):
        @step
        async def items(self):
            return range(MOST_THREADS + 5)

        @each(items)
        def work(self, item):
            gate.wait(SOON)

    async def main():
        flow = Fan()
        task = asyncio.ensure_future(flow.co_run())
        while states(*flow.work.children).count("RUNNING") < MOST_THREADS:
            await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(0.02, gate.set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return states(*flow.work.children)

    assert asyncio.run(main()) == ["DONE"] * MOST_THREADS + ["IDLE"]


def test_no_place_is_lost_when_an_each_is_stopped_whose_items_wait_for_threads(gate):
    """W02: they hold places of the flow's window, which others go on to use."""
    tasks = []
    most = running = 0

    def drawn():
        tasks.append(asyncio.current_task())
        yield from range(MOST_THREADS + 3)

    class Fan(Flow, window=MOST_THREADS + 1):
        @step
        async def items(self):
            return drawn()

        @each(items)
        def victim(self, item):
            gate.wait(SOON)

        @step
        async def numbers(self):
            return range(MOST_THREADS + 1)

        @each(numbers)
        async def late(self, number):
            nonlocal most, running
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.1)
            running -= 1

        order = victim >> numbers

    flow = Fan()

    async def main():
        task = asyncio.ensure_future(flow.co_run())
        begun = ["RUNNING"] * MOST_THREADS + ["SCHEDULED"]
        while states(*flow.victim.children) != begun:
            await asyncio.sleep(0)
        tasks[0].cancel()
        asyncio.get_running_loop().call_later(0.02, gate.set)
        return await task

    assert asyncio.run(main())
    assert states(*flow.victim.children) == ["DONE"] * MOST_THREADS + ["IDLE"]
    assert most == MOST_THREADS + 1


def test_a_second_run_while_a_thread_of_the_first_is_still_stuck(gate):
    """What it does later changes nothing, is logged, and prevents nothing (section 2)."""
    calls = []

    def sometimes():
        calls.append(len(calls))
        if len(calls) == 1:
            gate.wait(CAP)
            return "old"
        return "new"

    job = plain(sometimes)
    scheduler = Scheduler(job, grace=0.05)

    async def main():
        first = await scheduler.co_orchestrate(0.05)
        stuck = job.state
        second = await scheduler.co_orchestrate()
        gate.set()
        await asyncio.sleep(0.05)
        return first, stuck, second, job.result()

    assert run_late(main()) == (False, State.STUCK, True, "new")


def test_a_late_failure_is_logged(gate, caplog):
    """Rule 14: with its traceback, where there still is a loop to hear it."""

    def late():
        gate.wait(CAP)
        raise ValueError("much later")

    scheduler = Scheduler(plain(late, label="late"), timeout=0.01, grace=0.02)

    async def main():
        await scheduler.co_orchestrate()
        gate.set()
        while "much later" not in caplog.text:
            await asyncio.sleep(0.01)

    run_late(asyncio.wait_for(main(), CAP))
    assert "'late', which was stuck, has failed" in caplog.text


def test_a_stuck_thread_does_not_hang_a_loop_that_closes(gate):
    """`asyncio.run` cancels what is left and waits for it: an abandoned job lets go."""
    scheduler = Scheduler(plain(blocked(gate)), timeout=0.01, grace=0.02)
    began = time.monotonic()

    assert run_late(scheduler.co_orchestrate()) is False

    assert time.monotonic() - began < SOON


def test_a_call_that_has_not_begun_when_its_run_is_over_is_never_made(gate):
    """It waits for a thread, and what waits for it has been left behind."""
    calls = []
    full = threading.Event()
    before = set(threads_for_plain_bodies())

    def hold():
        calls.append("begun")
        if len(calls) == MOST_THREADS:
            full.set()
        gate.wait(CAP)

    async def one_too_many():
        await asyncio.gather(*(plain(hold).co_run() for _ in range(MOST_THREADS + 1)))

    async def ends():
        await asyncio.to_thread(full.wait, SOON)
        raise ValueError

    scheduler = Scheduler(Job(one_too_many), Job(ends, critical=True), grace=0.02)
    assert not scheduler.orchestrate()
    gate.set()
    for thread in set(threads_for_plain_bodies()) - before:
        thread.join(SOON)
    assert calls == ["begun"] * MOST_THREADS


@pytest.mark.parametrize("fails", [False, True])
def test_a_thread_that_ends_when_its_loop_is_closed_tells_the_log(fails, gate, caplog):
    """R15, rule 14: there is no loop that could be told, and no exception is lost."""
    before = set(threads_for_plain_bodies())

    def late():
        gate.wait(CAP)
        if fails:
            raise ValueError("much later")

    assert not Scheduler(plain(late), timeout=0.01, grace=0.02).orchestrate()
    caplog.clear()
    gate.set()
    for thread in set(threads_for_plain_bodies()) - before:
        thread.join(SOON)
    expected = ["'late', which was stuck, has failed with ValueError: much later"] if fails else []
    assert caplog.messages == expected


# Clocks


def test_the_virtual_clock_waits_for_threads(gate):
    """No time passes while one is at work, and no timer overtakes it."""

    def work():
        gate.wait(0.03)
        return "value"

    async def sleeps():
        await asyncio.sleep(3600)

    job, other = plain(work, timeout=1), Job(sleeps)
    scheduler = Scheduler(job, other)

    assert scheduler.orchestrate(loop_factory=VirtualClockLoop)
    assert (job.state, job.ended_at, other.ended_at) == (State.DONE, 0.0, 3600.0)


@pytest.mark.slow
def test_the_virtual_clock_stands_still_while_a_thread_is_at_work(gate):
    """So that times stay exact: no timer comes before the thread has ended."""
    job = plain(blocked(gate), timeout=0.05)
    threading.Timer(SOON, gate.set).start()
    scheduler = Scheduler(job, grace=0.05)

    assert scheduler.orchestrate(loop_factory=VirtualClockLoop)
    assert (job.state, scheduler.report.duration) == (State.DONE, 0.0)


def test_by_the_virtual_clock_the_default_executor_is_closed_in_order(caplog):
    """What `asyncio.to_thread` has used, however long it takes to end."""

    class Slow(concurrent.futures.ThreadPoolExecutor):
        def shutdown(self, *args, **options):
            time.sleep(0.03)
            super().shutdown(*args, **options)

    async def uses():
        asyncio.get_running_loop().set_default_executor(Slow())
        await asyncio.to_thread(int)

    with caplog.at_level(logging.DEBUG):
        assert Scheduler(Job(uses)).orchestrate(loop_factory=VirtualClockLoop)
    assert "still at work" not in caplog.text
    in_loop(uses())


def test_services_and_threads_go_together():
    """The service is torn down after the plain step that uses it."""
    log = []

    class Served(Flow):
        @service
        async def server(self):
            log.append("up")
            yield 5
            log.append("down")

        @step(after=server)
        def use(self, value):
            log.append(value)

    assert perform(Served())
    assert log == ["up", 5, "down"]


def test_a_cancel_from_outside_waits_for_the_thread():
    """Rule 11: within the grace."""
    ended = []
    started = threading.Event()

    class Slow(Flow):
        @step
        def work(self):
            started.set()
            time.sleep(0.03)
            ended.append("work")

    async def main():
        task = asyncio.ensure_future(co_perform(Slow()))
        while not started.is_set():
            await asyncio.sleep(0)
        task.cancel("why")
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        return caught.value.args

    assert in_loop(main()) == ("why",)
    assert ended == ["work"]


def test_an_expired_thread_that_fails_in_the_grace_is_no_error_of_asyncio(gate, caplog):
    """Rule 14: what the abandoned wait for it hears is nobody's business."""

    def slow():
        gate.wait(CAP)
        raise OSError("late")

    job = plain(slow)
    with caplog.at_level(logging.DEBUG, "asyncio"):
        scheduler = Scheduler(job, timeout=0.01, grace=SOON)
        assert scheduler.orchestrate(loop_factory=lambda: LateClockLoop(gate)) is False
    assert isinstance(job.raised_exception(), OSError)
    assert [record.name for record in caplog.records if "OSError" in record.message] == ["flowdeco"]


# Processes

PROGRAM = """
import asyncio, sys, threading, time
from flowdeco import Flow, Job, Scheduler, step

def say(text):
    print(text, flush=True)

class Blocked(Flow, grace=0.2):
    seconds: float = 60

    @step
    def work(self):
        say("ready")
        time.sleep(self.seconds)
        return object()

    @work.shutdown
    async def close_work(self):
        say("hook")
"""


def run_program(body, number=None):
    """Run a program; send it a signal when it is ready. Code, output, errors and time taken."""
    popen = subprocess.Popen(
        [sys.executable, "-X", "dev", "-c", PROGRAM + textwrap.dedent(body)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        if number is not None:
            assert popen.stdout.readline().rstrip() == "ready"
            time.sleep(0.1)  # see Process.send in test_signals.py
            popen.send_signal(number)
        began = time.monotonic()
        out, err = popen.communicate(timeout=CAP)
    finally:
        popen.kill()
        popen.communicate()
    return popen.returncode, out.split(), without_slowness(err), time.monotonic() - began


@pytest.mark.process
def test_the_process_ends_on_time_although_a_thread_blocks():
    """R14: daemon threads, and no executor that is joined at exit."""
    code, out, err, seconds = run_program(
        """
        flow = Blocked()
        report = flow.run(timeout=0.3)
        say(flow.work.state.name)
        say(len(report.stuck))
        """
    )
    assert (code, out) == (0, ["ready", "hook", "STUCK", "1"])
    assert "'work' is stuck" in err
    assert "Traceback" not in err
    assert seconds < CAP / 2


@pytest.mark.process
@pytest.mark.parametrize("how", ["run(timeout=0.3)", "co_run(timeout=0.3)"])
def test_a_thread_that_ends_after_the_loop_is_closed_prints_nothing(how):
    """R15: no `Event loop is closed`, nothing un-retrieved, whether it returns or raises."""
    call = f"flow.{how}" if how.startswith("run") else f"asyncio.run(flow.{how})"
    code, out, err, _ = run_program(
        f"""
        import gc, logging

        logging.getLogger("flowdeco").setLevel(logging.CRITICAL)

        class Raises(Blocked):
            @step
            def fails(self):
                time.sleep(self.seconds)
                raise ValueError

        flow = Raises(seconds=1)
        {call}
        for thread in threading.enumerate():
            if thread is not threading.main_thread():
                thread.join()
        del flow
        gc.collect()
        say("end")
        """
    )
    assert (code, err) == (0, "")
    assert out == ["ready", "hook", "end"]


@pytest.mark.process
@pytest.mark.parametrize(
    ("number", "expected"), [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 143)]
)
def test_a_signal_ends_a_run_with_a_blocked_thread(number, expected):
    """R08 R14: within the grace, with its hooks."""
    code, out, err, seconds = run_program("Blocked().run()", number)
    assert (code, out) == (expected, ["hook"])
    assert "Task was destroyed" not in err
    assert seconds < CAP / 2
