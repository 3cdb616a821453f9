"""A call of the library raises, in the step in which a body ends: the job ends all the same."""

import sys

import pytest
from factories import FACTORIES
from injection import ERRORS, sweep
from injection_cases import CASES, Chain
from probe import Probe
from thoroughness import IS_SLOW, THINNED

pytestmark = pytest.mark.usefixtures("short_stacks")

STRIDE = 3 * THINNED
"""Of the calls of built-in functions, and with task factories, one in so many is taken here."""

KINDS = ["Exception"] if IS_SLOW else list(ERRORS)
"""What is raised in each call."""

NOT_SWEPT = ("default", "scarce")
"""The one that is swept anyway, and the one that makes other calls in each run."""

cases = pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)


def hold(points):
    """See to it that nothing is broken at any point, and that there is one."""
    broken = [f"{point}: {', '.join(problems)}" for point, problems in points if problems]
    assert broken == []


@pytest.mark.slow
@cases
def test_whichever_call_raises_no_job_is_lost(make):
    """Rule 9: it has that as its failure, or none; what comes after it starts, the run ends."""
    hold(sweep(make, KINDS))


@pytest.mark.slow
@cases
def test_whichever_call_of_a_built_in_function_raises_no_job_is_lost(make):
    """Rule 9: memory may be short anywhere."""
    hold(sweep(make, ["MemoryError"], built_in=True, stride=STRIDE))


@pytest.mark.slow
@pytest.mark.parametrize("factory", [name for name in FACTORIES if name not in NOT_SWEPT])
def test_whatever_makes_the_tasks_no_job_is_lost(factory):
    """Rule 9: also where bodies do not start at once."""
    for make in CASES:
        hold(sweep(make, ["Exception"], factory=factory, stride=STRIDE))


def test_calls_are_counted_to_the_end_of_the_step_of_the_loop():
    """Those of the library, in the step in which the body ends, starts of others included."""
    case = Chain(Probe()).perform()

    own = case.probe.calls
    assert len(own) > 4
    assert own.count("Execution.start") == 1, "the third job starts in another step"

    case = Chain(Probe(built_in=True)).perform()
    assert len(case.probe.calls) > len(own)
    assert [call for call in case.probe.calls if " in " not in call] == own


@cases
def test_what_is_injected_is_raised_once(make):
    """There are calls in each case; what is not raised would show nothing."""
    counted = make(Probe()).perform()
    assert counted.error is None
    assert counted.probe.calls

    probe = Probe(0, ValueError)
    make(probe).perform()
    assert type(probe.raised) is ValueError


@pytest.mark.skipif(sys.version_info < (3, 12), reason="nothing starts at once")
def test_others_start_in_that_step_unless_a_factory_makes_the_tasks():
    """X17: so that both ways of starting are tried."""
    at_once = Chain(Probe()).perform()
    later = Chain(Probe(), "plain").perform()
    assert sum("execute" in call for call in at_once.probe.calls) == 1
    assert at_once.began == {"chosen": 0.0, "second": 1.0, "third": 1.5} == later.began
