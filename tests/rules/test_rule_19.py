"""Rule 19: Quiet."""

import asyncio
import logging

import pytest
from actors import fails, in_loop, quick, virtually, waits

from flowdeco import Flow, Job, Scheduler, each, step
from flowdeco.testing import VirtualClockLoop


def test_rule_19_the_library_never_prints_and_logs_at_fixed_levels(capsys, caplog):
    """Starts and ends at DEBUG, a failed run at ERROR."""
    failing = Job(fails(), label="b", critical=True)
    with caplog.at_level(logging.DEBUG, "flowdeco"):
        virtually(Scheduler(Job(quick, label="a"), failing, label="whole"))

    assert capsys.readouterr() == ("", "")
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("DEBUG", "'whole' started"),
        ("DEBUG", "'a' started"),
        ("DEBUG", "'a' ended: done"),
        ("DEBUG", "'b' started"),
        ("DEBUG", "'b' ended: failed"),
        ("ERROR", "'whole' failed after 0.000 s: critical job 'b' failed with ValueError: broken"),
        ("DEBUG", "'whole' ended"),
    ]

    caplog.clear()
    with caplog.at_level(logging.INFO, "flowdeco"):
        virtually(Scheduler(Job(waits), label="whole"), 2)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", "'whole' failed after 2.000 s: 'whole' timed out after 2 s"),
    ]


def test_rule_19_a_fan_out_tells_of_no_failure_that_was_told_of_inside_of_its_items(caplog):
    """Each is told of where it arose, and the one of an item itself in the line of the fan-out."""

    class Inner(Flow):
        number: int

        @step(critical=True)
        async def fails(self):
            raise ValueError(self.number)

    class Outer(Flow):
        own: bool

        @step
        async def numbers(self):
            return [1, 2]

        @each(numbers)
        async def item(self, number):
            if self.own and number == 2:
                raise LookupError("own")
            (await Inner(number=number).co_run()).raise_for_failure()

    def told(own):
        caplog.clear()
        assert Outer(own=own).run(loop_factory=VirtualClockLoop)
        return [record.job for record in caplog.records]

    assert told(own=False) == ["item/item[0]/fails", "item/item[1]/fails"]
    assert told(own=True) == ["item/item[0]/fails", "item"]


def test_rule_19_what_is_asked_for_from_outside_is_no_news(caplog):
    """Who cancels a run, or leaves it, knows: no log above DEBUG tells of it."""

    async def leaves():
        raise SystemExit(3)

    with caplog.at_level(logging.INFO, "flowdeco"):
        with pytest.raises(SystemExit):
            virtually(Scheduler(Job(leaves)))
        with pytest.raises(asyncio.CancelledError):
            in_loop(cancelled_at(1, Scheduler(Job(waits))))

    assert caplog.records == []


async def cancelled_at(moment, scheduler):
    task = asyncio.ensure_future(scheduler.co_orchestrate())
    asyncio.get_running_loop().call_at(moment, task.cancel)
    await task
