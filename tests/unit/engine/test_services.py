"""Services in depth (section 7): what the rules do not say about them."""

import asyncio
import contextlib
import contextvars
import gc
import logging

import pytest
from actors import (
    Diary,
    cleans_up,
    co_perform,
    fails,
    in_loop,
    perform,
    quick,
    sleeps,
    states,
    swallows,
    swallows_times,
    virtually,
    waits,
)
from ticks import TickLoop

from flowdeco import Flow, Job, Scheduler, State, current_job, service, step
from flowdeco.errors import SelfCancelledError
from flowdeco.testing import VirtualClockLoop

# Readiness


def generator(up=0.0, down=0.0, log=None, value="value", error=None, early=None):
    """A generator service that writes down what happens to it."""
    log = [] if log is None else log

    async def body():
        log.append("starting")
        await asyncio.sleep(up)
        if early is not None:
            raise early
        log.append("up")
        yield value
        log.append("going down")
        await asyncio.sleep(down)
        log.append("down")
        if error is not None:
            raise error

    return body


def test_a_coroutine_service_that_raises_before_its_first_suspension_has_failed():
    """What comes after it starts all the same (rule 3): it does not take its value."""
    server, client = Job(fails_at_once, forever=True), Job(quick)
    client.requires(server)
    assert virtually(Scheduler(server, client))
    assert states(server, client) == ["FAILED", "DONE"]


def test_the_timeout_of_a_coroutine_service_bounds_its_body():
    """That it is ready is not its end; a generator service has until its yield."""
    server, other = Job(waits, forever=True, timeout=2), Job(generator(up=1), forever=True)
    other.timeout = 2

    assert virtually(Scheduler(server, other, Job(sleeps(5))))

    assert states(server, other) == ["FAILED", "CANCELLED"]
    assert (server.ended_at, other.ended_at) == (2, 5)


def test_what_the_last_step_sends_is_received_through_a_task_in_between():
    """Rule 7: V01: the service has some turns of the loop before it is stopped."""
    queue, received = asyncio.Queue(), []

    async def server():
        while True:
            received.append(await asyncio.ensure_future(queue.get()))

    async def sends():
        await asyncio.sleep(1)
        queue.put_nowait("last words")

    assert virtually(Scheduler(Job(server, forever=True), Job(sends)))

    assert received == ["last words"]


def test_a_service_that_is_ready_when_the_last_step_ends_stays_idle():
    """V07: in the same turn, the service being declared after the step."""
    server = Job(waits, forever=True)

    assert virtually(Scheduler(Job(quick), server))

    assert (server.state, server.started_at) == (State.IDLE, None)


def test_a_scheduler_as_a_service_that_never_started_is_shown_with_its_jobs():
    """V07: in the report as well as before the run, though every step has ended."""
    last = Job(quick, label="last")
    late = Scheduler(Job(waits, label="job"), label="late", forever=True, required=last)
    scheduler = Scheduler(last, late)

    assert virtually(scheduler)
    assert [(record.path, record.state) for record in scheduler.report.jobs] == [
        ("last", State.DONE),
        ("late", State.IDLE),
        ("late/job", State.IDLE),
    ]


def test_services_alone_start_one_after_the_other():
    """G09: a run without steps lasts until all have ended, also those that had to wait."""
    first = Job(generator(up=1, early=OSError("port in use")), forever=True)
    second, third = Job(sleeps(2), forever=True), Job(sleeps(1), forever=True)
    second.requires(first)
    scheduler = Scheduler(first, second, third)

    assert virtually(scheduler)

    assert states(first, second, third) == ["FAILED", "DONE", "DONE"]
    assert (second.started_at, scheduler.report.duration) == (1, 3)


def test_a_service_that_comes_up_in_the_drain_makes_nothing_ready():
    """Rule 4: though it swallowed the cancellation, what comes after it stays idle."""

    async def stubborn():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
        yield

    server = Job(stubborn, forever=True)
    client = Job(quick, required=server)

    assert virtually(Scheduler(server, client, Job(fails(1), critical=True))) is False

    assert states(server, client) == ["CANCELLED", "IDLE"]


async def fails_at_once():
    raise OSError("port in use")


def test_a_coroutine_service_that_returns_at_once_is_done_and_ready():
    """V06: it counts as no step, and gives None."""

    class Flowing(Flow):
        @service
        async def server(self):
            return "ignored"

        @step(after=server)
        async def client(self, value):
            return value

    flow = Flowing()
    assert perform(flow)
    assert states(flow.server, flow.client) == ["DONE", "DONE"]
    assert flow.client.result() is None
    assert flow.server.result() == "ignored"


@pytest.mark.parametrize("critical", [True, False])
def test_a_generator_service_that_fails_before_it_is_ready(critical):
    """Critical: the run fails and nothing after it starts; else its consumers are skipped."""
    log = []

    class Flowing(Flow):
        @service(critical=critical)
        async def server(self):
            await asyncio.sleep(1)
            raise OSError("port in use")
            yield

        @step(after=server)
        async def taker(self, value):
            log.append("taker")

        @step
        async def ordered(self):
            log.append("ordered")

        order = server >> ordered

    flow = Flowing()
    assert bool(perform(flow)) is not critical
    expected = ["FAILED", "IDLE", "IDLE"] if critical else ["FAILED", "SKIPPED", "DONE"]
    assert states(flow.server, flow.taker, flow.ordered) == expected
    assert log == ([] if critical else ["ordered"])


def test_a_service_over_its_timeout_before_it_was_ready_has_failed():
    """Those who take its value are skipped when its clean-up is over."""

    class Flowing(Flow):
        @service(timeout=2)
        async def server(self):
            try:
                await asyncio.sleep(100)
                yield 1
            finally:
                await asyncio.sleep(1)

        @step(after=server)
        async def taker(self, value): ...

    flow = Flowing()
    assert perform(flow)
    assert states(flow.server, flow.taker) == ["FAILED", "SKIPPED"]
    assert (flow.server.ended_at, flow.taker.ended_at) == (3.0, 3.0)
    assert isinstance(flow.server.raised_exception(), TimeoutError)


def test_a_service_that_swallows_its_timeout_and_gets_ready_has_failed_all_the_same():
    """It is torn down at once, and its value is nobody's (rule: a timeout is a failure)."""
    log = []

    class Flowing(Flow):
        @service(timeout=1)
        async def server(self):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(100)
            yield "late"
            log.append("down")

        @step
        async def beside(self):
            await asyncio.sleep(10)

    flow = Flowing()
    assert perform(flow)
    assert flow.server.state is State.FAILED
    assert flow.server.ended_at == 1.0
    assert log == ["down"]


def test_a_second_yield_has_failed_when_it_comes_and_is_closed():
    """In the teardown, so it is a failure of a run that had gone well."""
    log = []

    async def twice():
        try:
            yield 1
            log.append("down")
            yield 2
        finally:
            await asyncio.sleep(1)
            log.append("closed")

    server = Job(twice, forever=True, critical=True)
    scheduler = Scheduler(server, Job(sleeps(1)))

    assert virtually(scheduler) is False

    assert log == ["down", "closed"]
    assert "yielded again" in str(server.raised_exception())
    assert scheduler.report.duration == 2.0


def test_a_service_that_ends_by_itself_is_done_and_changes_nothing():
    """V06: a generator cannot: it waits at its yield until it is told to go on."""
    server, client = Job(sleeps(1, "done"), forever=True), Job(sleeps(3))
    assert virtually(Scheduler(server, client))
    assert (server.state, server.ended_at, server.result()) == (State.DONE, 1.0, "done")


@pytest.mark.parametrize(
    "body", [quick, sleeps(1), fails(1), waits], ids=["at once", "later", "failing", "cancelled"]
)
def test_a_service_counts_once_for_who_waits_for_it(body):
    """Rule 2: that it was ready, and later has ended, does not make up for another requirement."""
    server, slow = Job(body, forever=True), Job(sleeps(3))
    client = Job(quick, required=[server, slow])

    assert virtually(Scheduler(server, slow, client))
    assert client.started_at == 3


def test_a_service_that_failed_at_once_gives_no_value_to_who_starts_later():
    """Rule 3: not even None, though it has come up to its first suspension, in a way."""

    class Deploy(Flow):
        @service
        async def server(self):
            raise OSError("port in use")

        @step
        async def slow(self):
            await asyncio.sleep(3)
            return 3

        @step(after=(server, slow))
        async def client(self, server, slow):
            return server, slow

    flow = Deploy()
    assert perform(flow)
    assert states(flow.server, flow.slow, flow.client) == ["FAILED", "DONE", "SKIPPED"]
    assert flow.client.ended_at == 3


def test_a_service_that_ends_after_the_deadline_is_not_late():
    """Rule 20: the last step has ended before it, in the same turn of the loop."""
    loop = VirtualClockLoop()

    async def leaps():
        await asyncio.sleep(0.5)
        loop.leap(1)

    scheduler = Scheduler(Job(sleeps(0.5)), Job(leaps, forever=True), timeout=1)
    assert scheduler.orchestrate(loop_factory=lambda: loop) is True
    assert scheduler.report.duration == 1.5


# Values


class Chain(Flow):
    """A service that takes the value of another, and several who take both."""

    log: list

    @service
    async def database(self):
        await asyncio.sleep(1)
        self.log.append("database up")
        yield "dsn"
        self.log.append("database down")

    @service(after=database)
    async def server(self, dsn):
        await asyncio.sleep(1)
        self.log.append(f"server up on {dsn}")
        yield f"server of {dsn}"
        self.log.append("server down")

    @step(after=(server, database))
    async def first(self, server, dsn):
        return server, dsn

    @step(after=server)
    async def second(self, server):
        return server

    @step(after=[first, second])
    async def last(self):
        return self.server.result(), self.database.result()


def test_a_service_takes_the_value_of_another_and_gives_its_own_to_many():
    """Each is up before what comes after it, and down after that."""
    flow = Chain(log=[])
    assert perform(flow)
    assert flow.first.result() == ("server of dsn", "dsn")
    assert flow.second.result() == "server of dsn"
    assert flow.last.result() == ("server of dsn", "dsn")
    assert flow.log == ["database up", "server up on dsn", "server down", "database down"]


def test_a_service_whose_service_fails_is_skipped_and_takes_its_consumers_along():
    """Rule 3, along services."""

    class Broken(Chain):
        @service
        async def database(self):
            raise OSError
            yield

    flow = Broken(log=[])
    assert perform(flow)
    assert states(flow.database, flow.server, flow.first, flow.second, flow.last) == [
        *("FAILED", "SKIPPED", "SKIPPED", "SKIPPED", "FAILED")
    ]


def test_the_value_of_a_service_stays_after_the_run_and_goes_with_the_next():
    """`result()` has it from the yield on."""
    seen = []

    class Flowing(Flow):
        @service
        async def server(self):
            yield len(seen)

        @step(after=server)
        async def client(self, value):
            seen.append((value, self.server.result(), self.server.state))

    flow = Flowing()
    perform(flow)
    assert flow.server.result() == 0
    perform(flow)
    assert seen == [(0, 0, State.RUNNING), (1, 1, State.RUNNING)]


@pytest.mark.parametrize("value", [None, 0, "", [], False])
def test_a_falsy_value_is_a_value(value):
    """None included: who takes it is not skipped."""

    class Flowing(Flow):
        @service
        async def server(self):
            yield value

        @step(after=server)
        async def client(self, value):
            return value

    flow = Flowing()
    assert perform(flow)
    assert flow.client.result() is value


# The order of the end


ENDINGS = {
    "success": (sleeps(1), {}),
    "critical": (fails(1), {}),
    "timeout": (waits, {"timeout": 1}),
    "cancel": (waits, {}),
    "exit": (fails(1, SystemExit(2)), {}),
    "interrupt": (fails(1, KeyboardInterrupt()), {}),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_services_go_down_in_order_however_the_run_ends(ending):
    """Rule 7: steps first, then each service after all that come after it; hooks last."""
    diary = Diary()
    body, options = ENDINGS[ending]
    a = Job(diary.service("a", down=0.5), forever=True, shutdown=diary.hook("a"))
    b = Job(diary.service("b", down=0.5), forever=True, required=a)
    c = Job(diary.service("c", down=0.25), forever=True, required=a)

    async def cleaning():
        try:
            await asyncio.sleep(1)
        finally:
            diary.note("step over")

    use = Job(cleaning, required=[b, c])
    main = Job(body, required=[b, c], critical=True)
    scheduler = Scheduler(a, b, c, use, main, **options)

    async def cancelled():
        task = asyncio.ensure_future(scheduler.co_orchestrate())
        asyncio.get_running_loop().call_at(1, task.cancel)
        await task

    expected = {
        "cancel": asyncio.CancelledError,
        "exit": SystemExit,
        "interrupt": KeyboardInterrupt,
    }
    if ending in expected:
        with pytest.raises(expected[ending]):
            in_loop(cancelled()) if ending == "cancel" else virtually(scheduler)
    else:
        assert virtually(scheduler) is (ending == "success")

    assert diary.lines[3:] == [
        (1.0, "step over"),
        (1.0, "b going down"),
        (1.0, "c going down"),
        (1.25, "c down"),
        (1.5, "b down"),
        (1.5, "a going down"),
        (2.0, "a down"),
        (2.0, "a shuts down"),
    ]
    assert states(a, b, c) == ["CANCELLED"] * 3


def test_a_service_that_ended_by_itself_does_not_hold_up_those_below_it():
    """It is down already."""
    diary = Diary()
    base = Job(diary.service("base"), forever=True)
    gone = Job(sleeps(1), forever=True, required=base)
    assert virtually(Scheduler(base, gone, Job(sleeps(2), required=gone)))
    assert diary.lines == [(0.0, "base up"), (2.0, "base going down"), (2.0, "base down")]


def test_a_service_that_is_not_up_yet_is_cancelled_and_not_torn_down():
    """When the last step ends; what it did so far it can undo in a `finally`."""
    log = []

    async def slow():
        try:
            await asyncio.sleep(100)
            yield
            log.append("never")
        except asyncio.CancelledError:
            log.append("cancelled")
            raise
        finally:
            log.append("undone")

    server = Job(slow, forever=True)
    assert virtually(Scheduler(server, Job(sleeps(1))))
    assert log == ["cancelled", "undone"]
    assert server.state is State.CANCELLED


def test_a_service_that_gets_up_although_it_was_cancelled_is_torn_down():
    """Its start had swallowed the cancellation."""
    log = []

    async def stubborn():
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            await asyncio.sleep(0.5)
        log.append("up")
        yield
        log.append("down")

    server = Job(stubborn, forever=True)
    scheduler = Scheduler(server, Job(sleeps(1)))
    assert virtually(scheduler)
    assert log == ["up", "down"]
    assert (server.state, scheduler.report.duration) == (State.CANCELLED, 1.5)


def test_a_teardown_is_not_cancelled_before_the_last_fifth_of_its_share():
    """Rule 8: two services share the grace, the first has half."""
    heard = []

    def server(name):
        async def body():
            yield
            while True:
                try:
                    await asyncio.sleep(1000)
                except asyncio.CancelledError:
                    heard.append((round(asyncio.get_running_loop().time(), 6), name))
                    if len(heard) > 2:
                        return

        return body

    low = Job(server("low"), forever=True)
    high = Job(server("high"), forever=True, required=low)
    scheduler = Scheduler(low, high, Job(sleeps(1)), grace=10)

    assert virtually(scheduler)

    assert heard[0] == (5.0, "high")
    assert heard[2] == (5.4, "high")
    # The rest is for the one below: four fifths of what is left.
    assert heard[3:] == [(round(5.4 + 0.8 * 5.6, 6), "low")]


# Failures in the teardown


def test_teardown_errors_of_several_services_are_all_kept():
    """Rule 14; the run goes on to the next one, and the first critical one is the reason."""
    first, second = ValueError("one"), KeyError("two")
    low = Job(generator(error=first), forever=True, critical=True)
    high = Job(generator(error=second), forever=True, critical=True, required=low)
    scheduler = Scheduler(low, high, Job(quick, required=high))

    assert virtually(scheduler) is False

    assert scheduler.report.reason.exception is second
    with pytest.raises(ExceptionGroup) as caught:
        scheduler.report.raise_for_failure()
    assert caught.value.exceptions == (second, first)


@pytest.mark.parametrize("error", [SystemExit(4), KeyboardInterrupt()], ids=repr)
def test_an_exit_in_a_teardown_leaves_after_the_other_teardowns(error):
    """Rule 12."""
    log = []
    low = Job(generator(log=log), forever=True)
    high = Job(generator(error=error), forever=True, required=low)

    with pytest.raises((SystemExit, KeyboardInterrupt)) as caught:
        virtually(Scheduler(low, high, Job(quick, required=high)))

    assert caught.value is error
    assert log == ["starting", "up", "going down", "down"]


def test_a_cancelled_error_of_its_own_in_the_teardown_is_no_failure_of_a_stopped_service():
    """The run had told it to end: it is cancelled, as anything that was stopped."""

    async def odd():
        yield
        raise asyncio.CancelledError

    server = Job(odd, forever=True, critical=True)
    assert virtually(Scheduler(server, Job(quick)))
    assert server.state is State.CANCELLED


def test_a_service_that_fails_while_it_is_up_has_failed_at_that_moment():
    """A coroutine by itself; who takes None from it goes on if it is not critical (V03)."""
    server = Job(fails(1), forever=True)
    client = Job(sleeps(3), required=server)
    assert virtually(Scheduler(server, client))
    assert (server.state, server.ended_at, client.state) == (State.FAILED, 1.0, State.DONE)


def test_a_task_group_round_the_yield_is_left_in_order():
    """Its tasks are the service's to end, in the teardown."""
    log = []

    async def worker():
        try:
            await asyncio.Event().wait()
        finally:
            log.append("worker over")

    async def grouped():
        async with asyncio.TaskGroup() as group:
            task = group.create_task(worker())
            yield
            log.append("teardown")
            task.cancel()
        log.append("group left")

    server = Job(grouped, forever=True, critical=True)
    assert virtually(Scheduler(server, Job(sleeps(1))))
    assert log == ["teardown", "worker over", "group left"]


def test_a_timeout_round_the_yield_that_does_not_expire_is_left_in_order():
    """In the task in which it was entered."""

    async def timed():
        async with asyncio.timeout(100):
            yield

    server = Job(timed, forever=True, critical=True)
    assert virtually(Scheduler(server, Job(sleeps(1))))
    assert server.state is State.CANCELLED


# Foreign cancellation


def test_a_foreign_cancel_that_the_service_catches_at_its_yield_lets_it_end():
    """It returned by itself: done."""
    task = []

    async def catches():
        task.append(asyncio.current_task())
        try:
            yield
        except asyncio.CancelledError:
            pass

    async def kills():
        await asyncio.sleep(1)
        task[0].cancel()

    server = Job(catches, forever=True, critical=True)
    assert virtually(Scheduler(server, Job(kills, required=server), Job(sleeps(3))))
    assert (server.state, server.ended_at) == (State.DONE, 1.0)


def test_a_foreign_cancel_that_it_does_not_catch_is_its_failure():
    """Rule 13: at that moment; a critical service then ends the run."""
    task = []

    async def lets_pass():
        task.append(asyncio.current_task())
        try:
            yield
        finally:
            await asyncio.sleep(0.5)

    async def kills():
        await asyncio.sleep(1)
        task[0].cancel()

    server = Job(lets_pass, forever=True, critical=True)
    scheduler = Scheduler(server, Job(kills, required=server), Job(waits))
    assert virtually(scheduler) is False
    assert isinstance(server.raised_exception(), SelfCancelledError)
    assert scheduler.report.duration == 1.5


class Situation:
    """Two services, one of which needs the other, slow to start and to end, and who uses them."""

    def __init__(self, kind):
        self.log = []
        self.hooked = []
        low = Job(self.server("low"), forever=True, shutdown=self.hook("low"), label="low")
        high = Job(
            self.server("high"),
            forever=True,
            required=low,
            shutdown=self.hook("high"),
            label="high",
        )
        monitor = Job(cleans_up(0.5), forever=True, shutdown=self.hook("monitor"), label="monitor")
        user = Job(sleeps(1), required=high, shutdown=self.hook("user"), label="user")
        jobs = [low, high, monitor, user]
        if kind == "critical":
            jobs.append(Job(fails(2), critical=True, required=low, shutdown=self.hook("boom")))
        self.scheduler = Scheduler(*jobs, timeout=2.5 if kind == "timeout" else None)
        self.services = [low, high]
        self.raised = None

    def server(self, name):
        async def body():
            try:
                await asyncio.sleep(0.5)
                await asyncio.sleep(0.5)
                self.log.append(f"{name} up")
                yield name
                await asyncio.sleep(0.25)
                await asyncio.sleep(0.25)
                self.log.append(f"{name} down")
            finally:
                self.log.append(f"{name} closed")

        return body

    def hook(self, name):
        async def body():
            await asyncio.sleep(0.1)
            self.hooked.append(name)

        return body

    async def main(self):
        self.task = asyncio.current_task()
        others = asyncio.all_tasks()
        try:
            await self.scheduler.co_orchestrate()
        except asyncio.CancelledError as error:
            self.raised = error.args
            self.task.uncancel()
        self.left = asyncio.all_tasks() - others

    def perform(self, actions=None):
        loop = TickLoop(actions)
        try:
            loop.run_until_complete(self.main())
        finally:
            loop.close()
        return loop.ticks

    def check(self):
        assert self.left == set()
        for name in ("low", "high"):
            started = self.scheduler.find(name).started_at is not None
            assert self.log.count(f"{name} closed") == started
        if "high closed" in self.log and "low closed" in self.log:
            assert self.log.index("high closed") < self.log.index("low closed")


KINDS = ["success", "critical", "timeout"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_cancel_at_every_tick_tears_down_every_service_that_is_up(kind):
    """During the start and the teardown as well: rules 7, 9, 10 and 11."""
    total = Situation(kind).perform()
    assert total > 15
    for tick in range(2, total):
        situation = Situation(kind)
        situation.perform({tick: lambda one=situation: one.task.cancel("why")})
        assert situation.raised == ("why",)
        situation.check()
        for name in ("low", "high"):
            assert situation.log.count(f"{name} up") == situation.log.count(f"{name} down")
        assert sorted(situation.hooked) == sorted(
            {"low", "high", "monitor", "user"} | ({"boom"} if kind == "critical" else set())
        )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "victim",
    [
        0,
        1,
    ],
)
def test_a_foreign_cancel_of_a_service_at_every_tick_hangs_nothing(kind, victim):
    """It is closed once in any case, whether it was starting, up, or going down."""
    total = Situation(kind).perform()
    for tick in range(2, total):
        situation = Situation(kind)

        def act(situation=situation):
            job = situation.services[victim]
            run = situation.scheduler.__flow_run__
            for activity in filter(None, run.progress.executions if run is not None else ()):
                if activity.job is job and activity.task is not None:
                    activity.task.cancel("foreign")

        situation.perform({tick: act})
        assert situation.raised is None
        assert situation.left == set()
        name = ("low", "high")[victim]
        started = situation.services[victim].started_at is not None
        assert situation.log.count(f"{name} closed") <= started
        assert len(situation.hooked) == len(set(situation.hooked)) >= 4


def test_a_service_that_ends_while_another_goes_down_is_not_waited_for():
    """It was to be next, and is not there any more."""
    low = Job(sleeps(1.5), forever=True, label="low")
    high = Job(generator(down=2), forever=True, required=low, label="high")
    scheduler = Scheduler(low, high, Job(sleeps(1), required=high), grace=10)

    assert virtually(scheduler)

    assert states(low, high) == ["DONE", "CANCELLED"]
    assert scheduler.report.duration == 3.0


# One task, one context


def test_both_halves_run_in_one_task_and_one_context():
    """So a token can be reset, and `current_job` is the service in both."""
    variable = contextvars.ContextVar("variable")
    seen = []

    class Flowing(Flow):
        @service
        async def server(self):
            token = variable.set("mine")
            seen.append((asyncio.current_task(), current_job()))
            yield
            seen.append((asyncio.current_task(), current_job()))
            variable.reset(token)

        @step(after=server)
        async def client(self):
            return variable.get("unseen")

    flow = Flowing()
    assert perform(flow)
    assert seen[0] == seen[1]
    assert seen[0][1] is flow.server
    assert flow.client.result() == "unseen"


# Generators that are closed


def test_the_finally_of_a_service_runs_before_what_it_requires_goes_down():
    """`aclose` order: inside out, awaits included."""
    log = []

    class Flowing(Flow):
        @service
        async def low(self):
            try:
                yield
                log.append("low teardown")
            finally:
                await asyncio.sleep(0.5)
                log.append("low finally")

        @service(after=low)
        async def high(self):
            async with contextlib.AsyncExitStack() as stack:
                stack.push_async_callback(self.note, "outer")
                stack.push_async_callback(self.note, "inner")
                yield
                log.append("high teardown")

        @step(after=high)
        async def use(self): ...

        async def note(self, text):
            await asyncio.sleep(0.5)
            log.append(text)

    assert perform(Flowing())
    assert log == ["high teardown", "inner", "outer", "low teardown", "low finally"]


def test_a_stuck_generator_is_closed_by_the_run_so_that_its_finally_runs():
    """Rule 8: `GeneratorExit` is thrown in at the line where it stands."""
    log = []

    async def stuck():
        try:
            yield
            await swallows()
        except GeneratorExit:
            log.append("closed")
            raise
        finally:
            log.append("finally")

    server = Job(stuck, forever=True)
    scheduler = Scheduler(server, Job(quick), grace=1)

    assert virtually(scheduler)

    assert server.state is State.STUCK
    assert log == ["closed", "finally"]
    gc.collect()


@pytest.mark.allow_asyncio_errors
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_generator_that_catches_generator_exit_is_out_of_reach_but_bounded(caplog):
    """Rule 8 says so: the run ends on time, and says what it could not close."""
    ended = []

    async def stuck():
        yield
        while len(ended) < 3:
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                pass
            except GeneratorExit:
                ended.append("ignored")

    server = Job(stuck, forever=True)
    scheduler = Scheduler(server, Job(quick), grace=1)
    with caplog.at_level(logging.WARNING, "flowdeco"):
        assert virtually(scheduler)
    assert (server.state, scheduler.report.duration) == (State.STUCK, 1.0)
    assert ended
    assert "'stuck' is stuck" in caplog.text
    gc.collect()


def test_a_service_that_swallows_cancels_while_it_starts_is_stuck():
    """As any body; its consumer stays idle, for the run is over."""

    async def stubborn():
        await swallows()
        yield

    server, client = Job(stubborn, forever=True, critical=True), Job(quick)
    client.requires(server)
    scheduler = Scheduler(server, client, timeout=1, grace=2)
    assert virtually(scheduler) is False
    assert states(server, client) == ["STUCK", "IDLE"]
    assert scheduler.report.duration == 3.0


def test_a_service_that_swallows_some_cancels_ends_in_the_last_fifth():
    """And has failed, for its teardown was cut short, though it has returned (rule 7)."""
    server = Job(swallows_times(3), forever=True)
    scheduler = Scheduler(server, Job(sleeps(1)), grace=5)
    assert virtually(scheduler)
    assert server.state is State.FAILED
    with pytest.raises(TimeoutError, match="the teardown of body was cut short after 4 s"):
        server.result()
    assert 5.0 < server.ended_at < 6.0


def test_services_that_are_stopped_do_not_stop_each_other():
    """Independent ones go down at the same time."""
    servers = [Job(generator(down=1), forever=True) for _ in range(5)]
    scheduler = Scheduler(*servers, Job(sleeps(1)))
    assert virtually(scheduler)
    assert scheduler.report.duration == 2.0


# Services alone, and in nested runs


def test_a_cancel_ends_a_run_of_services_alone():
    """G09: with their teardown."""
    flow = Chain(log=[])

    class Alone(Flow):
        log: list

        @service
        async def server(self):
            self.log.append("up")
            yield
            self.log.append("down")

    flow = Alone(log=[])

    async def main():
        with pytest.raises(asyncio.CancelledError):
            await co_perform(flow, {5.0: asyncio.Task.cancel})

    in_loop(main())
    assert flow.log == ["up", "down"]


def test_a_scheduler_as_a_service_is_ready_when_it_has_started():
    """What comes after it does not wait for its end."""
    diary = Diary()
    inner = Scheduler(Job(diary.service("inner"), forever=True), forever=True, label="inner")
    use = Job(diary.step("use", 1), required=inner)
    assert virtually(Scheduler(inner, use))
    assert diary.texts == ["use starts", "inner up", "use ends", "inner going down", "inner down"]


def test_a_service_without_a_place_starts_with_a_full_window():
    """Rule 6: and what it gives is there for who waits for a place."""
    diary = Diary()
    server = Job(diary.service("server"), forever=True)
    first = Job(diary.step("first", 1))
    second = Job(diary.step("second"), required=server)
    assert virtually(Scheduler(first, server, second, window=1))
    assert diary.lines[1] == (0.0, "server up")
    assert (1.0, "second starts") in diary.lines


def test_an_exit_of_a_teardown_that_was_cut_short_is_not_logged(caplog):
    """Rule 19: it leaves, so that nobody overlooks it."""

    async def body():
        yield
        try:
            await asyncio.sleep(99)
        except asyncio.CancelledError:
            raise SystemExit(4) from None

    with pytest.raises(SystemExit):
        virtually(Scheduler(Job(body, forever=True), Job(quick)))

    assert caplog.messages == []
