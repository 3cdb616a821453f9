"""What runs leave in memory (R20): after a success nothing, after a failure what the user needs."""

import asyncio
import gc
import itertools
import sys
import threading
import types
import weakref
from collections import Counter

import pytest
from actors import cleans_up, fails, in_loop, nested, sleeps, swallows, waits

from flowdeco import Flow, Job, Retry, Scheduler, State, each, service, step, subflow
from flowdeco.testing import VirtualClockLoop

SOON = 2.0
"""The seconds that a thread may take to end."""

pytestmark = pytest.mark.usefixtures("short_stacks")


class Inner(Flow):
    @service
    async def inner_server(self):
        yield 1

    @step(after=inner_server)
    async def inner_step(self, value):
        await asyncio.sleep(1)
        return value


class Everything(Flow, window=2):
    """What methods can be."""

    @service
    async def server(self):
        yield "address"

    @service(after=server)
    async def monitor(self):
        await asyncio.Event().wait()

    @step(after=server)
    async def items(self, _address):
        await asyncio.sleep(1)
        return [1, 2, 3]

    @each(items)
    async def doubled(self, item):
        await asyncio.sleep(1)
        return 2 * item

    @each(items)
    def computed(self, item):
        return 2 * item

    @subflow(after=items)
    def nested(self, _items) -> Inner:
        return Inner()

    @step(after=(doubled, nested))
    def summed(self, doubled, _inner):
        return sum(doubled)

    @summed.shutdown
    async def close_summed(self):
        await asyncio.sleep(0.1)


class Timed(Flow):
    @step(timeout=60)
    async def quick(self):
        await asyncio.sleep(1)


class Again(Flow):
    calls = 0

    @step(timeout=60, retry=Retry(on=ValueError, attempts=3))
    async def probe(self):
        self.calls += 1
        if self.calls < 3:
            await asyncio.sleep(1)
            raise ValueError


def pair():
    before = Job(sleeps(1), label="before")
    return Scheduler(before, Job(sleeps(1), required=before), Job(waits, forever=True))


def queue(count):
    return [Job(sleeps(1)) for _ in range(count)]


def _bookkeeping():
    """What is for one run alone, of all runs in memory.

    Not what reports keep, nor what the thread has that watches a run in debug mode, and ends later.
    """
    modules = [(one, str(type(one).__module__)) for one in gc.get_objects()]
    left_out = {f"flowdeco.engine.{module}" for module in ("reason", "record", "block_monitor")}
    return [
        one
        for one, module in modules
        if module.startswith("flowdeco.engine.") and module not in left_out
    ]


@pytest.fixture
def bookkeeping():
    """Tell what of it has been added since the test began, by its kinds."""
    before = {id(one) for one in _bookkeeping()}
    return lambda: [type(one).__name__ for one in _bookkeeping() if id(one) not in before]


def scheduler_of(made):
    return made.scheduler if isinstance(made, Flow) else made


async def perform(scheduler):
    try:
        await scheduler.co_orchestrate()
    except SystemExit:
        pass
    # What is called back once more has been.
    await asyncio.sleep(1)


# Success


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(pair, id="jobs"),
        pytest.param(lambda: nested(sleeps(1), 5), id="nested"),
        pytest.param(Everything, id="flow"),
        pytest.param(Timed, id="timed"),
        pytest.param(Again, id="tried again"),
    ],
)
def test_a_successful_run_leaves_nothing_for_the_collector(make):
    """R20: all of it has gone as soon as the run is over, without a collection."""
    made = make()
    found = []

    async def main():
        gc.collect()
        gc.disable()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            await perform(scheduler_of(made))
            assert scheduler_of(made).report, str(scheduler_of(made).report)
            gc.collect()
            found.extend(type(one).__qualname__ for one in gc.garbage)
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()

    in_loop(main())

    assert Counter(found) == {}


@pytest.mark.parametrize(
    ("make", "ok"),
    [
        pytest.param(pair, True, id="success"),
        pytest.param(lambda: Scheduler(*queue(3), window=1, timeout=1.5), False, id="timeout"),
    ],
)
def test_a_run_in_a_loop_of_its_own_leaves_nothing_for_the_collector(make, ok, bookkeeping):
    """R20: nor does the loop, which is closed; nor do jobs that have waited for a place."""
    scheduler = make()
    gc.collect()
    before = {id(one) for one in gc.get_objects() if isinstance(one, VirtualClockLoop)}
    gc.disable()
    try:
        assert scheduler.orchestrate(loop_factory=VirtualClockLoop) is ok
        assert bookkeeping() == []
        loops = [one for one in gc.get_objects() if isinstance(one, VirtualClockLoop)]
        assert [loop for loop in loops if id(loop) not in before] == []
    finally:
        gc.enable()


def test_jobs_that_are_ready_and_never_start_leave_nothing_for_the_collector(bookkeeping):
    """R20 rule 2: there are more than are looked at before the run is over."""
    loop = VirtualClockLoop()

    async def leaps():
        loop.leap(2)

    scheduler = Scheduler(Job(leaps), *(Job(sleeps(1)) for _ in range(5000)), timeout=1)
    gc.collect()
    gc.disable()
    try:
        assert scheduler.orchestrate(loop_factory=lambda: loop) is False
        assert bookkeeping() == []
    finally:
        gc.enable()


def test_what_has_taken_too_long_is_forgotten_while_the_run_goes_on(bookkeeping):
    """R20: however many jobs exceed their timeouts, a run keeps no more than what ends now."""
    jobs = [Job(waits, timeout=1) for _ in range(20)]
    for before, after in itertools.pairwise(jobs):
        after.requires(before)
    kinds = []

    async def look():
        gc.collect()
        kinds.extend(bookkeeping())

    scheduler = Scheduler(*jobs, Job(look, required=jobs[-1]))
    assert scheduler.orchestrate(loop_factory=VirtualClockLoop)
    assert {job.state for job in jobs} == {State.FAILED}
    assert kinds, "the run that looks is one"
    assert kinds.count("Drain") <= 1
    assert sum(kind.endswith("Execution") for kind in kinds) <= 2


def test_results_are_not_copied_and_go_with_the_next_run():
    """F19 R20: a result is the very object, its outcome alone has it, and a new run lets go."""

    class Huge:
        """Counted by a weak reference."""

    made = []

    async def huge():
        one = Huge()
        made.append(weakref.ref(one))
        return one

    async def takes():
        return producer.result()

    producer = Job(huge, label="producer")
    taker = Job(takes, required=producer, label="taker")
    scheduler = Scheduler(producer, taker)
    scheduler.orchestrate(loop_factory=VirtualClockLoop)

    assert producer.result() is taker.result() is made[0]()
    scheduler.list()
    assert str(scheduler.report)
    assert [type(one).__name__ for one in gc.get_referrers(made[0]())] == ["Outcome", "Outcome"]

    scheduler.orchestrate(loop_factory=VirtualClockLoop)

    assert made[0]() is None
    assert made[1]() is producer.result()


# Other ends


def collect():
    """One collection, when the threads of the run have had the time to forget their calls."""
    for thread in threading.enumerate():
        if thread.name.startswith("flowdeco-"):
            thread.join(SOON)
    gc.collect()


ENDS = {
    "failure": lambda: Scheduler(Job(fails(1)), Job(sleeps(2))),
    "critical failure": lambda: Scheduler(
        Job(fails(1), critical=True), Job(cleans_up(1)), Job(waits, forever=True)
    ),
    "nested failure": lambda: nested(fails(1), 5, critical=True, jobs_critical=True),
    "timeout": lambda: Scheduler(Job(waits), Job(cleans_up(1)), timeout=1),
    "timeout of a job": lambda: Scheduler(Job(waits, timeout=1)),
    "exit": lambda: Scheduler(Job(fails(1, SystemExit(3))), Job(waits)),
    "failing item": lambda: FailingItem(),
    "failing thread": lambda: FailingThread(),
    "failing service": lambda: FailingService(),
    "failing hook": lambda: FailingHook(),
}


class FailingItem(Flow):
    @step
    async def items(self):
        return [1, 2]

    @each(items)
    async def broken(self, _item):
        await asyncio.sleep(1)
        raise ValueError("broken")


class FailingThread(Flow):
    @step
    def broken(self):
        raise ValueError("broken")


class FailingService(Flow):
    @service
    async def broken(self):
        await asyncio.sleep(1)
        yield
        raise ValueError("broken")

    @step(after=broken)
    async def client(self, _):
        await asyncio.sleep(1)


class FailingHook(Flow):
    @step
    async def work(self):
        await asyncio.sleep(1)

    @work.shutdown
    async def close_work(self):
        raise ValueError("broken")


@pytest.mark.parametrize("end", ENDS)
def test_a_run_is_freed_by_one_collection(end, bookkeeping):
    """R20: whatever its end, once nobody has its scheduler and its report any more."""
    made = ENDS[end]()

    async def main(scheduler):
        await perform(scheduler)
        return weakref.ref(scheduler), [weakref.ref(job) for job in scheduler]

    gone = in_loop(main(scheduler_of(made)))
    del made
    collect()

    assert gone[0]() is None
    assert [job() for job in gone[1] if job() is not None] == []
    assert bookkeeping() == []


def test_a_cancelled_run_is_freed_by_one_collection(bookkeeping):
    """R20 X01: the error that leaves is the caller's, and knows nothing of the run for long."""
    scheduler = Scheduler(Job(cleans_up(1)), Job(waits, forever=True))

    async def main(scheduler):
        task = asyncio.ensure_future(scheduler.co_orchestrate())
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return weakref.ref(scheduler)

    gone = in_loop(main(scheduler))
    del scheduler
    collect()

    assert gone() is None
    assert bookkeeping() == []


def test_a_run_with_a_stuck_job_is_freed_by_one_collection(bookkeeping):
    """R20 X08: once its loop is closed, which ends the job."""
    stuck = Job(swallows, label="stuck")
    scheduler = Scheduler(stuck, timeout=1, grace=1)
    assert scheduler.orchestrate(loop_factory=VirtualClockLoop) is False
    assert stuck.state is State.STUCK
    gone = weakref.ref(scheduler)
    del scheduler, stuck
    collect()

    assert gone() is None
    assert bookkeeping() == []


# The traceback of an exit is that of its way out, through the frames of the run.
@pytest.mark.parametrize("end", [end for end in ENDS if end != "exit"])
def test_a_run_that_is_over_is_not_kept_by_its_failures(end, bookkeeping):
    """R20: the exceptions and the report stay, and of the frames those of the user alone."""
    scheduler = scheduler_of(ENDS[end]())
    in_loop(perform(scheduler))
    collect()

    assert bookkeeping() == []
    for record in scheduler.report.jobs:
        traceback = None if record.exception is None else record.exception.__traceback__
        while traceback is not None:
            assert "flowdeco/" not in traceback.tb_frame.f_code.co_filename
            traceback = traceback.tb_next


class Local:
    """What a body has in a variable, for a weak reference to it."""


@pytest.mark.parametrize("kind", ["async", "thread", "service", "each"])
def test_the_frame_of_a_body_that_has_ended_is_not_kept(kind):
    """R20: its variables have gone while the run goes on, without a collection."""
    seen, gone = [], []

    class Framed(Flow):
        @step
        async def items(self):
            return [1]

        @step
        async def coroutine(self):
            local = Local()
            seen.append(weakref.ref(local))
            await asyncio.sleep(1)

        @step
        def thread(self):
            local = Local()
            seen.append(weakref.ref(local))

        @service
        async def served(self):
            local = Local()
            seen.append(weakref.ref(local))
            yield 1
            await asyncio.sleep(1)

        @each(items)
        async def item(self, _item):
            local = Local()
            seen.append(weakref.ref(local))
            await asyncio.sleep(1)

    chosen = {"async": "coroutine", "thread": "thread", "service": "served", "each": "item"}[kind]

    async def later():
        await asyncio.sleep(5)
        gone.extend(one() is None for one in seen)

    flow = Framed()
    body = flow.scheduler.find(chosen)
    keep = [job for job in (flow.items, body) if kind == "each" or job is body]
    for job in list(flow.scheduler):
        if job not in keep:
            flow.scheduler.remove(job)
    last = Job(later, label="later", required=() if kind == "service" else body)
    outer = Scheduler(flow.scheduler, Job(sleeps(10)), last) if kind == "service" else None
    if outer is None:
        flow.scheduler.add(last)
    else:
        flow.scheduler.add(Job(sleeps(1)))
    gc.disable()
    try:
        assert (outer or flow.scheduler).orchestrate(loop_factory=VirtualClockLoop)
    finally:
        gc.enable()

    assert gone == [True]


def test_a_failure_keeps_the_frame_of_the_user_and_a_new_run_lets_it_go():
    """R20: a debugger has the variables of the body that failed, until the job runs again."""
    seen = []

    async def broken():
        local = Local()
        seen.append(weakref.ref(local))
        raise ValueError("broken")

    job = Job(broken)
    scheduler = Scheduler(job)
    scheduler.orchestrate(loop_factory=VirtualClockLoop)
    traceback = job.raised_exception().__traceback__
    assert isinstance(traceback, types.TracebackType)
    assert traceback.tb_frame.f_locals["local"] is seen[0]()
    del traceback

    scheduler.orchestrate(loop_factory=VirtualClockLoop)
    collect()

    assert seen[0]() is None
    assert seen[1]() is not None


# Many runs


@pytest.mark.parametrize(("make", "runs"), [(pair, 2_000), (Inner, 1_000)], ids=["jobs", "flow"])
def test_thousands_of_runs_take_the_memory_of_one(make, runs):
    """R20: no list, cache or registry grows with the number of runs."""
    scheduler = scheduler_of(make())

    async def objects_after(count):
        for _ in range(count):
            assert await scheduler.co_orchestrate()
        collect()
        return len(gc.get_objects()), sys.getallocatedblocks()

    async def main():
        return await objects_after(100), await objects_after(runs - 100)

    before, after = in_loop(main())

    assert after[0] - before[0] < 50
    assert after[1] - before[1] < 500
