"""The places of a run, without a run: they are never lost, and go round in turn."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdeco.engine.slots import Slots


@pytest.mark.parametrize("size", [1, 2, 5])
def test_there_are_as_many_places_as_said(size):
    """The first `size` have a place at once, all others queue."""
    window = Slots(size)

    assert [window.take(who) for who in range(size + 3)] == [True] * size + [False] * 3


def test_a_place_goes_to_who_waits_longest():
    """W05: places are handed on in the order of the queue."""
    window = Slots(1)
    for who in "abcd":
        window.take(who)

    assert [window.give_back(who) for who in "abcd"] == ["b", "c", "d", None]


def test_a_place_that_is_handed_on_is_not_free():
    """W03: from the call on it belongs to who waited; a late comer cannot take it."""
    window = Slots(1)
    window.take("a")
    window.take("b")
    window.give_back("a")

    assert window.take("late") is False
    assert window.give_back("b") == "late"


def test_a_place_that_nobody_waits_for_is_free():
    """W01: what is given back can be taken again, without end."""
    window = Slots(1)

    assert [(window.take(who), window.give_back(who)) for who in range(5)] == [(True, None)] * 5


def test_who_waits_can_be_sent_away():
    """W02: who is dismissed waits no more, and has taken no place; the others keep their turn."""
    window = Slots(1)
    for who in "abcde":
        window.take(who)

    assert window.dismiss(lambda who: who in "bd") == ["b", "d"]
    assert window.dismiss(lambda who: who in "bd") == []
    assert [window.give_back(who) for who in "ace"] == ["c", "e", None]
    assert window.take("f") is True


def test_who_has_a_place_is_not_sent_away():
    """W02: only those who wait are dismissed."""
    window = Slots(1)
    window.take("a")

    assert window.dismiss(lambda _: True) == []
    assert window.take("b") is False


def test_falsy_holders_are_holders():
    """Who waits may be anything, 0 and the empty string too."""
    window = Slots(1)
    for who in ("a", 0, ""):
        window.take(who)

    assert [window.give_back("a"), window.give_back(0)] == [0, ""]


operations = st.one_of(
    st.sampled_from(["take", "give back"]),
    st.sets(st.integers(0, 20)),  # to dismiss these
)


@given(st.integers(1, 4), st.lists(operations))
def test_no_place_is_lost_and_none_is_invented(size, course):
    """W01 W02 W04: whatever is done, it is as with a number and a queue."""
    window = Slots(size)
    holding, waiting = [], deque()

    for who, operation in enumerate(course):
        if operation == "take":
            has_place = len(holding) < size
            assert window.take(who) is has_place
            (holding if has_place else waiting).append(who)
        elif operation != "give back":
            expected = [other for other in waiting if other in operation]
            assert window.dismiss(operation.__contains__) == expected
            waiting = deque(other for other in waiting if other not in operation)
        elif holding:
            given_back = holding.pop(0)
            expected = waiting.popleft() if waiting else None
            assert window.give_back(given_back) == expected
            assert window.give_back(given_back) is None  # again, as where it was interrupted
            if expected is not None:
                holding.append(expected)
        assert len(holding) <= size
        assert not waiting or len(holding) == size
