"""Rule 3: What a failure does to others."""

import asyncio

import pytest
from actors import in_loop, states

from flowdeco import Flow, State, step
from flowdeco.errors import SkippedError
from flowdeco.testing import VirtualClockLoop


class Pipeline(Flow):
    """A failing step, what takes its value, and what only comes after."""

    @step
    async def source(self) -> int:
        raise ValueError("no data")

    @step(after=source)
    async def taker(self, value: int) -> int:
        return value + 1

    @step(after=taker)
    async def second_taker(self, value: int) -> int:
        return value + 1

    @step(after=second_taker)
    async def ordered(self) -> str:
        return "ran"

    @step(after=[source])
    async def listed(self) -> str:
        return "ran"

    @step
    async def chained(self) -> str:
        return "ran"

    order = taker >> chained


def test_rule_3_what_takes_a_missing_value_is_skipped_and_what_is_ordered_runs():
    """F02: edges by a list, by `>>` or without parameters never skip; a skip is an end."""
    flow = Pipeline()

    report = flow.run(loop_factory=VirtualClockLoop)

    assert bool(report) is True
    jobs = [flow.source, flow.taker, flow.second_taker, flow.ordered, flow.listed, flow.chained]
    assert states(*jobs) == ["FAILED", "SKIPPED", "SKIPPED", "DONE", "DONE", "DONE"]
    with pytest.raises(SkippedError) as caught:
        flow.second_taker.result()
    assert isinstance(caught.value.__cause__, SkippedError)
    assert str(caught.value.__cause__.__cause__) == "no data"


def test_rule_3_a_skipped_critical_job_fails_the_run():
    """The reason names it, and the value error is in what is raised."""

    class Deploy(Flow):
        @step
        async def source(self) -> int:
            raise ValueError("no data")

        @step(after=source, critical=True)
        async def taker(self, value: int) -> int:
            return value

    flow = Deploy()
    report = flow.run(loop_factory=VirtualClockLoop)

    assert not report
    assert "'taker' was skipped" in str(report.reason)
    with pytest.raises(ExceptionGroup) as caught:
        report.raise_for_failure()
    assert [type(error) for error in caught.value.exceptions] == [SkippedError]


def test_rule_3_a_skip_comes_when_the_job_would_have_started():
    """The skipped job waits for all that it requires, as it would have done to run."""

    class Late(Flow):
        @step
        async def fails(self) -> int:
            raise ValueError

        @step
        async def slow(self) -> int:
            await asyncio.sleep(5)
            return 1

        @step(after=(fails, slow))
        async def taker(self, a: int, b: int) -> int:
            return a + b

    flow = Late()
    flow.run(loop_factory=VirtualClockLoop)

    assert (flow.taker.state, flow.taker.started_at, flow.taker.ended_at) == (
        State.SKIPPED,
        None,
        5.0,
    )


def test_rule_3_times_count_from_the_start_of_the_run():
    """Whatever the clock of the loop says: of what ran, of what failed, and of what was skipped."""

    async def main():
        await asyncio.sleep(100)
        flow = Pipeline()
        await flow.co_run()
        return flow

    flow = in_loop(main())

    assert flow.scheduler.report.duration == 0
    jobs = (flow.source, flow.taker, flow.ordered)
    assert [(job.started_at, job.ended_at) for job in jobs] == [(0, 0), (None, 0), (0, 0)]
