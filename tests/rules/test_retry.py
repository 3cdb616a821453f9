"""Section 3: a body that fails with what `Retry` names is run again."""

import asyncio
import contextvars
import logging
import pickle
import threading

import pytest

from flowdeco import (
    Flow,
    Job,
    Observer,
    Retry,
    Scheduler,
    Skip,
    State,
    current_job,
    each,
    service,
    step,
    subflow,
)
from flowdeco.errors import DefinitionError, SelfCancelledError
from flowdeco.testing import VirtualClockLoop

EXACT = Retry(on=ConnectionError, attempts=4, wait_jitter=0)


def failing(times, seconds=0.0, error=ConnectionError):
    """Return an async function that fails so often before it returns how often it was called."""
    calls = []

    async def probe():
        calls.append(current_job())
        await asyncio.sleep(seconds)
        if len(calls) <= times:
            raise error(f"no {len(calls)}")
        return len(calls)

    return probe


def run(*jobs, timeout=None, observers=(), **options):
    """Run jobs on the virtual clock; return the report."""
    scheduler = Scheduler(*jobs, **options)
    scheduler.orchestrate(timeout, loop_factory=VirtualClockLoop, observers=observers)
    return scheduler.report


def times(job):
    """Return start and end of each attempt."""
    return [(one.started_at, one.ended_at) for one in job.attempts]


# When there is another attempt


def test_the_attempts_of_a_job_begin_at_exact_times():
    """Attempts begin after waits that double, counted from the end of the last attempt."""
    job = Job(failing(3, seconds=0.5), retry=EXACT)
    report = run(job)
    assert report.ok
    assert job.result() == 4
    assert times(job) == [(0, 0.5), (1.5, 2), (4, 4.5), (8.5, 9)]
    assert [str(one.exception) for one in job.attempts] == ["no 1", "no 2", "no 3", "None"]
    assert (job.started_at, job.ended_at, job.duration) == (0, 9, 9)
    assert report.jobs[0].attempts == job.attempts


def test_the_failure_of_the_last_attempt_is_that_of_the_job():
    """A job that fails in all of its attempts has failed with the exception of the last."""
    job = Job(failing(9), retry=EXACT, critical=True)
    report = run(job)
    assert not report.ok
    assert job.state is State.FAILED
    assert str(job.raised_exception()) == "no 4"
    assert [one.started_at for one in job.attempts] == [0, 1, 3, 7]
    assert [str(one.exception) for one in report.failures] == ["no 4"]


def test_waits_are_bounded_and_jitter_is_added():
    """A wait is `wait_max` at most, whatever the number of the attempt, and is a random one."""
    steep = Retry(on=OSError, attempts=None, wait_initial=2, wait_max=10, wait_exp_base=3)
    waits = [steep.wait_after(attempt) for attempt in (1, 2, 3, 5000)]
    assert 2 <= waits[0] <= 2.1
    assert 6 <= waits[1] <= 6.1
    assert waits[2:] == [10, 10]
    assert Retry(on=OSError, wait_initial=0, wait_jitter=0).wait_after(5000) == 0
    shaken = Retry(on=OSError, wait_jitter=5)
    assert len({shaken.wait_after(1) for _ in range(20)}) > 1


@pytest.mark.parametrize(
    ("on", "error", "attempts"),
    [
        (ConnectionError, ConnectionResetError, 2),
        (ConnectionError, ValueError, 1),
        ((KeyError, ValueError), ValueError, 2),
        (lambda error: "no 1" in str(error), ValueError, 2),
        (lambda error: "other" in str(error), ValueError, 1),
        (Exception, Skip, 1),
        (BaseException, asyncio.CancelledError, 1),
        (lambda _: True, Skip, 1),
    ],
)
def test_what_on_names_is_tried_again(on, error, attempts):
    """A job is tried again after what `on` names or is true for, never after a skip or a cancel."""
    job = Job(failing(1, error=error), retry=Retry(on=on))
    run(job)
    assert len(job.attempts) == attempts


def test_an_exit_is_not_tried_again():
    """A `SystemExit` leaves from the first attempt, whatever `on` says."""
    job = Job(failing(1, error=SystemExit), retry=Retry(on=lambda _: True))
    with pytest.raises(SystemExit):
        run(job)
    assert len(job.attempts) == 1


def test_a_function_that_raises_is_the_failure():
    """What `on` raises is what the job has failed with, and there is no other attempt."""

    def broken(error):
        raise LookupError("broken")

    job = Job(failing(1), retry=Retry(on=broken))
    run(job)
    assert isinstance(job.raised_exception(), LookupError)
    assert isinstance(job.raised_exception().__context__, ConnectionError)


def test_attempts_without_end_end_with_the_deadline():
    """Attempts without end are bounded by the deadline of the run; the job has failed."""
    job = Job(failing(10**6, error=OSError), retry=Retry(on=OSError, attempts=None, wait_jitter=0))
    report = run(job, timeout=1000)
    assert report.duration == 1000
    assert report.reason.cause.name == "TIMEOUT"
    assert [one.started_at for one in job.attempts][-2:] == [903, 963]
    assert job.state is State.FAILED
    assert job.ended_at == 1000
    assert job.raised_exception() is job.attempts[-1].exception


def test_a_timeout_is_that_of_an_attempt():
    """Each attempt has the whole timeout; over it there is another one, if `on` names that."""
    delays = iter([5.0, 5.0, 0.5])

    async def slow():
        await asyncio.sleep(next(delays))

    job = Job(slow, timeout=2, retry=Retry(on=TimeoutError, wait_jitter=0))
    report = run(job)
    assert report.ok
    assert times(job) == [(0, 2), (3, 5), (7, 7.5)]
    assert str(job.attempts[0].exception) == "'slow' took longer than 2 s"


def test_the_clean_up_of_a_late_attempt_comes_before_the_next():
    """An attempt that is over its timeout is drained before the next one begins."""
    log = []

    async def slow():
        log.append("begin")
        try:
            await asyncio.sleep(5)
        finally:
            await asyncio.sleep(1)
            log.append("end")

    job = Job(slow, timeout=2, retry=Retry(on=OSError, attempts=2, wait_jitter=0))
    run(job)
    assert log == ["begin", "end"] * 2
    assert times(job) == [(0, 3), (4, 7)]


def test_the_end_of_a_run_stops_an_attempt():
    """An attempt that the run stops is not followed by another, and the job is cancelled."""
    job = Job(failing(9, seconds=4), retry=Retry(on=OSError, wait_jitter=0))
    run(job, timeout=6)
    assert times(job) == [(0, 4), (5, 6)]
    assert job.state is State.CANCELLED


@pytest.mark.parametrize("critical", [False, True])
def test_a_job_stopped_in_a_wait_has_failed_with_the_last_attempt(critical):
    """A job that a run stops between two attempts has failed with the last attempt's exception."""

    async def fail():
        await asyncio.sleep(0.5)
        raise ValueError("decisive")

    job = Job(failing(9), retry=EXACT, critical=critical)
    report = run(job, Job(fail, critical=True))
    assert report.reason.job.name == "fail"
    assert (job.state, job.ended_at) == (State.FAILED, 0.5)
    assert str(job.raised_exception()) == "no 1"
    assert len(job.attempts) == 1


def test_nothing_begins_at_the_deadline():
    """An attempt that would begin at the very deadline does not."""
    job = Job(failing(9), retry=EXACT)
    run(job, timeout=3)
    assert [one.started_at for one in job.attempts] == [0, 1]


def test_a_cancellation_from_outside_ends_a_wait():
    """A run that is cancelled while a job waits for its next attempt ends at once."""
    job = Job(failing(9), retry=EXACT)

    async def main():
        task = asyncio.ensure_future(Scheduler(job).co_orchestrate())
        await asyncio.sleep(0.25)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        assert runner.run(main()) == 0.25
    assert job.state is State.FAILED


# What attempts are


def test_each_attempt_has_a_task_of_its_own_in_one_context():
    """Attempts have tasks of their own, whose context is that of the job."""
    seen = contextvars.ContextVar("seen", default=0)
    tasks = []

    async def probe():
        tasks.append((asyncio.current_task(), seen.get(), current_job()))
        seen.set(seen.get() + 1)
        raise ConnectionError

    job = Job(probe, retry=EXACT)
    run(job)
    assert len({id(task) for task, _, _ in tasks}) == 4
    assert [count for _, count, _ in tasks] == [0, 1, 2, 3]
    assert all(one is job for _, _, one in tasks)
    assert {task.get_name() for task, _, _ in tasks} == {"probe"}


def test_a_job_keeps_its_slot_in_a_wait():
    """While a job waits for its next attempt, it keeps its place of the window."""
    first, second = Job(failing(2), retry=EXACT), Job(failing(0))
    run(first, second, window=1)
    assert second.started_at == first.ended_at == 3


def test_what_comes_after_waits_for_the_last_attempt():
    """What requires a job starts when its last attempt has ended."""
    first = Job(failing(2), retry=EXACT)
    second = Job(failing(0), required=first)
    run(first, second)
    assert second.started_at == 3


def test_a_nested_run_of_an_attempt_ends_with_it():
    """A run that an attempt has begun and left behind is over before the next attempt."""
    running = []

    async def inner():
        running.append(True)
        try:
            await asyncio.sleep(9)
        finally:
            running.pop()

    async def probe():
        assert not running
        task = asyncio.ensure_future(Scheduler(Job(inner)).co_orchestrate())
        await asyncio.sleep(0.5)
        assert running
        del task
        raise ConnectionError

    job = Job(probe, retry=Retry(on=ConnectionError, attempts=2, wait_jitter=0))
    run(job)
    assert isinstance(job.raised_exception(), ConnectionError)
    assert len(job.attempts) == 2


def test_a_task_cancelled_by_others_is_not_tried_again():
    """An attempt whose task somebody cancels has failed for good."""

    async def probe():
        asyncio.current_task().cancel()
        await asyncio.sleep(1)

    job = Job(probe, retry=Retry(on=Exception))
    run(job)
    assert isinstance(job.raised_exception(), SelfCancelledError)
    assert len(job.attempts) == 1


def test_attempts_under_a_task_factory():
    """Attempts are tasks of the task factory of the loop, where there is one."""
    made = []

    async def main(job):
        loop = asyncio.get_running_loop()

        async def wrapped(coroutine):
            await asyncio.sleep(0.25)
            try:
                return await coroutine
            finally:
                await asyncio.sleep(0.25)

        def factory(loop, coroutine, **keywords):
            made.append(coroutine)
            return asyncio.Task(wrapped(coroutine), loop=loop, **keywords)

        loop.set_task_factory(factory)
        return await Scheduler(job).co_orchestrate(6)

    good, bad = Job(failing(2), retry=EXACT), Job(failing(9), retry=EXACT)
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        assert runner.run(main(good))
        # From the end of the task, in which the factory may have things to do.
        assert [one.started_at for one in good.attempts] == [0.25, 1.75, 4.25]
        assert len(made) >= 3
        assert not runner.run(main(bad))
    assert bad.state is State.FAILED
    assert str(bad.raised_exception()) == "no 3"


def test_attempts_in_debug_mode():
    """In debug mode, where the block monitor has an eye on bodies, jobs are tried again as well."""
    job = Job(failing(2), retry=EXACT)
    with asyncio.Runner(debug=True, loop_factory=VirtualClockLoop) as runner:
        assert runner.run(Scheduler(job).co_orchestrate())
    assert job.result() == 3


# Who is tried again


def test_plain_steps_and_items_are_tried_again():
    """A plain step, and each item of a fan-out by itself, is tried again."""
    once = threading.Lock()
    seen = []

    def first_time(key):
        with once:
            seen.append(key)
            return seen.count(key) == 1

    quick = Retry(on=ConnectionError, wait_initial=0, wait_jitter=0)

    class Probing(Flow, critical=True):
        @step(retry=quick)
        def hosts(self) -> list[str]:
            if first_time("hosts"):
                raise ConnectionError
            return ["a", "b"]

        @each(hosts, retry=quick, timeout=1)
        async def ping(self, host: str) -> str:
            if host == "b" and first_time(host):
                raise ConnectionError
            return host.upper()

        @each(hosts, retry=quick)
        def trace(self, host: str) -> str:
            if first_time(f"trace {host}"):
                raise ConnectionError
            return host

    flow = Probing()
    assert flow.run(timeout=10)
    assert flow.ping.result() == ["A", "B"]
    assert flow.trace.result() == ["a", "b"]
    attempts = {record.path: len(record.attempts) for record in flow.scheduler.report.jobs}
    assert attempts == {
        "hosts": 2,
        "ping": 1,
        "ping/ping[0]": 1,
        "ping/ping[1]": 2,
        "trace": 1,
        "trace/trace[0]": 2,
        "trace/trace[1]": 2,
    }


def test_a_stuck_thread_is_not_tried_again():
    """A plain step whose thread does not end after its timeout is stuck, and not tried again."""
    release = threading.Event()
    calls = []

    class Stuck(Flow, grace=0.1):
        @step(timeout=0.1, retry=Retry(on=TimeoutError, wait_initial=0, wait_jitter=0))
        def hang(self) -> None:
            calls.append(1)
            release.wait(20)

    flow = Stuck()
    try:
        assert not flow.run()
        assert flow.hang.state is State.STUCK
        assert calls == [1]
        assert isinstance(flow.hang.raised_exception(), TimeoutError)
    finally:
        release.set()


def test_a_skip_ends_the_attempts():
    """A job that raises `Skip` in a later attempt is skipped."""
    errors = iter([ConnectionError(), Skip("nothing there")])

    async def probe():
        raise next(errors)

    job = Job(probe, retry=EXACT, critical=True)
    assert run(job).ok
    assert job.state is State.SKIPPED
    assert len(job.attempts) == 2


# How it is shown


class Watch(Observer):
    """Notes what it is told."""

    def __init__(self):
        self.told = []

    def job_started(self, job):
        self.told.append(("started", len(job.attempts), current_job() is job))

    def job_retried(self, job):
        self.told.append(("retried", len(job.attempts), current_job() is job))

    def job_ended(self, job):
        self.told.append(("ended", len(job.attempts), current_job() is job))


def test_observers_are_told_of_each_retry():
    """Observers hear of one start, of each failure that is followed by an attempt, and of the end.

    All of it in the context of the job.
    """
    watch = Watch()
    run(Job(failing(2), retry=EXACT), observers=[watch])
    assert watch.told == [
        ("started", 1, True),
        ("retried", 1, True),
        ("retried", 2, True),
        ("ended", 3, True),
    ]


def test_observers_are_told_of_the_end_in_a_wait():
    """Of a job that is stopped between two attempts, observers hear in its context."""
    watch = Watch()
    run(Job(failing(9), retry=EXACT), observers=[watch], timeout=0.5)
    assert watch.told == [("started", 1, True), ("retried", 1, True), ("ended", 1, True)]


def test_an_exit_of_an_observer_ends_the_run_in_the_wait():
    """An observer that wants to leave when a job is tried again ends the run."""

    class Leaving(Observer):
        def job_retried(self, job):
            raise SystemExit(3)

    job = Job(failing(9), retry=EXACT)
    with pytest.raises(SystemExit):
        run(job, observers=[Leaving()])
    assert job.state is State.FAILED
    assert len(job.attempts) == 1


def test_the_log_has_each_retry(caplog):
    """Each failure that is followed by another attempt is logged at INFO, the last one as ever."""
    caplog.set_level(logging.INFO, "flowdeco")
    run(Job(failing(9), label="probe", retry=Retry(on=OSError, attempts=2, wait_jitter=0)))
    assert [(one.levelname, one.getMessage()) for one in caplog.records] == [
        (
            "INFO",
            (
                "'probe' failed with ConnectionError: no 1, in attempt 1 of 2; it is tried again in"
                " 1 s"
            ),
        ),
        ("WARNING", "'probe' failed with ConnectionError: no 2"),
    ]
    assert caplog.records[0].job == "probe"


def test_the_listing_has_the_attempts_among_the_details(capsys):
    """A listing with details says how the earlier attempts have failed."""
    scheduler = Scheduler(Job(failing(2), label="probe", retry=EXACT))
    scheduler.orchestrate(loop_factory=VirtualClockLoop)
    scheduler.list()
    assert "attempt" not in capsys.readouterr().out
    scheduler.list(details=True)
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines[1:] == [
        "attempt 1 failed after 0.000 s: ConnectionError: no 1",
        "attempt 2 failed after 0.000 s: ConnectionError: no 2",
    ]


class Unpicklable(ConnectionError):
    """An exception that cannot be pickled."""

    def __reduce__(self):
        raise TypeError


def test_attempts_travel_with_the_report():
    """A report that was pickled has the attempts, with their exceptions or what stands for them."""
    report = run(Job(failing(2, error=Unpicklable), retry=EXACT), Job(failing(0)))
    back = pickle.loads(pickle.dumps(report))
    retried, plain = back.jobs
    assert len(plain.attempts) == 1
    assert [(one.started_at, one.ended_at) for one in retried.attempts] == [(0, 0), (1, 1), (3, 3)]
    error = retried.attempts[0].exception
    assert error.type == "Unpicklable"
    assert "in probe" in error.traceback
    assert list(back.text(details=True)) == list(report.text(details=True))


def test_attempts_of_jobs_without_a_retry():
    """A job without a `Retry` has one attempt, and none before it has started."""
    job, late = Job(failing(0, seconds=1)), Job(failing(0))
    late.requires(job)
    assert job.attempts == ()
    run(job, late, timeout=1)
    assert times(job) == [(0, 1)]
    assert late.attempts == ()


def test_the_present_attempt_is_among_the_attempts():
    """From inside of a body, the last attempt is the one that goes on."""
    seen = []

    async def probe():
        seen.append(times(current_job()))
        raise ConnectionError

    run(Job(probe, retry=Retry(on=OSError, attempts=2, wait_jitter=0)))
    assert seen == [[(0, None)], [(0, 0), (1, None)]]


def test_a_second_run_has_attempts_of_its_own():
    """A run forgets the attempts of the one before."""
    job = Job(failing(2), retry=EXACT)
    scheduler = Scheduler(job)
    scheduler.orchestrate(loop_factory=VirtualClockLoop)
    scheduler.orchestrate(loop_factory=VirtualClockLoop)
    assert times(job) == [(0, 0)]


# Mistakes


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"on": int}, TypeError, "a class of exceptions"),
        ({"on": "OSError"}, TypeError, "for instance on=ConnectionError"),
        ({"on": ()}, TypeError, "the tuple is empty"),
        ({"on": (OSError, 3)}, TypeError, "a class of exceptions"),
        ({"on": Skip}, ValueError, "Skip, after which no job is tried again"),
        ({"on": (OSError, SystemExit)}, ValueError, "SystemExit"),
        ({"on": failing(1)}, TypeError, "must be a plain function"),
        ({"attempts": 0}, ValueError, "attempts must be 1 or more attempts"),
        ({"attempts": True}, TypeError, "attempts must be a positive int"),
        ({"attempts": 2.5}, TypeError, "attempts must be a positive int"),
        ({"wait_initial": -1}, ValueError, "wait_initial must be a finite number, 0 or more"),
        ({"wait_max": float("inf")}, ValueError, "wait_max must be a finite number"),
        ({"wait_exp_base": "2"}, TypeError, "wait_exp_base must be a finite number"),
        ({"wait_jitter": float("nan")}, ValueError, "wait_jitter must be a finite number"),
        ({"wait_max": None}, TypeError, "wait_max must be a finite number"),
    ],
)
def test_bad_arguments_are_refused_at_once(arguments, error, words):
    """A `Retry` with a bad argument is an error that names it."""
    with pytest.raises(error, match=words):
        Retry(**{"on": OSError, **arguments})


def test_on_has_no_default():
    """A `Retry` says after what there is another attempt."""
    with pytest.raises(TypeError, match="on"):
        Retry()


def test_jobs_that_cannot_be_tried_again_are_refused():
    """A job made of an awaitable, or a service, is not tried again, and says so."""
    probe = failing(0)
    with pytest.raises(TypeError, match=r"write Job\(probe, retry=...\), or"):
        Job(probe(), retry=EXACT)
    with pytest.raises(ValueError, match="probe is a service"):
        Job(probe, retry=EXACT, forever=True)
    with pytest.raises(TypeError, match="retry must be a Retry or None, not 3"):
        Job(probe, retry=3)
    assert Job(probe).retry is None
    assert Job(probe, retry=EXACT).retry is EXACT


def test_declarations_that_cannot_be_tried_again_are_definition_errors():
    """A service or a subflow with a retry, and a retry that is none, are definition errors."""
    with pytest.raises(DefinitionError) as info:

        class Wrong(Flow):
            @service(retry=EXACT)
            async def database(self) -> None: ...

            @subflow(retry=EXACT)
            def parts(self) -> Flow: ...

            @step(retry=3)
            async def build(self) -> None: ...

    said = [problem.partition("): ")[2] for problem in info.value.problems]
    assert said == [
        "a service is not tried again; drop retry=, and let it try again before its `yield`",
        "a subflow is not tried again; drop retry=, and give it to the steps of its flows",
        "retry must be a Retry or None, not 3 (int); for instance retry=Retry(on=ConnectionError)",
    ]
