"""Something happens at every turn of the loop in which it could, once or twice in a run."""

import sys

import pytest
from factories import FACTORIES
from thoroughness import THINNED
from ticks import PAIRS, SINGLES, SITUATIONS, Jobs, TimedJobs, TimedMethods, made_by

STRIDE = 17 * THINNED
"""Of the pairs of turns one in so many is taken here, all by `tests/support/ticks_report.py`."""

WRAPPING = [name for name in FACTORIES if name not in ("default", "scarce")]

pytestmark = pytest.mark.usefixtures("short_stacks")

situations = pytest.mark.parametrize("make", SITUATIONS, ids=lambda make: make.__name__)


def hold(sweep, at_least):
    """See to it that all promises hold at all points, and that there are enough of these."""
    points = 0
    for situation in sweep:
        assert situation.problems() == [], f"at {situation.point}\n{situation.scheduler.report}"
        points += 1
    print(f"{points} points")
    assert points >= at_least


@situations
def test_a_cancel_at_every_turn(make):
    """X01 X04 X05 S07: it leaves as it came, each hook is called once, and no task is left."""
    hold(SINGLES["a cancel"](make), at_least=25)


@pytest.mark.slow
@situations
def test_two_cancels_at_any_two_turns(make):
    """X03: the second finds the clean-up on its way, and changes nothing."""
    hold(PAIRS["two cancels"](make, STRIDE), at_least=20 // THINNED)


@situations
def test_a_foreign_cancel_of_any_task_at_every_turn(make):
    """F10: the victim has failed, and the run goes to its end."""
    hold(SINGLES["a foreign cancel"](make), at_least=100)


@situations
def test_a_failure_of_whatever_waits_at_every_turn(make):
    """F01 F02 F06 V04 V05 S01: no exception is lost, the verdict is right, all is cleaned up."""
    hold(SINGLES["a failure"](make), at_least=20)


@pytest.mark.slow
@situations
def test_two_failures_at_any_two_turns(make):
    """F03 F06: the first critical one is the reason, and both are in the report."""
    hold(PAIRS["two failures"](make, STRIDE), at_least=20 // THINNED)


@pytest.mark.slow
@situations
def test_a_failure_and_a_cancel_at_any_two_turns(make):
    """X05 X06: the cancel is the reason whichever came first, and the failure is kept."""
    hold(PAIRS["a failure and a cancel"](make, STRIDE), at_least=40 // THINNED)


@pytest.mark.slow
@pytest.mark.parametrize("error", ["SystemExit", "KeyboardInterrupt"])
@situations
def test_an_exit_of_whatever_waits_at_every_turn(make, error):
    """F07 F12 F13 S04: it leaves bare, after all bodies have ended and all hooks were called."""
    hold(SINGLES[error](make), at_least=20)


@pytest.mark.slow
@situations
def test_an_exit_and_a_failure_at_any_two_turns(make):
    """F07: the exit is the reason, and the failure is kept."""
    hold(PAIRS["SystemExit and a failure"](make, STRIDE), at_least=20 // THINNED)


@pytest.mark.slow
@situations
def test_an_exit_and_a_cancel_at_any_two_turns(make):
    """F12 X05: the exit leaves, and the cancel is still counted by the task."""
    hold(PAIRS["SystemExit and a cancel"](make, STRIDE), at_least=40 // THINNED)


@pytest.mark.parametrize("what", ["an observer that fails", "an observer that exits"])
@situations
def test_an_observer_that_raises_at_any_of_its_calls(make, what):
    """Rule 17: it is disabled and logged once; an exit ends the run as one of a job does."""
    hold(SINGLES[what](make), at_least=20)


@situations
def test_a_log_that_raises(make):
    """Rule 17: whatever raises in it, and for whichever records, nothing changes."""
    hold(SINGLES["a log that raises"](make), at_least=12)


@situations
def test_a_failure_at_every_turn_and_a_log_that_raises(make):
    """Rules 9 and 17: the outcome is that of the failure alone."""
    hold(SINGLES["a log that raises and a failure"](make), at_least=25)


@situations
def test_a_task_factory_that_raises_at_any_of_its_calls(make):
    """R12: the job has failed that has no task, or its hook has not been called; no other."""
    hold(SINGLES["a task refused"](make), at_least=10)


@pytest.mark.slow
@pytest.mark.parametrize("factory", WRAPPING)
@pytest.mark.parametrize(
    ("what", "make"),
    [
        ("a cancel", Jobs),
        ("a cancel", TimedMethods),
        ("a foreign cancel", TimedJobs),
        ("a failure", TimedMethods),
    ],
)
def test_tasks_that_a_factory_makes(what, make, factory):
    """R12: whatever happens, and however it makes them; where there is one none starts at once."""
    hold(SINGLES[what](made_by(make, factory)), at_least=25)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="nothing starts at once")
def test_bodies_start_at_once_where_python_can():
    """X17: so both ways of starting are swept, for with a task factory they start later."""
    later = made_by(Jobs, "plain")().perform()
    assert later.problems() == []
    at_once = Jobs().perform()
    assert at_once.ticks < later.ticks


@situations
def test_a_failure_at_every_turn_and_an_observer_that_raises(make):
    """F22: the outcome is that of the failure alone."""
    hold(SINGLES["an observer and a failure"](make), at_least=25)
