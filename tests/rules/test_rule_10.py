"""Rule 10: Shutdown once."""

import asyncio

import pytest
from actors import (
    Diary,
    cleans_up,
    fails,
    quick,
    sleeps,
    stopped_by_cancel,
    swallows,
    virtually,
    waits,
)

from flowdeco import AbstractJob, Job, Scheduler
from flowdeco.testing import VirtualClockLoop


def ways_to_end():
    yield "success", quick, {}
    yield "critical", fails(1), {}
    yield "timeout", waits, {"timeout": 1}
    yield "exit", fails(1, SystemExit(3)), {}
    yield "interrupt", fails(1, KeyboardInterrupt()), {}
    yield "cancel", waits, {}


@pytest.mark.parametrize(
    ("way", "body", "options"), list(ways_to_end()), ids=[way for way, *_ in ways_to_end()]
)
def test_rule_10_every_hook_is_called_once_whatever_ended_the_run(way, body, options):
    """S05 S07 X18: started or not, after the bodies, in nested schedulers too."""
    diary = Diary()
    main = Job(body, critical=True, shutdown=diary.hook("main"))
    never = Job(quick, required=main, shutdown=diary.hook("never"))
    inner = Scheduler(Job(waits, shutdown=diary.hook("inner")), forever=True)
    asleep = Scheduler(Job(quick, shutdown=diary.hook("asleep")), required=main)
    scheduler = Scheduler(main, never, inner, asleep, **options)

    async def run():
        if way == "cancel":
            await stopped_by_cancel(scheduler)
        else:
            await scheduler.co_orchestrate()

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        if way in ("exit", "interrupt"):
            with pytest.raises((SystemExit, KeyboardInterrupt)):
                # It leaves the task of the caller, and with it the loop.
                runner.run(run())
        else:
            runner.run(run())

    hooks = [text for text in diary.texts if "shuts down" in text]
    assert sorted(hooks) == sorted(f"{n} shuts down" for n in ("main", "never", "inner", "asleep"))
    assert scheduler.shutdown() is True
    assert len(diary.texts) == len(hooks)


def test_rule_10_hooks_run_at_the_same_time_and_one_that_raises_stops_no_other():
    """S01 S06: the error is in the report, and the verdict unchanged (rule 20)."""
    diary = Diary()
    jobs = [
        Job(quick, label="bad", shutdown=diary.hook("bad", error=ValueError("hook"))),
        Job(quick, shutdown=diary.hook("slow", 0.5)),
        Job(quick, shutdown=diary.hook("also slow", 0.5)),
    ]
    scheduler = Scheduler(*jobs)

    assert virtually(scheduler) is True

    assert scheduler.report.duration == 0.5
    assert str(scheduler.report.shutdown_errors["bad"]) == "hook"
    assert scheduler.shutdown() is False


@pytest.mark.parametrize("body", [waits, swallows])
def test_rule_10_hooks_are_bounded(body, caplog):
    """S02 S03: cancelled in the last fifth of their time, left behind at its end, reported."""
    scheduler = Scheduler(Job(quick, label="x", shutdown=body), shutdown_timeout=2)

    assert virtually(scheduler) is True

    assert scheduler.report.duration <= 2.0
    assert isinstance(scheduler.report.shutdown_errors["x"], TimeoutError)


def test_rule_10_a_hook_is_left_alone_for_the_whole_of_its_time():
    """S02: unlike a body, which is asked again in the last fifth of the grace."""
    scheduler = Scheduler(Job(quick, shutdown=sleeps(1.95)), shutdown_timeout=2)

    assert virtually(scheduler) is True

    assert scheduler.report.shutdown_errors == {}
    assert scheduler.report.duration == 1.95


def test_rule_10_a_hook_that_exits_lets_the_others_run():
    """S04: then the exit leaves."""
    diary = Diary()
    scheduler = Scheduler(
        Job(quick, shutdown=diary.hook("bad", error=SystemExit(4))),
        Job(quick, shutdown=diary.hook("good", 0.5)),
    )

    with pytest.raises(SystemExit) as caught:
        virtually(scheduler)

    assert caught.value.code == 4
    assert diary.texts == ["bad shuts down", "good shuts down"]


def test_rule_10_hooks_are_called_in_each_run():
    """S08 S09: once a run; an explicit call after it does nothing and says the same."""
    diary = Diary()
    scheduler = Scheduler(Job(quick, shutdown=diary.hook("x")))

    assert [virtually(scheduler), virtually(scheduler)] == [True, True]
    assert diary.texts == ["x shuts down"] * 2
    assert scheduler.shutdown() is True
    assert diary.texts == ["x shuts down"] * 2


def test_rule_10_a_nested_run_that_ends_by_itself_calls_its_hooks_then():
    """S06: before the enclosing run goes on."""
    diary = Diary()
    inner = Scheduler(Job(quick, shutdown=diary.hook("inner")))
    after = Job(diary.step("after", 1), required=inner, shutdown=diary.hook("after"))

    assert virtually(Scheduler(inner, after)) is True
    assert diary.texts == ["inner shuts down", "after starts", "after ends", "after shuts down"]


def test_rule_10_the_state_of_a_job_is_visible_in_its_hook():
    """S05: never before its body has ended, unless it is stuck."""
    seen = {}

    class Watched(AbstractJob):
        def __init__(self, body, **options):
            super().__init__(**options)
            self.body = body

        async def co_run(self):
            return await self.body()

        async def co_shutdown(self):
            seen[self.label] = self.state.name

    scheduler = Scheduler(
        Watched(quick, label="done"),
        Watched(fails(), label="failed"),
        Watched(cleans_up(1), label="cancelled"),
        Watched(swallows, label="stuck"),
        timeout=1,
        grace=2,
    )
    scheduler.add(Watched(quick, label="idle", required=scheduler.find("cancelled")))
    virtually(scheduler)

    assert seen == {
        "done": "DONE",
        "failed": "FAILED",
        "cancelled": "CANCELLED",
        "stuck": "STUCK",
        "idle": "IDLE",
    }


def test_rule_10_a_nested_run_that_its_body_cuts_short_calls_its_hooks_itself():
    """X02: at once, for no enclosing run has ended it."""
    diary = Diary()
    inner = Scheduler(Job(waits, shutdown=diary.hook("inner")))

    async def body():
        try:
            async with asyncio.timeout(1):
                await inner.co_orchestrate()
        except TimeoutError:
            await asyncio.sleep(1)

    assert virtually(Scheduler(Job(body, shutdown=diary.hook("outer"))))

    assert diary.lines == [(1, "inner shuts down"), (2, "outer shuts down")]
