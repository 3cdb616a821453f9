"""Rule 3: A body that raises `Skip`, on purpose."""

import asyncio
import contextlib
import logging

import pytest
from actors import states

from flowdeco import Flow, Job, Observer, Scheduler, Skip, State, each, service, step, subflow
from flowdeco.errors import SkippedError
from flowdeco.testing import VirtualClockLoop


def perform(subject, **options):
    """Run a flow or a scheduler on the virtual clock; return the report."""
    if isinstance(subject, Flow):
        return subject.run(loop_factory=VirtualClockLoop, **options)
    subject.orchestrate(loop_factory=VirtualClockLoop, **options)
    return subject.report


class Deploy(Flow, critical=True):
    """A step that has nothing to do, what takes its value, and what only comes after."""

    @step
    async def look(self) -> str:
        await asyncio.sleep(1)
        raise Skip("nothing new")

    @step(after=look)
    async def build(self, version: str) -> str:
        return version

    @step(after=build)
    async def ship(self, wheel: str) -> str:
        return wheel

    @step(after=[ship])
    async def clean(self) -> str:
        return "clean"


def test_what_takes_its_value_is_skipped_and_what_comes_after_starts():
    """For the same reason, and none of it is a failure, critical or not."""
    flow = Deploy()

    report = perform(flow)

    assert report
    assert (report.failures, report.reason) == ((), None)
    assert report.raise_for_failure() is report
    assert states(flow.look, flow.build, flow.ship, flow.clean) == [*["SKIPPED"] * 3, "DONE"]
    assert (flow.look.started_at, flow.look.ended_at) == (0.0, 1.0)
    assert flow.ship.started_at is None
    assert [job.raised_exception() for job in (flow.look, flow.build, flow.ship)] == [None] * 3
    assert flow.look.is_idle()


def test_a_result_that_was_asked_for_says_why():
    """The `Skip` is the cause of it all, and its reason in every message."""
    flow = Deploy()
    perform(flow)

    with pytest.raises(SkippedError, match="'look' was skipped: nothing new") as own:
        flow.look.result()
    with pytest.raises(SkippedError, match="'build', which was skipped: nothing new") as taken:
        flow.ship.result()

    assert isinstance(own.value.__cause__, Skip)
    assert (own.value.missing, taken.value.missing) == (None, flow.build)
    assert own.value.skip is taken.value.skip is own.value.__cause__


def test_the_reason_is_shown_and_logged_as_no_failure(caplog):
    """In the listing after the word, in the log at INFO, a line for each job."""
    caplog.set_level(logging.INFO, "flowdeco")
    flow = Deploy()

    report = perform(flow)

    shown = [line for line in str(report).splitlines() if "SKIPPED" in line]
    assert [line.partition(" SKIPPED")[2] for line in shown] == [": nothing new"] * 3
    levels = [(record.levelname, record.job) for record in caplog.records]
    assert levels == [("INFO", "look"), ("INFO", "build"), ("INFO", "ship")]


@pytest.mark.parametrize("reason", ["", "\x1b[2J\n" * 3, "x" * 10_000])
def test_a_reason_is_one_printable_line(reason):
    """Rule 17, whatever it was given."""

    async def body():
        raise Skip(reason)

    job = Job(body)
    report = perform(Scheduler(job))

    assert report
    assert repr(job).isprintable()
    assert len(repr(job)) < 500


def test_a_plain_body_skips_as_well():
    """In its thread."""

    class Plain(Flow, critical=True):
        @step
        def look(self) -> int:
            raise Skip("nothing")

        @step(after=look)
        def build(self, value: int) -> int:
            return value

    flow = Plain()
    assert flow.run()
    assert states(flow.look, flow.build) == ["SKIPPED", "SKIPPED"]


def test_a_value_missing_through_a_failure_counts_more():
    """Then the skip is a failure's, and ends the run where the job is critical."""

    class Mixed(Flow):
        @step
        async def skips(self) -> int:
            raise Skip("nothing new")

        @step
        async def fails(self) -> int:
            raise ValueError("broken")

        @step(after=(skips, fails), critical=True)
        async def both(self, one: int, other: int) -> int:
            return one + other

    flow = Mixed()
    report = perform(flow)

    assert not report
    assert report.reason.exception.missing is flow.fails
    assert report.reason.exception.skip is None
    assert isinstance(report.reason.exception.__cause__, ValueError)


def test_other_failures_of_a_run_do_not_come_with_its_skips():
    """What is raised in the end are the failures alone."""

    async def skips():
        raise Skip("nothing")

    async def fails():
        await asyncio.sleep(1)
        raise ValueError("broken")

    report = perform(Scheduler(Job(skips), Job(fails), jobs_critical=True))

    with pytest.raises(ExceptionGroup) as caught:
        report.raise_for_failure()
    assert [type(error) for error in caught.value.exceptions] == [ValueError]


def test_an_item_that_skips_is_left_out_of_the_list():
    """The others are in their order."""

    class Each(Flow, critical=True):
        @step
        async def numbers(self) -> range:
            return range(6)

        @each(numbers)
        async def odd(self, number: int) -> int:
            if number % 2 == 0:
                raise Skip("even")
            return number

    flow = Each()
    report = perform(flow)

    assert report
    assert flow.odd.result() == [1, 3, 5]
    assert states(*flow.odd.children) == ["SKIPPED", "DONE"] * 3


def test_a_subflow_that_skips():
    """What takes its flow is skipped."""

    class Inner(Flow):
        pass

    class Outer(Flow, critical=True):
        @subflow
        def inner(self) -> Inner:
            raise Skip("not today")

        @step(after=inner)
        async def after(self, inner: Inner) -> Inner:
            return inner

    flow = Outer()
    assert perform(flow)
    assert states(flow.scheduler.find("inner"), flow.after) == ["SKIPPED", "SKIPPED"]
    with pytest.raises(AttributeError, match="not today"):
        _ = flow.inner


def test_a_service_skips_before_it_is_ready_and_fails_afterwards():
    """Once it was ready it has run, and what it raises is a failure."""
    seen = []

    class Served(Flow):
        late: bool = False

        @service
        async def server(self):
            if not self.late:
                raise Skip("no server needed")
            yield 1
            raise Skip("too late")

        @step(after=server)
        async def ask(self, number: int) -> int:
            seen.append(number)
            return number

    early, late = Served(), Served(late=True)

    assert perform(early)
    assert states(early.server, early.ask) == ["SKIPPED", "SKIPPED"]
    assert perform(late)
    assert states(late.server, late.ask) == ["FAILED", "DONE"]
    assert isinstance(late.server.raised_exception(), Skip)
    assert seen == [1]


async def skips_when_stopped():
    """Raise `Skip` when it is stopped."""
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        raise Skip("stopped") from None


def test_it_is_a_failure_in_a_group_after_a_stop_and_after_a_timeout():
    """Where the job cannot be said to have been skipped."""

    async def group():
        raise ExceptionGroup("all", [Skip("one")])

    jobs = [Job(group), Job(skips_when_stopped, timeout=1), Job(skips_when_stopped)]
    report = perform(Scheduler(*jobs), timeout=5)

    assert not report
    assert states(*jobs) == ["FAILED", "FAILED", "FAILED"]
    kinds = [type(job.raised_exception()) for job in jobs]
    assert kinds == [ExceptionGroup, TimeoutError, Skip]


def test_in_a_hook_it_is_an_error_of_the_hook():
    """The verdict stands."""

    async def hook():
        raise Skip("no hook")

    job = Job(lambda: asyncio.sleep(0), shutdown=hook)
    report = perform(Scheduler(job))

    assert report
    assert [type(error) for error in report.shutdown_errors.values()] == [Skip]


def test_observers_are_told_of_its_start_and_its_end():
    """As of any job that has run; of those skipped in turn, their end alone."""

    class Notes(Observer):
        def __init__(self):
            self.seen = []

        def job_started(self, job):
            self.seen.append(("started", job.name))

        def job_ended(self, job):
            self.seen.append(("ended", job.name, job.state))

    notes = Notes()
    perform(Deploy(), observers=[notes])

    assert notes.seen == [
        ("started", "look"),
        ("ended", "look", State.SKIPPED),
        ("ended", "build", State.SKIPPED),
        ("ended", "ship", State.SKIPPED),
        ("started", "clean"),
        ("ended", "clean", State.DONE),
    ]


def test_a_body_that_catches_what_another_raises_decides_itself():
    """`Skip` is an exception like others: `suppress` keeps it from the job."""

    async def body():
        with contextlib.suppress(Skip):
            raise Skip("nothing")
        return 1

    job = Job(body)
    assert perform(Scheduler(job))
    assert job.result() == 1
