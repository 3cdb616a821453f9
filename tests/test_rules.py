"""The numbered rules of a run, each with the situations that could break it."""

import asyncio
import contextvars
import gc
import itertools
import logging
import math
import signal
import types

import pytest
from actors import (
    Diary,
    cleans_up,
    fails,
    in_loop,
    nested,
    quick,
    sleeps,
    states,
    swallows,
    swallows_times,
    times,
    virtually,
    waits,
)

from flowdeco import (
    AbstractJob,
    Flow,
    Job,
    Observer,
    Scheduler,
    State,
    current_job,
    each,
    service,
    step,
)
from flowdeco.errors import (
    BusyError,
    CycleError,
    NestingError,
    RequirementError,
    SelfCancelledError,
    SkippedError,
    StuckError,
)
from flowdeco.testing import DeadlockError, VirtualClockLoop

# Rule 1: check first


@pytest.mark.parametrize("length", [2, 3, 50])
def test_rule_1_a_cycle_is_named_in_order_and_nothing_starts(length):
    """G01 G02 G03: a cycle behind a valid job is reported with all its jobs, before any start."""
    diary = Diary()
    first = Job(diary.step("first"))
    ring = [Job(diary.step("x"), label=f"j{i}") for i in range(length)]
    for before, after in zip(ring, [*ring[1:], ring[0]], strict=True):
        after.requires(before)
    ring[0].requires(first)
    scheduler = Scheduler(first, *ring, Job(waits, forever=True))

    with pytest.raises(CycleError) as caught:
        virtually(scheduler)

    names = [f"j{i}" for i in range(length)]
    cycle = list(caught.value.cycle)
    assert cycle[0] == cycle[-1]
    turned = cycle[cycle.index("j0") : -1] + cycle[: cycle.index("j0")]
    assert turned == names
    assert " -> ".join(cycle) in str(caught.value)
    assert diary.lines == []
    assert scheduler.rain_check() is False


def test_rule_1_a_cycle_in_a_nested_scheduler_is_found_before_the_outer_starts():
    """Nested schedulers are checked with the outer one."""
    diary = Diary()
    a, b = Job(quick, label="a"), Job(quick, label="b")
    a.requires(b)
    b.requires(a)
    outer = Scheduler(Job(diary.step("first")), Scheduler(a, b, label="inner"))

    with pytest.raises(CycleError, match="'inner'"):
        virtually(outer)

    assert diary.lines == []


def test_rule_1_a_requirement_outside_names_job_requirement_and_place():
    """G06 G07: a requirement in another scheduler, or in none, never waits."""
    other = Job(quick, label="other")
    elsewhere = Scheduler(other, label="elsewhere")
    job = Job(quick, label="job", required=other)

    with pytest.raises(RequirementError) as caught:
        virtually(Scheduler(job, label="here"))

    assert "'job' in 'here' requires 'other', which is in 'elsewhere'" in str(caught.value)
    assert (caught.value.job, caught.value.requirement) == (job, other)
    assert other in elsewhere


def test_rule_1_a_requirement_across_levels_names_both_levels():
    """G07: an inner job cannot require an outer one."""
    outer_job = Job(quick, label="outer job")
    inner = Scheduler(Job(quick, label="inner job", required=outer_job), label="inner")

    with pytest.raises(RequirementError, match=r"in 'inner' requires 'outer job'.*in 'outer'"):
        virtually(Scheduler(outer_job, inner, label="outer"))


@pytest.mark.parametrize("bad", [-1, -0.5, math.nan])
def test_rule_1_a_timeout_set_later_is_checked_before_the_run(bad):
    """A bad number that was assigned after the job was made is found before anything starts."""
    diary = Diary()
    job = Job(diary.step("x"), label="late")
    job.timeout = bad

    with pytest.raises(ValueError, match="the timeout of 'late'"):
        virtually(Scheduler(Job(diary.step("y")), job))

    assert diary.lines == []


def test_rule_1_nesting_is_limited_with_a_clear_error():
    """G25: 50 levels work; past 200 there is an error, not half a run."""
    assert virtually(nested(quick, 50)) is True
    with pytest.raises(NestingError, match="more than 200 levels"):
        virtually(nested(quick, 1000))


# Rule 2: readiness


def test_rule_2_a_job_starts_as_soon_as_all_it_requires_have_ended():
    """A diamond runs its sides at the same time, and its bottom after the longer one."""
    top, left, right = Job(sleeps(1)), Job(sleeps(2)), Job(sleeps(3))
    bottom = Job(sleeps(1))
    top >> [left, right] >> bottom

    assert virtually(Scheduler(bottom, right, left, top))

    assert times(top, left, right, bottom) == [0.0, 1.0, 1.0, 4.0]


def test_rule_2_jobs_that_become_ready_together_start_in_declaration_order():
    """W05: neither the order of `requires` nor sets decide."""
    diary = Diary()
    top = Job(diary.step("top"))
    jobs = [Job(diary.step(str(i)), required=top) for i in range(20)]
    last = Job(diary.step("last"), required=set(jobs))

    assert virtually(Scheduler(*jobs, last, top))

    starts = [text.split()[0] for text in diary.texts if text.endswith("starts")]
    assert starts == ["top", *map(str, range(20)), "last"]


def test_rule_2_what_comes_after_a_service_starts_when_it_is_ready():
    """G08: it never waits for the end of the service."""
    diary = Diary()
    server = Job(diary.service("server", up=2), forever=True)
    client = Job(diary.step("client", 1), required=server)

    assert virtually(Scheduler(server, client))

    assert diary.lines == [
        (2.0, "server up"),
        (2.0, "client starts"),
        (3.0, "client ends"),
        (3.0, "server going down"),
        (3.0, "server down"),
    ]


def test_rule_2_nothing_starts_after_the_deadline():
    """T02: busy steps one after the other stop at the deadline, although no timer gets a turn."""
    started = []
    loop = VirtualClockLoop()

    async def busy():
        started.append(loop.time())
        loop.leap(0.01)

    jobs = [Job(busy) for _ in range(200)]
    for before, after in itertools.pairwise(jobs):
        after.requires(before)
    scheduler = Scheduler(*jobs, timeout=0.3)

    assert scheduler.orchestrate(loop_factory=lambda: loop) is False

    assert scheduler.failed_timeout()
    assert max(started) < 0.3
    assert 29 <= len(started) <= 30


@pytest.mark.parametrize("limit", [None, 0.5])
def test_rule_2_nothing_starts_after_the_deadline_of_the_run_around(limit):
    """T02 T07: not in a nested run either, and the run is blamed whose deadline it was."""
    started = []
    loop = VirtualClockLoop()

    async def busy():
        started.append(loop.time())
        loop.leap(0.01)

    inner = Scheduler(*(Job(busy) for _ in range(200)), timeout=limit, label="inner")
    scheduler = Scheduler(inner, timeout=0.3, label="outer")

    assert scheduler.orchestrate(loop_factory=lambda: loop) is False

    assert 29 <= len(started) <= 30
    assert "'outer' timed out after 0.3 s" in str(scheduler.report.reason)
    assert not inner.failed_timeout()


def test_rule_2_the_time_of_a_start_is_that_of_its_first_line():
    """Also after a body that held the thread before it first waited."""
    loop = VirtualClockLoop()

    async def holds():
        loop.leap(2)
        await asyncio.sleep(1)

    first, second = Job(holds), Job(quick)
    assert Scheduler(first, second).orchestrate(loop_factory=lambda: loop)

    assert times(first, second) == [0, 2]
    assert (first.ended_at, second.ended_at) == (3, 2)


def test_rule_2_the_time_of_a_start_is_not_that_of_an_end_before_observers():
    """Who watches may take time, which is not counted as that of the job."""
    loop = VirtualClockLoop()

    class Slow(Observer):
        def job_ended(self, job):
            loop.leap(1)

    first, second = Job(quick), Job(quick)
    second.requires(first)
    assert Scheduler(first, second).orchestrate(loop_factory=lambda: loop, observers=[Slow()])

    assert times(first, second) == [0, 1]


def test_rule_2_a_run_that_begins_later_starts_later():
    """Though a nested run before it has looked at the clock."""
    first, second = Job(sleeps(1)), Job(quick)

    async def body():
        await Scheduler(first).co_orchestrate()
        await asyncio.sleep(2)
        await Scheduler(second).co_orchestrate()

    assert virtually(Scheduler(Job(body)))

    assert times(first, second) == [0, 3]


# Rule 3: skipping


class Pipeline(Flow):
    """A failing step, what takes its value, and what only comes after."""

    @step
    async def source(self) -> int:
        raise ValueError("no data")

    @step(after=source)
    async def taker(self, value: int) -> int:
        return value + 1

    @step(after=taker)
    async def second_taker(self, value: int) -> int:
        return value + 1

    @step(after=second_taker)
    async def ordered(self) -> str:
        return "ran"

    @step(after=[source])
    async def listed(self) -> str:
        return "ran"

    @step
    async def chained(self) -> str:
        return "ran"

    order = taker >> chained


def test_rule_3_what_takes_a_missing_value_is_skipped_and_what_is_ordered_runs():
    """F02: edges by a list, by `>>` or without parameters never skip; a skip is an end."""
    flow = Pipeline()

    report = flow.run(loop_factory=VirtualClockLoop)

    assert bool(report) is True
    jobs = [flow.source, flow.taker, flow.second_taker, flow.ordered, flow.listed, flow.chained]
    assert states(*jobs) == ["FAILED", "SKIPPED", "SKIPPED", "DONE", "DONE", "DONE"]
    with pytest.raises(SkippedError) as caught:
        flow.second_taker.result()
    assert isinstance(caught.value.__cause__, SkippedError)
    assert str(caught.value.__cause__.__cause__) == "no data"


def test_rule_3_a_skipped_critical_job_fails_the_run():
    """The reason names it, and the value error is in what is raised."""

    class Deploy(Flow):
        @step
        async def source(self) -> int:
            raise ValueError("no data")

        @step(after=source, critical=True)
        async def taker(self, value: int) -> int:
            return value

    flow = Deploy()
    report = flow.run(loop_factory=VirtualClockLoop)

    assert not report
    assert "'taker' was skipped" in str(report.reason)
    with pytest.raises(ExceptionGroup) as caught:
        report.raise_for_failure()
    assert [type(error) for error in caught.value.exceptions] == [SkippedError]


def test_rule_3_a_skip_comes_when_the_job_would_have_started():
    """The skipped job waits for all that it requires, as it would have done to run."""

    class Late(Flow):
        @step
        async def fails(self) -> int:
            raise ValueError

        @step
        async def slow(self) -> int:
            await asyncio.sleep(5)
            return 1

        @step(after=(fails, slow))
        async def taker(self, a: int, b: int) -> int:
            return a + b

    flow = Late()
    flow.run(loop_factory=VirtualClockLoop)

    assert (flow.taker.state, flow.taker.started_at, flow.taker.ended_at) == (
        State.SKIPPED,
        None,
        5.0,
    )


def test_rule_3_times_count_from_the_start_of_the_run():
    """Whatever the clock of the loop says: of what ran, of what failed, and of what was skipped."""

    async def main():
        await asyncio.sleep(100)
        flow = Pipeline()
        await flow.co_run()
        return flow

    flow = in_loop(main())

    assert flow.scheduler.report.duration == 0
    jobs = (flow.source, flow.taker, flow.ordered)
    assert [(job.started_at, job.ended_at) for job in jobs] == [(0, 0), (None, 0), (0, 0)]


# Rule 4: a critical failure


def test_rule_4_a_critical_failure_stops_the_run_and_starts_nothing_more():
    """F01: siblings are stopped and awaited; the same exception object is kept."""
    error = ValueError("broken")
    boom, sibling = Job(fails(1, error), critical=True), Job(waits)
    after = Job(quick, required=boom)
    scheduler = Scheduler(boom, sibling, after)

    assert virtually(scheduler) is False

    assert states(boom, sibling, after) == ["FAILED", "CANCELLED", "IDLE"]
    assert boom.raised_exception() is error
    assert scheduler.failed_critical()
    assert scheduler.report.duration == 1.0


def test_rule_4_of_two_critical_failures_the_first_is_the_reason_and_both_are_kept():
    """F03: equal delays; the one that ended first is the one declared first."""
    first, second = ValueError("first"), KeyError("second")
    a, b = Job(fails(1, first), label="a"), Job(fails(1, second), label="b")
    scheduler = Scheduler(a, b, jobs_critical=True)

    assert virtually(scheduler) is False

    assert scheduler.report.reason.exception is first
    assert [record.exception for record in scheduler.report.failures] == [first, second]
    with pytest.raises(ExceptionGroup) as caught:
        scheduler.report.raise_for_failure()
    assert caught.value.exceptions == (first, second)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_rule_4_nothing_starts_in_nested_runs_either(depth):
    """F03: what becomes ready in the very turn of the failure does not start, at any depth."""
    before = Job(sleeps(1))
    after = Job(quick, required=before)
    level = Scheduler(before, after)
    for _ in range(depth - 1):
        level = Scheduler(level)

    assert virtually(Scheduler(Job(fails(1), critical=True), level)) is False

    assert states(before, after) == ["DONE", "IDLE"]


# Rule 5: timeouts


@pytest.mark.parametrize("timeout", [None, math.inf, 1e300, 25 * 24 * 3600.0])
def test_rule_5_no_limit_and_far_limits(timeout):
    """T10 G20: None and infinity are no limit, and huge ones break no timer."""
    assert virtually(Scheduler(Job(sleeps(3)), timeout=timeout)) is True


def test_rule_5_a_timeout_of_zero_fails_at_once_without_running_a_body():
    """G20: nothing starts, and the shutdown hooks are called all the same."""
    diary = Diary()
    job = Job(diary.step("x"), shutdown=diary.hook("x"))
    scheduler = Scheduler(job, timeout=0)

    assert virtually(scheduler) is False

    assert scheduler.failed_timeout()
    assert diary.texts == ["x shuts down"]
    assert job.state is State.IDLE


@pytest.mark.parametrize(
    ("bad", "error"),
    [(-1, ValueError), (math.nan, ValueError), ("5", TypeError), (True, TypeError)],
)
@pytest.mark.parametrize("make", [lambda t: Job(quick, timeout=t), lambda t: Scheduler(timeout=t)])
def test_rule_5_bad_timeouts_are_errors_when_given(make, bad, error):
    """G20: negative, nan, bool and str never reach a run."""
    with pytest.raises(error, match="timeout"):
        make(bad)
    with pytest.raises(error, match="timeout"):
        Scheduler(Job(quick)).orchestrate(bad)


def test_rule_5_the_run_is_stopped_at_the_deadline():
    """T01: exactly then."""
    job = Job(waits)
    scheduler = Scheduler(job, timeout=0.3)

    assert virtually(scheduler) is False

    assert (scheduler.report.duration, job.state) == (0.3, State.CANCELLED)
    with pytest.raises(TimeoutError):
        scheduler.report.raise_for_failure()


def test_rule_5_no_time_at_all_is_a_failure_at_once():
    """Also of a run that has nothing to do, and before services come up."""
    job, server = Job(quick), Job(waits, forever=True)

    assert virtually(Scheduler(timeout=0)) is False
    assert virtually(Scheduler(job, server), 0) is False
    assert states(job, server) == ["IDLE", "IDLE"]


def test_rule_5_a_step_that_ends_at_the_very_deadline_counts():
    """T03: in every order of the two timers."""
    assert virtually(Scheduler(Job(sleeps(1)), timeout=1)) is True
    assert virtually(Scheduler(*(Job(sleeps(1)) for _ in range(50)), timeout=1)) is True


def test_rule_5_a_last_step_that_ends_after_the_deadline_has_timed_out():
    """T05: although nothing was left to stop."""
    loop = VirtualClockLoop()

    async def blocks():
        loop.leap(1.5)

    scheduler = Scheduler(Job(blocks), timeout=0.3)

    assert scheduler.orchestrate(loop_factory=lambda: loop) is False
    assert scheduler.failed_timeout()


def test_rule_5_the_timeout_of_a_job_comes_before_that_of_the_run():
    """T06: when both fall together the job has failed, and the run has not timed out."""
    job = Job(waits, timeout=2)
    scheduler = Scheduler(job, timeout=2)

    assert virtually(scheduler) is True

    assert job.state is State.FAILED
    assert isinstance(job.raised_exception(), TimeoutError)


def test_rule_5_none_is_not_given_and_infinity_lifts_the_limit():
    """A run takes the limit of its scheduler unless it is told another."""
    assert virtually(Scheduler(Job(sleeps(2)), timeout=1), None) is False
    assert virtually(Scheduler(Job(sleeps(2)), timeout=1), math.inf) is True
    assert virtually(Scheduler(Job(sleeps(2)), timeout=1), 3) is True


def test_rule_5_a_timeout_error_of_a_job_is_not_that_of_the_run():
    """T09 F14: it is the failure of that job."""
    job = Job(fails(0, TimeoutError("mine")))
    scheduler = Scheduler(job)

    assert virtually(scheduler) is True
    assert not scheduler.failed_timeout()
    assert job.state is State.FAILED


def test_rule_5_a_job_over_its_timeout_has_failed_whatever_it_then_does():
    """The run goes on; what it raised is the cause, what it returned is gone."""
    returns, raises = (
        Job(swallows_times(1), timeout=1),
        Job(cleans_up(1, KeyError("in clean-up")), timeout=1),
    )
    after = Job(quick, required=[returns, raises])
    scheduler = Scheduler(returns, raises, after)

    assert virtually(scheduler) is True

    assert states(returns, raises, after) == ["FAILED", "FAILED", "DONE"]
    assert str(returns.raised_exception()) == "'body' took longer than 1 s"
    assert returns.raised_exception().__cause__ is None
    assert isinstance(raises.raised_exception().__cause__, KeyError)
    assert raises.ended_at == 2.0


def test_rule_5_a_job_over_its_timeout_that_does_not_end_is_stuck():
    """A step left stuck fails the run, which goes on meanwhile."""
    job, other = Job(swallows, timeout=1), Job(sleeps(20))
    scheduler = Scheduler(job, other, grace=4)

    assert virtually(scheduler) is False

    assert states(job, other) == ["STUCK", "DONE"]
    assert isinstance(job.raised_exception(), TimeoutError)
    assert scheduler.report.duration == 20.0
    with pytest.raises(StuckError, match="'swallows'"):
        scheduler.report.raise_for_failure()


def test_rule_5_the_clean_up_of_a_stopped_job_is_not_over_its_timeout():
    """Once the run has told it to end it has the grace, whatever its own timeout."""
    job = Job(cleans_up(3), timeout=2)
    scheduler = Scheduler(job, timeout=1, grace=10)

    assert virtually(scheduler) is False
    assert states(job) == ["CANCELLED"]
    assert scheduler.report.duration == 4.0
    assert scheduler.report.failures == ()


def test_rule_5_the_clock_of_a_job_starts_with_its_body():
    """W08: waiting for a place does not count."""
    jobs = [Job(sleeps(2), timeout=3) for _ in range(3)]

    assert virtually(Scheduler(*jobs, window=1)) is True
    assert states(*jobs) == ["DONE"] * 3


# Rule 6: the window


@pytest.mark.parametrize(
    ("bad", "error"),
    [(0, ValueError), (-3, ValueError), (1.5, TypeError), (True, TypeError), ("2", TypeError)],
)
def test_rule_6_bad_windows_are_errors_when_given(bad, error):
    """G21: anything but None and a positive int."""
    with pytest.raises(error, match="window"):
        Scheduler(window=bad)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_rule_6_no_more_than_window_jobs_run_at_once(size):
    """W04: and a job that waits for a place has no task."""
    most = running = tasks = 0

    async def body():
        nonlocal most, running, tasks
        running += 1
        most = max(most, running)
        tasks = max(tasks, len(asyncio.all_tasks()))
        await asyncio.sleep(1)
        running -= 1

    jobs = [Job(body) for _ in range(14)]
    scheduler = Scheduler(*jobs, window=size)

    assert virtually(scheduler) is True

    assert most == size
    assert tasks == size + 1  # and the one that conducts the run
    assert scheduler.report.duration == math.ceil(14 / size)
    assert times(*jobs) == [float(i // size) for i in range(14)]


@pytest.mark.parametrize("end", [fails(), sleeps(0), swallows_times(0)])
def test_rule_6_a_place_is_given_back_however_a_job_ends(end):
    """W01: failures, above all, lose no place."""
    jobs = [Job(end) for _ in range(10)]

    assert virtually(Scheduler(*jobs, window=1)) is True
    assert all(job.is_done() for job in jobs)


def test_rule_6_a_place_comes_back_from_a_job_declared_stuck():
    """W07: until then it is held."""
    stuck, after = Job(swallows, timeout=1), Job(quick)
    scheduler = Scheduler(stuck, after, window=1, grace=2)

    virtually(scheduler)

    assert (stuck.state, after.started_at) == (State.STUCK, 3.0)


def test_rule_6_services_take_no_place():
    """V08: they cannot fill the window."""
    services = [Job(waits, forever=True) for _ in range(3)]
    job = Job(quick, required=services)

    assert virtually(Scheduler(*services, job, window=1)) is True


def test_rule_6_a_nested_scheduler_takes_one_place_and_its_jobs_none():
    """W06: a window of one inside a window of one is no deadlock."""
    inner = Scheduler(*(Job(sleeps(1)) for _ in range(3)), window=1)
    other = Job(sleeps(1))

    assert virtually(Scheduler(inner, other, window=1)) is True
    assert other.started_at == 3.0


def test_rule_6_a_job_that_waits_for_a_place_is_scheduled():
    """And idle again when the run ends before its turn (W02)."""
    seen = []
    first, second = Job(waits), Job(quick)

    async def look():
        seen.append((second.is_scheduled(), second.state))

    watcher = Job(look, forever=True)
    assert virtually(Scheduler(first, second, watcher, window=1, timeout=1)) is False

    assert seen == [(True, State.SCHEDULED)]
    assert second.is_idle()


# Rule 7: services


def test_rule_7_services_are_stopped_when_every_step_has_ended():
    """V01: they are awaited, and a stopped service is a good end."""
    cleaning = cleans_up(1)
    server = Job(cleaning, forever=True, critical=True)
    scheduler = Scheduler(server, Job(sleeps(2)))

    assert virtually(scheduler) is True

    assert cleaning.cleaned
    assert (server.state, scheduler.report.duration) == (State.CANCELLED, 3.0)


@pytest.mark.parametrize("patient", [True, False])
def test_rule_7_what_the_last_step_sends_to_a_service_is_received(patient):
    """The service is stopped in a later turn of the loop; also where it waits with a timeout."""
    received = []

    async def bus():
        while True:
            if patient:
                received.append(await asyncio.wait_for(queue.get(), 60))
            else:
                received.append(await queue.get())

    async def sends():
        await asyncio.sleep(1)
        queue.put_nowait("last")

    queue = asyncio.Queue()
    assert virtually(Scheduler(Job(bus, forever=True), Job(sends))) is True
    assert received == ["last"]


def test_rule_7_a_service_is_torn_down_after_all_services_that_come_after_it():
    """V11: through steps as well, and however the names are ordered."""
    diary = Diary()
    a = Job(diary.service("a", down=1), forever=True)
    middle = Job(diary.step("middle"), required=a)
    b = Job(diary.service("b", down=1), forever=True, required=middle)
    c = Job(diary.service("c", down=1), forever=True, required=b)
    alone = Job(diary.service("alone", down=1), forever=True)
    end = Job(diary.step("end"), required=c)

    assert virtually(Scheduler(c, a, end, b, middle, alone)) is True

    downs = [(when, text) for when, text in diary.lines if "down" in text]
    assert downs == [
        (0.0, "c going down"),
        (0.0, "alone going down"),
        (1.0, "c down"),
        (1.0, "alone down"),
        (1.0, "b going down"),
        (2.0, "b down"),
        (2.0, "a going down"),
        (3.0, "a down"),
    ]


def test_rule_7_steps_go_before_services_in_every_ending():
    """Also when the run fails."""
    diary = Diary()
    server = Job(diary.service("server"), forever=True)

    async def client():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(1)
            diary.note("client cleaned up")

    assert virtually(Scheduler(server, Job(client, required=server), timeout=2)) is False
    assert diary.texts == ["server up", "client cleaned up", "server going down", "server down"]


def test_rule_7_with_services_alone_a_run_lasts_until_they_have_ended():
    """G09: or until its timeout; a deadlock is impossible."""
    scheduler = Scheduler(Job(sleeps(2), forever=True), Job(sleeps(3), forever=True))
    assert (virtually(scheduler), scheduler.report.duration) == (True, 3.0)

    scheduler = Scheduler(Job(waits, forever=True), timeout=4)
    assert (virtually(scheduler), scheduler.report.duration) == (False, 4.0)


def test_rule_7_a_service_that_has_not_started_when_the_last_step_ends_never_does():
    """V07: it stays idle."""
    step_ = Job(quick)
    late = Job(waits, forever=True, required=step_)

    assert virtually(Scheduler(step_, late)) is True
    assert late.state is State.IDLE


def test_rule_7_services_are_stopped_after_steps_that_failed_or_were_skipped():
    """V09: a run without a success among its steps ends as well."""
    server = Job(waits, forever=True)
    assert virtually(Scheduler(server, Job(fails()))) is True
    assert server.state is State.CANCELLED


# Rule 8: bounded


@pytest.mark.parametrize(
    ("timeout", "others"),
    [
        (1, lambda: []),
        (None, lambda: [Job(fails(1), critical=True)]),
    ],
    ids=["timeout", "critical"],
)
def test_rule_8_a_job_that_swallows_every_cancel_is_stuck_and_the_run_ends(timeout, others, caplog):
    """X08 F05: at the end of the grace, with a warning that names it and its line."""
    stuck, clean = Job(swallows, label="bad"), Job(cleans_up(1))
    scheduler = Scheduler(stuck, clean, *others(), timeout=timeout, grace=3)

    with caplog.at_level(logging.WARNING, "flowdeco"):
        assert virtually(scheduler) is False

    assert scheduler.report.duration == 4.0
    assert states(stuck, clean) == ["STUCK", "CANCELLED"]
    assert [record.path for record in scheduler.report.stuck] == ["bad"]
    assert "'bad' is stuck" in caplog.text
    assert "actors.py" in caplog.text


def test_rule_8_a_job_that_spins_without_waiting_is_stuck_where_it_gives_way(caplog):
    """X08: where it awaits nothing but a turn of the loop, that is the line which is named."""

    @types.coroutine
    def turn():
        yield

    async def spins():
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                break
        while True:
            try:
                await turn()
            except asyncio.CancelledError:
                pass

    scheduler = Scheduler(Job(spins, label="bad"), timeout=1, grace=0)
    assert virtually(scheduler) is False
    assert [record.path for record in scheduler.report.stuck] == ["bad"]
    line = turn.__code__.co_firstlineno + 2
    assert f"it stands at {__file__}:{line}" in caplog.text


def test_rule_8_a_service_that_swallows_every_cancel_does_not_hang_the_end():
    """X08: at the end of a run that succeeds; not critical, it changes no verdict (rule 20)."""
    stuck = Job(swallows, forever=True)
    scheduler = Scheduler(stuck, Job(quick), grace=3)

    assert virtually(scheduler) is True
    assert (scheduler.report.duration, stuck.state) == (3.0, State.STUCK)

    critical = Job(swallows, forever=True, critical=True)
    scheduler = Scheduler(critical, Job(quick), grace=3)
    assert virtually(scheduler) is False
    assert "stuck" in scheduler.why()


def test_rule_8_a_job_is_cancelled_once_and_again_only_in_the_last_fifth():
    """X09: five times there, at equal distances."""
    cancels = []

    async def body():
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                cancels.append(round(asyncio.get_running_loop().time(), 6))

    virtually(Scheduler(Job(body), timeout=10, grace=5))

    assert cancels == [10.0, 14.0, 14.2, 14.4, 14.6, 14.8]


def test_rule_8_a_job_that_swallows_three_times_ends_in_the_last_fifth():
    """X09: it is not stuck."""
    job = Job(swallows_times(3))
    scheduler = Scheduler(job, timeout=1, grace=5)

    assert virtually(scheduler) is False
    assert (job.state, job.result()) == (State.DONE, "ended")
    assert scheduler.failed_timeout()
    assert 5.0 < job.ended_at < 6.0


def test_rule_8_steps_have_half_of_the_grace_when_there_are_services_to_stop():
    """And the services what is left; in a run that fails."""
    diary = Diary()
    stuck = Job(swallows)
    server = Job(diary.service("server", down=1.5), forever=True)
    scheduler = Scheduler(server, stuck, timeout=1, grace=4)

    assert virtually(scheduler) is False

    assert diary.lines[1:] == [(3.0, "server going down"), (4.5, "server down")]
    assert scheduler.report.duration == 4.5


def test_rule_8_a_teardown_may_take_all_of_the_grace_in_a_run_that_succeeds():
    """The deadline does not cut it."""
    diary = Diary()
    server = Job(diary.service("server", down=3.9), forever=True)
    scheduler = Scheduler(server, Job(sleeps(1)), timeout=2, grace=5)

    assert virtually(scheduler) is True
    assert diary.lines[-1] == (4.9, "server down")


def test_rule_8_a_teardown_that_does_not_end_is_cut_by_the_grace():
    """Then the next service has its turn."""
    diary = Diary()
    first = Job(diary.service("first"), forever=True)

    async def hanging():
        yield
        await swallows()

    last = Job(hanging, forever=True, required=first)
    scheduler = Scheduler(first, last, Job(quick, required=last), grace=4)

    assert virtually(scheduler) is True
    assert diary.lines[-1] == (2.0, "first down")
    assert states(first, last) == ["CANCELLED", "STUCK"]


def test_rule_8_tasks_and_generators_that_jobs_have_forgotten_are_ended():
    """X13 X14 R19: the verdict is not changed, and `run()` closes what is left."""
    ended = []

    async def background(name):
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    async def generator():
        try:
            yield 1
            yield 2
        finally:
            ended.append("generator")

    async def forgets():
        forgets.task = asyncio.create_task(background("task"))
        forgets.shielded = asyncio.create_task(background("shielded"))
        forgets.generator = generator()
        await anext(forgets.generator)

    assert virtually(Scheduler(Job(forgets))) is True
    assert sorted(ended) == ["generator", "shielded", "task"]


def test_rule_8_a_forgotten_task_that_swallows_cancels_does_not_hang_the_close():
    """Its coroutine is closed, so that it ends."""

    async def forgets():
        forgets.task = asyncio.create_task(swallows())
        await asyncio.sleep(0)

    assert virtually(Scheduler(Job(forgets), grace=1)) is True
    assert forgets.task.done()


def test_rule_8_a_timeout_that_comes_during_the_clean_up_changes_nothing():
    """T08: what the run has stopped was stopped by the run."""
    body = cleans_up(2)
    job = Job(body, timeout=2)

    assert virtually(Scheduler(Job(fails(1), critical=True), job)) is False

    assert (job.state, body.cleaned) == (State.CANCELLED, True)


def test_rule_8_without_a_grace_a_run_ends_at_once():
    """X08: what does not react to its cancellation is stuck then."""
    scheduler = Scheduler(Job(swallows), Job(waits), Job(swallows, forever=True), grace=0)

    assert virtually(scheduler, 1) is False

    assert scheduler.report.duration == 1
    assert len(scheduler.report.stuck) == 2


def test_rule_8_what_was_stopped_and_is_stuck_is_not_the_reason():
    """X08: the reason is why it was stopped."""
    timed_out, failed = Scheduler(Job(swallows)), Scheduler(Job(swallows))
    failed.add(Job(fails(1), critical=True))

    assert virtually(timed_out, 1) is virtually(failed) is False

    assert timed_out.failed_timeout()
    assert failed.failed_critical()


def test_rule_8_what_was_stopped_is_not_stopped_again():
    """T08: a job over its timeout cleans up in peace, though the run ends meanwhile."""
    body = cleans_up(2)
    job = Job(body, timeout=1)

    assert virtually(Scheduler(job, Job(waits)), 2) is False

    assert body.cleaned
    assert isinstance(job.raised_exception(), TimeoutError)
    assert job.raised_exception().__cause__ is None
    assert job.ended_at == 3


def test_rule_8_an_exit_during_the_clean_up_leaves():
    """F15: the job was over its timeout, which hides no exit."""
    with pytest.raises(SystemExit) as caught:
        virtually(Scheduler(Job(cleans_up(1, SystemExit(3)), timeout=1), Job(waits)))

    assert caught.value.code == 3


def test_rule_8_a_body_has_its_time_though_the_run_within_it_has_ended():
    """X18: the grace is that of the outer run, and not over with the first thing that has ended."""
    ended = []

    async def body():
        try:
            await Scheduler(Job(waits)).co_orchestrate()
        finally:
            await asyncio.sleep(2)
            ended.append(asyncio.get_running_loop().time())

    job = Job(body)
    assert virtually(Scheduler(job, timeout=1, grace=5)) is False
    assert (job.state, ended) == (State.CANCELLED, [3])


async def shields(run):
    """Begin a run, and keep every cancellation from it."""
    task = asyncio.ensure_future(run)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            pass


@pytest.mark.parametrize(
    ("inner", "state", "reason"),
    [
        (lambda: Scheduler(Job(waits)), "CANCELLED", "from outside"),
        (lambda: Scheduler(Job(swallows), grace=100), "STUCK", "from outside"),
        (
            lambda: Scheduler(Job(swallows), grace=100, timeout=0.5),
            "STUCK",
            "timed out after 0.5 s",
        ),
    ],
)
def test_rule_8_a_run_that_its_body_shields_ends_with_the_grace_around_it(inner, state, reason):
    """X18: whether it has begun to end by itself or not; its hooks are called with those around."""
    diary = Diary()
    run = inner()
    (job,) = run
    run.add(Job(quick, shutdown=diary.hook("inner", 0.5)))
    body = Job(lambda: shields(run.co_orchestrate()), shutdown=diary.hook("outer", 0.5))
    scheduler = Scheduler(body, timeout=1, grace=2)

    assert virtually(scheduler) is False

    assert sorted(diary.lines) == [(3.0, "inner shuts down"), (3.0, "outer shuts down")]
    assert scheduler.report.duration == 3.5
    assert states(body, job) == ["DONE", state]
    assert run.why().endswith(reason)


def test_rule_8_a_body_that_begins_one_run_after_the_other_is_stuck_in_the_end():
    """X18: nothing starts in a run that begins when the time of its body is over."""
    started = []

    async def inner():
        started.append(asyncio.get_running_loop().time())
        await waits()

    async def body():
        while job.state is State.RUNNING:
            try:
                await Scheduler(Job(inner)).co_orchestrate()
            except asyncio.CancelledError:
                pass

    job = Job(body)
    scheduler = Scheduler(job, Job(fails(1), critical=True), grace=2)

    assert virtually(scheduler) is False

    assert scheduler.report.duration == 3.0
    assert job.state is State.STUCK
    assert [round(moment, 6) for moment in started] == [0, 1, 2.6, 2.68, 2.76, 2.84, 2.92]


def test_rule_8_hooks_of_all_runs_within_a_body_end_with_the_grace_around_them():
    """Rule 10: of all those that it has begun and that go on, whichever have ended before."""
    ended = []

    async def hook():
        try:
            await waits()
        finally:
            ended.append(asyncio.get_running_loop().time())

    def slow_to_end():
        return Scheduler(Job(quick, shutdown=hook), shutdown_timeout=1000)

    async def body():
        runs = [slow_to_end(), Scheduler(Job(sleeps(1))), slow_to_end()]
        await asyncio.gather(*(run.co_orchestrate() for run in runs), return_exceptions=True)

    scheduler = Scheduler(Job(body), timeout=2, grace=5)
    assert virtually(scheduler) is False
    assert ended == [7, 7]
    assert scheduler.report.stuck == ()


def test_rule_9_a_run_leaves_no_timer():
    """Timeouts that did not come, of jobs and of runs, are forgotten."""
    loop = VirtualClockLoop()
    scheduler = Scheduler(Scheduler(Job(sleeps(1), timeout=50), timeout=60), timeout=70)

    assert loop.run_until_complete(scheduler.co_orchestrate())

    waiting = loop.create_task(waits())
    with pytest.raises(DeadlockError):
        loop.run_until_complete(waiting)
    assert loop.time() == 1
    waiting.cancel()
    loop.run_until_complete(asyncio.wait([waiting]))
    loop.close()


# Rule 9: no leak


def test_rule_9_no_task_is_left_when_a_run_has_ended():
    """Nested runs included."""

    async def main():
        before = asyncio.all_tasks()
        inner = Scheduler(Job(waits), Job(waits, forever=True))
        outer = Scheduler(Scheduler(inner, label="middle"), Job(waits, forever=True), timeout=1)
        ok = await outer.co_orchestrate()
        return ok, asyncio.all_tasks() == before

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        assert runner.run(main()) == (False, True)


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_rule_9_a_nested_tree_is_drained_within_one_grace(depth):
    """X18: not one a level; the job at the bottom is stuck, those around it are not."""
    scheduler = nested(swallows, depth)

    assert virtually(scheduler, 1) is False

    assert scheduler.report.duration == 6.0
    assert [record.path.count("/") for record in scheduler.report.stuck] == [depth - 1]


# Rule 10: shutdown once


async def stopped_by_cancel(scheduler):
    task = asyncio.create_task(scheduler.co_orchestrate())
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def ways_to_end():
    yield "success", quick, {}
    yield "critical", fails(1), {}
    yield "timeout", waits, {"timeout": 1}
    yield "exit", fails(1, SystemExit(3)), {}
    yield "interrupt", fails(1, KeyboardInterrupt()), {}
    yield "cancel", waits, {}


@pytest.mark.parametrize(
    ("way", "body", "options"), list(ways_to_end()), ids=[way for way, *_ in ways_to_end()]
)
def test_rule_10_every_hook_is_called_once_whatever_ended_the_run(way, body, options):
    """S05 S07 X18: started or not, after the bodies, in nested schedulers too."""
    diary = Diary()
    main = Job(body, critical=True, shutdown=diary.hook("main"))
    never = Job(quick, required=main, shutdown=diary.hook("never"))
    inner = Scheduler(Job(waits, shutdown=diary.hook("inner")), forever=True)
    asleep = Scheduler(Job(quick, shutdown=diary.hook("asleep")), required=main)
    scheduler = Scheduler(main, never, inner, asleep, **options)

    async def run():
        if way == "cancel":
            await stopped_by_cancel(scheduler)
        else:
            await scheduler.co_orchestrate()

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        if way in ("exit", "interrupt"):
            with pytest.raises((SystemExit, KeyboardInterrupt)):
                # It leaves the task of the caller, and with it the loop.
                runner.run(run())
        else:
            runner.run(run())

    hooks = [text for text in diary.texts if "shuts down" in text]
    assert sorted(hooks) == sorted(f"{n} shuts down" for n in ("main", "never", "inner", "asleep"))
    assert scheduler.shutdown() is True
    assert len(diary.texts) == len(hooks)


def test_rule_10_hooks_run_at_the_same_time_and_one_that_raises_stops_no_other():
    """S01 S06: the error is in the report, and the verdict unchanged (rule 20)."""
    diary = Diary()
    jobs = [
        Job(quick, label="bad", shutdown=diary.hook("bad", error=ValueError("hook"))),
        Job(quick, shutdown=diary.hook("slow", 0.5)),
        Job(quick, shutdown=diary.hook("also slow", 0.5)),
    ]
    scheduler = Scheduler(*jobs)

    assert virtually(scheduler) is True

    assert scheduler.report.duration == 0.5
    assert str(scheduler.report.shutdown_errors["bad"]) == "hook"
    assert scheduler.shutdown() is False


@pytest.mark.parametrize("body", [waits, swallows])
def test_rule_10_hooks_are_bounded(body, caplog):
    """S02 S03: cancelled in the last fifth of their time, left behind at its end, reported."""
    scheduler = Scheduler(Job(quick, label="x", shutdown=body), shutdown_timeout=2)

    assert virtually(scheduler) is True

    assert scheduler.report.duration <= 2.0
    assert isinstance(scheduler.report.shutdown_errors["x"], TimeoutError)


def test_rule_10_a_hook_is_left_alone_for_the_whole_of_its_time():
    """S02: unlike a body, which is asked again in the last fifth of the grace."""
    scheduler = Scheduler(Job(quick, shutdown=sleeps(1.95)), shutdown_timeout=2)

    assert virtually(scheduler) is True

    assert scheduler.report.shutdown_errors == {}
    assert scheduler.report.duration == 1.95


def test_rule_14_what_a_timeout_in_a_clean_up_replaces_is_not_lost():
    """The failure that the body was about to end with is behind that of the timeout."""

    async def body():
        try:
            raise ValueError("first")
        finally:
            await asyncio.sleep(10)

    job = Job(body, timeout=1)
    assert virtually(Scheduler(job)) is True
    error = job.raised_exception()
    assert isinstance(error, TimeoutError)
    assert isinstance(error.__cause__, asyncio.CancelledError)
    assert str(error.__cause__.__context__) == "first"


def test_rule_10_a_hook_that_exits_lets_the_others_run():
    """S04: then the exit leaves."""
    diary = Diary()
    scheduler = Scheduler(
        Job(quick, shutdown=diary.hook("bad", error=SystemExit(4))),
        Job(quick, shutdown=diary.hook("good", 0.5)),
    )

    with pytest.raises(SystemExit) as caught:
        virtually(scheduler)

    assert caught.value.code == 4
    assert diary.texts == ["bad shuts down", "good shuts down"]


def test_rule_10_hooks_are_called_in_each_run():
    """S08 S09: once a run; an explicit call after it does nothing and says the same."""
    diary = Diary()
    scheduler = Scheduler(Job(quick, shutdown=diary.hook("x")))

    assert [virtually(scheduler), virtually(scheduler)] == [True, True]
    assert diary.texts == ["x shuts down"] * 2
    assert scheduler.shutdown() is True
    assert diary.texts == ["x shuts down"] * 2


def test_rule_10_a_nested_run_that_ends_by_itself_calls_its_hooks_then():
    """S06: before the enclosing run goes on."""
    diary = Diary()
    inner = Scheduler(Job(quick, shutdown=diary.hook("inner")))
    after = Job(diary.step("after", 1), required=inner, shutdown=diary.hook("after"))

    assert virtually(Scheduler(inner, after)) is True
    assert diary.texts == ["inner shuts down", "after starts", "after ends", "after shuts down"]


def test_rule_10_the_state_of_a_job_is_visible_in_its_hook():
    """S05: never before its body has ended, unless it is stuck."""
    seen = {}

    class Watched(AbstractJob):
        def __init__(self, body, **options):
            super().__init__(**options)
            self.body = body

        async def co_run(self):
            return await self.body()

        async def co_shutdown(self):
            seen[self.label] = self.state.name

    scheduler = Scheduler(
        Watched(quick, label="done"),
        Watched(fails(), label="failed"),
        Watched(cleans_up(1), label="cancelled"),
        Watched(swallows, label="stuck"),
        timeout=1,
        grace=2,
    )
    scheduler.add(Watched(quick, label="idle", required=scheduler.find("cancelled")))
    virtually(scheduler)

    assert seen == {
        "done": "DONE",
        "failed": "FAILED",
        "cancelled": "CANCELLED",
        "stuck": "STUCK",
        "idle": "IDLE",
    }


def test_rule_10_a_nested_run_that_its_body_cuts_short_calls_its_hooks_itself():
    """X02: at once, for no enclosing run has ended it."""
    diary = Diary()
    inner = Scheduler(Job(waits, shutdown=diary.hook("inner")))

    async def body():
        try:
            async with asyncio.timeout(1):
                await inner.co_orchestrate()
        except TimeoutError:
            await asyncio.sleep(1)

    assert virtually(Scheduler(Job(body, shutdown=diary.hook("outer"))))

    assert diary.lines == [(1, "inner shuts down"), (2, "outer shuts down")]


# Rule 11: a cancel from outside


def test_rule_11_a_cancel_from_outside_leaves_as_it_came():
    """X03: after the clean-up, with its message, and the count of requests untouched."""
    cleaning = cleans_up(1)
    result = {}

    async def main():
        scheduler = Scheduler(Job(cleaning))
        task = asyncio.create_task(scheduler.co_orchestrate())
        await asyncio.sleep(1)
        for _ in range(5):
            task.cancel("why")
            await asyncio.sleep(0.01)
        try:
            await task
        except asyncio.CancelledError as error:
            result.update(args=error.args, cancelling=task.cancelling())
        return asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        assert runner.run(main()) == 2.0
    assert result == {"args": ("why",), "cancelling": 5}
    assert cleaning.cleaned


def test_rule_11_a_timeout_written_round_the_run_works():
    """X02: it sees its own cancellation come back."""
    job = Job(cleans_up(1))

    async def main():
        async with asyncio.timeout(0.5):
            await Scheduler(job).co_orchestrate()

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner, pytest.raises(TimeoutError):
        runner.run(main())
    assert job.state is State.CANCELLED


def test_rule_11_a_cancel_during_the_hooks_leaves_them_their_time():
    """X06: they keep the rest of the shutdown timeout."""
    diary = Diary()
    scheduler = Scheduler(Job(quick, shutdown=diary.hook("x", 0.5)))

    async def main():
        task = asyncio.create_task(scheduler.co_orchestrate())
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        assert runner.run(main()) == 0.5
    assert scheduler.report.shutdown_errors == {}
    assert scheduler.why() == "cancelled from outside"


# Rule 12: exits


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_rule_12_an_exit_in_a_job_leaves_bare_after_the_clean_up(error):
    """F12 F13: siblings are stopped, hooks called, then the same object is raised."""
    diary = Diary()
    cleaning = cleans_up(1)
    scheduler = Scheduler(Job(fails(1, error)), Job(cleaning, shutdown=diary.hook("x")))

    with pytest.raises((SystemExit, KeyboardInterrupt)) as caught:
        virtually(scheduler)

    assert caught.value is error
    assert cleaning.cleaned
    assert diary.texts == ["x shuts down"]


@pytest.mark.allow_asyncio_errors  # the task has an exception that nobody asks for
def test_rule_12_an_exit_in_a_task_that_a_job_has_made_ends_the_run_in_order():
    """F12: it goes through the event loop, and is caught there."""
    diary = Diary()

    async def exits():
        raise SystemExit(5)

    async def body():
        body.task = asyncio.create_task(exits())
        await asyncio.Event().wait()

    with pytest.raises(SystemExit) as caught:
        virtually(Scheduler(Job(body, shutdown=diary.hook("x"))))

    assert caught.value.code == 5
    assert diary.texts == ["x shuts down"]


def test_rule_12_handlers_are_put_back():
    """R10: and `co_run` touches none."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    during = []

    async def body():
        during.append((signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)))

    virtually(Scheduler(Job(body)))
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        runner.get_loop().run_until_complete(Scheduler(Job(body)).co_orchestrate())

    assert during[0] != before
    assert during[1] == before
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


# Rule 13: what is a failure


class Falsy(Exception):
    def __bool__(self):
        return False

    def __len__(self):
        return 0

    def __eq__(self, other):
        raise RuntimeError("compared")

    __hash__ = None


async def cancels_itself():
    asyncio.current_task().cancel()
    await asyncio.sleep(1)


async def awaits_what_was_cancelled():
    await asyncio.sleep(0)
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


@pytest.mark.parametrize(
    "body", [fails(0, asyncio.CancelledError("own")), cancels_itself, awaits_what_was_cancelled]
)
def test_rule_13_a_cancellation_of_its_own_is_a_failure(body):
    """F08 F09 F11: an `Exception` whose cause is the cancellation."""
    job, other = Job(body, critical=True), Job(waits)
    scheduler = Scheduler(job, other)

    assert virtually(scheduler) is False

    assert states(job, other) == ["FAILED", "CANCELLED"]
    assert isinstance(job.raised_exception(), SelfCancelledError)
    assert isinstance(job.raised_exception().__cause__, asyncio.CancelledError)


@pytest.mark.parametrize("turns", [0, 1, 5])
def test_rule_13_a_job_cancelled_by_somebody_else_has_failed(turns):
    """F10: also when that came before its first line, where tasks start late; the run goes on."""
    victim, after = Job(waits, label="victim"), Job(quick)
    after.requires(victim)

    async def murderer():
        for _ in range(turns):
            await asyncio.sleep(0)
        while not (victims := others_performing()):
            await asyncio.sleep(0)  # where bodies start at once, this one was first
        for task in victims:
            task.cancel()

    def others_performing():
        others = asyncio.all_tasks() - {asyncio.current_task()}
        return [task for task in others if "Execution." in repr(task)]

    scheduler = Scheduler(Job(murderer), victim, after)
    assert virtually(scheduler) is True
    assert isinstance(victim.raised_exception(), SelfCancelledError)
    assert after.state is State.DONE


def test_rule_13_a_falsy_exception_is_a_failure():
    """F15: whatever its truth, its length and its equality are."""
    error = Falsy()
    job = Job(fails(0, error), critical=True)

    assert virtually(Scheduler(job)) is False
    assert job.raised_exception() is error


@pytest.mark.parametrize(
    "error",
    [
        GeneratorExit(),
        StopAsyncIteration(),
        ExceptionGroup("g", [ValueError()]),
        BaseExceptionGroup("g", [SystemExit(1)]),
        MemoryError(),
        RecursionError(),
    ],
    ids=repr,
)
def test_rule_13_any_other_exception_is_an_ordinary_failure(error):
    """F14 F23: of whatever base."""
    job, other = Job(fails(0, error)), Job(sleeps(1))

    assert virtually(Scheduler(job, other)) is True
    assert (job.raised_exception(), other.state) == (error, State.DONE)


def test_rule_13_a_stop_iteration_appears_as_python_has_it():
    """F14: a `RuntimeError` with the cause."""
    job = Job(fails(0, StopIteration(3)))
    assert virtually(Scheduler(job)) is True
    assert isinstance(job.raised_exception().__cause__, StopIteration)


# Rule 14: no exception is lost


def test_rule_14_what_a_stopped_job_raises_is_kept_and_is_not_the_reason():
    """F06 X07: it is in its job and in the report."""
    first, second = ValueError("first"), KeyError("in clean-up")
    boom, cleaning = Job(fails(1, first), critical=True), Job(cleans_up(1, second), critical=True)
    scheduler = Scheduler(boom, cleaning)

    assert virtually(scheduler) is False

    assert scheduler.report.reason.exception is first
    assert cleaning.raised_exception() is second
    assert [record.exception for record in scheduler.report.failures] == [first, second]


def test_rule_14_a_later_failure_of_a_stuck_job_is_logged(caplog):
    """It changes nothing else, and asyncio's handler is not called."""
    complaints = []

    async def late():
        try:
            await swallows_times(6)()
        finally:
            await asyncio.sleep(10)
            raise ValueError("much later")

    async def main():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        job = Job(late, label="late")
        scheduler = Scheduler(job, timeout=1, grace=1)
        await scheduler.co_orchestrate()
        before = job.state, job.ended_at, str(scheduler.report)
        await asyncio.sleep(100)
        gc.collect()
        return before == (job.state, job.ended_at, str(scheduler.report))

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        assert runner.run(main()) is True
    assert complaints == []
    assert "'late', which was stuck, has failed" in caplog.text
    assert "much later" in caplog.text


# Rule 15: precedence


@pytest.mark.parametrize("turns", [0, 1], ids=["before the failure", "after it"])
def test_rule_15_an_outer_cancel_comes_before_a_critical_failure(turns):
    """X05: in the same turn; the failure is kept."""
    error = ValueError("broken")

    async def fails_and_is_cancelled():
        await asyncio.sleep(1)
        if turns:
            asyncio.get_running_loop().call_soon(tasks[0].cancel)
        else:
            tasks[0].cancel()
        raise error

    job = Job(fails_and_is_cancelled, critical=True)
    scheduler = Scheduler(job)
    tasks = []

    async def main():
        tasks.append(asyncio.create_task(scheduler.co_orchestrate()))
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        runner.run(main())
    assert scheduler.why() == "cancelled from outside"
    assert [record.exception for record in scheduler.report.failures] == [error]


def test_rule_15_a_critical_failure_comes_before_a_timeout():
    """T08: also where the deadline comes during the drain."""
    scheduler = Scheduler(Job(fails(1), critical=True), Job(cleans_up(2)), timeout=2)

    assert virtually(scheduler) is False
    assert scheduler.failed_critical()
    assert not scheduler.failed_timeout()


def test_rule_15_a_critical_failure_in_the_turn_of_the_deadline_is_the_reason():
    """T08: the deadline comes to a run that ends already."""

    async def blocks_past_the_deadline():
        await asyncio.sleep(0.5)
        gate.set()
        asyncio.get_running_loop().leap(1)

    async def fails_then():
        await gate.wait()
        raise ValueError("broken")

    gate = asyncio.Event()
    scheduler = Scheduler(Job(blocks_past_the_deadline), Job(fails_then, critical=True), timeout=1)
    assert virtually(scheduler) is False
    assert scheduler.failed_critical()
    assert not scheduler.failed_timeout()


def test_rule_15_an_exit_during_the_drain_becomes_the_reason():
    """It leaves."""
    scheduler = Scheduler(Job(fails(1), critical=True), Job(cleans_up(1, SystemExit(9))))
    with pytest.raises(SystemExit):
        virtually(scheduler)


# Rule 16: deterministic


def test_rule_16_the_same_graph_has_the_same_order_of_starts():
    """Requirements given as sets decide nothing (G27)."""

    def run():
        diary = Diary()
        jobs = [Job(diary.step(str(i), i % 3)) for i in range(30)]
        for i, job in enumerate(jobs):
            job.requires({jobs[j] for j in range(i) if (i * 7 + j) % 5 == 0})
        virtually(Scheduler(*jobs, window=4))
        return diary.lines

    assert run() == run()


# Rule 17: reporting


class Nasty:
    def __repr__(self):
        raise ValueError("no repr")

    __str__ = __repr__


class Unprintable(Exception):
    def __str__(self):
        raise ValueError("no str")


def test_rule_17_reporting_never_raises(capsys):
    """F16 F17 F19 O05 O06: whatever labels, results, messages and details do."""

    class Detailed(Job):
        def details(self):
            raise KeyError("no details")

    cyclic = ValueError("cyclic")
    cyclic.__cause__ = KeyError("x")
    cyclic.__cause__.__cause__ = cyclic
    scheduler = Scheduler(
        Job(sleeps(0, Nasty()), label=Nasty()),
        Job(sleeps(0, "x" * 50_000_000)),
        Job(sleeps(0, [Nasty()])),
        Job(fails(0, Unprintable())),
        Job(fails(0, ValueError("y" * 1_000_000))),
        Job(fails(0, cyclic)),
        Detailed(quick, label="{} %s [red]"),
        Job(sleeps(0, "\x1b]52;c;evil\x07\r\b\u202e\x9b31m\ud800"), label="\x1b[2J\n"),
    )
    assert virtually(scheduler) is True
    scheduler.list(details=True)
    scheduler.debrief(details=True)
    text = capsys.readouterr().out

    assert "`{} %s [red]`" in text
    assert max(map(len, text.splitlines())) < 1000
    assert all(character.isprintable() or character == "\n" for character in text)


# Rule 18: contexts

tag = contextvars.ContextVar("tag", default="none")


def test_rule_18_each_job_has_a_copy_of_the_context_of_the_run():
    """R23: nothing leaks along the graph or outward; hooks have the run's context."""
    seen = []

    def body(name):
        async def set_and_tell():
            seen.append((name, tag.get()))
            tag.set(name)

        return set_and_tell

    first = Job(body("first"), shutdown=body("hook"))
    second = Job(body("second"), required=first)
    token = tag.set("run")
    try:
        virtually(Scheduler(first, second))
    finally:
        assert tag.get() == "run"
        tag.reset(token)

    assert seen == [("first", "run"), ("second", "run"), ("hook", "run")]


def test_rule_18_current_job_gives_the_job_from_inside():
    """Of nested schedulers the innermost; outside there is none."""
    seen = []

    async def look():
        seen.append(current_job())

    inner, outer = Job(look), Job(look)
    virtually(Scheduler(outer, Scheduler(inner)))

    assert seen == [outer, inner]
    assert current_job() is None


# Rule 19: printing and logging


def test_rule_19_the_library_never_prints_and_logs_at_fixed_levels(capsys, caplog):
    """Starts and ends at DEBUG, a failed run at ERROR."""
    failing = Job(fails(), label="b", critical=True)
    with caplog.at_level(logging.DEBUG, "flowdeco"):
        virtually(Scheduler(Job(quick, label="a"), failing, label="whole"))

    assert capsys.readouterr() == ("", "")
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("DEBUG", "'whole' started"),
        ("DEBUG", "'a' started"),
        ("DEBUG", "'a' ended: done"),
        ("DEBUG", "'b' started"),
        ("DEBUG", "'b' ended: failed"),
        ("ERROR", "'whole' failed after 0.000 s: critical job 'b' failed with ValueError: broken"),
        ("DEBUG", "'whole' ended"),
    ]

    caplog.clear()
    with caplog.at_level(logging.INFO, "flowdeco"):
        virtually(Scheduler(Job(waits), label="whole"), 2)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", "'whole' failed after 2.000 s: 'whole' timed out after 2 s"),
    ]


def test_rule_19_a_fan_out_tells_of_no_failure_that_was_told_of_inside_of_its_items(caplog):
    """Each is told of where it arose, and the one of an item itself in the line of the fan-out."""

    class Inner(Flow):
        number: int

        @step(critical=True)
        async def fails(self):
            raise ValueError(self.number)

    class Outer(Flow):
        own: bool

        @step
        async def numbers(self):
            return [1, 2]

        @each(numbers)
        async def item(self, number):
            if self.own and number == 2:
                raise LookupError("own")
            (await Inner(number=number).co_run()).raise_for_failure()

    def told(own):
        caplog.clear()
        assert Outer(own=own).run(loop_factory=VirtualClockLoop)
        return [record.job for record in caplog.records]

    assert told(own=False) == ["item/item[0]/fails", "item/item[1]/fails"]
    assert told(own=True) == ["item/item[0]/fails", "item"]


def test_rule_19_what_is_asked_for_from_outside_is_no_news(caplog):
    """Who cancels a run, or leaves it, knows: no log above DEBUG tells of it."""

    async def leaves():
        raise SystemExit(3)

    with caplog.at_level(logging.INFO, "flowdeco"):
        with pytest.raises(SystemExit):
            virtually(Scheduler(Job(leaves)))
        with pytest.raises(asyncio.CancelledError):
            in_loop(cancelled_at(1, Scheduler(Job(waits))))

    assert caplog.records == []


async def cancelled_at(moment, scheduler):
    task = asyncio.ensure_future(scheduler.co_orchestrate())
    asyncio.get_running_loop().call_at(moment, task.cancel)
    await task


# Rule 20: success


def test_rule_20_success_needs_no_success_of_what_is_not_critical():
    """Failures of other jobs change no verdict."""
    assert virtually(Scheduler(Job(fails()), Job(fails(), forever=True), Job(quick))) is True


def test_rule_20_an_error_in_the_teardown_of_a_critical_service_is_a_critical_failure():
    """V05: after all steps have ended well."""
    diary = Diary()
    server = Job(diary.service("s", error=ValueError("teardown")), forever=True, critical=True)
    scheduler = Scheduler(server, Job(sleeps(1)))

    assert virtually(scheduler) is False
    assert scheduler.failed_critical()

    harmless = Job(diary.service("s", error=ValueError("teardown")), forever=True)
    assert virtually(Scheduler(harmless, Job(sleeps(1)))) is True


def test_rule_20_a_critical_service_that_fails_with_the_last_step_wins():
    """V04: in the same turn."""
    scheduler = Scheduler(Job(fails(1), forever=True, critical=True), Job(sleeps(1)))
    assert virtually(scheduler) is False
    assert scheduler.failed_critical()


def test_rule_20_an_empty_run_succeeds():
    """G10 G11: also nested, and required by a step."""
    assert virtually(Scheduler()) is True
    empty = Scheduler()
    assert virtually(Scheduler(empty, Job(quick, required=empty))) is True


# Rule 21: nested runs


@pytest.mark.parametrize(
    ("inner", "outer", "blamed", "duration"),
    [(1, 2, "inner", 1.0), (2, 1, "outer", 1.0), (2, 2, "outer", 2.0)],
)
def test_rule_21_the_nearest_deadline_wins_and_is_blamed(inner, outer, blamed, duration):
    """T07: of equal ones the outer."""
    nested_ = Scheduler(Job(waits), timeout=inner, label="inner", critical=True)
    scheduler = Scheduler(nested_, timeout=outer, label="outer")

    assert virtually(scheduler) is False

    assert scheduler.report.duration == duration
    assert f"'{blamed}'" in str(scheduler.report.reason)


def test_rule_21_a_nested_scheduler_raises_where_it_would_return_false():
    """The inner critical exception itself, or a group of several."""
    error, second = ValueError("one"), KeyError("two")
    inner = Scheduler(Job(fails(0, error), critical=True))
    virtually(Scheduler(inner))
    assert inner.raised_exception() is error

    inner = Scheduler(Job(fails(1, error)), Job(fails(1, second)), jobs_critical=True)
    virtually(Scheduler(inner))
    assert inner.raised_exception().exceptions == (error, second)


def test_rule_21_a_run_that_begins_after_the_deadline_around_it_is_not_blamed():
    """T07: nothing starts in it, and it has not timed out: it had no deadline of its own."""
    loop = VirtualClockLoop()
    job = Job(quick)
    inner = Scheduler(job, timeout=10)

    async def late():
        loop.leap(2)
        return await inner.co_orchestrate()

    scheduler = Scheduler(Job(late), timeout=1, label="outer")

    assert scheduler.orchestrate(loop_factory=lambda: loop) is False

    assert "'outer' timed out after 1 s" in str(scheduler.report.reason)
    assert (job.state, inner.failed_timeout()) == (State.IDLE, False)


def test_rule_21_a_step_that_ends_after_the_deadline_around_it_blames_that():
    """T05 T07: the nested run had no deadline of its own, or a later one."""
    for limit in (None, 50):
        loop = VirtualClockLoop()
        inner = Scheduler(Job(lambda loop=loop: leaps(loop, 2)), timeout=limit)
        outer = Scheduler(inner, timeout=1)

        assert outer.orchestrate(loop_factory=lambda loop=loop: loop) is False

        assert (inner.failed_timeout(), outer.failed_timeout()) == (False, True)


async def leaps(loop, seconds):
    loop.leap(seconds)


class Seen(Observer):
    """Which jobs an observer is told of."""

    def __init__(self):
        self.jobs = []

    def job_started(self, job):
        self.jobs.append(job)


def test_rule_21_a_run_in_the_loop_of_a_thread_is_not_nested():
    """Though its context is a copy of that of a job."""
    inner = Scheduler(Job(quick))
    outer, seen = Job(lambda: asyncio.to_thread(inner.orchestrate)), Seen()

    assert virtually(Scheduler(outer), observers=[seen])

    assert outer.result() is True
    assert seen.jobs == [outer]


def test_rule_21_a_run_within_a_job_that_has_ended_is_not_nested():
    """A task that the job has left behind runs what is its own."""
    tasks, inner = [], Scheduler(Job(quick))

    async def later():
        await asyncio.sleep(1)
        return await inner.co_orchestrate()

    async def leaves():
        tasks.append(asyncio.ensure_future(later()))

    async def hears():
        return await tasks[0]

    first, seen = Job(leaves), Seen()
    second = Job(hears, required=first)

    assert virtually(Scheduler(first, second), observers=[seen])

    assert second.result() is True
    assert seen.jobs == [first, second]


def test_rule_21_the_grace_that_ends_first_counts():
    """An inner run that drains by itself is cut by the enclosing one."""
    inner = Scheduler(Job(swallows), timeout=1, grace=100, label="inner")
    scheduler = Scheduler(inner, timeout=2, grace=3)

    assert virtually(scheduler) is False
    assert scheduler.report.duration == 5.0
    assert [record.path for record in scheduler.report.stuck] == ["inner/swallows"]


@pytest.mark.parametrize("limit", [1, None])
def test_rule_21_nested_jobs_are_cancelled_again_before_the_nearer_end(limit):
    """X09: in the last fifth of the grace that ends first, whether they drained already or not."""
    job = Job(swallows_times(3))
    inner = Scheduler(job, timeout=limit, grace=100)
    scheduler = Scheduler(inner, timeout=2, grace=5)

    assert virtually(scheduler) is False

    assert scheduler.report.stuck == ()
    assert job.ended_at == pytest.approx(6.2)  # after one cancel before: at 6, and at 6.2


def test_rule_21_services_of_a_nested_run_stop_when_its_own_steps_are_done():
    """Not with the enclosing run."""
    diary = Diary()
    inner = Scheduler(Job(diary.service("server"), forever=True), Job(diary.step("step", 1)))

    assert virtually(Scheduler(inner, Job(sleeps(5)))) is True
    assert diary.lines[-1] == (1.0, "server down")


def test_rule_21_a_scheduler_can_be_a_service():
    """V10: its tree is stopped with the steps around it done."""
    diary = Diary()
    inner = Scheduler(Job(diary.service("server", down=1), forever=True), Job(waits), forever=True)
    scheduler = Scheduler(inner, Job(sleeps(2)))

    assert virtually(scheduler) is True
    assert diary.lines[-1] == (3.0, "server down")


def test_rule_21_observers_of_the_outer_run_see_the_nested_jobs():
    """`run_*` are for the outermost run alone."""
    seen = []

    class Scribe(Observer):
        def run_started(self, scheduler):
            seen.append(f"run {scheduler.name}")

        def job_started(self, job):
            seen.append(f"start {job.name}")

        def job_ended(self, job):
            seen.append(f"end {job.name} {job.state.name}")

        def run_ended(self, report):
            seen.append(f"over {report.ok}")

    inner = Scheduler(Job(quick, label="job"), label="inner")
    virtually(Scheduler(inner, label="outer"), observers=[Scribe()])

    assert seen == [
        "run outer",
        "start inner",
        "start job",
        "end job DONE",
        "end inner DONE",
        "over True",
    ]


# Running again, and running twice


def test_a_scheduler_runs_again_with_fresh_state():
    """R01: outcomes of the first run are gone from its jobs, and kept in its report."""
    results = iter([1, 2])

    async def body():
        return next(results)

    job = Job(body)
    scheduler = Scheduler(job)

    assert virtually(scheduler)
    first = scheduler.report
    assert virtually(scheduler)

    assert job.result() == 2
    assert "[[ -> 1]]" in str(first)


def test_a_second_run_at_the_same_time_is_refused_and_the_first_undisturbed():
    """R02 R07: and so are changes of the graph."""
    outcome = []

    async def body():
        for attempt in (
            scheduler.co_orchestrate(),
            scheduler.co_orchestrate(),
        ):
            with pytest.raises(BusyError):
                await attempt
        with pytest.raises(BusyError):
            scheduler.add(Job(quick))
        with pytest.raises(BusyError):
            scheduler.remove(other)
        with pytest.raises(BusyError):
            other.requires(job)
        outcome.append("refused")

    job, other = Job(body), Job(sleeps(1))
    scheduler = Scheduler(job, other)

    assert virtually(scheduler) is True
    assert job.raised_exception() is None
    assert outcome == ["refused"]


def test_what_a_stuck_job_does_later_does_not_disturb_a_new_run():
    """The earlier body still runs while the new one starts."""
    calls = []

    async def sometimes_stuck():
        calls.append(len(calls))
        if len(calls) == 1:
            await swallows_times(6)()
            await asyncio.sleep(3)
            return "old"
        await asyncio.sleep(50)
        return "new"

    job = Job(sometimes_stuck)
    scheduler = Scheduler(job, grace=1)

    async def main():
        first = await scheduler.co_orchestrate(1)
        second = await scheduler.co_orchestrate()
        return first, second, job.result()

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        assert runner.run(main()) == (False, True, "new")


# Services, in the words of section 7


class Resource(Flow):
    """A service with a value, and a step that takes it."""

    up: bool = False

    @service
    async def server(self):
        self.up = True
        try:
            yield "address"
        finally:
            self.up = False

    @step(after=server)
    async def client(self, address):
        return address, self.up


def test_a_generator_service_gives_its_value_when_it_is_ready():
    """And `result()` has it from then on."""
    flow = Resource()
    assert flow.run(loop_factory=VirtualClockLoop)
    assert (flow.client.result(), flow.server.result(), flow.up) == (
        ("address", True),
        "address",
        False,
    )


def test_a_coroutine_service_is_ready_at_its_first_suspension():
    """Its first lines always run before what comes after it, which gets None for a value."""
    diary = Diary()

    class Monitored(Flow):
        @service
        async def monitor(self):
            diary.note("watching")
            await asyncio.Event().wait()

        @step(after=monitor)
        async def work(self, nothing):
            diary.note(f"working {nothing}")

    assert Monitored().run(loop_factory=VirtualClockLoop)
    assert diary.texts == ["watching", "working None"]


@pytest.mark.parametrize("yields", [0, 2])
def test_a_generator_service_must_yield_once(yields):
    """No yield, or a second one: it has failed."""

    async def wrong():
        for _ in range(yields):
            yield

    job = Job(wrong, forever=True)
    virtually(Scheduler(job, Job(sleeps(1))))

    assert isinstance(job.raised_exception(), RuntimeError)
    assert "must yield once" in str(job.raised_exception())


def test_a_service_that_fails_before_it_is_ready_skips_who_takes_its_value():
    """It has simply failed: rule 3."""

    class Broken(Flow):
        @service
        async def server(self):
            raise OSError("port in use")
            yield 1

        @step(after=server)
        async def taker(self, value):
            return value

        @step(after=server)
        async def ordered(self):
            return "ran"

    flow = Broken()
    assert flow.run(loop_factory=VirtualClockLoop)
    assert states(flow.server, flow.taker, flow.ordered) == ["FAILED", "SKIPPED", "DONE"]


def test_the_timeout_of_a_generator_service_bounds_its_start_alone():
    """Once it is up it may stay up."""
    diary = Diary()
    fast = Job(diary.service("fast", up=1), forever=True, timeout=2)
    slow = Job(diary.service("slow", up=3), forever=True, timeout=2)

    assert virtually(Scheduler(fast, slow, Job(sleeps(10)))) is True
    assert states(fast, slow) == ["CANCELLED", "FAILED"]
    assert isinstance(slow.raised_exception(), TimeoutError)


@pytest.mark.parametrize("guard", ["group", "timeout"])
def test_a_cancel_from_elsewhere_is_thrown_into_a_service_at_its_yield(guard):
    """So a task group or a timeout written round the yield works."""

    async def grouped():
        async with asyncio.TaskGroup() as group:
            group.create_task(fails(1, OSError("worker"))())
            yield "up"

    async def timed():
        async with asyncio.timeout(1):
            yield "up"

    server = Job(grouped if guard == "group" else timed, forever=True, critical=True)
    scheduler = Scheduler(server, Job(sleeps(10)))

    assert virtually(scheduler) is False

    expected = ExceptionGroup if guard == "group" else TimeoutError
    assert isinstance(server.raised_exception(), expected)
    assert scheduler.report.duration == 1.0


@pytest.mark.parametrize("end", ["success", "critical", "timeout", "cancel", "exit"])
def test_a_ready_service_is_torn_down_however_the_run_ends(end):
    """It is resumed after its yield, and never cancelled there, in one task and context."""
    diary = Diary()
    own = contextvars.ContextVar("own")

    async def server():
        token = own.set("up")
        task = asyncio.current_task()
        yield
        await asyncio.sleep(1)
        diary.note(f"down {own.get()} {asyncio.current_task() is task}")
        own.reset(token)

    bodies = {
        "success": sleeps(1),
        "critical": fails(1),
        "timeout": waits,
        "cancel": waits,
        "exit": fails(1, SystemExit()),
    }
    up = Job(server, forever=True)
    main = Job(bodies[end], required=up, critical=True)
    scheduler = Scheduler(up, main, timeout=1 if end == "timeout" else None)

    async def run():
        if end == "cancel":
            await stopped_by_cancel(scheduler)
        else:
            await scheduler.co_orchestrate()

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        if end == "exit":
            with pytest.raises(SystemExit):
                runner.run(run())
        else:
            runner.run(run())

    assert diary.lines == [(2.0, "down up True")]
    assert up.state is State.CANCELLED
