"""The deadline of a run, without a run: whose it is, when it has passed, and that it can go."""

from __future__ import annotations

import asyncio

import pytest

from flowdeco.engine.deadline import Deadline
from flowdeco.testing import DeadlockError, VirtualClockLoop


@pytest.fixture
def loop():
    loop = VirtualClockLoop()
    yield loop
    loop.close()


class Levels:
    """Deadlines in each other, from the outermost in, and which of them have expired."""

    def __init__(self, loop, *timeouts):
        self.expired = []
        self.deadlines = []
        for level, timeout in enumerate(timeouts):
            around = self.deadlines[-1] if self.deadlines else None
            expire = lambda level=level: self.expired.append((loop.time(), level))  # noqa: E731
            self.deadlines.append(Deadline(loop, timeout, around, expire))


def pass_time(loop, moment):
    loop.call_at(moment, loop.stop)
    loop.run_forever()


def test_a_deadline_expires_once(loop):
    """Rule 5: by the clock of the loop, that many seconds after it was set."""
    pass_time(loop, 1)
    levels = Levels(loop, 2)

    pass_time(loop, 10)

    assert levels.expired == [(3, 0)]


def test_what_falls_due_at_the_deadline_comes_first(loop):
    """T03 T06: a step that ends then, and a job's own timeout, are heard of before."""
    seen = []

    async def main():
        Deadline(loop, 2, None, lambda: seen.append("deadline"))
        loop.call_at(2, seen.append, "timer")
        await asyncio.sleep(2)
        seen.append("step")
        await asyncio.sleep(1)

    loop.run_until_complete(main())

    assert seen == ["timer", "step", "deadline"]


def test_at_the_deadline_it_has_passed(loop):
    """Rule 2: nothing starts at the deadline, nor after it; without one all may start."""
    (deadline,) = Levels(loop, 2).deadlines
    (unlimited,) = Levels(loop, None).deadlines

    assert [deadline.has_passed(now) for now in (1.9, 2, 2.1)] == [False, True, True]
    assert unlimited.has_passed(1e10) is False


@pytest.mark.parametrize(
    ("timeouts", "whens", "own", "expired"),
    [
        ((1, 2), [1, 1], [True, False], 0),
        ((2, 1), [2, 1], [True, True], 1),
        ((2, 2), [2, 2], [True, False], 0),
        ((2, None), [2, 2], [True, False], 0),
        ((None, 2), [None, 2], [False, True], 1),
        ((2, None, None), [2, 2, 2], [True, False, False], 0),
        ((3, 2, None), [3, 2, 2], [True, True, False], 1),
        ((None, None), [None, None], [False, False], None),
    ],
)
def test_the_nearest_deadline_counts(loop, timeouts, whens, own, expired):
    """T07: the run expires whose it is; of equal ones that around."""
    levels = Levels(loop, *timeouts)
    innermost = levels.deadlines[-1]

    assert [deadline.when for deadline in levels.deadlines] == whens
    assert [deadline.own for deadline in levels.deadlines] == own
    if expired is not None:
        innermost.expire()
        assert levels.expired == [(0, expired)]


def test_a_deadline_that_is_lifted_never_expires(loop):
    """Rule 8: it does not cut a teardown, though it came in the same turn, and keeps no timer."""
    levels = Levels(loop, 2, 1)
    outer, inner = levels.deadlines
    pass_time(loop, 1)  # its timer has rung

    inner.lift()
    outer.lift()
    inner.expire()

    with pytest.raises(DeadlockError):
        loop.run_until_complete(asyncio.Event().wait())
    assert (loop.time(), levels.expired) == (1, [])
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
