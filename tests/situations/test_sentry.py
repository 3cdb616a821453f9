"""Runs in a loop in which Sentry traces the tasks (R12); its task factory wraps the coroutines."""

from __future__ import annotations

import asyncio

import pytest

from flowdeco import Flow, State, each, service, step, subflow
from flowdeco.testing import VirtualClockLoop

sentry_sdk = pytest.importorskip("sentry_sdk")


class Inner(Flow):
    """What is nested."""

    @step
    async def inner_step(self) -> int:
        await asyncio.sleep(1)
        return 5


class Traced(Flow):
    """A bit of everything."""

    log: list

    @service
    async def server(self):
        await asyncio.sleep(1)
        yield "up"
        self.log.append("down")

    @step(after=server)
    async def items(self, address):
        assert address == "up"
        return [1, 2, 3]

    @each(items, window=2)
    async def doubled(self, item):
        await asyncio.sleep(1)
        return 2 * item

    @step(after=doubled)
    def summed(self, doubled):
        return sum(doubled)

    @subflow(after=items)
    def nested(self) -> Inner:
        return Inner()

    @step(after=(summed, nested))
    async def last(self, summed, nested):
        return summed + nested.inner_step.result()

    @step
    async def fails(self):
        await asyncio.sleep(1)
        raise ValueError("broken")

    @step(timeout=2)
    async def too_slow(self):
        await asyncio.sleep(60)

    @last.shutdown
    async def close_last(self):
        self.log.append("hook")


@pytest.fixture
def traced():
    """Run something in a loop in which Sentry is at work; it sends nothing, and is forgotten."""
    from sentry_sdk.integrations import _installed_integrations, _processed_integrations
    from sentry_sdk.integrations.asyncio import AsyncioIntegration

    class Transport(sentry_sdk.transport.Transport):
        def capture_envelope(self, envelope):
            sent.append(envelope)

    sent = []
    integrations = set(_installed_integrations), set(_processed_integrations)

    def run(function):
        async def main():
            sentry_sdk.init(
                dsn="https://nobody@localhost/1",
                transport=Transport(),
                integrations=[AsyncioIntegration()],
                default_integrations=False,
                auto_enabling_integrations=False,
                enable_backpressure_handling=False,
                shutdown_timeout=0,
                traces_sample_rate=1.0,
            )
            assert asyncio.get_running_loop().get_task_factory() is not None
            with sentry_sdk.start_transaction(name="all of it"):
                return await function()

        # Not by `asyncio.Runner`: its loop is closed while Sentry still holds it.
        loop = VirtualClockLoop()
        try:
            return loop.run_until_complete(main())
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    with sentry_sdk.new_scope(), sentry_sdk.isolation_scope():
        yield run
        sentry_sdk.get_client().close()
        sentry_sdk.get_global_scope().set_client(None)
    for known, before in zip(
        (_installed_integrations, _processed_integrations), integrations, strict=True
    ):
        known.clear()
        known.update(before)


def test_a_run_whose_tasks_are_traced(traced):
    """All rules hold: values, items, nested flows, threads, timeouts, teardowns and hooks."""
    flow = Traced(log=[])

    report = traced(lambda: flow.co_run(timeout=30))

    assert report.ok
    assert flow.last.result() == 17
    assert flow.fails.state is State.FAILED
    assert isinstance(flow.too_slow.raised_exception(), TimeoutError)
    assert flow.log == ["down", "hook"]
    assert report.duration == pytest.approx(3.0)


def test_a_cancel_of_a_run_whose_tasks_are_traced(traced):
    """Rules 10 and 11: it leaves as it came, and the hook was called."""
    flow = Traced(log=[])

    async def cancelled():
        task = asyncio.ensure_future(flow.co_run())
        await asyncio.sleep(1.5)
        task.cancel("why")
        with pytest.raises(asyncio.CancelledError, match="why"):
            await task

    traced(cancelled)

    assert flow.log == ["down", "hook"]
