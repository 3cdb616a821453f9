"""The errors: what they derive from, what they have, what they say."""

from __future__ import annotations

import asyncio
import inspect

import pytest
from jobs import nap

from flowdeco import errors
from flowdeco.errors import (
    BusyError,
    CycleError,
    DefinitionError,
    FlowdecoError,
    LoopRunningError,
    NestingError,
    NoSubflowError,
    NotFinishedError,
    OwnershipError,
    RequirementError,
    SelfCancelledError,
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
    OwnershipError: ValueError,
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
    assert issubclass(error, FlowdecoError)
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
