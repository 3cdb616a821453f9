"""Fan-out: one method for each item of a result."""

import asyncio
import threading

import pytest
from actors import co_perform, in_loop, perform, states
from ticks import TickLoop

from flowdeco import Flow, Observer, State, current_job, each, service, step, subflow
from flowdeco.errors import SelfCancelledError
from flowdeco.testing import VirtualClockLoop


def now():
    return asyncio.get_running_loop().time()


class Sweep(Flow):
    """Sleeps for as long as each item says, and writes down when."""

    seconds: object = (3, 1, 2)

    @step
    async def hosts(self):
        self.started = []
        self.ended = []
        return self.seconds

    @each(hosts)
    async def ping(self, seconds):
        self.started.append((now(), seconds))
        await asyncio.sleep(seconds)
        self.ended.append((now(), seconds))
        return seconds * 10


class Narrow(Sweep, window=2):
    """The same, two at a time."""


# Results


def test_results_come_in_the_order_of_the_items():
    """Whatever the order in which the items end."""
    flow = Sweep()

    assert perform(flow)

    assert flow.ping.result() == [30, 10, 20]
    assert [item for _, item in flow.ended] == [1, 2, 3]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([], []),
        ((), []),
        ({}, []),
        ({1: "a", 2: "b"}, [10, 20]),
        (range(3), [0, 10, 20]),
        ({5}, [50]),
    ],
    ids=repr,
)
def test_anything_that_can_be_iterated_over_has_items(items, expected):
    """No item at all: done, with an empty list."""
    flow = Sweep(seconds=items)

    assert perform(flow)

    assert (flow.ping.state, flow.ping.result()) == (State.DONE, expected)


def test_the_next_item_is_drawn_when_the_last_one_has_started():
    """So an endless generator does no harm."""
    drawn = []

    def generate(flow):
        for item in (1, 2):
            drawn.append(list(flow.started))
            yield item

    class Lazy(Sweep):
        @step
        async def hosts(self):
            self.started, self.ended = [], []
            return generate(self)

    flow = Lazy()
    assert perform(flow)
    # Where bodies start in the next turn of the loop, the first has not begun.
    assert drawn in ([[], [(0.0, 1)]], [[], []])
    assert flow.ping.result() == [10, 20]


def test_the_value_of_a_service_can_be_iterated_over():
    """It is that of the yield; a coroutine service has none to give."""

    class Served(Flow):
        @service
        async def server(self):
            yield "ab"

        @service
        async def monitor(self):
            await asyncio.Event().wait()

        @each(server)
        async def shout(self, letter):
            return letter.upper()

        @each(monitor)
        async def of_nothing(self, item):
            return item

    flow = Served()
    assert perform(flow)
    assert flow.shout.result() == ["A", "B"]
    assert isinstance(flow.of_nothing.raised_exception(), TypeError)


def test_an_each_goes_over_the_results_of_another():
    """And what comes after it takes the list."""

    class Twice(Flow):
        @step
        async def numbers(self):
            return range(3)

        @each(numbers)
        async def double(self, number):
            return 2 * number

        @each(double)
        async def square(self, number):
            return number * number

        @step(after=(double, square))
        async def both(self, doubled, squared):
            return doubled, squared

    flow = Twice()
    assert perform(flow)
    assert flow.both.result() == ([0, 2, 4], [0, 4, 16])


def test_an_each_goes_over_the_flows_of_a_subflow():
    """It gets the flows themselves, after their run."""

    class Outer(Flow):
        @subflow
        def sweeps(self) -> list[Sweep]:
            return [Sweep(seconds=[1]), Sweep(seconds=[2, 3])]

        @each(sweeps)
        async def total(self, flow):
            return sum(flow.ping.result())

    flow = Outer()
    assert perform(flow)
    assert flow.total.result() == [10, 50]


# What cannot be iterated over


def test_a_value_that_cannot_be_iterated_over_is_a_clear_error():
    """It names both steps and the value."""
    flow = Sweep(seconds=5)

    assert perform(flow)

    assert isinstance(flow.ping.raised_exception(), TypeError)
    assert str(flow.ping.raised_exception()) == (
        "'ping' goes over 'hosts', whose result cannot be iterated over: 5 (int)"
    )


class Broken:
    """Raises half-way."""

    def __iter__(self):
        yield 1
        raise KeyError("half-way")


def test_an_iterator_that_raises_is_a_failure_once_its_items_have_ended():
    """The exception is that of the fan-out, as it is, and nothing more is drawn."""
    flow = Sweep(seconds=Broken())

    assert perform(flow)

    assert isinstance(flow.ping.raised_exception(), KeyError)
    assert flow.started == [(0.0, 1)]
    assert flow.ping.ended_at == 1.0


def test_an_each_over_a_step_that_failed_is_skipped():
    """And one over a skipped one in turn (rule 3)."""

    class Failing(Flow):
        @step
        async def source(self):
            raise ValueError("no data")

        @each(source)
        async def first(self, item):
            return item

        @each(first)
        async def second(self, item):
            return item

        @step(after=second)
        async def ordered(self):
            return "ran"

    flow = Failing()
    assert perform(flow)
    assert states(flow.first, flow.second, flow.ordered) == ["SKIPPED", "SKIPPED", "DONE"]


# Failures


class Fragile(Flow):
    """Items fail at their time if they are odd."""

    @step
    async def items(self):
        return [1, 2, 3, 4]

    @each(items)
    async def work(self, item):
        await asyncio.sleep(item)
        if item % 2:
            raise ValueError(item)
        return item

    @step(after=work)
    async def taker(self, results):
        return results

    @step(after=work)
    async def ordered(self):
        return "ran"


def test_when_items_fail_the_others_still_end():
    """Then the fan-out fails with a group of all errors, in the order of the items."""
    flow = Fragile()

    assert perform(flow)

    error = flow.work.raised_exception()
    assert isinstance(error, ExceptionGroup)
    assert [str(one) for one in error.exceptions] == ["1", "3"]
    assert error.message == "work: 2 of 4 failed"
    assert states(*flow.work.children) == ["FAILED", "DONE", "FAILED", "DONE"]
    assert flow.work.ended_at == 4.0
    assert states(flow.taker, flow.ordered) == ["SKIPPED", "DONE"]


def test_one_failed_item_is_a_group_as_well():
    """So that `except*` always works."""
    flow = Sweep(seconds=[1, "x"])
    assert perform(flow)
    error = flow.ping.raised_exception()
    assert [type(one) for one in error.exceptions] == [TypeError]


def test_the_failures_of_items_have_no_weight_of_their_own():
    """In a flow whose steps are critical it is the fan-out that ends the run, not `work[0]`."""

    class Strict(Fragile, critical=True):
        pass

    flow = Strict()
    report = perform(flow)

    assert not report
    assert report.reason.job is flow.work
    assert not any(child.is_critical() for child in flow.work.children)


def test_the_first_failure_of_a_critical_each_ends_the_run_at_once():
    """Other items are stopped, and what comes after never starts."""

    class Strict(Fragile, critical=True):
        pass

    flow = Strict()
    report = perform(flow)

    assert report.duration == 1.0
    assert states(*flow.work.children) == ["FAILED", "CANCELLED", "CANCELLED", "CANCELLED"]
    assert states(flow.work, flow.taker, flow.ordered) == ["FAILED", "IDLE", "IDLE"]
    with pytest.raises(ExceptionGroup) as caught:
        report.raise_for_failure()
    assert [str(one) for one in caught.value.exceptions[0].exceptions] == ["1"]


def test_nothing_starts_beside_a_critical_each_that_has_failed():
    """Also while its other items clean up."""

    class Slow(Flow):
        @step
        async def items(self):
            return ["fails", "cleans up"]

        @each(items, critical=True)
        async def work(self, item):
            await asyncio.sleep(1)
            if item == "fails":
                raise ValueError
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(3)

        @step
        async def first(self):
            await asyncio.sleep(2)

        @step(after=first)
        async def second(self):
            await asyncio.sleep(2)

    flow = Slow()
    assert not perform(flow)
    assert states(flow.first, flow.second) == ["CANCELLED", "IDLE"]


def test_a_base_exception_of_an_item_makes_a_base_group():
    """Rule 13: a group is an `ExceptionGroup` whenever it can be."""

    class Odd(BaseException):
        pass

    class Raises(Sweep):
        @each(Sweep.hosts)
        async def ping(self, item):
            raise Odd

    flow = Raises(seconds=[1])
    assert perform(flow)
    assert type(flow.ping.raised_exception()) is BaseExceptionGroup


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()], ids=repr)
def test_an_exit_in_an_item_leaves_bare(error):
    """Rule 12: after the clean-up of the other items."""
    cleaned = []

    class Exits(Sweep):
        @each(Sweep.hosts)
        async def ping(self, item):
            try:
                await asyncio.sleep(item)
                if item == 1:
                    raise error
            finally:
                cleaned.append(item)

    with pytest.raises((SystemExit, KeyboardInterrupt)) as caught:
        perform(Exits())
    assert caught.value is error
    assert sorted(cleaned) == [1, 2, 3]


def test_an_item_that_cancels_itself_has_failed():
    """Rule 13: and the others go on."""

    class Cancels(Sweep):
        @each(Sweep.hosts)
        async def ping(self, item):
            if item == 1:
                raise asyncio.CancelledError
            return item

    flow = Cancels()
    assert perform(flow)
    assert states(*flow.ping.children) == ["DONE", "FAILED", "DONE"]
    assert flow.ping.state is State.FAILED


# Timeouts


class Timed(Flow, window=1):
    """One item at a time, each with its own timeout."""

    @step
    async def items(self):
        return [1, 5, 1, 1]

    @each(items, timeout=2)
    async def work(self, item):
        await asyncio.sleep(item)
        return item


def test_the_timeout_is_that_of_each_item_from_its_start():
    """The fan-out as a whole takes longer, and so does the wait for a place."""
    flow = Timed()

    assert perform(flow)

    children = flow.work.children
    assert states(*children) == ["DONE", "FAILED", "DONE", "DONE"]
    assert [child.started_at for child in children] == [0.0, 1.0, 3.0, 4.0]
    error = flow.work.raised_exception()
    assert [str(one) for one in error.exceptions] == ["'work[1]' took longer than 2 s"]


def test_the_deadline_of_the_run_stops_items_and_blames_the_run():
    """Rule 5: the fan-out was stopped, and has not failed."""
    flow = Timed()
    report = perform(flow, 1.5)

    assert "'Timed' timed out" in str(report.reason)
    assert states(flow.work, *flow.work.children) == ["CANCELLED", "DONE", "CANCELLED", "IDLE"]
    assert report.duration == 1.5


def test_an_item_that_does_not_end_is_stuck_and_gives_its_place_back():
    """The others go on; the report has it by its path."""

    class Stubborn(Timed, grace=1):
        @each(Timed.items, timeout=2)
        async def work(self, item):
            while True:
                try:
                    await asyncio.sleep(item)
                    return item
                except asyncio.CancelledError:
                    item = 100

    flow = Stubborn()
    report = perform(flow)

    assert report  # the job that failed, the fan-out, is not critical (rule 21)
    assert states(*flow.work.children) == ["DONE", "STUCK", "DONE", "DONE"]
    assert [record.path for record in report.stuck] == ["work/work[1]"]
    assert [child.started_at for child in flow.work.children] == [0.0, 1.0, 4.0, 5.0]
    assert isinstance(flow.work.raised_exception().exceptions[0], TimeoutError)


def test_items_that_swallow_cancels_end_within_one_grace():
    """Rules 8 and 9: the fan-out is no further level of it."""

    class Swallows(Sweep, timeout=1, grace=2):
        @each(Sweep.hosts)
        async def ping(self, item):
            while True:
                try:
                    await asyncio.sleep(1000)
                except asyncio.CancelledError:
                    pass

    flow = Swallows()
    report = perform(flow)

    assert report.duration == 3.0
    assert len(report.stuck) == 3
    assert "timed out" in str(report.reason)


# Places


def most_at_once(spans):
    """How many spans overlap, where those that end come before those that start."""
    events = sorted(
        (when, change) for start, end in spans for when, change in ((start, 1), (end, -1))
    )
    most = count = 0
    for _, change in events:
        count += change
        most = max(most, count)
    return most


@pytest.mark.parametrize("own", [None, 1, 2, 5])
@pytest.mark.parametrize("outer", [None, 1, 3])
def test_items_take_places_of_the_each_and_of_the_flow(own, outer):
    """Rule 6: the fan-out itself takes none, or a window of one would be a deadlock."""

    class Fan(Flow):
        @step
        async def items(self):
            return range(6)

        @each(items, window=own)
        async def work(self, item):
            await asyncio.sleep(1)

        @step(after=items)
        async def beside(self):
            await asyncio.sleep(1)

    flow = Fan()
    assert perform(flow, window=outer)
    jobs = [*flow.work.children, flow.beside]
    assert most_at_once([(job.started_at, job.ended_at) for job in jobs[:-1]]) == min(
        own or 6, outer or 6, 6
    )
    assert most_at_once([(job.started_at, job.ended_at) for job in jobs]) <= (outer or 7)


def test_items_start_in_order_as_places_come_free():
    """First come first served, also between an item and a step that wait for the same place."""
    flow = Narrow(seconds=[2, 1, 3, 1])

    assert perform(flow)

    assert flow.started == [(0.0, 2), (0.0, 1), (1.0, 3), (2.0, 1)]


def test_an_item_that_waits_is_scheduled_and_has_no_task():
    """Rule 6: for a place of either window."""
    seen = []

    class Waits(Flow, window=2):
        @step
        async def items(self):
            return range(4)

        @each(items, window=1)
        async def work(self, item):
            await asyncio.sleep(1)
            if item == 0:
                seen.append((states(*current_job().__flow_home__), len(asyncio.all_tasks())))

    assert perform(Waits())
    # The run, the fan-out, and one item.
    assert seen == [(["RUNNING", "SCHEDULED"], 3)]


class Shared(Flow, window=1):
    """Two fan-outs and steps after them share one place."""

    how: str = "ok"

    @step
    async def items(self):
        return range(3)

    @each(items, window=1, timeout=5)
    async def first(self, item):
        await asyncio.sleep(1)
        if self.how == "fails":
            raise ValueError
        if self.how == "cancels":
            asyncio.current_task().cancel()
            await asyncio.sleep(1)
        if self.how == "expires":
            await asyncio.Event().wait()
        if self.how == "sticks":
            while True:
                try:
                    await asyncio.sleep(1000)
                except asyncio.CancelledError:
                    pass

    @each(items, window=2)
    async def second(self, item):
        await asyncio.sleep(1)

    @step(after=[first, second])
    async def last(self):
        return "ran"


@pytest.mark.parametrize("how", ["ok", "fails", "cancels", "expires", "sticks"])
def test_no_place_is_lost_however_items_end(how):
    """W01 W07: all the rest runs."""
    flow = Shared(how=how)

    perform(flow)

    assert states(*flow.second.children) == ["DONE"] * 3
    assert flow.last.state is State.DONE


def test_places_come_back_when_an_each_is_stopped_while_items_wait():
    """W02 W03: its items hold places of the flow's window, and wait for some, as it is stopped."""
    tasks = []

    def items():
        tasks.append(asyncio.current_task())
        yield from range(6)

    class Victim(Flow, window=3):
        @step
        async def source(self):
            return items()

        @each(source, window=4)
        async def victim(self, item):
            await asyncio.sleep(100)

        @step(after=source)
        async def gate(self):
            await asyncio.sleep(1)

        @step(after=gate)
        async def beside(self):
            return "ran"

    flow = Victim()

    async def main():
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(flow.co_run())
        await asyncio.sleep(2)
        # The place of the gate went to who waited longest.
        assert flow.beside.is_scheduled()
        assert states(*flow.victim.children) == ["RUNNING"] * 3 + ["SCHEDULED"]
        # Somebody cancels the fan-out alone: it has failed, and the run goes on.
        loop.call_soon(tasks[0].cancel)
        return await task

    assert in_loop(main())
    assert isinstance(flow.victim.raised_exception(), SelfCancelledError)
    assert states(*flow.victim.children) == ["CANCELLED"] * 3 + ["IDLE"]
    assert (flow.beside.state, flow.beside.started_at) == (State.DONE, 2.0)


# Stopping


def test_nothing_starts_in_an_each_once_the_run_has_failed():
    """Rule 4: not even with the place of the job that failed."""

    class Fails(Flow, window=1):
        @step
        async def items(self):
            return range(3)

        @step(after=items, critical=True)
        async def boom(self):
            await asyncio.sleep(1)
            raise ValueError

        @each(items)
        async def work(self, item):
            await asyncio.sleep(1)

    flow = Fails()
    assert not perform(flow)
    assert states(*flow.work.children) == ["IDLE"]


def test_a_cancel_at_every_tick_leaves_nothing():
    """Rules 9, 10 and 11, with items in every state."""

    class Busy(Flow, window=3, grace=2):
        @step
        async def items(self):
            return range(4)

        @each(items, window=2, timeout=1.5)
        async def work(self, item):
            try:
                await asyncio.sleep(item)
            finally:
                await asyncio.sleep(0.25)

        @work.shutdown
        async def close_work(self):
            self.closed += 1

        @each(work)
        async def again(self, item):
            await asyncio.sleep(1)

    def attempt(tick):
        flow, caught, left = Busy(), [], []
        flow.closed = 0

        async def main():
            main.task = asyncio.current_task()
            others = asyncio.all_tasks()
            try:
                await flow.co_run()
            except asyncio.CancelledError as error:
                caught.append(error.args)
                main.task.uncancel()
            left.extend(asyncio.all_tasks() - others)

        loop = TickLoop({tick: lambda: main.task.cancel("why")})
        try:
            loop.run_until_complete(main())
        finally:
            loop.close()
        assert left == []
        assert flow.closed == 1
        final = {job.state for job in (*flow.work.children, *flow.again.children)}
        assert not final & {State.RUNNING, State.SCHEDULED, State.STUCK}
        return loop.ticks, caught

    total, _ = attempt(10_000)
    assert total > 20
    for tick in range(2, total):
        assert attempt(tick)[1] == [("why",)]


def test_a_cancel_from_outside_is_heard_by_items_once():
    """The clean-up of an item has its time."""
    heard = []

    class Cleans(Sweep):
        @each(Sweep.hosts)
        async def ping(self, item):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                heard.append((now(), item))
                await asyncio.sleep(1)
                heard.append((now(), item))
                raise

    flow = Cleans(seconds=[1, 2])

    async def main():
        with pytest.raises(asyncio.CancelledError):
            await co_perform(flow, {0.5: asyncio.Task.cancel})
        return now()

    assert in_loop(main()) == 1.5
    assert heard == [(0.5, 1), (0.5, 2), (1.5, 1), (1.5, 2)]


# What shows


def test_items_are_jobs_below_their_parent(capsys):
    """In listings, in reports, and for `find`."""
    flow = Sweep()
    flow.list()
    assert "[0]" not in capsys.readouterr().out

    report = perform(flow)
    flow.list()

    shown = capsys.readouterr().out
    assert "03   ☉ ☓     <Job `ping[0]`>[[ -> 30]]" in shown.splitlines()
    assert [record.path for record in report.jobs] == [
        "hosts",
        "ping",
        "ping/ping[0]",
        "ping/ping[1]",
        "ping/ping[2]",
    ]
    assert flow.scheduler.find("ping[2]").result() == 20
    assert all(f"ping[{number}]" in flow.to_dot() for number in range(3))


def test_items_are_named_after_the_step_and_current_job_knows_them():
    """An observer sees them as well, within the run of their parent."""
    seen, told = [], []

    class Named(Sweep):
        @each(Sweep.hosts, label="reach")
        async def ping(self, item):
            seen.append(current_job().name)

    class Watcher(Observer):
        def job_started(self, job):
            told.append(job.name)

        def run_started(self, scheduler):
            told.append(scheduler.name)

    flow = Named(seconds=[1, 2])
    perform(flow, observers=[Watcher()])

    assert seen == ["ping[0]", "ping[1]"]
    assert told == ["Named", "hosts", "reach", "ping[0]", "ping[1]"]


def test_the_text_of_a_report_has_the_traceback_of_each_failed_item():
    """From the user's frame on, and no frame of the library."""
    text = str(perform(Fragile()))
    assert "work[0]" in text
    assert "raise ValueError(item)" in text
    assert "inner.py" not in text


# Hooks, and running again


def test_the_hook_of_an_each_is_called_once():
    """Not once an item (rule 10)."""
    called = []

    class Hooked(Sweep):
        @each(Sweep.hosts)
        async def ping(self, item):
            return item

        @ping.shutdown
        async def close_ping(self):
            called.append(states(*self.ping.children))

    perform(Hooked())
    assert called == [["DONE"] * 3]


def test_state_is_fresh_in_a_second_run():
    """Items of the first run are gone, and kept in its report."""
    flow = Sweep()
    first = perform(flow)
    children = flow.ping.children
    flow.seconds = [1]

    assert perform(flow)

    assert flow.ping.result() == [10]
    assert len(flow.ping.children) == 1
    assert flow.ping.children[0] not in children
    assert "ping[2]" in str(first)
    assert len(first.jobs) == 5


def test_two_runs_at_the_same_time_have_their_own_items():
    """Of two flows of one class."""
    one, two = Sweep(seconds=[1, 2]), Sweep(seconds=[3])

    async def main():
        await asyncio.gather(one.co_run(), two.co_run())

    in_loop(main())
    assert (one.ping.result(), two.ping.result()) == ([10, 20], [30])


# Threads and nesting


def test_items_of_a_plain_method_run_in_threads():
    """Off the thread of the loop, each in a copy of the context; as many as the windows let."""
    seen = []

    class Threaded(Sweep):
        @each(Sweep.hosts, window=2)
        def ping(self, item):
            seen.append((threading.current_thread() is threading.main_thread(), current_job().name))
            return item + 1

    flow = Threaded()
    assert perform(flow)
    assert flow.ping.result() == [4, 2, 3]
    assert sorted(seen) == [(False, f"ping[{number}]") for number in range(3)]


def test_an_each_in_a_subflow_has_its_windows_alone():
    """The places of the enclosing flow are for the subflow as a whole."""

    class Outer(Flow, window=1):
        @subflow
        def inner(self) -> Narrow:
            return Narrow(seconds=[1, 1, 1, 1])

        @step
        async def beside(self): ...

    flow = Outer()
    report = perform(flow)

    assert report
    assert [start for start, _ in flow.inner.started] == [0.0, 0.0, 1.0, 1.0]
    assert flow.beside.started_at == 2.0
    assert "inner/Narrow/ping/ping[3]" in [record.path for record in report.jobs]


def test_many_items_take_few_tasks():
    """Constant work an item; those that wait cost nothing."""
    most = 0

    class Many(Flow, window=10):
        @step
        async def items(self):
            return range(3000)

        @each(items)
        async def work(self, item):
            nonlocal most
            if item % 100 == 0:
                most = max(most, len(asyncio.all_tasks()))
            await asyncio.sleep(0)

    assert Many().run(loop_factory=VirtualClockLoop)
    assert most <= 12


# Values beside the item


class Client:
    """What all items go through."""


class Fetch(Flow):
    """Goes over addresses, with a client and a name for all of them."""

    addresses: tuple[str, ...] = ("a", "b")
    fails: bool = False

    @step
    async def wanted(self):
        return self.addresses

    @service
    async def client(self):
        yield Client()

    @step
    async def name(self):
        await asyncio.sleep(3)
        if self.fails:
            raise ValueError("no name")
        return "robot"

    @each(wanted, after=(client, name))
    async def fetch(self, address, client, name):
        return address, type(client), name

    @each(wanted, after=(client, name))
    def plainly(self, address, client, name):
        return f"{address}{name}"

    @each(wanted, after=(client, name))
    async def item_alone(self, address):
        return address, now()

    @each(wanted, after=[name])
    async def ordered(self, address):
        return address, now()


def test_values_come_after_the_item():
    """In the order of `after=`, to each of the items, in threads as well."""
    flow = Fetch()

    assert perform(flow)

    assert flow.fetch.result() == [("a", Client, "robot"), ("b", Client, "robot")]
    assert flow.plainly.result() == ["arobot", "brobot"]


def test_a_method_that_takes_the_item_alone_only_comes_after_the_rest():
    """With a list, or with what it could take: it starts when they have ended."""
    flow = Fetch()

    assert perform(flow)

    assert flow.item_alone.result() == flow.ordered.result() == [("a", 3.0), ("b", 3.0)]
    fetch = flow.fetch
    assert (
        fetch.required
        == {flow.scheduler.find(name): None for name in ("wanted", "client", "name")}.keys()
    )


def test_a_fan_out_without_one_of_its_values_is_skipped():
    """No item is made; what only comes after what has failed runs."""
    flow = Fetch(fails=True)

    assert perform(flow)

    assert states(flow.fetch, flow.plainly) == ["SKIPPED", "SKIPPED"]
    assert states(flow.item_alone, flow.ordered) == ["DONE", "DONE"]
    assert list(flow.fetch.children) == []


def test_a_subclass_may_redefine_what_gives_a_value():
    """The edges and the values follow the new one."""

    class Named(Fetch):
        @step
        async def name(self):
            return "other"

    flow = Named()
    assert perform(flow)
    assert flow.plainly.result() == ["aother", "bother"]


def test_its_declaration_shows_both():
    """What it goes over, and what it comes after."""
    assert repr(Fetch.fetch) == "<Each fetch over=(wanted) after=(client, name)>"
    assert Fetch.fetch.before == (Fetch.wanted, Fetch.client, Fetch.name)
