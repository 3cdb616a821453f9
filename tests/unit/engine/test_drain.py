"""The bound on the end of tasks, and the sleeper of a run, each on its own."""

from __future__ import annotations

import asyncio
import functools

import pytest

from flowdeco.engine.ending import Drain, Sleeper, after_turns
from flowdeco.testing import VirtualClockLoop


@pytest.fixture
def loop():
    loop = VirtualClockLoop()
    yield loop
    loop.close()


class Member:
    """A member of a drain, which notes what is done to it."""

    def __init__(self, drained, name):
        self.name = name
        self.insist = lambda: drained.cancel(name)
        self.abandon = lambda: drained.give_up(name)


class Drained:
    """A drain, with what it does to its members, and when."""

    def __init__(self, loop, names, until, **options):
        self.loop = loop
        self.cancelled = []
        self.given_up = []
        self.members = {name: Member(self, name) for name in names}
        self.drain = Drain(loop, [self.members[name] for name in names], until, **options)

    @property
    def left(self):
        return [member.name for member in self.drain.members]

    def discard(self, name):
        self.drain.discard(self.members[name])

    def cancel(self, name):
        self.cancelled.append((round(self.loop.time(), 6), name))

    def give_up(self, name):
        self.given_up.append((round(self.loop.time(), 6), name))
        self.discard(name)

    def until(self, moment):
        """Let time pass."""
        self.loop.call_at(moment, self.loop.stop)
        self.loop.run_forever()


def test_members_are_cancelled_again_in_the_last_fifth(loop):
    """Rule 8: nothing for four fifths of the time, then five cancels at equal distances."""
    drained = Drained(loop, ["a"], 10)
    drained.until(20)

    assert drained.cancelled == [(8, "a"), (8.4, "a"), (8.8, "a"), (9.2, "a"), (9.6, "a")]
    assert drained.given_up == [(10, "a")]
    assert drained.drain.is_over is True


def test_members_that_end_are_left_alone(loop):
    """X09: what has ended is cancelled no more, what has not still is."""
    drained = Drained(loop, ["a", "b"], 10)
    loop.call_at(8.5, drained.discard, "a")
    drained.until(20)

    assert [moment for moment, member in drained.cancelled if member == "a"] == [8, 8.4]
    assert len(drained.cancelled) == 7
    assert drained.given_up == [(10, "b")]


def test_when_all_have_ended_nothing_happens_any_more(loop):
    """With its last member a drain is over, and keeps no timer."""
    drained = Drained(loop, ["a", "b"], 10)
    drained.discard("a")
    drained.discard("b")
    drained.discard("b")
    drained.until(20)

    assert (drained.cancelled, drained.given_up, drained.drain.is_over) == ([], [], False)


def test_members_are_kept_in_order_and_once(loop):
    """Rule 16: they are cancelled and given up in the order given, each once."""
    drained = Drained(loop, ["b", "a", "b"], 10)
    drained.until(20)

    assert [member for _, member in drained.cancelled[:2]] == ["b", "a"]
    assert drained.given_up == [(10, "b"), (10, "a")]


def test_no_time_at_all(loop):
    """A drain whose time is over gives up in a turn of the loop, having cancelled."""
    drained = Drained(loop, ["a"], 0)
    drained.until(1)

    assert drained.given_up == [(0, "a")]
    assert {moment for moment, _ in drained.cancelled} == {0}


def test_shorten_to_brings_the_end_forward(loop):
    """Rule 21: an earlier end makes a new plan of what is left."""
    drained = Drained(loop, ["a"], 100)
    drained.until(10)
    drained.drain.shorten_to(20)
    drained.until(200)

    assert [moment for moment, _ in drained.cancelled] == [18, 18.4, 18.8, 19.2, 19.6]
    assert drained.given_up == [(20, "a")]


def test_shorten_to_never_prolongs(loop):
    """Rule 21: of two ends the earlier one counts."""
    drained = Drained(loop, ["a"], 10)
    drained.drain.shorten_to(50)
    drained.until(20)

    assert drained.given_up == [(10, "a")]


def test_shorten_to_when_all_have_ended(loop):
    """A drain that is done does not come back to life."""
    drained = Drained(loop, ["a"], 10)
    drained.discard("a")
    drained.drain.shorten_to(5)
    drained.until(20)

    assert (drained.cancelled, drained.given_up, drained.drain.is_over) == ([], [], False)


def test_shorten_to_leaves_nothing_of_the_plan_before(loop):
    """Rule 8: five cancels at equal distances, and none between them."""
    drained = Drained(loop, ["a"], 10)
    drained.drain.shorten_to(9.5)
    drained.until(20)

    assert [moment for moment, _ in drained.cancelled] == [7.6, 7.98, 8.36, 8.74, 9.12]
    assert drained.given_up == [(9.5, "a")]


def test_a_drain_of_nothing(loop):
    """There is nothing to wait for, and nothing that could be given up."""
    drained = Drained(loop, [], 10)
    drained.until(20)

    assert (drained.cancelled, drained.given_up, drained.drain.is_over) == ([], [], False)


def test_skip_gives_up_after_one_more_cancel(loop):
    """R09: the rest of the time is skipped; what reacts to one cancel has not been given up."""
    drained = Drained(loop, ["quick", "slow"], 10)
    drained.until(1)
    drained.drain.skip()
    loop.call_soon(drained.discard, "quick")
    drained.until(20)

    assert drained.cancelled == [(1, "quick"), (1, "slow")]
    assert drained.given_up == [(1, "slow")]


def test_skip_when_all_have_ended(loop):
    """R09: nothing is left to skip."""
    drained = Drained(loop, ["a"], 10)
    drained.discard("a")
    drained.drain.skip()
    drained.until(20)

    assert (drained.cancelled, drained.given_up, drained.drain.is_over) == ([], [], False)


def test_skip_is_the_last_word(loop):
    """What takes its time to be given up, as nested runs do, is not cancelled again."""
    drained = Drained(loop, ["a"], 10)
    drained.members["a"].abandon = lambda: drained.given_up.append("a")
    drained.until(1)
    drained.drain.skip()
    drained.until(20)

    assert (drained.cancelled, drained.given_up) == ([(1, "a")], ["a"])


def test_close_stops_caring(loop):
    """A drain that is closed does nothing more, though members are left."""
    drained = Drained(loop, ["a"], 10)
    drained.drain.close()
    drained.drain.close()
    drained.until(20)

    assert (drained.cancelled, drained.given_up) == ([], [])
    assert drained.left == ["a"]


def test_members_that_end_while_they_are_cancelled(loop):
    """A cancel that ends its member at once, and others with it, confuses nothing."""
    drained = Drained(loop, ["a", "b", "c"], 10)
    for name, member in drained.members.items():
        member.insist = functools.partial(drained.discard, name)
    drained.until(20)

    assert (drained.left, drained.given_up) == ([], [])


@pytest.mark.parametrize("turns", [1, 2, 5])
def test_after_turns_counts_turns_of_the_loop(turns, loop):
    """The callback comes after so many turns, and no time passes."""
    seen, count = [], iter(range(100))

    def turn():
        number = next(count)
        if not seen:
            loop.call_soon(turn)
        return number

    loop.call_soon(turn)
    after_turns(loop, turns, lambda: seen.append(next(count)))
    loop.call_at(1, loop.stop)
    loop.run_forever()

    assert seen == [turns]


# The sleeper


def test_a_sleeper_sleeps_until_it_is_woken(loop):
    """`sleep` returns False when it was woken."""

    async def main():
        sleeper = Sleeper(loop)
        loop.call_at(5, sleeper.wake)
        return await sleeper.sleep(), loop.time()

    assert loop.run_until_complete(main()) == (False, 5)


def test_to_wake_who_does_not_sleep(loop):
    """Waking comes to nothing before, after, and twice."""

    async def main():
        sleeper = Sleeper(loop)
        sleeper.wake()
        loop.call_at(5, sleeper.wake)
        loop.call_at(5, sleeper.wake)
        woken = await sleeper.sleep()
        sleeper.wake()
        return woken, loop.time()

    assert loop.run_until_complete(main()) == (False, 5)


def test_a_sleeper_keeps_the_first_cancellation(loop):
    """Rule 11: a cancellation wakes it and is kept; several in a row change nothing."""

    async def conduct(sleeper):
        return [await sleeper.sleep() for _ in range(3)]

    async def main():
        sleeper = Sleeper(loop)
        task = loop.create_task(conduct(sleeper))
        loop.call_at(1, task.cancel, "first")
        loop.call_at(2, task.cancel, "second")
        loop.call_at(3, sleeper.wake)
        woken = await task
        return woken, sleeper.cancelled, task.cancelling()

    woken, cancelled, cancelling = loop.run_until_complete(main())

    assert woken == [True, True, False]
    assert isinstance(cancelled, asyncio.CancelledError)
    assert (cancelled.args, cancelling) == (("first",), 2)


def test_a_sleeper_that_is_cancelled_as_it_is_woken(loop):
    """X04: of a cancel and a wake in the same turn none is lost."""

    async def conduct(sleeper):
        return await sleeper.sleep()

    async def main():
        sleeper = Sleeper(loop)
        task = loop.create_task(conduct(sleeper))
        await asyncio.sleep(1)
        sleeper.wake()
        task.cancel("why")
        return await task, sleeper.cancelled.args

    assert loop.run_until_complete(main()) == (True, ("why",))
