"""The time that bodies have to end in, and the order in which services go down, without a run."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from flowdeco import Job
from flowdeco.engine.ending import Drain, Ending, generations
from flowdeco.testing import DeadlockError, VirtualClockLoop


@pytest.fixture
def loop():
    loop = VirtualClockLoop()
    yield loop
    loop.close()


class Act:
    """What a grace must know of a body; it notes when it is cancelled, and when it is given up."""

    def __init__(self, loop):
        self.cancelled = []
        self.given_up = []
        self.ended = False
        self.drain = None
        self._loop = loop

    def stop(self):
        self.cancel()

    def cancel(self):
        self.cancelled.append(round(self._loop.time(), 6))

    insist = cancel

    def abandon(self):
        self.given_up.append(self._loop.time())
        self.drain.discard(self)


@pytest.fixture
def course(loop):
    """A grace, one body, and how to let time pass."""

    def until(moment):
        loop.call_at(moment, loop.stop)
        loop.run_forever()

    return SimpleNamespace(ending=Ending(loop, 100), act=Act(loop), until=until)


def test_what_is_told_to_end_is_given_up_at_its_time(course):
    """Rule 8: told once, and again in the last fifth of the time alone."""
    course.ending.drain([course.act], 10)
    course.until(100)

    assert course.act.cancelled == [0, 8, 8.4, 8.8, 9.2, 9.6]
    assert course.act.given_up == [10]


@pytest.mark.parametrize(("first", "second"), [(10, 20), (20, 10)])
def test_what_is_told_to_end_anew_is_so_by_the_new_time_alone(course, first, second):
    """Rule 8: a body over its own timeout, when the run ends: it has the time of the others."""
    course.ending.drain([course.act], first)
    course.ending.drain([course.act], second)
    course.until(100)

    last = [round(second * share, 6) for share in (0.8, 0.84, 0.88, 0.92, 0.96)]
    assert course.act.cancelled == [0, *last]
    assert course.act.given_up == [second]


def test_an_earlier_end_around_counts_for_all_that_is_told_to_end(course, loop):
    """Rule 21: for what will be told so as well."""
    course.ending.begin()
    first, second = course.act, Act(loop)
    course.ending.drain([first], 50)
    course.ending.shorten_to(None)
    course.ending.shorten_to(Drain(loop, [], 10))
    course.ending.shorten_to(Drain(loop, [], 70))
    course.ending.drain([second], course.ending.share(2))
    course.until(200)

    assert (first.given_up, second.given_up) == ([10], [5])


def test_a_share_is_that_of_what_is_left(course, loop):
    """Rule 8: of nothing, when it is over."""
    course.ending = Ending(loop, 8)
    course.ending.begin()
    course.until(2)
    assert [course.ending.share(count) for count in (1, 2, 3)] == [8, 5, 4]

    course.until(9)
    assert [course.ending.share(count) for count in (1, 2)] == [9, 9]


def test_who_hurries_gives_up_what_does_not_react(course, loop):
    """R09: also what is told to end later, which has its turns to do so."""
    first, second = course.act, Act(loop)
    course.ending.drain([first], 10)
    course.ending.skip()
    course.until(1)
    assert (first.cancelled, first.given_up) == ([0, 0], [0])

    course.ending.drain([second], 10)
    assert second.cancelled == [1]
    course.until(2)
    assert (second.cancelled, second.given_up) == ([1, 1], [1])


@pytest.mark.parametrize("hurries", ["never", "before", "after"])
def test_after_its_close_nothing_is_given_up(course, hurries, loop):
    """R09: when a third signal has left, the report is made; and no timer is left."""
    other = Act(loop)
    course.ending.drain([course.act, other], 10)
    if hurries == "before":
        course.ending.skip()
    course.ending.close()
    if hurries == "after":
        course.ending.skip()
    with pytest.raises(DeadlockError):
        loop.run_forever()

    assert loop.time() == 0
    assert course.act.cancelled == other.cancelled == [0, 0][: 1 + (hurries == "before")]
    assert course.act.given_up == other.given_up == []


def test_what_has_ended_is_not_told_to_end(course, loop):
    """A service that has ended by itself while those before it went down."""
    ended = Act(loop)
    ended.ended = True

    drain = course.ending.drain([ended, course.act], 10)

    assert list(drain.members) == [course.act]
    assert (ended.cancelled, ended.drain) == ([], None)
    assert course.act.drain is drain


def test_a_body_that_is_stopped_alone_has_the_whole_grace(course, loop):
    """Rule 8: one over its own timeout, while the others go on."""
    course.ending = Ending(loop, 10)
    course.ending.drain_alone(course.act)
    course.until(100)

    assert course.act.cancelled == [0, 8, 8.4, 8.8, 9.2, 9.6]
    assert course.act.given_up == [10]


# Generations


def jobs_of(text):
    """Jobs by name: "a b<a" for one that comes after another; capitals are services."""
    jobs = {}
    for word in text.split():
        name, _, after = word.partition("<")
        jobs[name] = Job(int, label=name, required=[jobs[one] for one in after])
    return jobs


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        ("", []),
        ("A", ["A"]),
        ("A b<A", ["A"]),
        ("A B", ["AB"]),
        ("A B<A", ["B", "A"]),
        ("A b<A C<b", ["C", "A"]),
        ("A B<A C<AB D", ["CD", "B", "A"]),
        ("A B<A C d<AC", ["BC", "A"]),
    ],
)
def test_services_go_down_after_all_services_that_come_after_them(graph, expected):
    """Rule 7: each as early as it can, in the order of declaration."""
    jobs = jobs_of(graph)
    services = [SimpleNamespace(job=job) for name, job in jobs.items() if name.isupper()]

    found = generations(services, jobs.values())

    assert ["".join(one.job.label for one in wave) for wave in found] == expected
