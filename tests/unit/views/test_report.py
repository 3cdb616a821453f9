"""Reports: the record of a run, which stays as it is."""

from __future__ import annotations

import asyncio
import datetime
import gc
import sys
import traceback
import weakref

import attrs
import pytest
from jobs import BoomError, boom, diamond, nap, naps, orchestrate, sleeping, virtually

from flowdeco import Flow, Job, Report, Scheduler, State, step, subflow
from flowdeco.errors import SkippedError, StuckError
from flowdeco.jobs.attempts import Attempt
from flowdeco.testing import VirtualClockLoop


def reported(*jobs, timeout=None, **options):
    """The report of a run of these jobs."""
    scheduler = Scheduler(*jobs, label="main", **options)
    orchestrate(scheduler, timeout)
    return scheduler.report


def swallow(label="swallow", **options):
    """A job that swallows every cancellation."""

    async def body():
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                pass

    return Job(body, label=label, **options)


async def waiting():
    """Wait for ever, and end when cancelled."""
    await asyncio.Event().wait()


async def refusing():
    """A hook that raises."""
    raise BoomError("hook")


class Taking(Flow):
    """A critical step takes the value of one that fails."""

    @step
    async def source(self):
        raise BoomError("source")

    @step(after=source, critical=True)
    async def sink(self, value):
        return value


# Verdict and reason


def test_report_of_a_success():
    """A run that succeeded has a true report without a reason, and nothing to raise."""
    report = reported(nap("a"))

    assert (bool(report), report.ok, report.reason) == (True, True, None)
    assert (report.failures, report.stuck, report.shutdown_errors) == ((), (), {})
    assert report.raise_for_failure() is report
    assert repr(report) == "<Report of `main`: ok>"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(
            lambda: reported(boom("a", critical=True)),
            "critical job 'a' failed with BoomError",
            id="critical",
        ),
        pytest.param(
            lambda: Taking().run(loop_factory=VirtualClockLoop),
            "critical job 'sink' was skipped",
            id="skipped",
        ),
        pytest.param(
            lambda: reported(nap("a", 9), timeout=1), "'main' timed out after 1 s", id="timeout"
        ),
        pytest.param(
            lambda: reported(nap("a"), timeout=0), "'main' timed out after 0 s", id="zero"
        ),
        pytest.param(
            lambda: reported(swallow("a", timeout=1), swallow("b", timeout=1)),
            "stuck: 'a', 'b'",
            id="stuck",
        ),
    ],
)
def test_report_of_a_failure(make, reason):
    """A run that failed has a false report; its reason is a phrase."""
    report = make()

    assert (bool(report), report.ok, str(report.reason)) == (False, False, reason)
    assert repr(report) == f"<Report of `{report.name}`: {reason}>"


def test_text_of_a_report_is_the_debrief(capsys):
    """`str(report)` is what `debrief()` prints."""
    scheduler = Scheduler(boom("a", critical=True), diamond(1.0, label="inner"), label="main")
    orchestrate(scheduler)

    scheduler.debrief()

    assert str(scheduler.report) + "\n" == capsys.readouterr().out


def test_text_of_a_report_never_raises():
    """F16: where even the text of an error raises, the report has a text."""

    class Broken(Exception):
        def __str__(self):
            raise RuntimeError

    async def fail():
        raise Broken

    report = reported(Job(fail, critical=True, shutdown=fail))

    assert "main" in str(report)
    assert "Broken" in repr(report)


def test_text_of_a_report_with_a_failure_that_python_cannot_show():
    """F16: a traceback that cannot be laid out says so in its place."""

    class Unshowable(Exception):
        @property
        def __suppress_context__(self):
            raise TypeError

    async def fail():
        raise Unshowable("wrong")

    text = str(reported(Job(fail, label="odd")))

    assert "Unshowable:wrong" in text
    assert "<a traceback that raised TypeError>" in text


def test_text_of_a_report_with_a_job_that_breaks_in_the_end():
    """F16: even where a job cannot be named any more, the report has a text."""

    class Breaking(Job[None]):
        broken = False

        @property
        def name(self):
            if self.broken:
                raise RuntimeError
            return "fine"

    job = Breaking(waiting, timeout=1)
    report = reported(job)
    assert "fine" in str(report)

    job.broken = True
    text = str(report)
    assert "<Breaking `<Breaking whose name raised RuntimeError>`>" in text
    assert "TimeoutError: 'fine' took longer" in text


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, RuntimeError])
def test_text_of_a_report_of_objects_that_raise_anything(error, capsys):
    """F16: labels, values, messages and details that exit the program have a placeholder."""

    class Leaving:
        def __str__(self):
            raise error

        __repr__ = __str__
        __format__ = __str__

    class LeavingError(Exception):
        __str__ = __repr__ = Leaving.__str__

    class Talking(Job):
        def details(self):
            raise error

    async def give():
        return Leaving()

    async def fail():
        raise LeavingError

    scheduler = Scheduler(Talking(give, label=Leaving()), Job(fail, critical=True), label="main")
    orchestrate(scheduler)
    scheduler.list(details=True)
    scheduler.debrief(details=True)
    text = str(scheduler.report)

    placeholder = f"whose text raised {error.__name__}>"
    assert text.count(placeholder) == 4
    assert f"<details() raised {error.__name__}>" in capsys.readouterr().out
    assert scheduler.report.jobs[0].path == f"<Leaving {placeholder}"


HOSTILE = [
    *("__cause__", "__context__", "__suppress_context__", "__traceback__", "__notes__"),
    *("with_traceback", "add_note", "args", "exceptions", "message"),
]


@pytest.mark.parametrize("kind", [ValueError, ExceptionGroup], ids=["plain", "group"])
@pytest.mark.parametrize(
    "name", [*HOSTILE, "args", "exceptions", "message", "__suppress_context__"]
)
def test_text_of_a_report_with_an_exception_whose_attributes_raise(name, kind):
    """F16: what is asked of an exception may raise; where it arose is shown all the same."""

    def refuse(self, *_):
        raise KeyboardInterrupt

    hostile = type("Hostile", (kind,), {name: property(refuse)})
    arguments = ("text", [ValueError("inside")]) if kind is ExceptionGroup else ("text",)

    async def fail():
        raise BoomError from hostile(*arguments)

    text = str(reported(Job(fail, label="odd"), boom("other")))

    assert ", in fail" in text.replace("\n", " ")
    assert "BoomError" in text
    assert "other" in text


def test_text_of_a_report_with_an_exception_whose_causes_never_end():
    """F16: a cause that is made anew each time would be followed for ever."""

    class Endless(Exception):
        @property
        def __cause__(self):
            return Endless()

    class Sly(Exception):
        def __getattribute__(self, name):
            return Sly() if name == "__context__" else None

    for error in (Endless(), Sly()):

        async def fail(error=error):
            raise BoomError from error

        text = str(reported(Job(fail, label="odd")))

        assert ", in fail" in text.replace("\n", " ")
        assert "<a traceback that raised TypeError>" in text


def test_result_of_a_failure_whose_traceback_cannot_be_set():
    """F16: `result()` raises the exception, whatever its own methods do."""
    test = "test_result_of_a_failure_whose_traceback_cannot_be_set"

    class Own(Exception):
        pass

    async def fail():
        raise Own("gone")

    job = Job(fail, critical=True)
    report = reported(job)
    Own.with_traceback = lambda self, frames: None
    found = []
    for _ in range(2):
        try:
            job.result()
        except Own as error:
            found.append([entry.name for entry in traceback.extract_tb(error.__traceback__)])
    del Own.with_traceback  # pytest has a use for it

    assert found == [[test, "result", "fail"]] * 2
    with pytest.raises(ExceptionGroup):
        report.raise_for_failure()


@pytest.mark.parametrize("depth", [150, 199])
def test_reports_of_deeply_nested_schedulers_from_a_deep_stack(depth, capsys):
    """G25: what is nested is not walked through by recursion."""
    scheduler = Scheduler(boom("leaf", critical=True))
    for _ in range(depth - 1):
        scheduler = Scheduler(scheduler)
    scheduler.orchestrate()

    def deep(levels):
        if levels:
            return deep(levels - 1)
        report = scheduler.report
        scheduler.list()
        scheduler.debrief()
        texts = [str(report), scheduler.to_dot(), repr(report)]
        count = len([*scheduler.iterate_jobs(scan_schedulers=True)])
        return len(report.jobs), count, scheduler.find("leaf").name, texts

    count, scanned, name, texts = deep(700)

    assert (count, scanned, name) == (depth, depth + 1, "leaf")
    assert not any("RecursionError" in text for text in texts)
    assert "RecursionError" not in capsys.readouterr().out


def test_a_huge_message_is_cut_before_it_is_laid_out():
    """F19: a message of many lines does not make a report of as many."""

    async def fail():
        raise ValueError("line\n" * 1_000_000)

    assert len(str(reported(Job(fail)))) < 100_000


def test_name_of_a_report_is_printable():
    """O03: the name of the scheduler may be made of anything."""
    scheduler = Scheduler(label="\x1b[2J\n\ud800")
    orchestrate(scheduler)

    assert str(scheduler.report).splitlines()[0].isprintable()
    assert repr(scheduler.report).isprintable()


# Raising


def test_a_run_and_its_check_are_one_line():
    """`raise_for_failure` returns the report of a success."""

    class Fine(Flow):
        @step
        async def work(self):
            return 1

    report = Fine().run(timeout=60, loop_factory=VirtualClockLoop).raise_for_failure()

    assert (type(report), len(report.jobs)) == (Report, 1)


def test_critical_failures_are_raised_as_a_group():
    """F03: all critical failures are in the group, by completion; it is an `ExceptionGroup`."""
    report = reported(
        boom("late", 0.5, critical=True), boom("one", critical=True), boom("two", critical=True)
    )

    with pytest.raises(ExceptionGroup) as caught:
        report.raise_for_failure()

    one, two = (record.exception for record in report.failures)
    assert caught.value.exceptions == (one, two)
    assert str(caught.value) == (
        "'main' failed: critical job 'one' failed with BoomError (2 sub-exceptions)"
    )


def test_group_of_critical_failures_is_in_the_order_of_completion():
    """F03: a critical failure during the drain comes after the one that ended the run."""

    async def late():
        try:
            await waiting()
        finally:
            raise KeyError("late")

    report = reported(Job(late, critical=True), boom("first", 1, critical=True))

    with pytest.raises(ExceptionGroup) as caught:
        report.raise_for_failure()

    assert [type(error) for error in caught.value.exceptions] == [BoomError, KeyError]


def test_group_with_more_than_exceptions():
    """F14: a critical failure that is no `Exception` makes the group a `BaseExceptionGroup`."""

    class Odd(BaseException):
        pass

    async def fail():
        raise Odd

    with pytest.raises(BaseExceptionGroup) as caught:
        reported(Job(fail, critical=True)).raise_for_failure()

    assert not isinstance(caught.value, ExceptionGroup)
    assert [type(error) for error in caught.value.exceptions] == [Odd]


def test_non_critical_failures_are_not_raised():
    """F02: failures that decide nothing are in `failures` alone."""
    report = reported(boom("a"), nap("b"))

    assert report.raise_for_failure() is report
    assert [record.path for record in report.failures] == ["a"]


def test_a_skipped_critical_job_is_raised():
    """F02: a skip of a critical job is raised, with what made its value missing as the cause."""
    report = Taking().run(loop_factory=VirtualClockLoop)

    with pytest.raises(ExceptionGroup) as caught:
        report.raise_for_failure()

    (error,) = caught.value.exceptions
    assert isinstance(error, SkippedError)
    assert (error.job.name, error.missing.name) == ("sink", "source")
    assert isinstance(error.__cause__, BoomError)
    assert [record.path for record in report.failures] == ["source"]


def test_a_timeout_is_raised():
    """T01: without a critical failure, a timeout is raised as `TimeoutError`."""
    with pytest.raises(TimeoutError, match="'main' timed out after 1 s"):
        reported(boom("a"), nap("b", 9), timeout=1).raise_for_failure()


def test_stuck_jobs_are_raised():
    """F05: steps that did not end are raised as `StuckError`, which has them."""
    report = reported(swallow("a", timeout=1), swallow("b", timeout=1))

    with pytest.raises(BaseException, match="'a'") as caught:
        report.raise_for_failure()

    assert isinstance(caught.value, StuckError)
    assert [job.name for job in caught.value.jobs] == ["a", "b"]


def test_stuck_jobs_come_before_a_timeout():
    """X08: of a run that timed out and left something stuck, the latter is raised."""
    report = reported(swallow("a"), timeout=1)

    with pytest.raises(StuckError) as caught:
        report.raise_for_failure()

    assert [job.name for job in caught.value.jobs] == ["a"]
    assert str(report.reason) == "'main' timed out after 1 s"


def test_critical_failures_come_before_stuck_jobs():
    """F05: a critical failure is raised though its end left something stuck."""
    report = reported(swallow("a"), boom("b", critical=True))

    with pytest.raises(ExceptionGroup):
        report.raise_for_failure()

    assert [record.path for record in report.stuck] == ["a"]


def test_a_stuck_service_that_is_not_critical_decides_nothing():
    """A service that hangs and is not critical is in `stuck`, and the run has succeeded."""
    report = reported(nap("a"), swallow("held", forever=True))

    assert report.ok
    assert report.raise_for_failure() is report
    assert [record.path for record in report.stuck] == ["held"]


def test_a_cancellation_from_outside_is_in_the_report():
    """X01: the report of a run that was cancelled says so, and raises the same."""
    scheduler = Scheduler(nap("a", 9), label="main")

    async def cancelled():
        task = asyncio.ensure_future(scheduler.co_orchestrate())
        await asyncio.sleep(1)
        task.cancel("why")
        await asyncio.wait([task])

    virtually(cancelled())

    assert str(scheduler.report.reason) == "cancelled from outside"
    with pytest.raises(asyncio.CancelledError, match="why"):
        scheduler.report.raise_for_failure()


def test_raising_again_does_not_grow_the_tracebacks():
    """The errors of jobs are raised in a group, so that their own tracebacks stay."""
    report = reported(boom("a", critical=True))
    lengths = []
    for _ in range(3):
        with pytest.raises(ExceptionGroup) as caught:
            report.raise_for_failure()
        (error,) = caught.value.exceptions
        frames, place = 0, error.__traceback__
        while place is not None:
            frames, place = frames + 1, place.tb_next
        lengths.append(frames)

    assert len(set(lengths)) == 1


# Times


def test_started_at_is_an_aware_date():
    """`started_at` is a date with a time zone, `duration` is by the clock of the loop."""
    before = datetime.datetime.now(datetime.UTC)
    report = reported(nap("hours", 7200))
    after = datetime.datetime.now(datetime.UTC)

    tick = datetime.timedelta(milliseconds=1)  # as fine as some clocks are
    assert before - tick <= report.started_at <= after + tick
    assert report.started_at.utcoffset() == datetime.timedelta(0)
    assert report.duration == 7200.0


def test_duration_has_the_drain_in_it():
    """A run lasts until its hooks have been called."""

    async def cleaning():
        try:
            await waiting()
        finally:
            await asyncio.sleep(2)

    report = reported(Job(cleaning, shutdown=lambda: sleeping(0.5)), timeout=1)

    assert report.duration == 3.5


# Records


def test_records_have_all_of_each_job():
    """A record has path, kind, state, times, exception, attempts, requirements; services too."""
    a, b = nap("a"), boom("b", 0.5)
    b.requires(a)
    report = reported(a, b, Job(waiting, label="beacon", forever=True, critical=True))

    assert [attrs.asdict(record, recurse=False) for record in report.jobs] == [
        {
            "path": "a",
            "kind": "Job",
            "state": State.DONE,
            "critical": False,
            "forever": False,
            "left_out": False,
            "started_at": 0.0,
            "ended_at": 0.25,
            "exception": None,
            "returned": False,
            "attempts": (Attempt(0.0, 0.25, None),),
            "requirements": (),
            "ended": None,
            "total": None,
        },
        {
            "path": "b",
            "kind": "Job",
            "state": State.FAILED,
            "critical": False,
            "forever": False,
            "left_out": False,
            "started_at": 0.25,
            "ended_at": 0.75,
            "exception": b.raised_exception(),
            "returned": False,
            "attempts": (Attempt(0.25, 0.75, b.raised_exception()),),
            "requirements": ("a",),
            "ended": None,
            "total": None,
        },
        {
            "path": "beacon",
            "kind": "Job",
            "state": State.CANCELLED,
            "critical": True,
            "forever": True,
            "left_out": False,
            "started_at": 0.0,
            "ended_at": 0.75,
            "exception": None,
            "returned": False,
            "attempts": (Attempt(0.0, 0.75, None),),
            "requirements": (),
            "ended": None,
            "total": None,
        },
    ]


def test_records_are_frozen():
    """What has happened cannot be changed."""
    report = reported(nap("a"))

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        report.jobs[0].state = State.FAILED
    with pytest.raises(AttributeError):
        report.reason = None
    with pytest.raises(AttributeError):
        report.jobs.append(1)


def test_records_of_nested_jobs_have_paths():
    """The path of a nested job has the names of what it is in; requirements are paths too."""
    x, y = naps("xy")
    deep = Scheduler(x, y.requires(x), label="deep")
    inner = Scheduler(nap("a"), deep, label="inner")
    last = nap("last", required=inner)

    assert [
        (record.path, record.requirements, record.started_at)
        for record in reported(last, inner).jobs
    ] == [
        ("inner", (), 0.0),
        ("inner/a", (), 0.0),
        ("inner/deep", (), 0.0),
        ("inner/deep/x", (), 0.0),
        ("inner/deep/y", ("inner/deep/x",), 0.25),
        ("last", ("inner",), 0.5),
    ]


def test_records_of_nested_jobs_that_never_started():
    """The jobs of a nested scheduler that did not start are in the report as idle."""
    inner = Scheduler(*naps("xy"), label="inner")
    report = reported(nap("first", 9), inner, window=1, timeout=1)

    assert [(record.path, record.state.name) for record in report.jobs] == [
        ("first", "CANCELLED"),
        ("inner", "IDLE"),
        ("inner/x", "IDLE"),
        ("inner/y", "IDLE"),
    ]


def test_records_of_deeply_nested_jobs_that_never_started():
    """So are those of schedulers within it: each job has a record, as in a listing."""
    inner = Scheduler(*naps("xy"), label="inner")
    report = reported(nap("first", 9), Scheduler(inner, label="outer"), window=1, timeout=1)

    assert [record.path for record in report.jobs] == [
        *("first", "outer", "outer/inner", "outer/inner/x", "outer/inner/y")
    ]


def test_failures_and_stuck_are_found_at_any_level():
    """X18: what failed or is stuck deep inside is in the report of the outermost run."""
    inner = Scheduler(boom("broken"), swallow("held"), label="inner")
    report = reported(Scheduler(inner, label="middle"), timeout=1, grace=1)

    assert [record.path for record in report.failures if "/" in record.path] == [
        "middle/inner/broken"
    ]
    assert [record.path for record in report.stuck] == ["middle/inner/held"]


def test_errors_of_hooks_are_found_at_any_level():
    """S01: the errors of hooks, nested ones too, by the name of the job."""
    inner = Scheduler(nap("below", shutdown=refusing), label="inner")
    report = reported(inner, nap("above", shutdown=refusing), nap("fine"))

    assert report.ok
    assert {name: str(error) for name, error in report.shutdown_errors.items()} == {
        "above": "hook",
        "inner/below": "hook",
    }


def test_errors_of_hooks_of_equal_labels_are_all_kept():
    """G19 S01: no error is lost (rule 14)."""
    report = reported(nap("same", shutdown=refusing), nap("same", shutdown=refusing))

    assert len(report.shutdown_errors) == 2


def test_paths_are_unique():
    """G19: equal labels are allowed, and ids are unique in reports."""
    a, b = naps(["same", "same"])
    report = reported(a, b, nap("last", required=b))

    assert len({record.path for record in report.jobs}) == 3


def test_paths_that_look_like_those_of_others_are_unique():
    """G19: a label may look like the path of a nested job, or like a name with a number."""
    report = reported(
        *naps(["a", "a", "a (2)", "a (2)", "a (3)", "a"]),
        nap("x/y", shutdown=refusing),
        Scheduler(nap("y", shutdown=refusing), label="x"),
        Scheduler(nap("y", shutdown=refusing), label="x"),
    )
    paths = [record.path for record in report.jobs]

    assert len(set(paths)) == len(paths) == 11
    assert paths[:2] == ["a", "a (2)"]
    assert len(report.shutdown_errors) == 3
    assert set(report.shutdown_errors) < set(paths)


def test_many_equal_names_take_no_longer_than_others(monkeypatch):
    """Whatever the number of jobs, their paths are found in linear time."""
    # In debug mode asyncio keeps the stack, all of which takes many seconds.
    monkeypatch.setattr(sys, "tracebacklimit", 1, raising=False)
    report = reported(*naps(["same"] * 20_000))

    assert report.jobs[-1].path == "same (20000)"


def test_kind_of_a_record_is_printable():
    """O03: the name of a class may be made of anything."""
    kind = type("Evil\x1b[2J\n\u202e", (Job,), {})

    assert reported(kind(waiting, timeout=1)).jobs[0].kind == r"Evil\x1b[2J\n\u202e"


# A flow or a scheduler that runs several times within one run


class Probe(Flow):
    """Fails twice, in a first step that a second one takes the value of."""

    tries: int = 0

    @step
    async def connect(self):
        self.tries += 1
        if self.tries < 3:
            raise BoomError(f"try {self.tries}")
        return self.tries

    @connect.shutdown
    async def close(self):
        raise BoomError(f"close {self.tries}")

    @step(after=connect)
    async def ask(self, number):
        return number


class Retry(Flow):
    """Runs one flow until it works."""

    @step
    async def until_it_works(self):
        probe = Probe()
        while not probe.ask.is_done():
            await probe.co_run()

    @step(after=until_it_works)
    async def then(self):
        pass


def test_report_of_a_flow_that_is_run_again_in_a_step():
    """X18: each of its runs is in the report, with its failures and the errors of its hooks."""
    report = Retry().run(loop_factory=VirtualClockLoop)

    assert [(one.path, one.state.name, one.requirements) for one in report.jobs] == [
        ("until_it_works", "DONE", ()),
        ("until_it_works/connect", "FAILED", ()),
        ("until_it_works/ask", "SKIPPED", ("until_it_works/connect",)),
        ("until_it_works/connect (2)", "FAILED", ()),
        ("until_it_works/ask (2)", "SKIPPED", ("until_it_works/connect (2)",)),
        ("until_it_works/connect (3)", "DONE", ()),
        ("until_it_works/ask (3)", "DONE", ("until_it_works/connect (3)",)),
        ("then", "DONE", ("until_it_works",)),
    ]
    assert [str(record.exception) for record in report.failures] == ["try 1", "try 2"]
    assert {path: str(error) for path, error in report.shutdown_errors.items()} == {
        "until_it_works/connect": "close 1",
        "until_it_works/connect (2)": "close 2",
        "until_it_works/connect (3)": "close 3",
    }


def test_text_of_a_report_of_a_flow_that_is_run_again_in_a_step():
    """X18: each line has a number of its own, and what it requires is of the same run."""
    report = Retry().run(loop_factory=VirtualClockLoop)
    lines = [line for line in str(report).splitlines() if line[:2].isdigit()]

    assert [line[:2] for line in lines] == [f"{number:02}" for number in range(1, 9)]
    assert [line.partition(" - requires ")[2] for line in lines] == [
        *("", "", "{02} SKIPPED", "", "{04} SKIPPED", "", "{06}", "{01}")
    ]
    assert all(f"    jobs.BoomError: try {number}" in str(report) for number in (1, 2))


def test_report_of_a_scheduler_that_is_run_again_by_a_job():
    """X18: the same holds of a scheduler, and of those nested in it."""
    tries = iter((BoomError("first"), BoomError("second"), None))

    async def flaky():
        error = next(tries)
        if error is not None:
            raise error

    inner = Scheduler(Scheduler(Job(flaky, critical=True), critical=True, label="in"))

    async def retry():
        while not await inner.co_orchestrate():
            pass

    report = reported(Job(retry, label="retry"))

    assert [record.path for record in report.jobs if "flaky" in record.path] == [
        "retry/in/flaky",
        "retry/in (2)/flaky",
        "retry/in (3)/flaky",
    ]
    assert len(report.failures) == 4


def test_report_of_one_flow_in_two_subflows():
    """X18: each subflow has the run that was its own."""

    class Twice(Flow):
        inner: Probe = attrs.field(factory=Probe)

        @subflow
        def first(self):
            return self.inner

        @subflow(after=[first])
        def again(self):
            return self.inner

    flow = Twice()
    report = flow.run(loop_factory=VirtualClockLoop)

    assert [record.path for record in report.jobs] == [
        *("first", "first/Probe", "first/Probe/connect", "first/Probe/ask"),
        *("again", "again/Probe", "again/Probe/connect", "again/Probe/ask"),
    ]
    assert [str(record.exception) for record in report.failures] == ["try 1", "try 2"]
    assert len(report.shutdown_errors) == 2


def test_report_of_a_hook_that_the_run_around_has_called():
    """S01: a nested run that is cut short in its second try leaves its hooks to the run around."""
    inner = Scheduler(nap("work", 1, shutdown=refusing), nap("idle", shutdown=refusing))

    async def poll():
        while True:
            await inner.co_orchestrate()

    report = reported(Job(poll, label="poll"), timeout=1.5, grace=1)

    assert sorted(report.shutdown_errors) == [
        *("poll/idle", "poll/idle (2)", "poll/work", "poll/work (2)")
    ]


def test_report_of_nothing():
    """G10: the report of an empty run is true, and has no records."""
    report = reported()

    assert (report.ok, report.jobs, report.duration) == (True, (), 0.0)


# It stays


def test_report_keeps_the_outcomes_of_its_run():
    """R01: what a later run does changes nothing in the report of an earlier one."""
    errors = iter([BoomError("first"), None, BoomError("third")])

    async def body():
        error = next(errors)
        if error is not None:
            raise error

    scheduler = Scheduler(Job(body, label="a", critical=True), label="main")
    reports = []
    for _ in range(3):
        orchestrate(scheduler)
        reports.append(scheduler.report)

    assert [report.ok for report in reports] == [False, True, False]
    assert [report.jobs[0].state.name for report in reports] == ["FAILED", "DONE", "FAILED"]
    assert [len(report.failures) for report in reports] == [1, 0, 1]
    assert "BoomError: first" in str(reports[0])
    assert "BoomError" not in str(reports[1])
    assert "BoomError: third" in str(reports[2])


def test_report_keeps_the_nested_outcomes_of_its_run():
    """R01: the same holds of what ran in nested schedulers."""
    inner = Scheduler(nap("a"), nap("b", 9), label="inner", timeout=1)
    scheduler = Scheduler(inner)
    orchestrate(scheduler)
    first = scheduler.report
    inner.timeout = None
    orchestrate(scheduler)

    states = [[record.state.name for record in report.jobs] for report in (first, scheduler.report)]
    assert states == [["FAILED", "DONE", "CANCELLED"], ["DONE", "DONE", "DONE"]]


def test_report_keeps_the_requirements_of_its_run():
    """Requirements that are added or removed later are not those of the run."""
    a, b, c = naps("abc")
    b.requires(a)
    scheduler = Scheduler(a, b, c)
    orchestrate(scheduler)
    report = scheduler.report
    b.requires(c)
    b.requires(a, remove=True)
    c.requires(a)
    scheduler.add(nap("d", required=a))
    scheduler.remove(a)

    assert [(record.path, record.requirements) for record in report.jobs] == [
        ("a", ()),
        ("b", ("a",)),
        ("c", ()),
    ]


def test_report_keeps_the_criticality_of_its_run():
    """Whether a job was critical is a fact of the run."""
    job = boom("a")
    scheduler = Scheduler(job)
    orchestrate(scheduler)
    report = scheduler.report
    job.critical = True

    assert report.jobs[0].critical is False
    assert "CRIT" not in str(report)


def test_report_keeps_what_was_inside_of_what_did_not_run():
    """It keeps its record, whatever is changed later, in what never started as well."""
    inner = Scheduler(*naps("xy"), label="inner")
    scheduler = Scheduler(nap("first", 9), inner, window=1, timeout=1)
    orchestrate(scheduler)
    report = scheduler.report
    x, y = inner
    y.requires(x)
    inner.add(nap("z"))

    assert [(record.path, record.requirements) for record in report.jobs] == [
        ("first", ()),
        ("inner", ()),
        ("inner/x", ()),
        ("inner/y", ()),
    ]


def test_report_outlives_its_scheduler():
    """R20: a report can be asked when its scheduler is gone."""
    scheduler = Scheduler(diamond(1.0, label="inner"), nap("a"), label="main")
    orchestrate(scheduler)
    report, gone = scheduler.report, weakref.ref(scheduler)
    del scheduler
    gc.collect()

    assert gone() is None
    assert [record.path for record in report.jobs] == [
        "inner",
        *(f"inner/{name}" for name in ("top", "left", "right", "bottom")),
        "a",
    ]


def test_report_of_a_flow():
    """A flow's report is that of its scheduler, and has the name of the class."""
    flow = Taking()
    report = flow.run(loop_factory=VirtualClockLoop)

    assert isinstance(report, Report)
    assert flow.scheduler.report is report
    assert report.name == "Taking"
    assert [(record.path, record.state.name) for record in report.jobs] == [
        ("source", "FAILED"),
        ("sink", "SKIPPED"),
    ]
