"""Rule 12: Exits and signals."""

import asyncio
import signal

import pytest
from actors import Diary, cleans_up, fails, virtually

from flowdeco import Job, Scheduler
from flowdeco.testing import VirtualClockLoop


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_rule_12_an_exit_in_a_job_leaves_bare_after_the_clean_up(error):
    """F12 F13: siblings are stopped, hooks called, then the same object is raised."""
    diary = Diary()
    cleaning = cleans_up(1)
    scheduler = Scheduler(Job(fails(1, error)), Job(cleaning, shutdown=diary.hook("x")))

    with pytest.raises((SystemExit, KeyboardInterrupt)) as caught:
        virtually(scheduler)

    assert caught.value is error
    assert cleaning.cleaned
    assert diary.texts == ["x shuts down"]


@pytest.mark.allow_asyncio_errors  # the task has an exception that nobody asks for
def test_rule_12_an_exit_in_a_task_that_a_job_has_made_ends_the_run_in_order():
    """F12: it goes through the event loop, and is caught there."""
    diary = Diary()

    async def exits():
        raise SystemExit(5)

    async def body():
        body.task = asyncio.create_task(exits())
        await asyncio.Event().wait()

    with pytest.raises(SystemExit) as caught:
        virtually(Scheduler(Job(body, shutdown=diary.hook("x"))))

    assert caught.value.code == 5
    assert diary.texts == ["x shuts down"]


def test_rule_12_handlers_are_put_back():
    """R10: and `co_run` touches none."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    during = []

    async def body():
        during.append((signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)))

    virtually(Scheduler(Job(body)))
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        runner.get_loop().run_until_complete(Scheduler(Job(body)).co_orchestrate())

    assert during[0] != before
    assert during[1] == before
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
