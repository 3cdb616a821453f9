"""Services, in the words of section 7 of the contract."""

import asyncio
import contextvars

import pytest
from actors import Diary, fails, sleeps, states, stopped_by_cancel, virtually, waits

from flowdeco import Flow, Job, Scheduler, State, service, step
from flowdeco.testing import VirtualClockLoop


class Resource(Flow):
    """A service with a value, and a step that takes it."""

    up: bool = False

    @service
    async def server(self):
        self.up = True
        try:
            yield "address"
        finally:
            self.up = False

    @step(after=server)
    async def client(self, address):
        return address, self.up


def test_a_generator_service_gives_its_value_when_it_is_ready():
    """And `result()` has it from then on."""
    flow = Resource()
    assert flow.run(loop_factory=VirtualClockLoop)
    assert (flow.client.result(), flow.server.result(), flow.up) == (
        ("address", True),
        "address",
        False,
    )


def test_a_coroutine_service_is_ready_at_its_first_suspension():
    """Its first lines always run before what comes after it, which gets None for a value."""
    diary = Diary()

    class Monitored(Flow):
        @service
        async def monitor(self):
            diary.note("watching")
            await asyncio.Event().wait()

        @step(after=monitor)
        async def work(self, nothing):
            diary.note(f"working {nothing}")

    assert Monitored().run(loop_factory=VirtualClockLoop)
    assert diary.texts == ["watching", "working None"]


@pytest.mark.parametrize("yields", [0, 2])
def test_a_generator_service_must_yield_once(yields):
    """No yield, or a second one: it has failed."""

    async def wrong():
        for _ in range(yields):
            yield

    job = Job(wrong, forever=True)
    virtually(Scheduler(job, Job(sleeps(1))))

    assert isinstance(job.raised_exception(), RuntimeError)
    assert "must yield once" in str(job.raised_exception())


def test_a_service_that_fails_before_it_is_ready_skips_who_takes_its_value():
    """It has simply failed: rule 3."""

    class Broken(Flow):
        @service
        async def server(self):
            raise OSError("port in use")
            yield 1

        @step(after=server)
        async def taker(self, value):
            return value

        @step(after=server)
        async def ordered(self):
            return "ran"

    flow = Broken()
    assert flow.run(loop_factory=VirtualClockLoop)
    assert states(flow.server, flow.taker, flow.ordered) == ["FAILED", "SKIPPED", "DONE"]


def test_the_timeout_of_a_generator_service_bounds_its_start_alone():
    """Once it is up it may stay up."""
    diary = Diary()
    fast = Job(diary.service("fast", up=1), forever=True, timeout=2)
    slow = Job(diary.service("slow", up=3), forever=True, timeout=2)

    assert virtually(Scheduler(fast, slow, Job(sleeps(10)))) is True
    assert states(fast, slow) == ["CANCELLED", "FAILED"]
    assert isinstance(slow.raised_exception(), TimeoutError)


@pytest.mark.parametrize("guard", ["group", "timeout"])
def test_a_cancel_from_elsewhere_is_thrown_into_a_service_at_its_yield(guard):
    """So a task group or a timeout written round the yield works."""

    async def grouped():
        async with asyncio.TaskGroup() as group:
            group.create_task(fails(1, OSError("worker"))())
            yield "up"

    async def timed():
        async with asyncio.timeout(1):
            yield "up"

    server = Job(grouped if guard == "group" else timed, forever=True, critical=True)
    scheduler = Scheduler(server, Job(sleeps(10)))

    assert virtually(scheduler) is False

    expected = ExceptionGroup if guard == "group" else TimeoutError
    assert isinstance(server.raised_exception(), expected)
    assert scheduler.report.duration == 1.0


@pytest.mark.parametrize("end", ["success", "critical", "timeout", "cancel", "exit"])
def test_a_ready_service_is_torn_down_however_the_run_ends(end):
    """It is resumed after its yield, and never cancelled there, in one task and context."""
    diary = Diary()
    own = contextvars.ContextVar("own")

    async def server():
        token = own.set("up")
        task = asyncio.current_task()
        yield
        await asyncio.sleep(1)
        diary.note(f"down {own.get()} {asyncio.current_task() is task}")
        own.reset(token)

    bodies = {
        "success": sleeps(1),
        "critical": fails(1),
        "timeout": waits,
        "cancel": waits,
        "exit": fails(1, SystemExit()),
    }
    up = Job(server, forever=True)
    main = Job(bodies[end], required=up, critical=True)
    scheduler = Scheduler(up, main, timeout=1 if end == "timeout" else None)

    async def run():
        if end == "cancel":
            await stopped_by_cancel(scheduler)
        else:
            await scheduler.co_orchestrate()

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        if end == "exit":
            with pytest.raises(SystemExit):
                runner.run(run())
        else:
            runner.run(run())

    assert diary.lines == [(2.0, "down up True")]
    assert up.state is State.CANCELLED
