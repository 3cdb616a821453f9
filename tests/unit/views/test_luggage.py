"""Reports that travel: what arrives in another process, and what stands for what cannot."""

from __future__ import annotations

import asyncio
import concurrent.futures
import copy
import functools
import multiprocessing
import pickle
import sys
import threading

import attrs
import pytest
from jobs import BoomError, boom, nap, orchestrate

from flowdeco import AbstractJob, Flow, Job, Scheduler, current_job, each, service, step, subflow
from flowdeco.errors import (
    CycleError,
    DefinitionError,
    FlowdecoError,
    RecordedError,
    SkippedError,
    StuckError,
)
from flowdeco.testing import VirtualClockLoop


def arrived(report):
    """The report as it is after a journey."""
    return pickle.loads(pickle.dumps(report))


def reported(*jobs, timeout=None, **options):
    """The report of a run of these jobs."""
    scheduler = Scheduler(*jobs, label="main", **options)
    orchestrate(scheduler, timeout)
    return scheduler.report


def raising(error, **options):
    """A job that raises this exception."""

    async def fail():
        raise error

    return Job(fail, label="fails", **options)


async def swallow():
    """Swallow every cancellation."""
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass


async def refuse():
    """A hook that raises."""
    raise BoomError("hook")


class Detailed(AbstractJob[object]):
    """Has details, and a value that cannot be pickled."""

    async def co_run(self):
        return threading.Lock()

    def details(self):
        return "of two\nlines"


class Probe(Flow):
    """Fails at first, when it is run in a step of another flow."""

    tries: int = 0

    @step
    async def connect(self):
        self.tries += 1
        if self.tries < 3:
            raise BoomError(f"try {self.tries}")
        return self.tries

    @step(after=connect)
    async def ask(self, number):
        return number


class Everything(Flow, grace=1.0):
    """Has a job of each state, with jobs inside of others, and hooks that raise."""

    @service
    async def beacon(self):
        yield {"the": "value"}

    @step
    async def items(self):
        return [1, 0]

    @each(items)
    async def divided(self, item):
        return 1 / item

    @step(after=divided)
    async def skipped(self, values):
        return values

    @subflow(after=[items])
    def probe(self):
        return [Probe(), Probe(tries=4)]

    @step
    async def again(self):
        probe = Probe()
        while not probe.ask.is_done():
            await probe.co_run()

    @again.shutdown
    async def close(self):
        raise BoomError("close")

    @step(after=items, critical=True)
    async def stuck(self, items):
        await swallow()


@functools.cache
def all_kinds():
    """Reports of runs that ended in all ways."""
    nested = Scheduler(boom("b", critical=True), nap("n", shutdown=refuse), label="inner")
    deep = Scheduler(boom("leaf", critical=True))
    for _ in range(150):
        deep = Scheduler(deep, critical=True)
    return {
        "nothing": reported(),
        "fine": reported(nap("a") >> Detailed(label="\x1b[2J")),
        "failed": reported(boom("a", critical=True), boom("b", critical=True), boom("c")),
        "nested": reported(nested, nap("x"), critical=True),
        "deep": reported(deep, timeout=5),
        "timed out": reported(nap("a", 9), timeout=1),
        "stuck": reported(Job(swallow, label="s"), nap("a"), timeout=1, grace=1),
        "exit": exited(),
        "everything": Everything().run(timeout=9, loop_factory=VirtualClockLoop),
    }


def exited():
    """The report of a run that an exit has ended."""
    scheduler = Scheduler(raising(SystemExit(3)), label="main")
    with pytest.raises(SystemExit):
        orchestrate(scheduler)
    return scheduler.report


KINDS = ("nothing", "fine", "failed", "nested", "deep", "timed out", "stuck", "exit", "everything")

every_kind = pytest.mark.parametrize("report", KINDS, indirect=True)


@pytest.fixture
def report(request):
    assert set(all_kinds()) == set(KINDS)
    return all_kinds()[request.param]


def without_exception(records):
    return [attrs.evolve(record, exception=None, attempts=()) for record in records]


def shown(error):
    """The class and the text of an exception, those of its members included."""
    if error is None:
        return None
    inside = [shown(one) for one in getattr(error, "exceptions", ())]
    return (type(error), str(error), inside)


@every_kind
def test_what_arrives_says_the_same(report):
    """Verdict, jobs, failures and texts are those of the report that left, tracebacks included."""
    other = arrived(report)

    assert (other.ok, bool(other), other.name) == (report.ok, bool(report), report.name)
    assert (other.duration, other.started_at) == (report.duration, report.started_at)
    assert str(other) == str(report)
    assert repr(other) == repr(report)
    assert [*other.text(details=True)] == [*report.text(details=True)]
    assert [*other.text(without_done=True)] == [*report.text(without_done=True)]
    for name in ("jobs", "failures", "stuck"):
        here, there = getattr(report, name), getattr(other, name)
        assert without_exception(here) == without_exception(there)
        assert [shown(one.exception) for one in here] == [shown(one.exception) for one in there]
    assert {k: shown(v) for k, v in other.shutdown_errors.items()} == {
        k: shown(v) for k, v in report.shutdown_errors.items()
    }


@every_kind
def test_what_arrives_has_the_same_reason(report):
    """The reason has its cause, its exception, and something that has the name of the job."""
    here, there = report.reason, arrived(report).reason

    assert str(there) == str(here)
    if here is not None:
        assert (there.cause, shown(there.exception)) == (here.cause, shown(here.exception))
        assert repr(there.job) == repr(here.job)


@every_kind
def test_what_arrives_raises_the_same(report):
    """`raise_for_failure` of it raises what that of the other raises, or returns it."""

    def raised(report):
        try:
            assert report.raise_for_failure() is report
        except BaseException as error:
            return shown(error)
        return None

    assert raised(arrived(report)) == raised(report)


@every_kind
def test_what_has_arrived_can_travel_on(report):
    """A second journey changes nothing."""
    once = arrived(report)
    twice = arrived(once)

    assert [*twice.text(details=True)] == [*once.text(details=True)]
    assert twice.jobs == once.jobs or len(twice.failures) == len(once.failures) > 0


@every_kind
def test_a_report_can_be_copied(report):
    """A copy, deep or not, says the same; with the exceptions as they are."""
    for other in (copy.copy(report), copy.deepcopy([report])[0]):
        assert str(other) == str(report)
        assert other.jobs == report.jobs


# Exceptions


class TooManyArguments(Exception):
    """Can be pickled, and not read back."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


class Changing(Exception):
    """Is another when it is read back."""

    def __init__(self, text):
        super().__init__(f"{text}!")


class Refusing(Exception):
    """Raises where it is to be pickled."""

    def __init__(self, error):
        self.error = error
        super().__init__("refuses")

    def __reduce__(self):
        raise self.error


class Strange(Exception):
    """Is read back as something else."""

    def __reduce__(self):
        return (str, ("strange",))


class Trap(Exception):
    """Raises where it is read back."""

    def __reduce__(self):
        return (sys.exit, (3,))


class Holding(Exception):
    """Holds something."""

    def __init__(self, held):
        super().__init__("holds")
        self.held = held

    def __reduce__(self):
        return (Holding, (self.held,))


def local():
    """An exception whose class cannot be found by its name."""

    class LocalError(Exception):
        pass

    return LocalError("local")


UNFIT = {
    "local class": local,
    "arguments": lambda: TooManyArguments("one", "two"),
    "another text": lambda: Changing("changes"),
    "raises": lambda: Refusing(ValueError()),
    "exits": lambda: Refusing(SystemExit()),
    "is interrupted": lambda: Refusing(KeyboardInterrupt()),
    "is no exception": lambda: Strange("strange"),
    "exits when read": lambda: Trap("trap"),
    "has a lock": lambda: ValueError(threading.Lock()),
    "is bottomless": lambda: ValueError(nested_list(100_000)),
}
WASM = sys.platform == "emscripten"
if WASM:
    del UNFIT["is bottomless"]  # its stack has no such bottom


def nested_list(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("make", UNFIT.values(), ids=UNFIT)
def test_an_exception_that_cannot_travel_is_replaced_by_its_text(make):
    """It says what the other was and where it arose; the rest of the report is not lost."""
    report = reported(raising(BoomError("fit")), raising(make(), critical=True))
    other = arrived(report)
    second, first = other.failures
    lines = [line for line in str(report).splitlines() if line.startswith("    ")]

    assert type(first.exception) is RecordedError
    assert first.exception.type == type(report.failures[1].exception).__name__
    assert first.exception.message in str(report)
    assert str(first.exception) == f"{first.exception.type}: {first.exception.message}"
    assert "in fail" in first.exception.traceback
    assert set(first.exception.traceback.splitlines()) <= {line[4:] for line in lines}
    assert type(second.exception) is BoomError
    assert str(other) == str(report)
    with pytest.raises(ExceptionGroup) as caught:
        other.raise_for_failure()
    assert caught.value.exceptions == (first.exception,)


def test_a_member_of_a_group_that_cannot_travel_leaves_the_others():
    """A group travels as a group, with its members as they can."""
    group = ExceptionGroup("some", [ValueError("a"), ExceptionGroup("in", [local(), KeyError(1)])])
    report = reported(raising(group))
    error = arrived(report).failures[0].exception

    assert (type(error), error.message) == (ExceptionGroup, "some")
    assert (type(error.exceptions[0]), error.exceptions[0].args) == (ValueError, ("a",))
    recorded, other = error.exceptions[1].exceptions
    assert (str(recorded), type(other)) == ("LocalError: local", KeyError)


def test_an_exception_of_several_jobs_arrives_as_one():
    """What is the same exception before is so afterwards; what it comes from is there as well."""
    cause = KeyError("cause")

    async def fail():
        raise BoomError("x") from cause

    report = reported(Scheduler(Job(fail, critical=True), label="inner", critical=True))
    other = arrived(report)
    outer, inner = other.jobs

    assert outer.exception is inner.exception is other.reason.exception
    assert type(inner.exception.__cause__) is KeyError
    assert inner.exception.__suppress_context__


def test_causes_in_a_circle():
    """Exceptions may come from each other, however Python has come to that."""
    one, other = ValueError("one"), KeyError("other")

    async def fail():
        one.__cause__ = other
        other.__context__ = one
        raise one

    error = arrived(reported(Job(fail))).failures[0].exception

    assert error.__cause__.__context__ is error


def test_jobs_never_travel():
    """An exception that knows a job knows what stands for it: it has the name and the state."""

    async def fail():
        raise Holding([current_job(), nap("strange")])

    other = arrived(reported(Job(fail, label="holder")))
    job, strange = other.failures[0].exception.held

    assert (job.name, job.state, strange.name) == ("holder", other.jobs[0].state, "strange")
    assert repr(job) == [*other.text()][1][3:]


def test_own_errors_know_what_stands_for_their_jobs():
    """A skip, or jobs that are stuck, can be asked for them by name."""

    async def fail():
        raise BoomError

    class Skips(Flow):
        @step
        async def source(self):
            await fail()

        @step(after=source, critical=True)
        async def sink(self, value):
            return value

    skipped = arrived(Skips().run(loop_factory=VirtualClockLoop)).reason.exception
    assert type(skipped) is SkippedError
    assert (skipped.job.name, skipped.missing.name) == ("sink", "source")
    assert type(skipped.__cause__) is BoomError

    with pytest.raises(StuckError) as caught:
        arrived(all_kinds()["stuck"]).raise_for_failure()
    assert [job.name for job in caught.value.jobs] == ["s"]


def test_a_report_in_an_exception_travels_as_its_text():
    """It may be the very report that travels."""
    error = Holding(None)
    report = reported(raising(error))
    error.held = report

    assert arrived(report).failures[0].exception.held == str(report)


def test_an_exception_whose_class_is_not_there_any_more(monkeypatch):
    """It is read back where it can be, and else is its text; the rest arrives."""
    here = reported(raising(BoomError("first")), raising(Holding(1)))
    pickled = pickle.dumps(here)
    monkeypatch.delattr(f"{__name__}.Holding")

    first, second = pickle.loads(pickled).failures

    assert type(first.exception) is BoomError
    assert str(second.exception) == "Holding: holds"


def test_a_huge_message_is_cut():
    """The text of an exception that cannot travel is of use to people only."""
    error = local()
    error.args = ("x" * 1_000_000,)

    assert len(pickle.dumps(reported(raising(error)))) < 10_000


def test_values_stay_where_they_are():
    """What the report shows of them travels, and no more."""

    async def big():
        return bytes(1_000_000)

    report = reported(Job(big))

    assert len(pickle.dumps(report)) < 5_000
    assert str(arrived(report)) == str(report)


def test_a_report_whose_jobs_break_in_the_end():
    """A report of hostile objects travels as well."""

    class Broken:
        def __repr__(self):
            raise KeyboardInterrupt

        @property
        def __class__(self):
            raise RuntimeError

    class Job(AbstractJob):
        name = property(lambda self: "fine" if self.is_idle() else sys.exit())

        async def co_run(self):
            return [Broken()]

        def details(self):
            raise SystemExit

    Job.__name__ = "\x1b[2J"
    report = reported(Job())

    assert str(arrived(report)) == str(report)
    assert [*arrived(report).text(details=True)] == [*report.text(details=True)]


# Errors of ours


@pytest.mark.parametrize(
    "error",
    [
        CycleError(["a", "b", "a"], "'main'"),
        DefinitionError("Deploy", ["one", "two"]),
        RecordedError("KeyError", "'x'", "lines"),
        FlowdecoError("text"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_ours_can_be_pickled_and_copied(error):
    """It is the same afterwards, its attributes included, whatever made it."""
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is type(error)
        assert (str(other), vars(other)) == (str(error), vars(error))


# Another process


def work():
    """Run a flow, and return its report; called in another process."""
    return Everything().run(timeout=9, loop_factory=VirtualClockLoop)


@pytest.mark.process
@pytest.mark.skipif(WASM, reason="there are no processes")
@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_a_report_comes_back_from_another_process(method):
    """`ProcessPoolExecutor` returns the report of a flow that has run there."""
    context = multiprocessing.get_context(method)
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as executor:
        report = executor.submit(work).result(60)

    assert {type(record.exception) for record in report.failures} >= {BoomError, ExceptionGroup}
    assert "try 2" in str(report)
    with pytest.raises(StuckError):
        report.raise_for_failure()
