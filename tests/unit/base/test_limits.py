"""The numbers that bound jobs and runs, and what is said of wrong ones."""

from __future__ import annotations

import math
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdeco.base.limits import Limits, check_seconds, check_window, finite

seconds = st.one_of(st.integers(0, 10**300), st.floats(0, allow_infinity=True))
"""All that may bound a run."""


class Level(IntEnum):
    """An int by another name."""

    LOW = 1


@given(seconds)
def test_durations(value):
    """G20: any number from 0 to infinity is a duration; whole ones may be ints."""
    assert check_seconds(value, "timeout") is None
    assert Limits(timeout=value).timeout is value


@pytest.mark.parametrize("value", [None, 0, 0.0, -0.0, 1e300, math.inf, Level.LOW, 10**300])
def test_odd_durations(value):
    """G20 T10: None, zero, what is very long, and subclasses of numbers."""
    assert check_seconds(value, "timeout") is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (True, r"timeout must be a number of seconds or None, not True \(bool\)"),
        ("5", r"timeout must be a number of seconds or None, not '5' \(str\)"),
        (b"5", r"not b'5' \(bytes\)"),
        ([5], r"not \[5\] \(list\)"),
        (5j, r"not 5j \(complex\)"),
        (Decimal(5), r"not Decimal\('5'\) \(Decimal\)"),
        (Fraction(1, 2), r"not Fraction\(1, 2\) \(Fraction\)"),
    ],
)
def test_what_is_no_duration(value, message):
    """G20: what is no int or float is a `TypeError` that shows one."""
    with pytest.raises(TypeError, match=message + "; for instance timeout=1.5"):
        check_seconds(value, "timeout")


@pytest.mark.parametrize("value", [-1, -0.5, -1e-300, -math.inf, math.nan])
def test_durations_out_of_range(value):
    """G20: what is negative or no number is a `ValueError` that names the argument."""
    with pytest.raises(ValueError, match=f"grace must be 0 or more seconds, .* not {value!r}"):
        check_seconds(value, "grace")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(10**400, id="positive"),
        pytest.param(
            -(10**400),
            id="negative",
        ),
    ],
)
def test_a_duration_beyond_floats(value):
    """G20: an int that no float can hold is a `ValueError` like any other, and not shown."""
    with pytest.raises(ValueError, match="timeout must be") as caught:
        check_seconds(value, "timeout")

    assert len(str(caught.value)) < 500


@given(st.integers(1))
def test_windows(value):
    """G21: any positive int is a window."""
    assert check_window(value, "window") is None
    assert Limits(window=value).window == value


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (True, TypeError, r"window must be a positive int or None, not True \(bool\)"),
        ("2", TypeError, r"not '2' \(str\); for instance window=10"),
        (1.5, TypeError, r"not 1.5 \(float\)"),
        (math.inf, TypeError, r"not inf \(float\)"),
        (0, ValueError, "window must be 1 or more jobs, or None for no limit, not 0"),
        (-3, ValueError, "not -3"),
    ],
)
def test_what_is_no_window(value, error, message):
    """G21: anything else is an error that says what a window is."""
    with pytest.raises(error, match=message):
        check_window(value, "window")


@pytest.mark.parametrize("name", ["grace", "shutdown_timeout"])
@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (None, TypeError, "must be a number of seconds, not None: the end of a run is bounded"),
        (math.inf, ValueError, "must be finite, not inf: the end of a run is bounded"),
        (True, TypeError, "must be a number"),
        (-1, ValueError, "must be 0 or more"),
        (math.nan, ValueError, "must be 0 or more"),
    ],
)
def test_what_cannot_bound_the_end_of_a_run(name, value, error, message):
    """Rule 8: without a bound on its end a run could hang, so None and infinity are refused."""
    with pytest.raises(error, match=f"{name} {message}"):
        Limits(**{name: value})


def test_no_grace_is_a_bound():
    """Zero is a bound: nothing is waited for."""
    assert attrs.astuple(Limits(grace=0, shutdown_timeout=0)) == (None, None, 0, 0)


@pytest.mark.parametrize(
    ("value", "expected"), [(None, None), (math.inf, None), (0, 0), (1.5, 1.5), (1e300, 1e300)]
)
def test_finite(value, expected):
    """None and infinity are no limit, zero is one."""
    assert finite(value) == expected


def test_limits_of_one_run():
    """Rule 5: what is given counts, None is not given, infinity lifts; the limits stay."""
    limits = Limits(timeout=10, window=2, grace=3, shutdown_timeout=4)

    assert limits.overridden(None, None) is limits
    assert attrs.astuple(limits.overridden(5, None)) == (5, 2, 3, 4)
    assert attrs.astuple(limits.overridden(0, 7)) == (0, 7, 3, 4)
    assert attrs.astuple(limits.overridden(math.inf)) == (math.inf, 2, 3, 4)
    assert attrs.astuple(limits) == (10, 2, 3, 4)


@pytest.mark.parametrize(("given", "error"), [((-1, None), ValueError), ((1, True), TypeError)])
def test_limits_of_one_run_are_checked(given, error):
    """G20 G21: what is given for one run is checked as well."""
    with pytest.raises(error):
        Limits().overridden(*given)


def test_limits_are_frozen():
    """What bounds a run does not change under it."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Limits().timeout = 5
