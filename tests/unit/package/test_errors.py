"""The errors: what they derive from, what they have, what they say."""

from __future__ import annotations

import asyncio
import inspect

import pytest
from jobs import nap

from flowdeco import Chain, Flow, Job, Scheduler, errors, step
from flowdeco.errors import (
    BusyError,
    CycleError,
    DefinitionError,
    FlowdecoError,
    LoopRunningError,
    NestingError,
    NoSubflowError,
    NotFinishedError,
    OverrideError,
    OwnershipError,
    PartError,
    RecordedError,
    RequirementError,
    SelfCancelledError,
    Skip,
    SkippedError,
    StartedError,
    StuckError,
)

KIN = {
    BusyError: RuntimeError,
    CycleError: ValueError,
    DefinitionError: TypeError,
    LoopRunningError: RuntimeError,
    NestingError: ValueError,
    NoSubflowError: AttributeError,
    NotFinishedError: asyncio.InvalidStateError,
    OverrideError: ValueError,
    OwnershipError: ValueError,
    PartError: ValueError,
    RequirementError: ValueError,
    SelfCancelledError: Exception,
    SkippedError: Exception,
    StartedError: RuntimeError,
    StuckError: RuntimeError,
}
"""Each error with what it is to those who know the standard library alone."""

ALL = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize(("error", "kin"), KIN.items())
def test_an_error_is_ours_and_one_of_the_standard_library(error, kin):
    """Who catches the base, or its kin of the standard library, catches it."""
    assert issubclass(error, FlowdecoError)
    assert issubclass(error, kin)


@pytest.mark.parametrize("error", ALL)
def test_every_error_is_an_exception_with_a_docstring(error):
    """None of them passes an `except Exception`, and each is told what it means."""
    assert issubclass(error, FlowdecoError) == (error is not Skip)
    assert issubclass(error, Exception)
    assert not issubclass(error, asyncio.CancelledError)
    assert (error.__doc__ or "").strip()


def test_every_error_is_public():
    """All errors of the module are in `__all__`, which is sorted."""
    defined = [
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and value.__module__ == errors.__name__
    ]

    assert sorted(defined) == sorted(errors.__all__) == list(errors.__all__)


def test_cycle_error():
    """G01 G04: it has the names in order, and says what to do."""
    error = CycleError(["a", "b", "a"], "'main'")

    assert error.cycle == ("a", "b", "a")
    assert str(error) == (
        "jobs wait for each other in 'main': a -> b -> a; remove one of these requirements"
    )
    assert str(CycleError(["a", "a"])).startswith("jobs wait for each other: a -> a;")


def test_definition_error():
    """All mistakes are in `problems` and in the text, a line each, with their count."""
    one, two = DefinitionError("Deploy", ["bad"]), DefinitionError("Deploy", ["bad", "worse"])

    assert (one.flow, one.problems, two.problems) == ("Deploy", ("bad",), ("bad", "worse"))
    assert str(one) == "flow Deploy has a mistake:\nbad"
    assert str(two) == "flow Deploy has 2 mistakes:\nbad\nworse"


def test_requirement_error():
    """G06 G07: it has the job that requires, and what is out of its reach."""
    a, b = nap("a"), nap("b")
    error = RequirementError("text", a, b)

    assert (error.job, error.requirement, str(error)) == (a, b, "text")


@pytest.mark.parametrize("kind", [OwnershipError, StartedError, NotFinishedError, NoSubflowError])
def test_errors_about_one_job(kind):
    """R03: they have the job."""
    job = nap("a")
    error = kind("text", job)

    assert (error.job, str(error)) == (job, "text")


def test_nesting_error():
    """G25: it has the depth that was reached."""
    assert NestingError("text", 201).depth == 201


def test_skipped_error():
    """F02: it has the job and the one whose value is missing, and names both."""
    a, b = nap("a"), nap("b")
    error = SkippedError(b, a)

    assert (error.job, error.missing) == (b, a)
    assert str(error) == "'b' was skipped: it takes the value of 'a', which has none"
    assert error.skip is None


@pytest.mark.parametrize(
    ("missing", "reason", "text"),
    [
        (False, "nothing new", "'b' was skipped: nothing new"),
        (False, "", "'b' was skipped"),
        (True, "new", "'b' was skipped: it takes the value of 'a', which was skipped: new"),
        (True, "", "'b' was skipped: it takes the value of 'a', which was skipped"),
    ],
)
def test_skipped_error_of_a_skip(missing, reason, text):
    """It has the `Skip`, and gives its reason."""
    a, b, skip = nap("a"), nap("b"), Skip(reason)
    error = SkippedError(b, a if missing else None, skip)

    assert (error.job, error.missing, error.skip) == (b, a if missing else None, skip)
    assert str(error) == text


def test_stuck_error():
    """F05: it has the jobs, names them, and says what they should have done."""
    jobs = [nap("a"), nap("b")]
    error = StuckError(jobs)

    assert error.jobs == tuple(jobs)
    assert str(error) == (
        "still running after they were cancelled and the grace was over: 'a', 'b';"
        " let CancelledError pass, and keep clean-up shorter than the grace"
    )


def test_names_in_errors_are_printable():
    """O03: an error shows no control character of a label."""
    job = nap("\x1b[2J\n")

    assert str(SkippedError(job, job)).isprintable()
    assert str(StuckError([job])).isprintable()


ANSI = "\x1b[31mX\x1b]52;c;x\x07\r\b\u202e\u2066\x9b\ud800\x00\u200b\ufeff\U000e0041"


async def nop():
    """Do nothing."""


def refused(shown):
    """The messages of errors about a value with this `repr`, by what was done with it."""
    value = type("Odd\x1b", (), {"__repr__": shown})()
    job = Job(nop)
    calls = {
        "timeout": lambda: Job(nop, timeout=value),
        "window": lambda: Scheduler(window=value),
        "grace": lambda: Scheduler(grace=value),
        "critical": lambda: Job(nop, critical=value),
        "forever": lambda: Job(nop, forever=value),
        "required": lambda: job.requires(value),
        "a requirement by name": lambda: job.requires(ANSI),
        "a member": lambda: Scheduler(value),
        "a body": lambda: Job(value),
        "a hook": lambda: Job(nop, shutdown=value),
        "a part of a chain": lambda: Chain(value),
        "a stage": lambda: job >> [value],
        "a declaration in a chain": lambda: _chained(value),
        "the timeout of a step": lambda: _declared(timeout=value),
        "what a step is after": lambda: _declared(after=value),
        "the timeout of a flow": lambda: type("F", (Flow,), {}, timeout=value),
    }
    messages = {}
    for what, call in calls.items():
        with pytest.raises((TypeError, ValueError)) as caught:
            call()
        messages[what] = str(caught.value)
    return messages


def _declared(**options):
    class F(Flow):
        @step(**options)
        async def a(self):
            pass


def _chained(value):
    class F(Flow):
        @step
        async def a(self):
            pass

        order = a >> [value]


def _raise(error):
    def shown(self):
        raise error

    return shown


@pytest.mark.parametrize("error", [SystemError("repr"), KeyboardInterrupt(), SystemExit(1)])
def test_a_repr_that_raises_does_not_replace_the_error(error):
    """O03: the message has a placeholder instead."""
    placeholder = f"whose text raised {type(error).__name__}>"
    messages = refused(_raise(error))

    assert all(text.replace("\n", "").isprintable() for text in messages.values())
    assert sum(placeholder in text for text in messages.values()) >= len(messages) - 2


def test_reprs_in_errors_are_printable():
    """O03: what a value says of itself may be made of anything."""
    messages = refused(lambda self: ANSI * 1000)

    assert all(text.replace("\n", "").isprintable() for text in messages.values())
    assert all(len(text) < 1000 for text in messages.values())


def test_names_of_jobs_in_errors_are_printable():
    """O03: so may labels, in whatever error."""
    a, b = Job(nop, label=ANSI), Job(nop, label=ANSI)
    scheduler = Scheduler(a, label=ANSI)
    a.requires(b)
    for call in (
        lambda: Scheduler(a, label=ANSI),
        lambda: a.requires(a),
        lambda: scheduler.remove(b),
        lambda: scheduler.find(ANSI + "?"),
        scheduler.orchestrate,
        a.result,
        lambda: scheduler.add(scheduler),
    ):
        with pytest.raises(Exception) as caught:  # noqa: PT011  # all of them
            call()
        assert str(caught.value).isprintable()


def test_names_in_definition_errors_are_printable():
    """O03: so may the names of a class and of what is in it."""
    name = ANSI.replace("\ud800", "").replace("\x00", "")

    with pytest.raises(DefinitionError) as caught:
        type(f"F{name}", (Flow,), {name: step(lambda self: None), "b": step(after=name)(nop)})

    assert all(map(str.isprintable, str(caught.value).split("\n")))
    assert all(map(str.isprintable, caught.value.problems))


def test_recorded_error():
    """It stands for another exception: it has the class, the message and the traceback as texts."""
    error = RecordedError("KeyError", "'x'", "the lines")

    assert (error.type, error.message, error.traceback) == ("KeyError", "'x'", "the lines")
    assert str(error) == "KeyError: 'x'"
    assert str(RecordedError("KeyError", "")) == "KeyError"
