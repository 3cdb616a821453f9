"""Flows: their fields, their runs, their inheritance."""

from __future__ import annotations

import asyncio
import copy
import gc
import math
import pickle
import sys
import threading
import warnings
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

import attrs
import pytest
from actors import perform, quick
from jobs import BoomError

from flowdeco import Flow, Job, Report, Scheduler, Service, State, Step, current_job, service, step
from flowdeco.errors import BusyError, DefinitionError, LoopRunningError
from flowdeco.testing import VirtualClockLoop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from somewhere import Unknown  # type: ignore[import-not-found]

T = TypeVar("T")


def ran(flow, timeout=None, **options):
    """The report of a run by a clock that does not wait."""
    return flow.run(timeout, loop_factory=VirtualClockLoop, **options)


def virtually(coroutine):
    """The result of a coroutine, by a clock that does not wait."""
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        return runner.run(coroutine)


def edges(flow):
    """What each job of a flow comes after, by name."""
    return {job.name: [other.name for other in job.required] for job in flow.scheduler}


class Deploy(Flow):
    """A flow with fields, a service and steps of each kind."""

    host: str
    retries: int = 3

    @service
    async def database(self) -> AsyncIterator[str]:
        yield f"dsn of {self.host}"

    @step
    async def build(self) -> Unknown:
        await asyncio.sleep(1)
        return f"wheel for {self.host}"

    @step(after=(build, database))
    async def migrate(self, wheel: str, dsn: str) -> tuple[str, str]:
        return (wheel, dsn)

    @step(after=build)
    async def smoke(self) -> None:
        pass

    order = migrate >> smoke


# Fields


class Fields(Flow):
    """A flow with a field of each kind."""

    needed: Unknown
    simple: int = 1
    made: list[str] = attrs.field(factory=list)
    positive: int = attrs.field(default=1, validator=attrs.validators.gt(0))
    renamed: str = attrs.field(default="", alias="called")
    converted: float = attrs.field(default=0, converter=float)
    derived: str = attrs.field(init=False)
    secret: str = attrs.field(default="pw", repr=False)
    _token: str = "token"
    limit: ClassVar[int] = 10
    quoted: ClassVar[tuple[int, ...]] = (1, 2)
    plain = "no field"

    def __attrs_post_init__(self):
        self.derived = f"from {self.needed}"


def test_fields_are_keyword_arguments():
    """Annotated names are keyword-only arguments, with attrs's defaults, factories and aliases."""
    flow = Fields(needed="x", called="y", converted=2)

    assert (flow.needed, flow.simple, flow.made, flow.positive) == ("x", 1, [], 1)
    assert (flow.renamed, flow.converted, flow.derived) == ("y", 2.0, "from x")
    assert flow.made is not Fields(needed="x").made


def test_arguments_are_named_as_their_fields():
    """A leading underscore is part of the name of the argument."""
    flow = Fields(needed="x", _token="t")

    assert (flow._token, Fields(needed="x")._token) == ("t", "token")


@pytest.mark.parametrize(
    ("give", "message"),
    [
        (lambda: Fields("x"), "positional argument"),
        (lambda: Fields(), "needed"),
        (lambda: Fields(needed=1, token="t"), "token"),
        (lambda: Fields(needed=1, renamed="t"), "renamed"),
        (lambda: Fields(needed=1, derived="t"), "derived"),
        (lambda: Fields(needed=1, limit=1), "limit"),
        (lambda: Fields(needed=1, plain="t"), "plain"),
        (lambda: Fields(needed=1, other="t"), "other"),
        (lambda: Deploy(host="a", build="b"), "build"),
    ],
)
def test_wrong_arguments(give, message):
    """What is no field, or is missing, is a `TypeError` that names it."""
    with pytest.raises(TypeError, match=message):
        give()


def test_validators_are_called():
    """A validator refuses a value when the flow is made, and when it is set."""
    with pytest.raises(ValueError, match="positive"):
        Fields(needed=1, positive=0)
    flow = Fields(needed=1)
    with pytest.raises(ValueError, match="positive"):
        flow.positive = -1


def test_repr_has_the_fields():
    """The text of a flow is its class and its fields, but those with `repr=False`."""
    text = repr(Fields(needed="x"))

    assert text.startswith("Fields(needed='x', simple=1, made=[], positive=1,")
    assert "pw" not in text
    assert repr(Deploy(host="eu")) == "Deploy(host='eu', retries=3)"


def test_class_variables_are_no_fields():
    """What is annotated as ClassVar, in a string too, is left on the class."""
    assert (Fields.limit, Fields.quoted) == (10, (1, 2))
    assert "limit" not in {field.name for field in attrs.fields(Fields)}
    assert Fields.__annotations__["limit"] == "ClassVar[int]"


def test_class_variables_may_be_mutable():
    """A class variable is meant to be shared, and is no field: a list is fine."""

    class Sharing(Flow):
        seen: ClassVar[list[str]] = []

    assert Sharing.seen == []


def test_fields_are_inherited_and_overridden():
    """A subclass has the fields of its bases, and may give another default."""

    class Sub(Deploy):
        retries: int = 5
        extra: str = "x"

    flow = Sub(host="eu")

    assert (flow.host, flow.retries, flow.extra) == ("eu", 5, "x")
    assert Deploy(host="eu").retries == 3


@pytest.mark.parametrize("default", [[], {}, set()])
def test_mutable_defaults_are_refused(default):
    """A default that all instances would share is an error that says what to write."""
    with pytest.raises(DefinitionError, match=r"attrs\.field\(factory=(list|dict|set)\)"):
        type("Shared", (Flow,), {"__annotations__": {"a": "object"}, "a": default})


def test_fields_are_seen_by_steps():
    """A step reads the fields of its own instance, as they are when it runs."""
    flow = Deploy(host="before")
    flow.host = "after"

    assert ran(flow)
    assert flow.migrate.result() == ("wheel for after", "dsn of after")


class OwnInit(Flow):
    """A flow that is made in another way."""

    def __init__(self, first, *rest):
        self.all = (first, *rest)

    @step
    async def tell(self):
        return self.all


def test_own_init_is_kept():
    """A class may have an `__init__` of its own, and need not call another."""
    flow = OwnInit(1, 2, 3)

    assert ran(flow)
    assert flow.tell.result() == (1, 2, 3)


def test_own_init_in_a_subclass():
    """A subclass writes its own `__init__`, and may call that of its base."""

    class Sub(OwnInit):
        def __init__(self, word):
            super().__init__(*word)

    class OfFields(Deploy):
        def __init__(self, url):
            super().__init__(host=url.removeprefix("http://"))

    flow, other = Sub("abc"), OfFields("http://eu")

    assert ran(flow)
    assert flow.tell.result() == ("a", "b", "c")
    assert ran(other)
    assert other.build.result() == "wheel for eu"


def test_flows_compare_by_identity():
    """Two flows are never equal, and can be keys."""
    a, b = Deploy(host="eu"), Deploy(host="eu")

    assert a != b
    assert len({a, b}) == 2


def test_flow_without_anything():
    """G10: a flow without steps runs, and has succeeded."""

    class Empty(Flow):
        pass

    for flow in (Empty(), Flow()):
        report = ran(flow)
        assert (bool(report), report.jobs, report.duration) == (True, (), 0.0)
        assert flow.list() is None


# What it is made of


def test_steps_are_jobs_of_the_instance():
    """On an instance a declared name is its job, on the class the declaration."""
    flow = Deploy(host="eu")

    assert isinstance(flow.build, Job)
    assert flow.build is flow.build
    assert flow.build is not Deploy(host="eu").build
    assert isinstance(flow.scheduler, Scheduler)
    assert list(flow.scheduler) == [flow.database, flow.build, flow.migrate, flow.smoke]
    assert isinstance(Deploy.build, Step)
    assert isinstance(Deploy.database, Service)
    assert [repr(Deploy.build), repr(Deploy.migrate)] == [
        *("<Step build>", "<Step migrate after=(build, database)>")
    ]


def test_graph_of_a_flow():
    """`after=` and `>>` are the requirements of the jobs."""
    assert edges(Deploy(host="eu")) == {
        "database": [],
        "build": [],
        "migrate": ["build", "database"],
        "smoke": ["build", "migrate"],
    }


def test_find():
    """Any job is found by its name."""
    flow = Deploy(host="eu")

    assert flow.scheduler.find("migrate") is flow.migrate
    with pytest.raises(LookupError, match="no job is called 'migrat' in 'Deploy'; did you mean"):
        flow.scheduler.find("migrat")


def test_body_is_the_undecorated_method():
    """`Deploy.migrate.body(...)` calls the method without a run."""
    flow = Deploy(host="eu")

    assert virtually(Deploy.build.body(flow)) == "wheel for eu"
    assert virtually(Deploy.migrate.body(flow, "w", "d")) == ("w", "d")
    assert flow.build.state is State.IDLE


def test_body_of_an_inherited_step():
    """An override may call the method that it overrides."""

    class Sub(Deploy):
        @step
        async def build(self):
            return "better " + await Deploy.build.body(self)

    flow = Sub(host="eu")

    assert ran(flow)
    assert flow.build.result() == "better wheel for eu"


class Natural(Flow):
    """A flow whose steps have names that many libraries would keep for themselves."""

    name: str = "natural"
    timeout: int = 1

    @step
    async def report(self):
        return "report"

    @step(after=report)
    async def result(self, value):
        return value

    @step
    async def jobs(self):
        return "jobs"

    @step
    async def export(self):
        return "export"

    @step
    async def check(self):
        return "check"

    @step
    async def label(self):
        return "label"

    @step
    async def state(self):
        return "state"

    @step
    async def find(self):
        return "find"

    @step
    async def critical(self):
        return "critical"


def test_natural_names():
    """G16: all names but the reserved ones are free."""
    flow = Natural()
    report = ran(flow)

    assert isinstance(report, Report)
    assert report.ok
    assert [job.result() for job in flow.scheduler] == [
        *("report", "report", "jobs", "export", "check", "label", "state", "find", "critical")
    ]
    assert (flow.name, flow.timeout) == ("natural", 1)


def test_current_job_is_that_of_the_flow():
    """Within a step `current_job()` is the job of that instance."""

    class Asking(Flow):
        @step
        async def ask(self):
            return current_job() is self.ask

    flow = Asking()

    assert ran(flow)
    assert flow.ask.result() is True


# Runs


def test_run_gives_a_report():
    """The report is true if the run succeeded, and is that of the scheduler."""
    flow = Deploy(host="eu")
    report = ran(flow)

    assert report
    assert report.duration == 1.0
    assert flow.scheduler.report is report
    assert flow.migrate.result() == ("wheel for eu", "dsn of eu")


def test_co_run_gives_a_report():
    """`co_run` does the same in a loop that is running."""
    flow = Deploy(host="eu")

    report = virtually(flow.co_run())

    assert report
    assert flow.build.result() == "wheel for eu"
    assert not virtually(flow.co_run(0.5))


def test_debrief_of_a_flow(capsys):
    """It is that of its scheduler, from the flow itself."""
    flow = Apart()
    perform(flow)
    flow.debrief()
    of_flow = capsys.readouterr().out
    flow.scheduler.debrief()
    assert of_flow == capsys.readouterr().out != ""


def test_hooks_of_one_step_that_fail_are_all_in_the_report():
    """Rules 10 and 14: one as it is, several as a group."""
    one, other = BoomError("one"), BoomError("other")

    class Base(Flow):
        @step
        async def a(self): ...

        @a.shutdown
        async def close_one(self):
            raise one

    class Sub(Base):
        @Base.a.shutdown
        async def close_other(self):
            raise other

    errors = perform(Base()).shutdown_errors
    assert errors == {"a": one}
    group = perform(Sub()).shutdown_errors["a"]
    assert isinstance(group, ExceptionGroup)
    assert set(group.exceptions) == {one, other}


def test_second_run_is_fresh():
    """R01: a flow can be run again: states, results and report are new."""

    class Counting(Flow, critical=True):
        count: int = 0

        @step
        async def work(self):
            self.count += 1
            if self.count == 1:
                raise BoomError("first")
            return self.count

        @step(after=work)
        async def after(self, value):
            return value

    flow = Counting()
    first = ran(flow)
    states = [job.state.name for job in flow.scheduler]
    second = ran(flow)

    assert ([bool(first), bool(second)], states) == ([False, True], ["FAILED", "IDLE"])
    assert (flow.after.result(), flow.work.raised_exception()) == (2, None)
    assert [record.state.name for record in first.jobs] == ["FAILED", "IDLE"]


def test_runs_in_sequence_in_one_loop():
    """R01: `co_run` twice in sequence is two complete runs."""
    flow = Deploy(host="eu")

    async def twice():
        return [await flow.co_run(), await flow.co_run()]

    reports = virtually(twice())

    assert [(report.ok, report.duration) for report in reports] == [(True, 1.0), (True, 1.0)]


def test_instances_are_independent():
    """Two flows of one class run at the same time, each with its own fields and jobs."""
    flows = [Deploy(host="eu"), Deploy(host="us")]

    async def both():
        return await asyncio.gather(*(flow.co_run() for flow in flows))

    reports = virtually(both())

    assert [(report.ok, report.duration) for report in reports] == [(True, 1.0), (True, 1.0)]
    assert [flow.build.result() for flow in flows] == ["wheel for eu", "wheel for us"]


@pytest.mark.parametrize("way", ["co_run", "co_orchestrate"])
def test_run_while_running_is_refused(way):
    """R02: a flow that runs cannot be run again; the first run is not disturbed."""
    flow = Deploy(host="eu")
    start = {"co_run": flow.co_run, "co_orchestrate": flow.scheduler.co_orchestrate}[way]

    async def twice():
        first = asyncio.ensure_future(flow.co_run())
        await asyncio.sleep(0.5)
        with pytest.raises(RuntimeError, match="cannot run 'Deploy' while it is running") as caught:
            await start()
        return type(caught.value), await first

    kind, report = virtually(twice())

    assert kind is BusyError
    assert (report.ok, report.duration) == (True, 1.0)
    assert flow.migrate.result() == ("wheel for eu", "dsn of eu")


def test_run_in_a_running_loop_says_what_to_await():
    """R04: `run` under a running loop says `await flow.co_run()`, and nothing is un-awaited."""
    flow = Deploy(host="eu")

    async def notebook():
        with pytest.raises(LoopRunningError, match=r"use `await flow\.co_run\(\)`") as caught:
            flow.run()
        assert isinstance(caught.value, RuntimeError)
        return await flow.co_run()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert virtually(notebook())
        gc.collect()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"timeout": -1}, ValueError),
        ({"timeout": math.nan}, ValueError),
        ({"timeout": True}, TypeError),
        ({"timeout": "1"}, TypeError),
        ({"window": 0}, ValueError),
        ({"window": True}, TypeError),
        ({"window": 1.5}, TypeError),
    ],
)
def test_wrong_numbers_are_refused(options, error):
    """G20 G21: a bad number is refused by the class, `run` and `co_run`, and nothing starts."""
    (name,) = options
    flow = Deploy(host="eu")

    with pytest.raises(error, match=f"{name} must be"):
        type("Wrong", (Flow,), {}, **options)
    with pytest.raises(error, match=f"{name} must be"):
        flow.run(**options)
    with pytest.raises(error, match=f"{name} must be"):
        virtually(flow.co_run(**options))

    assert flow.build.state is State.IDLE
    assert ran(flow)


def test_misspelt_class_keywords_are_refused():
    """A keyword that a flow class does not have is Python's own `TypeError`."""
    with pytest.raises(TypeError, match="keyword argument"):
        type("Wrong", (Flow,), {}, timout=1)


@pytest.mark.parametrize("critical", ["no", 0, 1])
def test_critical_of_a_class_is_a_bool(critical):
    """What is truthy by accident is refused, in the line of the class."""
    with pytest.raises(TypeError, match="critical must be True, False or None, not"):
        type("Wrong", (Flow,), {}, critical=critical)


class Bounded(Flow, critical=True, timeout=4, window=1, grace=2, shutdown_timeout=3):
    """A flow whose class has all keywords."""

    @step
    async def first(self):
        await asyncio.sleep(3)

    @step
    async def second(self):
        await asyncio.sleep(3)


def settings(flow):
    """What the class keywords have set."""
    limits = flow.scheduler.limits
    return (
        flow.scheduler.default_critical,
        *(limits.timeout, limits.window, limits.grace, limits.shutdown_timeout),
    )


def test_class_keywords_are_inherited_and_overridden():
    """The keywords of a flow class are its defaults, and those of its subclasses."""

    class Same(Bounded):
        pass

    class Changed(Same, critical=False, window=5):
        pass

    class Lifted(Changed, timeout=math.inf):
        pass

    assert settings(Flow()) == (False, None, None, 5.0, 1.0)
    assert settings(Bounded()) == settings(Same()) == (True, 4, 1, 2, 3)
    assert settings(Changed()) == (False, 4, 5, 2, 3)
    assert settings(Lifted()) == (False, math.inf, 5, 2, 3)


def test_class_keywords_of_several_bases():
    """Of several bases the first one in the order of resolution sets the defaults."""

    class Other(Flow, timeout=9):
        pass

    class Both(Bounded, Other):
        pass

    assert settings(Both()) == settings(Bounded())


@pytest.mark.parametrize(
    ("options", "duration", "ok"),
    [
        ({}, 4.0, False),
        ({"timeout": None, "window": None}, 4.0, False),
        ({"timeout": 5}, 5.0, False),
        ({"timeout": 7}, 6.0, True),
        ({"timeout": math.inf}, 6.0, True),
        ({"window": 2}, 3.0, True),
        ({"timeout": 0}, 0.0, False),
    ],
)
def test_limits_of_one_run(options, duration, ok):
    """What is given to `run` counts instead of the class's; None is not given, inf lifts."""
    flow = Bounded()
    report = ran(flow, **options)

    assert (report.duration, report.ok) == (duration, ok)
    assert settings(flow) == settings(Bounded())


def test_own_setting_of_a_step_wins():
    """`critical=` of a step comes before that of the class."""

    class Mixed(Flow, critical=True):
        @step
        async def default(self):
            pass

        @step(critical=False, timeout=3, label="a label")
        async def own(self):
            pass

    flow = Mixed()

    assert [job.is_critical() for job in flow.scheduler] == [True, False]
    assert (flow.own.timeout, flow.own.label, flow.own.name) == (3, "a label", "a label")


# Copies


class Portable(Flow, timeout=60):
    """A flow that is copied in the middle of its run."""

    words: list[str]
    how: str

    @step
    async def work(self):
        self.words.append("worked")
        return "done"

    @step(after=work)
    async def copied(self, value):
        await asyncio.sleep(0)
        return copies(self)[self.how]


def copies(flow):
    """A copy of a flow, by each way of making one."""
    return {
        "copy": copy.copy(flow),
        "deepcopy": copy.deepcopy(flow),
        **{
            f"pickle {protocol}": pickle.loads(pickle.dumps(flow, protocol))
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
        },
    }


HOW = list(copies(Portable(words=[], how="")))


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("moment", ["new", "idle", "during a run", "after a run"])
def test_fields_travel_and_the_run_does_not(how, moment):
    """R22: a copy has the fields, is idle, and can be run; the original is as it was."""
    flow = Portable(words=["given"], how=how)
    if moment == "idle":
        flow.list()
    elif moment != "new":
        assert ran(flow)
    other = flow.copied.result() if moment == "during a run" else copies(flow)[how]

    assert type(other) is Portable
    assert other is not flow
    assert (other.words, other.how) == (flow.words, how)
    assert (other.words is flow.words) is (how == "copy")
    assert [job.state.name for job in other.scheduler] == ["IDLE", "IDLE"]
    assert other.scheduler.report is None
    assert other.work is not flow.work
    report = ran(other)
    assert (report.ok, len(report.jobs)) == (True, 2)


def test_copies_are_independent():
    """R22: what a copy runs does not show in the original."""
    flow = Portable(words=[], how="copy")
    other = copy.deepcopy(flow)
    ran(other)

    assert (flow.words, flow.work.state) == ([], State.IDLE)
    assert (other.words, other.work.state) == (["worked"], State.DONE)


# Inheritance


class Base(Flow):
    """Three steps in a row."""

    @step
    async def a(self):
        return "a"

    @step(after=a)
    async def b(self, value):
        return f"{value}b"

    @step(after=b)
    async def c(self, value):
        return f"{value}c"


def test_steps_are_inherited():
    """A subclass has the steps of its base, and then its own, which may come after them."""

    class Sub(Base):
        @step(after=(Base.a, Base.c))
        async def d(self, first, last):
            return f"{first} {last}"

    flow = Sub()

    assert ran(flow)
    assert flow.d.result() == "a abc"
    assert edges(flow) == {"a": [], "b": ["a"], "c": ["b"], "d": ["a", "c"]}
    assert list(edges(Base())) == ["a", "b", "c"]


def test_edges_of_others_follow_an_override():
    """A step that is decorated again takes the place of the inherited one, for all others."""

    class Sub(Base):
        @step
        async def b(self):
            return "new "

    flow = Sub()

    assert ran(flow)
    assert flow.c.result() == "new c"
    assert edges(flow) == {"a": [], "b": [], "c": ["b"]}
    assert edges(Base())["b"] == ["a"]


def test_override_changes_what_it_comes_after():
    """G17: the `after=` of an override is the one that counts."""

    class Sub(Base):
        @step
        async def z(self):
            return "z"

        @step(after=z)
        async def a(self, value):
            return value

    flow = Sub()

    assert ran(flow)
    assert flow.c.result() == "zbc"
    assert edges(flow) == {"a": ["z"], "b": ["a"], "c": ["b"], "z": []}


def test_override_of_an_override():
    """The last override counts, and an `after=` of any of them means it."""

    class Sub(Base):
        @step(after=Base.a)
        async def b(self, value):
            return f"{value}+"

    class SubSub(Sub):
        @step(after=Sub.b)
        async def d(self, value):
            return value

        @step(after=Base.b)
        async def e(self, value):
            return value

        @step(after=Base.a)
        async def b(self, value):
            return f"{value}*"

    flow = SubSub()

    assert ran(flow)
    assert [flow.c.result(), flow.d.result(), flow.e.result()] == ["a*c", "a*", "a*"]


def test_cycle_through_an_override():
    """G01: an override that would close a circle is a definition error with the path."""
    with pytest.raises(DefinitionError, match="a -> b -> c -> a"):

        class Sub(Base):
            @step(after=Base.c)
            async def a(self, value):
                return value


def test_options_are_those_of_the_override():
    """An override has its own options, and inherits none."""

    class Sub(Base):
        @step(critical=True, timeout=1)
        async def a(self):
            return "a"

    class SubSub(Sub):
        @step
        async def a(self):
            return "a"

    assert (Sub().a.is_critical(), Sub().a.timeout) == (True, 1)
    assert (SubSub().a.is_critical(), SubSub().a.timeout) == (False, None)


class Top(Flow):
    """The top of a diamond of classes."""

    @step
    async def top(self):
        return "Top"


class Left(Top):
    """Its left side."""

    @step(after=Top.top)
    async def left(self, value):
        return f"{value} left"


class Right(Top):
    """Its right side, which overrides."""

    @step
    async def top(self):
        return "Right"

    @step(after=top)
    async def right(self, value):
        return f"{value} right"


class Bottom(Left, Right):
    """Its bottom."""

    @step(after=(Left.left, Right.right))
    async def bottom(self, left, right):
        return left, right


def test_diamond_of_classes():
    """G18: each step is there once, the method resolution order decides which one."""
    flow = Bottom()

    assert ran(flow)
    assert flow.bottom.result() == ("Right left", "Right right")
    assert edges(flow) == {
        "top": [],
        "right": ["top"],
        "left": ["top"],
        "bottom": ["left", "right"],
    }


def test_mixins():
    """G18: mixins bring their steps, those of the last base first, as attrs orders fields."""

    class Logging(Flow):
        level: str = "info"

        @step
        async def log(self):
            return self.level

    class Notifying(Flow):
        address: str = "nobody"

        @step
        async def notify(self):
            return self.address

    class Both(Notifying, Logging):
        @step(after=(Logging.log, Notifying.notify))
        async def own(self, level, address):
            return level, address

    flow = Both(level="debug", address="me")

    assert ran(flow)
    assert flow.own.result() == ("debug", "me")
    assert list(edges(flow)) == ["log", "notify", "own"]
    assert [field.name for field in attrs.fields(Both)] == ["level", "address"]


def test_mixin_that_overrides():
    """G18: a step of an earlier base takes the place of that of a later one."""

    class Faster(Flow):
        @step
        async def a(self):
            return "fast "

    class Mixed(Faster, Base):
        pass

    class Other(Base, Faster):
        pass

    mixed, other = Mixed(), Other()

    assert ran(mixed)
    assert ran(other)
    assert [mixed.c.result(), other.c.result()] == ["fast bc", "abc"]


# >> between inherited declarations


class Apart(Flow):
    """Two steps without an order."""

    @step
    async def a(self):
        return "a"

    @step
    async def b(self):
        return "b"


def test_named_chain_of_inherited_declarations():
    """Between inherited declarations a chain counts if it is named."""

    class Ordered(Apart):
        order = Apart.b >> Apart.a

    assert edges(Ordered()) == {"a": ["b"], "b": []}
    assert edges(Apart()) == {"a": [], "b": []}


def test_nameless_chain_of_inherited_declarations():
    """Without a name it counts for no class."""

    class Unordered(Apart):
        Apart.b >> Apart.a

    assert edges(Unordered()) == {"a": [], "b": []}


def test_chain_with_a_member_that_is_being_declared():
    """A chain counts without a name if one of its members is being declared."""

    class Longer(Apart):
        @step
        async def c(self):
            pass

        Apart.b >> [Apart.a, c]

    assert edges(Longer()) == {"a": ["b"], "b": [], "c": ["b"]}


def test_chains_are_inherited():
    """The order that a base has is that of its subclasses, also of what they override."""

    class Ordered(Apart):
        order = Apart.a >> Apart.b

    class Sub(Ordered):
        @step
        async def b(self):
            return "new"

        @step
        async def c(self):
            pass

        rest = Apart.b >> c

    assert edges(Sub()) == {"a": [], "b": ["a"], "c": ["b"]}


def test_name_of_a_chain_can_be_taken_by_another():
    """A subclass that names its chain as its base did adds an order, and takes none away."""

    class Ordered(Apart):
        order = Apart.a >> Apart.b

    class Sub(Ordered):
        @step
        async def c(self):
            pass

        order = Apart.a >> c

    assert edges(Sub()) == {"a": [], "b": ["a"], "c": ["a"]}


def test_chain_of_jobs_in_the_body_of_a_class():
    """It is about those jobs, and nothing to the steps of the class."""

    class Holding(Flow):
        @step
        async def a(self): ...

        @step
        async def b(self): ...

        others = Job(quick, label="c") >> Job(quick, label="d")

    assert edges(Holding()) == {"a": [], "b": []}
    assert Scheduler(Holding.others).orchestrate()


def test_chain_after_the_class_is_made():
    """A chain that is made later changes no class."""
    class_before = edges(Apart())
    chain = Apart.a >> Apart.b

    class Later(Apart):
        pass

    assert [edge.name for edge in chain] == ["a", "b"]
    assert edges(Apart()) == edges(Later()) == class_before


# Generic flows, flows in functions


class Gen(Flow, Generic[T]):
    """A flow of any type."""

    value: T

    @step
    async def item(self) -> T:
        return self.value


class OfInt(Gen[int]):
    """A flow of one type."""

    @step(after=Gen[int].item)
    async def double(self, item: int) -> int:
        return 2 * item


def test_generic_flows():
    """A generic flow is a flow, given a type or not, and so are its subclasses."""
    flow = OfInt(value=3)
    bare, given = Gen(value="x"), Gen[str](value="y")

    assert all(ran(one) for one in (flow, bare, given))
    assert flow.double.result() == 6
    assert [bare.item.result(), given.item.result()] == ["x", "y"]
    assert edges(flow) == {"item": [], "double": ["item"]}


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax is that of Python 3.12")
def test_generic_flows_in_the_new_syntax():
    """Type parameters of a class statement work as well."""
    namespace = {"Flow": Flow, "step": step}
    exec(
        "class Gen[T](Flow, critical=True):\n"
        "    value: T\n"
        "    @step\n"
        "    async def item(self) -> T:\n"
        "        return self.value\n",
        namespace,
    )
    flow = namespace["Gen"][int](value=3)

    assert ran(flow)
    assert (flow.item.result(), flow.item.is_critical()) == (3, True)


def test_flows_in_a_function():
    """A flow may be declared in a function, and use its variables."""

    def make(text):
        class Local(Flow):
            suffix: Local | str = "!"

            @step
            async def tell(self) -> Local:
                return text + self.suffix

        return Local

    first, second = make("one")(), make("two")(suffix="?")

    assert ran(first)
    assert ran(second)
    assert [first.tell.result(), second.tell.result()] == ["one!", "two?"]
    assert first.scheduler.label == "Local"


def test_annotations_are_never_evaluated():
    """With postponed annotations, names that exist for type checkers alone do no harm."""
    assert "Unknown" not in globals()
    assert Deploy.build.body.__annotations__ == {"return": "Unknown"}
    assert ran(Fields(needed="x"))


def test_flow_decorated_by_attrs():
    """Who decorates a flow with attrs, as checkers may be told, breaks nothing."""

    @attrs.define(eq=False, kw_only=True, slots=False)
    class Decorated(Base):
        field: int = 1

    flow = Decorated(field=2)

    assert ran(flow)
    assert (flow.field, flow.c.result()) == (2, "abc")


def test_flow_runs_within_a_step():
    """A flow that a step awaits is part of the run, and its report is its own."""

    class Outer(Flow):
        @step
        async def inside(self):
            return await Deploy(host="inner").co_run()

    flow = Outer()
    report = ran(flow)

    assert report
    assert flow.inside.result().duration == 1.0
    assert [record.path for record in report.jobs] == [
        "inside",
        *(f"inside/{name}" for name in ("database", "build", "migrate", "smoke")),
    ]


def test_threads_that_use_a_flow_for_the_first_time_find_the_same_jobs():
    """Section 2: a flow has one set of jobs, whoever asks first."""
    together = threading.Barrier(8)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(20):
            flow, found = Deploy(host="a"), []

            def look(flow=flow, found=found):
                together.wait()
                found.append((flow.scheduler, flow.build, flow.scheduler.find("build")))

            threads = [threading.Thread(target=look) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert found == [(flow.scheduler, flow.build, flow.build)] * 8
    finally:
        sys.setswitchinterval(interval)
