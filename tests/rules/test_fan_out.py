"""Section 3: fan-outs draw their items as places become free, and may give failures as values."""

import asyncio
import gc
import itertools
import logging
import pickle
import sys
import tracemalloc

import pytest

from flowdeco import Flow, Job, Observer, Skip, State, current_job, each, service, step
from flowdeco.errors import DefinitionError
from flowdeco.testing import VirtualClockLoop


def sweep(over, window=None, seconds=1.0, critical=None, **options):
    """Make a flow that goes over something."""

    class Sweep(Flow):
        @step
        async def items(self) -> object:
            return over() if callable(over) else over

        @each(items, window=window, critical=critical, **options)
        async def work(self, item: int) -> int:
            await asyncio.sleep(seconds)
            if item < 0:
                raise ValueError(item)
            return item

    return Sweep()


def perform(flow, timeout=None, **options):
    """Run a flow on the virtual clock; return the report."""
    return flow.run(timeout, loop_factory=VirtualClockLoop, **options)


def now():
    """The time of the loop."""
    return asyncio.get_running_loop().time()


# Drawing


def counting(drawn, most=None):
    """Iterate over numbers, and note when each is drawn."""
    for number in itertools.count() if most is None else range(most):
        drawn.append((now(), number))
        yield number


async def arriving(drawn, most, every=1.0):
    """Give a number now and then."""
    try:
        for number in range(most):
            await asyncio.sleep(every)
            drawn.append((now(), number))
            yield number
    finally:
        await asyncio.sleep(0.25)
        drawn.append((now(), "closed"))


def test_items_are_drawn_as_places_become_free():
    """One drawn item waits at most."""
    drawn = []
    flow = sweep(lambda: counting(drawn, 5), window=2)
    assert perform(flow)
    assert drawn == [(0, 0), (0, 1), (0, 2), (1, 3), (1, 4)]
    assert flow.work.result() == [0, 1, 2, 3, 4]


def test_a_fan_out_queues_behind_the_jobs_that_wait_already():
    """Its next item takes its turn for a place of the flow's window."""
    drawn, started = [], []

    class Busy(Flow, window=1):
        @step
        async def items(self) -> object:
            return counting(drawn, 3)

        @each(items)
        async def work(self, item: int) -> None:
            started.append(item)
            await asyncio.sleep(1)

        @step(after=[items])
        async def first(self) -> None:
            started.append("first")
            await asyncio.sleep(1)

        @step(after=[items])
        async def second(self) -> None:
            started.append("second")
            await asyncio.sleep(1)

    perform(Busy())
    assert started == ["first", "second", 0, 1, 2]


def test_an_endless_iterable_ends_with_the_deadline():
    """Without any window, the loop gets its turns all the same."""
    drawn = []
    flow = sweep(lambda: counting(drawn), seconds=0)
    report = flow.run(0.05)
    assert not report
    assert report.reason.cause.name == "TIMEOUT"
    assert flow.work.state is State.CANCELLED
    assert len(drawn) > 100


def test_an_async_iterable_is_drawn_in_the_task_of_the_fan_out():
    """Items start as they come, and others end meanwhile; what the iterable sets is seen."""
    drawn, tasks = [], []

    async def source():
        tasks.append((asyncio.current_task().get_name(), current_job().name))
        async for number in arriving(drawn, 3):
            yield number

    flow = sweep(source, seconds=1.5)
    assert perform(flow)
    assert tasks == [("work", "work")]
    assert drawn == [(1, 0), (2, 1), (3, 2), (3.25, "closed")]
    assert [child.started_at for child in flow.work.children] == [1, 2, 3]
    assert flow.work.ended_at == 4.5


def test_an_async_iterable_is_asked_when_there_is_a_place():
    """With a window, one item that was drawn waits."""
    drawn = []
    flow = sweep(lambda: arriving(drawn, 4, every=0.5), window=1, seconds=2)
    assert perform(flow)
    assert [when for when, _ in drawn[:4]] == [0.5, 1.0, 3.0, 5.0]
    assert flow.work.ended_at == 8.5


@pytest.mark.parametrize("how", ["deadline", "failure", "cancelled", "item"])
def test_an_async_generator_is_closed_when_the_run_ends_early(how):
    """It is closed in the task of the fan-out, within the grace."""
    drawn = []

    class Early(Flow):
        @step
        async def items(self) -> object:
            return arriving(drawn, 100)

        @each(items, critical=True)
        async def work(self, item: int) -> None:
            if how == "item" and item == 2:
                raise ValueError(item)
            await asyncio.sleep(50)

        @step(critical=True)
        async def other(self) -> None:
            await asyncio.sleep(3.5)
            if how == "failure":
                raise KeyError

    async def main():
        flow = Early()
        task = asyncio.ensure_future(flow.co_run(3.5 if how == "deadline" else None))
        if how == "cancelled":
            await asyncio.sleep(3.5)
            task.cancel()
        await asyncio.wait([task])
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left
        return flow

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        flow = runner.run(main())
    at = 3 if how == "item" else 3.5
    assert drawn[-1] == (at + 0.25, "closed")
    expected = State.FAILED if how == "item" else State.CANCELLED
    assert flow.work.state is expected


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_an_exit_in_an_item_does_not_wait_for_the_next_one(kind):
    """It leaves although the fan-out waits for an item that comes much later."""

    class Leaves(Flow):
        @step
        async def items(self) -> object:
            return arriving([], 3, every=100)

        @each(items)
        async def work(self, item: int) -> None:
            await asyncio.sleep(10)
            raise kind

    async def main():
        with pytest.raises(kind):
            await Leaves().co_run()
        return now()

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        assert runner.run(main()) == 110.25


def test_a_generator_is_closed_when_the_run_ends_early():
    """A plain generator that was not exhausted is closed."""
    closed = []

    def source():
        try:
            yield from range(100)
        finally:
            closed.append(now())

    flow = sweep(source, window=1)
    assert not perform(flow, 2.5)
    assert closed == [2.5]


def broken(error, after=2):
    """Raise after some items."""
    yield from range(after)
    raise error


async def broken_later(error, after=2):
    """Do so, and be async."""
    for number in range(after):
        await asyncio.sleep(0.5)
        yield number
    raise error


@pytest.mark.parametrize("returns", [False, True])
@pytest.mark.parametrize("make", [broken, broken_later])
def test_an_error_of_the_iterable_lets_the_items_end(make, returns):
    """Then the fan-out has failed with it, whether failures of items are values or not."""
    error = LookupError("no more")
    flow = sweep(lambda: make(error), return_exceptions=returns)
    assert perform(flow)
    assert flow.work.raised_exception() is error
    assert [child.state for child in flow.work.children] == [State.DONE] * 2
    assert flow.work.ended_at == (1 if make is broken else 2)


@pytest.mark.parametrize("make", [broken, broken_later])
def test_an_error_of_the_iterable_of_a_critical_fan_out_ends_the_run(make):
    """At once: the items are stopped."""
    error = LookupError("no more")
    flow = sweep(lambda: make(error), critical=True, seconds=5)
    report = perform(flow)
    assert report.reason.job is flow.work
    assert flow.work.raised_exception() is error
    # Where bodies start in the next turn of the loop, they have not begun.
    assert {child.state for child in flow.work.children} <= {State.CANCELLED, State.IDLE}
    assert report.duration == (0 if make is broken else 1)


def test_an_error_of_the_iterable_stands_before_those_of_items():
    """If items have failed as well, the failure is a group of all of them."""
    error = LookupError("no more")

    def source():
        yield -1
        raise error

    flow = sweep(source)
    perform(flow)
    group = flow.work.raised_exception()
    assert isinstance(group, ExceptionGroup)
    assert group.exceptions[0] is error
    assert str(group.exceptions[1]) == "-1"


def test_an_exit_of_the_iterable_leaves():
    """A `SystemExit` out of `next()` is that of a job."""
    with pytest.raises(SystemExit):
        perform(sweep(lambda: broken(SystemExit(3))))


def test_an_iterator_has_one_reader():
    """A second fan-out over the same iterator has failed, and says what to write."""

    class Twice(Flow):
        @step
        async def items(self) -> object:
            return iter([1, 2])

        @each(items)
        async def first(self, item: int) -> int:
            return item

        @each(items)
        async def second(self, item: int) -> int:
            return item

    flow = Twice()
    perform(flow)
    assert flow.first.result() == [1, 2]
    with pytest.raises(RuntimeError, match=r"'second' goes over an iterator that 'first' goes"):
        flow.second.result()


def test_what_cannot_be_iterated_over_is_said():
    """Neither an iterable nor an async one."""
    flow = sweep(3)
    perform(flow)
    with pytest.raises(TypeError, match="'work' goes over 'items', whose result cannot be"):
        flow.work.result()


# What is kept


def test_a_million_items_are_bounded_by_what_is_kept():
    """Memory beside the results does not grow with the items."""

    def peak(count):
        flow = sweep(range(count), window=100, seconds=0, keep=10)
        gc.collect()
        tracemalloc.start()
        try:
            assert flow.run()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = peak(500), peak(5_000)
    assert many - few < 4_500 * 64, "the results are a list of pointers to ints"


def test_children_and_report_keep_the_last_and_all_that_failed():
    """The others are counted."""
    numbers = [-1, *range(1, 8), -8, 9]
    flow = sweep(numbers, window=1, keep=2, return_exceptions=True)
    report = perform(flow)
    assert [child.name for child in flow.work.children] == [
        "work[0]",
        "work[7]",
        "work[8]",
        "work[9]",
    ]
    records = {record.path: record for record in report.jobs}
    assert (records["work"].ended, records["work"].total) == (10, 10)
    assert list(records)[2:] == ["work/work[0]", "work/work[7]", "work/work[8]", "work/work[9]"]
    again = pickle.loads(pickle.dumps(report))
    assert [job.ended for job in again.jobs] == [job.ended for job in report.jobs]


def test_counts_are_known_while_it_runs():
    """How many items have ended, and how many there are, if that is known."""
    seen = []

    def look(flow):
        seen.append((flow.work.ended, flow.work.total))

    class Watch(Observer):
        def job_ended(self, job):
            if job.name.startswith("work["):
                look(flow)

    flow = sweep([1, 2, 3], window=1)
    look(flow)
    perform(flow, observers=[Watch()])
    flow = sweep(lambda: iter([1, 2]), window=1)
    perform(flow, observers=[Watch()])
    assert seen == [(None, None), (1, 3), (2, 3), (3, 3), (1, None), (2, 2)]
    assert flow.items.ended is None


def test_the_listing_counts_the_others(capsys):
    """A line says how many items have ended that are not shown."""
    flow = sweep(range(10), window=1, keep=3)
    perform(flow)
    flow.list()
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].strip() == "... and 7 more, which have ended"


# Failures as values


def test_failures_of_items_are_values():
    """They are in the list, in the children, and among the records, and are no failures."""
    flow = sweep([1, -2, 3], return_exceptions=True, critical=True)
    report = perform(flow)
    assert report
    one, error, three = flow.work.result()
    assert (one, str(error), three) == (1, "-2", 3)
    assert flow.work.state is State.DONE
    child = list(flow.work.children)[1]
    assert child.state is State.FAILED
    assert child.raised_exception() is error
    assert report.failures == ()
    record = next(record for record in report.jobs if record.path == "work/work[1]")
    assert (record.exception, record.returned) == (error, True)
    assert "with an exception" not in str(report)
    assert pickle.loads(pickle.dumps(report)).failures == ()


def test_failures_as_values_are_logged_at_info(caplog):
    """Nobody needs to be warned of a value."""
    caplog.set_level(logging.INFO, "flowdeco")
    perform(sweep([1, -2], return_exceptions=True))
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "'work[1]' failed with ValueError: -2, which is a value of the fan-out")
    ]


def test_what_is_no_exception_fails_the_fan_out():
    """A `BaseException` is no value, and a skipped item is left out as ever."""

    class Odd(BaseException):
        pass

    class Mixed(Flow):
        error: BaseException

        @step
        async def items(self) -> list[int]:
            return [1, 2, 3]

        @each(items, return_exceptions=True)
        async def work(self, item: int) -> int:
            if item == 1:
                raise Skip("not this one")
            if item == 2:
                raise self.error
            return item

    flow = Mixed(error=Odd())
    perform(flow)
    assert isinstance(flow.work.raised_exception(), BaseExceptionGroup)
    flow = Mixed(error=ValueError("2"))
    assert perform(flow)
    assert [str(value) for value in flow.work.result()] == ["2", "3"]


def test_values_that_are_failures_go_on():
    """A step after the fan-out gets them."""

    class Collect(Flow):
        @step
        async def items(self) -> list[int]:
            return [2, 0]

        @each(items, return_exceptions=True)
        def divide(self, item: int) -> float:
            return 1 / item

        @step(after=divide)
        async def count(self, results: list[float | Exception]) -> int:
            return sum(isinstance(one, Exception) for one in results)

    flow = Collect()
    assert perform(flow)
    assert flow.count.result() == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"keep": -1}, "keep must be 0 or more, not -1"),
        ({"keep": None}, "keep must be an int, not None"),
        ({"return_exceptions": "yes"}, "return_exceptions must be True, False or None"),
    ],
)
def test_bad_options_are_definition_errors(options, words):
    """Like all others."""
    with pytest.raises(DefinitionError, match=words):
        sweep([1], **options)


def test_items_take_values_of_services():
    """Many addresses through one client, streaming."""

    class Fetch(Flow):
        @service
        async def client(self):
            yield "client"

        @step
        async def urls(self) -> object:
            return counting([], 3)

        @each(urls, after=client, window=2)
        async def fetch(self, url: int, client: str) -> str:
            await asyncio.sleep(1)
            return f"{client} {url}"

    flow = Fetch()
    assert perform(flow)
    assert flow.fetch.result() == ["client 0", "client 1", "client 2"]


@pytest.mark.skipif(
    sys.version_info < (3, 13), reason="Python 3.12 does not close a generator that is waited for"
)
@pytest.mark.parametrize("items_before", [0, 1])
def test_an_async_iterable_that_does_not_end_is_stuck_and_the_run_ends(items_before):
    """Rule 8: items are stopped, and the fan-out is left behind."""

    async def stubborn():
        for number in range(items_before):
            yield number
        while True:
            try:
                await asyncio.sleep(100)
            except asyncio.CancelledError:
                pass

    flow = sweep(stubborn, seconds=50)
    report = perform(flow, 10)
    assert report.duration == 15
    assert [record.path for record in report.stuck] == ["work"]
    assert [child.state for child in flow.work.children] == [State.CANCELLED] * items_before


def test_an_item_that_waits_for_a_place_may_be_cancelled():
    """The next one is drawn in its place."""

    class Waits(Flow):
        @step
        async def items(self) -> range:
            return range(5)

        @each(items, window=1)
        async def work(self, item: int) -> int:
            await asyncio.sleep(1)
            return item

        @step(after=[items])
        async def cancels(self) -> None:
            await asyncio.sleep(1.5)
            assert list(self.work.children)[-1].cancel()

    flow = Waits()
    assert perform(flow).duration == 4
    states = [child.state for child in flow.work.children]
    assert states == [State.DONE, State.DONE, State.FAILED, State.DONE, State.DONE]


def test_the_task_of_an_item_has_its_path_for_a_name():
    """Rule 18: also where the number of an item that has ended is used again."""
    names = []

    class Named(Flow):
        @step
        async def items(self) -> range:
            return range(4)

        @each(items, window=1)
        async def work(self, item: int) -> None:
            names.append(asyncio.current_task().get_name())

    assert perform(Named())
    assert names == [f"work/work[{number}]" for number in range(4)]


def test_a_fan_out_can_run_again():
    """Each run goes over the items anew."""
    flow = sweep([1, 2])
    assert perform(flow)
    assert perform(flow)
    assert flow.work.result() == [1, 2]
    assert len(list(flow.work.children)) == 2


def test_a_job_at_run_time_is_no_fan_out():
    """Only fan-outs have counts."""
    job = Job(lambda: asyncio.sleep(0))
    assert (job.ended, job.total) == (None, None)
