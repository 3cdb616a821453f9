"""The same scenarios on every kind of loop (R12, R24, X17): what happens does not depend on it."""

import asyncio
import itertools
import sys

import pytest

from flowdeco import Flow, Job, Scheduler, State, current_job, each, service, step, subflow
from flowdeco.testing import VirtualClockLoop

try:
    import uvloop
except ImportError:
    uvloop = None

TICK = 0.01
"""Seconds in a moment: long enough for a loop to notice."""

LONG = 60.0


class Inner(Flow):
    """What is nested, with a service of its own."""

    log: list

    @service
    async def inner_server(self):
        self.log.append("inner up")
        yield 5
        self.log.append("inner down")

    @step(after=inner_server)
    async def inner_step(self, value):
        await asyncio.sleep(TICK)
        return value * 2


class Representative(Flow, window=3, grace=1.0):
    """A bit of everything."""

    log: list
    body: object = None

    @service
    async def server(self):
        self.log.append("up")
        yield "address"
        await asyncio.sleep(TICK)
        self.log.append("down")

    @service(after=server)
    async def monitor(self):
        try:
            await asyncio.Event().wait()
        finally:
            self.log.append("monitor over")

    @step(after=server)
    async def items(self, address):
        assert address == "address"
        return [1, 2, 3]

    @each(items, window=2)
    async def doubled(self, item):
        await asyncio.sleep(TICK)
        return 2 * item

    @step(after=doubled)
    def summed(self, doubled):
        assert current_job() is self.summed
        return sum(doubled)

    @subflow(after=items)
    def nested(self) -> Inner:
        return Inner(log=self.log)

    @step(after=(summed, nested))
    async def last(self, summed, nested):
        return summed + nested.inner_step.result()

    @step(timeout=2 * TICK)
    async def too_slow(self):
        await asyncio.sleep(LONG)

    @step(critical=True)
    async def main(self):
        if self.body is not None:
            await self.body()

    @main.shutdown
    async def close_main(self):
        self.log.append("hook")


async def fails():
    await asyncio.sleep(2 * TICK)
    raise ValueError("broken")


async def waits():
    await asyncio.sleep(LONG)


async def swallows_once():
    try:
        await asyncio.sleep(LONG)
    except asyncio.CancelledError:
        await asyncio.sleep(TICK)


# The kinds of loops


def plain_loop():
    return asyncio.SelectorEventLoop()


def debug_loop():
    loop = asyncio.SelectorEventLoop()
    loop.set_debug(True)
    return loop


def uv_loop():
    return uvloop.new_event_loop()


def eager_loop():
    loop = asyncio.SelectorEventLoop()
    loop.set_task_factory(asyncio.eager_task_factory)
    return loop


def own_factory_loop():
    """Its factory takes what `create_task` has always given it, and nothing else."""
    loop = asyncio.SelectorEventLoop()
    loop.made = 0

    def factory(loop, coroutine):
        loop.made += 1
        return asyncio.Task(coroutine, loop=loop)

    loop.set_task_factory(factory)
    return loop


class OwnTask(asyncio.Task):
    """A class of tasks of somebody else."""


def own_tasks_loop():
    loop = asyncio.SelectorEventLoop()
    loop.set_task_factory(
        lambda loop, coroutine, **options: OwnTask(coroutine, loop=loop, **options)
    )
    return loop


def virtual_eager_loop():
    loop = VirtualClockLoop()
    loop.set_task_factory(asyncio.eager_task_factory)
    return loop


needs_uvloop = pytest.mark.skipif(uvloop is None, reason="uvloop is not there")
needs_eager = pytest.mark.skipif(
    sys.version_info < (3, 12), reason="eager tasks are of Python 3.12"
)

LOOPS = [
    pytest.param(plain_loop, id="default"),
    pytest.param(debug_loop, id="debug"),
    pytest.param(uv_loop, id="uvloop", marks=needs_uvloop),
    pytest.param(eager_loop, id="eager", marks=needs_eager),
    pytest.param(own_factory_loop, id="own factory"),
    pytest.param(own_tasks_loop, id="own tasks"),
    pytest.param(VirtualClockLoop, id="virtual"),
    pytest.param(virtual_eager_loop, id="virtual eager", marks=needs_eager),
]


def run_in(loop_factory, coroutine):
    """Not by `asyncio.Runner`, which gives factories a `context` that they need not take."""
    loop = loop_factory()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


@pytest.fixture(params=LOOPS)
def loop_factory(request):
    return request.param


# What happens on each of them


def test_success(loop_factory):
    """R12 R24 X17: values, services, fan-out, threads, nesting, a timeout of a step."""
    flow = Representative(log=[])

    report = flow.run(timeout=LONG, loop_factory=loop_factory)

    assert report, str(report)
    assert flow.last.result() == 12 + 10
    assert flow.doubled.result() == [2, 4, 6]
    assert isinstance(flow.too_slow.raised_exception(), TimeoutError)
    assert [flow.server.state, flow.monitor.state] == [State.CANCELLED] * 2
    assert flow.log == ["up", "inner up", "inner down", "monitor over", "down", "hook"]


def test_a_critical_failure(loop_factory):
    """R12 R24 X17: the services are torn down, and the hook is called."""
    flow = Representative(log=[], body=fails)

    report = flow.run(timeout=LONG, loop_factory=loop_factory)

    assert not report
    assert report.reason.job is flow.main
    assert flow.log[-3:] == ["monitor over", "down", "hook"]
    assert flow.log.count("inner up") == flow.log.count("inner down")


def test_a_timeout(loop_factory):
    """R12 R24 X17: of the run."""
    flow = Representative(log=[], body=waits)

    report = flow.run(timeout=50 * TICK, loop_factory=loop_factory)

    assert "timed out" in str(report.reason)
    assert (flow.main.state, flow.last.state) == (State.CANCELLED, State.DONE)
    assert flow.log == ["up", "inner up", "inner down", "monitor over", "down", "hook"]
    assert report.duration < LONG / 4


def test_a_cancel_from_outside(loop_factory):
    """R12 R24 X17, rule 11: it leaves as it came, and nothing is left."""
    flow = Representative(log=[], body=swallows_once)

    async def main():
        others = asyncio.all_tasks()
        task = asyncio.ensure_future(flow.co_run())
        await asyncio.sleep(8 * TICK)
        while not (flow.monitor.is_running() and flow.main.is_running()):
            await asyncio.sleep(TICK)
        task.cancel("why")
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        return caught.value.args, asyncio.all_tasks() - others

    assert run_in(loop_factory, main()) == (("why",), set())
    assert flow.main.state is State.DONE
    assert flow.log[-3:] == ["monitor over", "down", "hook"]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()], ids=repr)
def test_an_exit(loop_factory, error):
    """R12 R24 X17, rule 12: bare, after the clean-up."""

    async def leaves():
        await asyncio.sleep(TICK)
        raise error

    flow = Representative(log=[], body=leaves)
    with pytest.raises((SystemExit, KeyboardInterrupt)) as caught:
        flow.run(loop_factory=loop_factory)
    assert caught.value is error
    assert flow.log[-1] == "hook"


def test_a_stuck_job(loop_factory):
    """R12 R24 X17, rule 8: the run ends on time, and its loop is closed in order."""

    async def swallows():
        while True:
            try:
                await asyncio.sleep(LONG)
            except asyncio.CancelledError:
                pass

    stuck = Job(swallows, label="stuck")
    scheduler = Scheduler(stuck, timeout=10 * TICK, grace=5 * TICK)
    assert scheduler.orchestrate(loop_factory=loop_factory) is False
    assert stuck.state is State.STUCK
    assert scheduler.report.duration < LONG / 4


def test_bodies_that_never_wait(loop_factory):
    """X17: an eager task ends before it is known: a chain of such, with failures, is no trouble."""
    log = []

    def body(number):
        async def run():
            log.append(number)
            if number % 7 == 3:
                raise ValueError(number)

        return run

    jobs = [Job(body(number), label=str(number)) for number in range(2000)]
    for before, after in itertools.pairwise(jobs):
        after.requires(before)
    assert Scheduler(*jobs, window=1).orchestrate(loop_factory=loop_factory)
    assert log == list(range(2000))


def test_a_critical_failure_before_the_first_suspension(loop_factory):
    """X17: jobs declared after it do not start, if they had not."""
    log = []

    async def boom():
        raise ValueError

    async def later():
        log.append("later")
        await asyncio.sleep(LONG)

    first, second = Job(boom, critical=True), Job(later)
    scheduler = Scheduler(first, second)
    assert scheduler.orchestrate(loop_factory=loop_factory) is False
    assert (first.state, log) == (State.FAILED, [])
    assert second.state is State.IDLE


def test_a_service_that_fails_before_the_first_suspension(loop_factory):
    """And one that never waits before it is up."""

    async def broken():
        raise OSError
        yield

    async def at_once():
        yield "value"

    async def client():
        return up.result()

    down, up = Job(broken, forever=True), Job(at_once, forever=True)
    use = Job(client, required=[up, down])
    assert Scheduler(down, up, use).orchestrate(loop_factory=loop_factory)
    assert (down.state, up.state, use.result()) == (State.FAILED, State.CANCELLED, "value")


def test_order_is_that_of_declaration(loop_factory):
    """Rule 16, on any loop."""
    started = []

    def body(number):
        async def run():
            started.append(number)
            await asyncio.sleep(0)

        return run

    first = Job(body(0))
    jobs = [Job(body(number), required=first) for number in range(1, 50)]
    assert Scheduler(first, *jobs, window=5).orchestrate(loop_factory=loop_factory)
    assert started == list(range(50))


def test_a_run_within_a_loop_that_goes_on(loop_factory):
    """R12 R13: `co_run` changes nothing about the loop: its factory, its handlers, its tasks."""
    flow = Representative(log=[])

    async def main():
        loop = asyncio.get_running_loop()
        before = loop.get_task_factory(), loop.get_exception_handler(), asyncio.all_tasks()
        first = await flow.co_run()
        second = await flow.co_run()
        after = loop.get_task_factory(), loop.get_exception_handler(), asyncio.all_tasks()
        return bool(first), bool(second), before == after

    assert run_in(loop_factory, main()) == (True, True, True)


def test_a_factory_of_the_user_makes_all_tasks():
    """R12: it is honoured."""
    loop = own_factory_loop()
    flow = Representative(log=[])
    assert flow.run(loop_factory=lambda: loop)
    jobs = len(flow.run().jobs)
    assert loop.made >= jobs


def choosy_loop(refused):
    """Its factory refuses some of the tasks, by number; the first one is that of the run."""
    loop = VirtualClockLoop()
    made = itertools.count()

    def factory(loop, coroutine, **options):
        if next(made) in refused:
            raise RuntimeError("no task for you")
        return asyncio.Task(coroutine, loop=loop, **options)

    loop.set_task_factory(factory)
    return loop


def test_a_factory_that_refuses_is_a_failure_of_the_job():
    """Its coroutine is closed, and the place is given back."""

    async def body(): ...

    jobs = [Job(body, label=str(number)) for number in range(4)]
    scheduler = Scheduler(*jobs, window=1)
    assert scheduler.orchestrate(loop_factory=lambda: choosy_loop({2, 3}))
    assert [job.state.name for job in jobs] == ["DONE", "FAILED", "FAILED", "DONE"]
    assert str(jobs[1].raised_exception()) == "no task for you"


def test_a_factory_that_refuses_a_hook_is_an_error_of_the_shutdown():
    """The other hooks are called."""
    called = []

    async def body(): ...

    async def hook():
        called.append("hook")

    jobs = [Job(body, label=str(number), shutdown=hook) for number in range(3)]
    scheduler = Scheduler(*jobs)
    assert scheduler.orchestrate(loop_factory=lambda: choosy_loop({5}))
    assert called == ["hook", "hook"]
    assert list(scheduler.report.shutdown_errors) == ["1"]
