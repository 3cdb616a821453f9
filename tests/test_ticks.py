"""Something happens at every turn of the loop in which it could (X01, X03 to X05, S07)."""

import asyncio
import itertools

import pytest
from actors import Diary, cleans_up, fails, sleeps, swallows_times, waits
from ticks import TickLoop

from flowdeco import Job, Scheduler, State


class Situation:
    """A scheduler with a bit of everything, which counts what it does."""

    def __init__(self, kind):
        self.diary = diary = Diary()
        hook = diary.hook
        server = Job(diary.service("server", up=1, down=1), forever=True, shutdown=hook("server"))
        monitor = Job(waits, forever=True, shutdown=hook("monitor"))
        first = Job(sleeps(1), label="first", shutdown=hook("first"))
        cleaning = Job(cleans_up(0.5), timeout=3, shutdown=hook("cleaning"))
        taker = Job(sleeps(1), required=[server, first], shutdown=hook("taker"), critical=True)
        stubborn = Job(swallows_times(1), timeout=2, shutdown=hook("stubborn"))
        inner = Scheduler(
            Job(sleeps(2), shutdown=hook("inner step")),
            Job(diary.service("inner server", down=0.5), forever=True, shutdown=hook("inner")),
            required=first,
            label="inner",
        )
        last = Job(sleeps(1), required=[taker, inner], shutdown=hook("last"))
        jobs = [server, monitor, first, cleaning, taker, stubborn, inner, last]
        if kind == "critical":
            jobs.append(Job(fails(3.5), critical=True, shutdown=hook("boom")))
        self.scheduler = Scheduler(
            *jobs, window=3, timeout=3 if kind == "timeout" else None, grace=5, label="outer"
        )
        self.hooks = sum(1 for job in self.scheduler.iterate_jobs())
        self.raised = None
        self.left = None

    async def main(self):
        self.task = asyncio.current_task()
        others = asyncio.all_tasks()
        try:
            self.ok = await self.scheduler.co_orchestrate()
        except asyncio.CancelledError as error:
            self.raised = error
            self.cancelling = self.task.cancelling()
            while self.task.uncancel():
                pass
        self.left = asyncio.all_tasks() - others

    def perform(self, actions=None):
        loop = TickLoop(actions)
        try:
            loop.run_until_complete(self.main())
        finally:
            loop.close()
        return loop.ticks

    def check(self):
        """Rules 9 and 10, whatever has happened."""
        assert self.left == set()
        called = [text for text in self.diary.texts if "shuts down" in text]
        assert len(called) == len(set(called)) == self.hooks
        ups = self.diary.texts.count("server up"), self.diary.texts.count("inner server up")
        downs = self.diary.texts.count("server down"), self.diary.texts.count("inner server down")
        assert ups == downs
        assert not any(
            job.state in (State.RUNNING, State.SCHEDULED, State.STUCK)
            for job in self.scheduler.iterate_jobs()
        )


def ticks_of(kind):
    return Situation(kind).perform()


@pytest.mark.parametrize("kind", ["success", "critical", "timeout"])
def test_a_cancel_at_every_tick_leaves_nothing_and_is_never_swallowed(kind):
    """X01 X04 X05: the cancel leaves as it came, all hooks are called once, no task is left."""
    total = ticks_of(kind)
    assert total > 25
    for tick in range(2, total + 1):
        situation = Situation(kind)
        situation.perform({tick: lambda situation=situation: situation.task.cancel("why")})
        if situation.raised is None:
            # It came when the task had its last step behind it.
            assert tick >= total - 1
        else:
            assert situation.raised.args == ("why",)
            assert situation.cancelling == 1
        situation.check()


def test_two_cancels_at_any_two_ticks_change_nothing():
    """X03: the second finds the clean-up on its way."""
    total = ticks_of("timeout")
    for first, second in itertools.combinations(range(2, total), 2):
        situation = Situation("timeout")
        situation.perform(
            dict.fromkeys((first, second), lambda situation=situation: situation.task.cancel("why"))
        )
        assert situation.raised is not None or first >= total - 1
        situation.check()


@pytest.mark.parametrize("kind", ["success", "critical", "timeout"])
def test_a_foreign_cancel_of_any_task_at_every_tick_hangs_nothing(kind):
    """F10: a victim counts as failed, and the run goes to its end."""
    total = ticks_of(kind)
    for tick in range(2, total + 1):
        for victim in range(4):
            situation = Situation(kind)

            def act(situation=situation, victim=victim):
                tasks = sorted(
                    asyncio.all_tasks(situation.task.get_loop()) - {situation.task},
                    key=lambda task: int(task.get_name().rpartition("-")[2]),
                )
                if victim < len(tasks):
                    tasks[victim].cancel("foreign")

            situation.perform({tick: act})
            assert situation.left == set()
            assert situation.raised is None
            called = [text for text in situation.diary.texts if "shuts down" in text]
            assert len(called) == len(set(called))
            assert len(called) >= situation.hooks - 1  # a hook may be the victim
