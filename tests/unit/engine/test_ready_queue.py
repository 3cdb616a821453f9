"""What starts next, without a run: its order, and the turns that it leaves to the loop."""

from __future__ import annotations

import pytest

from flowdeco.engine.ready_queue import ReadyQueue
from flowdeco.testing import VirtualClockLoop


@pytest.fixture
def loop():
    loop = VirtualClockLoop()
    yield loop
    loop.close()


class Act:
    """A job as the queue sees it; `then` is what its body does."""

    def __init__(self, course, name, then=None):
        self.name = name
        self._course = course
        self._then = then

    def __repr__(self):
        return self.name

    def start(self, now):
        self._course.note(f"{self} starts", now)
        if self._then is not None:
            self._then()


class Rescue:
    """The net of runs that are over."""

    def mend(self, *_):
        return False

    def close(self):
        pass


class Course:
    """A ready queue, and what it does: in which turn of the loop, and at what time."""

    def __init__(self, loop):
        self.loop = loop
        self.queue = ReadyQueue(loop, loop.time, Rescue())
        self.turn = 0
        self.lines = []
        self.times = []

    def note(self, text, now=None):
        self.lines.append(text)
        self.times.append((self.turn, self.loop.time() if now is None else now))

    def acts(self, names, **options):
        return [Act(self, name, **options) for name in names]

    def add(self, *acts):
        for act in acts:
            self.queue.add(act)

    def go(self, turns=20):
        """Let turns of the loop go by, counted from 1."""

        def count():
            self.turn += 1
            if self.turn < turns:
                self.loop.call_soon(count)
            else:
                self.loop.stop()

        self.turn += 1
        self.loop.call_soon(count)
        self.loop.run_forever()


@pytest.fixture
def course(loop):
    return Course(loop)


def test_what_is_ready_starts_in_order_and_at_once(course):
    """Rule 2: in the order in which it was added, without a turn of the loop."""
    first, second = acts = course.acts("ab")
    course.add(*acts)
    assert course.lines == []

    course.queue.advance()

    assert course.lines == [f"{first} starts", f"{second} starts"]


def test_a_body_that_ends_while_it_is_started_does_not_recurse(course):
    """What it makes ready starts when all that was ready before has."""
    ends, other, late = course.acts(["ends", "other", "late"])

    def then():
        course.add(late)
        assert course.queue.is_busy
        course.queue.advance()
        course.note("body ends")

    ends._then = then
    course.add(ends, other)
    course.queue.advance()
    course.go()

    assert course.lines == ["ends starts", "body ends", "other starts", "late starts"]


def test_who_is_granted_a_slot_starts_in_the_next_turn(course):
    """Rule 6: when the task is gone that had it; before those that have not waited for one."""
    a, b, c = course.acts("abc")
    course.queue.grant(a)
    course.add(c)
    course.queue.grant(b)
    course.queue.advance()
    assert course.lines == []

    course.go()

    assert course.lines == ["a starts", "b starts", "c starts"]


def test_who_is_granted_a_slot_while_others_start_is_among_them(course):
    """What gives the slot back then has ended by the time at which the next one starts."""
    a, b, c = course.acts("abc")
    a._then = lambda: course.queue.grant(c)
    course.add(a, b)

    course.queue.advance()

    assert course.lines == ["a starts", "c starts", "b starts"]


def test_the_loop_has_its_turn_after_a_hundred_starts(course):
    """However much is ready, services and cancellations get their turns."""
    course.add(*course.acts(map(str, range(250))))

    course.queue.advance()
    course.queue.advance()  # somebody sees to it already
    course.go()

    turns = [turn for turn, _ in course.times]
    assert [turns.count(turn) for turn in sorted(set(turns))] == [100, 100, 50]
    assert course.lines == [f"{number} starts" for number in range(250)]


def test_who_is_granted_a_slot_takes_a_start_and_no_turn_from_the_others(course):
    """However many there are: a turn of the loop is one for all that is ready."""
    course.add(*course.acts(map(str, range(250))))
    course.queue.advance()
    course.queue.grant(*course.acts("a"))
    course.queue.grant(*course.acts("b"))
    course.queue.advance()
    course.go()

    turns = [turn for turn, _ in course.times]
    assert [turns.count(turn) for turn in sorted(set(turns))] == [100, 100, 52]
    assert course.lines[100:102] == ["a starts", "b starts"]


def test_the_loop_has_its_turn_after_two_milliseconds(course):
    """However few have started: three of a millisecond each in a turn, as the third is in time."""

    def body():
        course.loop.leap(0.001)

    course.add(*course.acts("abcdefg", then=body))

    course.queue.advance()
    course.go()

    turns = [turn for turn, _ in course.times]
    assert [turns.count(turn) for turn in sorted(set(turns))] == [3, 3, 1]


def test_a_start_is_given_the_time_of_the_loop(course):
    """The clock is read anew after a body that may have taken its time, and in each turn."""

    def body():
        course.loop.leap(0.0001)

    course.add(*course.acts("abc", then=body))
    course.queue.advance()
    course.loop.leap(1)
    course.add(*course.acts("d"))
    course.queue.advance()

    assert [round(now, 6) for _, now in course.times] == [0, 0.0001, 0.0002, 1.0003]


def test_an_exit_out_of_a_start_leaves_the_rest_ready(course):
    """R09: after a third signal it is let through, and somebody can go on."""

    def leaves():
        raise KeyboardInterrupt

    course.add(*course.acts("a", then=leaves), *course.acts("b"))
    course.queue.is_forced = True
    with pytest.raises(KeyboardInterrupt):
        course.queue.advance()

    course.queue.advance()

    assert course.lines == ["a starts", "b starts"]


def test_an_advance_at_a_known_time_begins_with_it(course):
    """Who has read the clock just now saves another reading."""
    course.add(*course.acts("ab"))
    course.queue.advance(7.0)

    assert [now for _, now in course.times] == [7, 0]


def test_what_is_cleared_never_starts(course):
    """A run that has ended forgets what was ready."""
    a, b = course.acts("ab")
    course.add(a)
    course.queue.grant(b)

    course.queue.close()
    course.queue.advance()
    course.go()

    assert course.lines == []
