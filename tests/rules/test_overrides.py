"""Section 2: what one run gives jobs, or lets them do, in place of their bodies."""

import asyncio
import functools
import logging
import threading
from collections.abc import AsyncIterator
from unittest import mock

import pytest

from flowdeco import (
    AbstractJob,
    Flow,
    Job,
    Observer,
    Override,
    Retry,
    Scheduler,
    Skip,
    State,
    current_job,
    each,
    service,
    step,
    subflow,
)
from flowdeco.errors import OverrideError, SkippedError
from flowdeco.testing import VirtualClockLoop


class Deploy(Flow, critical=True):
    """Notes what has run."""

    ran: list[str]

    @service
    async def database(self) -> AsyncIterator[str]:
        self.ran.append("up")
        yield "db"
        self.ran.append("down")

    @step
    async def build(self) -> str:
        self.ran.append("build")
        await asyncio.sleep(600)
        return "wheel"

    @build.shutdown
    async def close_build(self) -> None:
        self.ran.append("close")

    @step(after=(build, database))
    async def migrate(self, wheel: str, dsn: str) -> str:
        self.ran.append("migrate")
        return f"{wheel} on {dsn}"

    @step
    def hosts(self) -> list[str]:
        self.ran.append("hosts")
        return ["a", "b"]

    @each(hosts, window=1)
    async def ping(self, host: str) -> str:
        self.ran.append(f"ping {host}")
        return host.upper()


def perform(flow, *overrides, **options):
    """Run a flow on the virtual clock, with overrides."""
    return flow.run(overrides=overrides, loop_factory=VirtualClockLoop, **options)


def deploy(*overrides, cls=Deploy, **options):
    """Run it; return the flow."""
    flow = cls(ran=[])
    perform(flow, *overrides, **options)
    return flow


# What is given


def test_a_given_value_takes_the_place_of_the_body():
    """The job has the value at once; neither its body nor its hooks run."""
    flow = deploy(Deploy.build.returns("stub"))
    assert flow.migrate.result() == "stub on db"
    assert flow.scheduler.report.duration == 0
    assert flow.build.state is State.DONE
    assert (flow.build.started_at, flow.build.ended_at) == (0, 0)
    assert not {"build", "close"} & set(flow.ran)


def test_a_given_exception_is_a_failure_like_any_other():
    """The job has failed with it, critical or not."""
    error = ConnectionError("refused")
    flow = deploy(Deploy.build.raises(error))
    assert flow.build.raised_exception() is error
    assert flow.scheduler.report.reason.job is flow.build
    assert flow.migrate.state is State.IDLE
    assert "close" not in flow.ran


def test_a_given_exception_does_not_grow():
    """Its traceback is the same after each run, whoever raises it in between."""
    error = ConnectionError("refused")
    override = Deploy.build.raises(error)
    lengths = []
    for _ in range(3):
        flow = deploy(override)
        with pytest.raises(ConnectionError) as info:
            flow.build.result()
        lengths.append(len(info.traceback))
    assert len(set(lengths)) == 1


def test_a_given_skip_skips():
    """A given `Skip` is one that the body has raised."""
    flow = deploy(Deploy.build.raises(Skip("nothing new")))
    assert flow.scheduler.report
    assert flow.migrate.state is State.SKIPPED
    with pytest.raises(SkippedError, match="nothing new"):
        flow.build.result()


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_a_given_exit_leaves(error):
    """A given exit ends the run and leaves, as if a job had raised it."""
    with pytest.raises(type(error)):
        deploy(Deploy.build.raises(error))


def test_a_service_that_is_given_is_not_up():
    """A service with a given value is done, and has nothing to be torn down."""
    flow = deploy(Deploy.database.returns("fake"))
    assert flow.migrate.result() == "wheel on fake"
    assert flow.database.state is State.DONE
    assert not {"up", "down"} & set(flow.ran)


def test_a_fan_out_that_is_given_has_no_items():
    """The given list is that of a fan-out; there is no job for an item."""
    flow = deploy(Deploy.ping.returns(["x"]))
    assert flow.ping.result() == ["x"]
    assert list(flow.ping.children) == []
    assert "ping a" not in flow.ran


def test_a_given_job_waits_and_takes_no_place():
    """A given job waits for what it requires, is not skipped without values, and needs no place."""

    class Order(Flow, window=1):
        @step
        async def first(self) -> str:
            await asyncio.sleep(1)
            raise ValueError

        @step(after=first)
        async def second(self, value: str) -> str:
            return value

        @step
        async def long(self) -> None:
            await asyncio.sleep(60)

    flow = Order()
    perform(flow, Order.second.returns("given"))
    assert flow.second.result() == "given"
    assert flow.second.started_at == flow.second.ended_at == 1


def test_observers_see_a_given_job_in_its_context():
    """Start and end are told, in the context of the job."""
    told = []

    class Watch(Observer):
        def job_started(self, job):
            told.append((job.name, "started", current_job() is job))

        def job_ended(self, job):
            told.append((job.name, "ended", current_job() is job))

    flow = Deploy(ran=[])
    overrides = [getattr(Deploy, name).returns([]) for name in ("hosts", "ping")]
    others = [Deploy.build.returns(""), Deploy.database.returns(""), Deploy.migrate.returns("")]
    flow.run(overrides=[*overrides, *others], observers=[Watch()])
    names = ["database", "build", "migrate", "hosts", "ping"]
    assert sorted(told) == sorted(
        (name, what, True) for name in names for what in ("started", "ended")
    )


def test_nothing_is_left_for_the_next_run():
    """Overrides are those of one run."""
    flow = deploy(Deploy.build.returns("stub"), Deploy.ping.replaced_by(shout))
    assert flow.ping.result() == ["a!", "b!"]
    perform(flow)
    assert flow.migrate.result() == "wheel on db"
    assert flow.ping.result() == ["A", "B"]
    assert "close" in flow.ran


# What is replaced


async def shout(self, host):
    """The body of an item."""
    self.ran.append(current_job().name)
    return host + "!"


def test_a_replaced_body_has_all_else_of_the_job():
    """A function in place of the body takes what it takes; hooks, timeout and retry are kept."""

    class Careful(Deploy):
        @step(timeout=5, retry=Retry(on=TimeoutError, attempts=2, wait_jitter=0))
        async def build(self) -> str:
            raise AssertionError

    async def slow(self):
        await asyncio.sleep(60)
        return "never"

    flow = deploy(Careful.build.replaced_by(slow), cls=Careful)
    assert isinstance(flow.build.raised_exception(), TimeoutError)
    assert [one.started_at for one in flow.build.attempts] == [0, 6]
    assert "close" in flow.ran


def test_a_replaced_service_is_up_and_torn_down():
    """A generator in place of a service is ready at its yield, and torn down at the end."""

    async def fake(self):
        self.ran.append("fake up")
        yield "fake"
        self.ran.append("fake down")

    flow = deploy(Deploy.database.replaced_by(fake))
    assert flow.migrate.result() == "wheel on fake"
    assert flow.ran[0] == "fake up"
    assert flow.ran[-2:] == ["fake down", "close"]


def test_a_replaced_plain_step_runs_in_a_thread():
    """What replaces a plain step is plain, and runs in a thread as it would."""
    threads = []

    def fake(self):
        threads.append(threading.current_thread())
        return ["x"]

    flow = deploy(Deploy.hosts.replaced_by(fake))
    assert flow.ping.result() == ["X"]
    assert threads[0] is not threading.main_thread()


def test_mocks_replace_bodies():
    """A mock is a function as well."""
    fake = mock.AsyncMock(return_value="mocked")
    plain = mock.MagicMock(return_value=["m"])
    flow = deploy(Deploy.build.replaced_by(fake), Deploy.hosts.replaced_by(plain))
    assert flow.migrate.result() == "mocked on db"
    assert flow.ping.result() == ["M"]
    fake.assert_awaited_once_with(flow)
    plain.assert_called_once_with(flow)


def test_a_fake_may_call_the_real_body():
    """A function in place of a body can call that."""

    async def with_suffix(self, wheel, dsn):
        return await Deploy.migrate.body(self, wheel, dsn) + "!"

    assert deploy(Deploy.migrate.replaced_by(with_suffix)).migrate.result() == "wheel on db!"


# Where


class Part(Flow, critical=True):
    @step
    async def work(self) -> str:
        return "work"


class Derived(Part):
    @step
    async def work(self) -> str:
        return "derived"


class Whole(Flow, critical=True):
    @subflow
    def parts(self) -> list[Part]:
        return [Part(), Derived()]

    @subflow
    def one(self) -> Part | None:
        return Part()

    @step(after=(parts, one))
    async def total(self, parts: list[Part], one: Part | None) -> list[str]:
        return [part.work.result() for part in [*parts, *([one] if one else [])]]


def test_an_override_applies_to_every_flow_of_the_run():
    """It is that of all jobs of the declaration, and of what redefines it, nested ones included."""
    flow = Whole()
    perform(flow, Part.work.returns("stub"))
    assert flow.total.result() == ["stub", "stub", "stub"]
    perform(flow, Derived.work.returns("stub"))
    assert flow.total.result() == ["work", "stub", "work"]


def test_a_given_subflow_is_not_run():
    """The flow that is given is the value, and nothing of it runs."""
    flow, given = Whole(), Derived()
    other = Part()
    other.run()
    perform(flow, Whole.parts.returns([other]), Whole.one.returns(None))
    assert flow.parts == [other]
    assert flow.one is None
    assert flow.total.result() == ["work"]
    perform(flow, Whole.total.returns([]), Whole.one.returns(given))
    assert flow.one is given
    assert given.scheduler.report is None


def test_a_replaced_subflow_makes_other_flows():
    """What replaces the method of a subflow makes the flows that run."""
    flow = Whole()
    perform(flow, Whole.one.replaced_by(lambda self: Derived()))
    assert flow.total.result() == ["work", "derived", "derived"]


def test_names_and_jobs_are_targets_as_well():
    """A name means a job of the outermost level, and a job means itself, at any level."""
    flow = Deploy(ran=[])
    perform(flow, Override("build", returns="named"), Override(flow.database, returns="own"))
    assert flow.migrate.result() == "named on own"
    inner = Job(lambda: asyncio.sleep(60), label="inner")
    around = Scheduler(Scheduler(inner, label="nested"), Job(lambda: asyncio.sleep(1), label="x"))
    assert around.orchestrate(2, overrides=[Override(inner, returns=3)])
    assert inner.result() == 3
    with pytest.raises(OverrideError, match="that of no job in this run; a name is that of"):
        around.orchestrate(overrides=[Override("inner", returns=3)])


def test_jobs_of_all_kinds_are_overridden():
    """Coroutine objects, futures, schedulers and classes of one's own."""

    class Own(AbstractJob[int]):
        async def co_run(self):
            raise AssertionError

    async def never():
        raise AssertionError

    async def fake():
        return "fake"

    jobs = {name: Job(never(), label=name) for name in ("a", "b")}
    jobs["c"] = Own(label="c")
    jobs["d"] = Scheduler(Job(never), label="d", jobs_critical=True)
    scheduler = Scheduler(*jobs.values(), jobs_critical=True)
    overrides = [
        Override("a", returns=1),
        Override("b", replaced_by=fake),
        Override("c", returns=3),
        Override("d", returns=True),
    ]
    for _ in range(2):
        assert scheduler.orchestrate(overrides=overrides)
        assert [job.result() for job in scheduler] == [1, "fake", 3, True]


def test_a_run_within_a_body_has_the_overrides_of_the_run_around_it():
    """What a body runs by itself is part of the run; its own overrides come first."""

    class Outer(Flow, critical=True):
        @step
        async def body(self) -> list[str]:
            part = Part()
            await part.co_run()
            first = part.work.result()
            await part.co_run(overrides=[Part.work.returns("inner")])
            return [first, part.work.result()]

        @subflow
        def part(self) -> Part | None:
            return None

    flow = Outer()
    perform(flow, Part.work.returns("outer"))
    assert flow.body.result() == ["outer", "inner"]


def test_the_same_flow_may_run_twice_at_once():
    """Overrides of one run are not those of another one of the same class."""

    async def main():
        flows = [Deploy(ran=[]), Deploy(ran=[])]
        await asyncio.gather(
            flows[0].co_run(overrides=[Deploy.build.returns("stub")]), flows[1].co_run()
        )
        return [flow.migrate.result() for flow in flows]

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        assert runner.run(main()) == ["stub on db", "wheel on db"]


# Mistakes


def plain(self):
    """A plain function."""
    return []


async def yielding(self):
    """A generator."""
    yield 1


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ([Override("buidl", returns=1)], "no job in this run; did you mean 'build'"),
        ([Part.work.returns("")], "Override of work: returns ''> is that of no job in this run"),
        ([Deploy.build.returns("a"), Override("build", returns="b")], "two overrides for 'build'"),
        ([Deploy.build.replaced_by(plain)], "'build': it is async, and plain is plain"),
        ([Deploy.hosts.replaced_by(shout)], "'hosts': it is a plain method, and shout is async"),
        ([Deploy.build.replaced_by(yielding)], "yielding yields, and only a service does that"),
        ([Deploy.database.replaced_by(shout)], "a service with a `yield`, and shout has none"),
        ([Deploy.ping.returns("x")], "a fan-out gives a list of results, not 'x'"),
    ],
)
def test_overrides_that_cannot_be_are_errors_before_the_start(overrides, words):
    """Nothing has run, and the flow can be run."""
    flow = Deploy(ran=[])
    with pytest.raises(OverrideError, match=words):
        perform(flow, *overrides)
    assert flow.ran == []
    assert perform(flow)


def test_a_given_subflow_is_a_flow():
    """A value that a subflow cannot give is an error before the start."""
    for value in (3, [3], [None]):
        with pytest.raises(OverrideError, match="a subflow gives a flow, a list of flows, or None"):
            perform(Whole(), Whole.one.returns(value))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Override("a"), "has one of returns=, raises= and replaced_by=.* has none"),
        (lambda: Override("a", returns=1, raises=ValueError()), "has 2"),
        (lambda: Override(3, returns=1), "is a declaration, a job or a name, not 3"),
        (lambda: Override("a", raises=ValueError), r"write raises=ValueError\(\)"),
        (lambda: Override("a", raises="x"), "raises must be an exception, not 'x'"),
        (lambda: Override("a", replaced_by=3), "replaced_by must be a function, not 3"),
        (lambda: Part().run(overrides=[3]), "overrides must be a list of overrides, and has 3"),
        (lambda: Part().run(overrides=Part.work.returns("")), r"write overrides=\["),
    ],
)
def test_bad_arguments_are_refused(make, words):
    """What is no override, or half of one, says what to write."""
    with pytest.raises(TypeError, match=words):
        make()


def test_an_override_that_nothing_had_is_a_warning_where_a_subflow_might(caplog):
    """Where flows are made in the run, an override that met no job is a warning at its end."""
    flow = Whole()
    caplog.set_level(logging.WARNING, "flowdeco")
    assert perform(flow, Deploy.build.returns("x"))
    assert [record.getMessage() for record in caplog.records] == [
        "<Override of build: returns 'x'> was that of no job of this run"
    ]


def test_an_override_that_an_inner_flow_cannot_have_is_the_failure_of_the_subflow():
    """A mistake that shows only inside of a subflow is its failure."""
    flow = Whole()
    report = perform(flow, Derived.work.returns("a"), Part.work.returns("b"))
    assert not report
    error = flow.scheduler.find("parts").raised_exception()
    assert isinstance(error, OverrideError)
    assert "two overrides for 'work'" in str(error)


def test_overrides_show_themselves():
    """What an override is can be seen."""
    assert repr(Deploy.build.returns("x")) == "<Override of build: returns 'x'>"
    assert repr(Override("a", raises=ValueError("no"))) == (
        "<Override of 'a': raises ValueError('no')>"
    )
    fake = functools.partial(plain)
    assert "replaced_by plain" in repr(Deploy.hosts.replaced_by(fake))
