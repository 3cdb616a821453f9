"""Names that classes of one's own must leave alone, and those that they may use."""

from __future__ import annotations

import dataclasses
import functools
import re
from pathlib import Path

import attrs
import pytest
from jobs import orchestrate, sleeping

from flowdeco import AbstractJob, Job, PrintJob, Scheduler

PAGE = Path(__file__).parents[3] / "docs" / "asynciojobs.md"


@pytest.mark.parametrize("cls", [AbstractJob, Job, PrintJob, Scheduler])
def test_page_of_names(cls):
    """The names that jobs have from the library are in the docs, each once."""
    pattern = r"<!-- names: (\w+) -->\n\n```text\n(.*?)\n```"
    listed = dict(re.findall(pattern, PAGE.read_text(encoding="utf-8"), flags=re.DOTALL))
    job = cls(*([lambda: sleeping(0)] if cls is Job else []))
    names = {name for name in dir(job) if not name.startswith("_")}
    if cls is not AbstractJob:
        names -= {name for name in dir(AbstractJob()) if not name.startswith("_")}

    assert listed[cls.__name__].split() == sorted(names)


def own(base=AbstractJob, *arguments, **attributes):
    """A job of a class of one's own, which sets attributes when it is made."""

    class Own(base):
        def __init__(self):
            super().__init__(*arguments)
            for name, value in attributes.items():
                setattr(self, name, value)

        async def co_run(self):
            return 1

    return Own()


BASES = [(AbstractJob, ()), (Job, (lambda: sleeping(0),)), (PrintJob, ("text",))]


@pytest.mark.parametrize(("base", "arguments"), BASES)
@pytest.mark.parametrize(
    "name",
    [
        "scheduler",
        "_scheduler",
        "_flow",
        "_owner",
        "_jobs",
        "_run",
        "_given",
        "_plan",
        "_report",
        "_me",
        "window",
        "grace",
        "report",
        "limits",
        "jobs",
        "watch",
        "verbose",
        "host",
    ],
)
def test_names_that_are_free(base, arguments, name):
    """What a class calls its own things is mostly free, underscored names as well."""
    job = own(base, *arguments, **{name: "x"})

    assert orchestrate(Scheduler(job)) is True
    assert (job.is_done(), job.raised_exception(), getattr(job, name)) == (True, None, "x")


@pytest.mark.parametrize("name", ["_scheduler", "_flow", "_owner", "_jobs", "_run", "_report"])
def test_names_that_are_free_on_schedulers(name):
    """A scheduler class of one's own has the same names to itself."""

    class Own(Scheduler):
        def __init__(self):
            super().__init__(PrintJob())
            setattr(self, name, "x")

    scheduler = Own()

    assert orchestrate(scheduler) is True
    assert getattr(scheduler, name) == "x"


@pytest.mark.parametrize(
    "name",
    [
        "__flow_outcome__",
        "__flow_body__",
        "__flow_required__",
        "__flow_hooks__",
        "__flow_renew__",
        "__flow_check_ready__",
        "__flow_own_timeout__",
        "__flow_follow__",
        "__flow_called__",
        "details",
        "co_shutdown",
        "is_critical",
        "raised_exception",
        "result",
        "default_label",
    ],
)
@pytest.mark.parametrize(("base", "arguments"), BASES)
def test_attributes_that_are_taken(base, arguments, name):
    """An attribute that hides what a run needs is refused when the job is added."""
    job = own(base, *arguments, **{name: "x"})

    with pytest.raises(TypeError, match=rf"Own sets `{name}` to x \(str\), which .*rename it"):
        Scheduler(job)


def test_attributes_set_after_it_was_added():
    """What is set later is refused before anything starts."""
    job = own()
    scheduler = Scheduler(job)
    job.details = ["a list"]

    with pytest.raises(TypeError, match=r"Own sets `details` to \['a list'\] \(list\)"):
        orchestrate(scheduler)
    assert job.is_idle()


@pytest.mark.parametrize(("name", "value"), [("shutdown", "soft"), ("body", [3])])
def test_arguments_of_jobs_that_are_taken(name, value):
    """A job cannot have for its own what it takes as an argument, if it is of another kind."""
    job = own(Job, lambda: sleeping(0), **{name: value})

    with pytest.raises(TypeError, match=rf"Own sets `{name}` to .*; rename it"):
        Scheduler(job)
    assert orchestrate(Scheduler(own(AbstractJob, **{name: value}))) is True


@pytest.mark.parametrize(
    ("name", "value"),
    [("critical", "yes"), ("critical", 1), ("forever", 1), ("forever", "no")],
)
def test_arguments_that_are_wrong(name, value):
    """An argument that was set to what is no value for it is refused when the job is added."""
    with pytest.raises(TypeError, match=rf"{name}.* must be"):
        Scheduler(own(AbstractJob, **{name: value}))


@pytest.mark.parametrize("timeout", [0.125, 0, -1, "3 s", (1, 2)])
def test_timeout_of_a_class(timeout):
    """What a class calls its timeout is not that of the job, which is given to the base."""

    class Ping(AbstractJob):
        def __init__(self, **options):
            super().__init__(**options)
            self.timeout = timeout

        async def co_run(self):
            await sleeping(0.25)
            return self.timeout

    ping, bounded = Ping(), Ping(timeout=0.2)

    assert orchestrate(Scheduler(ping, bounded)) is True
    assert ping.result() == timeout
    assert isinstance(bounded.raised_exception(), TimeoutError)
    assert bounded.duration == 0.2


def test_timeout_set_later():
    """The timeout of what is no class of one's own can be set until the run begins."""
    job = Job(lambda: sleeping(0.25))
    printing = PrintJob(sleep=0.25)
    scheduler = Scheduler(job, printing)
    job.timeout = printing.timeout = 0.125

    assert orchestrate(scheduler) is True
    assert (job.duration, printing.duration) == (0.125, 0.125)
    job.timeout = "soon"
    with pytest.raises(TypeError, match="the timeout of '<lambda>'"):
        orchestrate(scheduler)


@pytest.mark.parametrize("name", ["name", "state", "required", "duration", "started_at"])
def test_properties_cannot_be_set(name):
    """What jobs tell of themselves cannot be set, from the start."""
    with pytest.raises(AttributeError, match=name if name != "required" else "requires"):
        own(AbstractJob, **{name: "x"})


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("critical", True, r"super\(\).__init__\(critical=...\)"),
        ("label", "x", r"super\(\).__init__\(label=...\)"),
        ("timeout", 3, r"super\(\).__init__\(timeout=...\)"),
        ("name", "x", r"super\(\).__init__\(label=...\)"),
        ("state", "x", "rename it, or write a property"),
        ("details", "x", "give it something to call"),
        ("__flow_output__", lambda self: (), "rename it"),
        ("__flow_hooks__", (), "rename it"),
    ],
)
def test_class_attributes_that_are_taken(name, value, advice):
    """A class attribute without effect, or with a wrong one, is refused with what to write."""
    cls = type("Own", (AbstractJob,), {name: value})

    with pytest.raises(TypeError, match=f"Own sets `{name}` to .*{advice}"):
        Scheduler(cls())


def test_what_may_be_overridden():
    """Methods may be overridden by methods of any kind, properties by properties."""

    class Own(AbstractJob):
        @property
        def name(self):
            return "own"

        @staticmethod
        def details():
            return "more"

        def default_label(self):
            return "label"

        co_run = functools.partialmethod(sleeping, 1)

    class Other(AbstractJob):
        def __init__(self):
            super().__init__()
            self.co_run = functools.partial(sleeping, 0.25)

    own_job, other = Own(), Other()

    assert Scheduler(own_job, other).find("own") is own_job


def test_attrs_classes():
    """A class that attrs makes adds its fields to those of jobs, and may change their defaults."""

    @attrs.define(eq=False, kw_only=True)
    class Own(AbstractJob[str]):
        host: str
        timeout: float | None = 30

        async def co_run(self):
            return self.host

    job = Own(host="eu", label="own")

    assert orchestrate(Scheduler(job)) is True
    assert (job.result(), job.timeout) == ("eu", 30)


def by_dataclass(cls):
    return dataclasses.dataclass(cls)


def by_dataclass_with_hash(cls):
    return dataclasses.dataclass(unsafe_hash=True)(cls)


def by_attrs(cls):
    return attrs.define(kw_only=True, slots=False)(cls)


@pytest.mark.parametrize("decorate", [by_dataclass, by_dataclass_with_hash, by_attrs])
def test_jobs_that_compare_by_value(decorate):
    """A class that makes two jobs equal is refused before one of them is taken for the other."""

    @decorate
    class Ping(AbstractJob[str]):
        host: str

        def __post_init__(self):
            super().__init__(label=self.host)

        async def co_run(self):
            return self.host

    with pytest.raises(TypeError, match=r"compares them by value; write eq=False in the decorator"):
        Scheduler(Ping(host="eu"), Ping(host="eu"))


def test_a_dataclass_that_compares_by_identity():
    """What the error says works."""

    @dataclasses.dataclass(eq=False)
    class Ping(AbstractJob[str]):
        host: str

        def __post_init__(self):
            super().__init__(label=self.host)

        async def co_run(self):
            return self.host

    pings = Ping("eu"), Ping("eu")

    assert orchestrate(Scheduler(*pings)) is True
    assert [ping.result() for ping in pings] == ["eu", "eu"]


def test_abstract_classes():
    """Classes in between and mixins may have what they like beside the names of jobs."""

    class Mixin:
        scheduler = None
        _scheduler = "x"

    class Between(Mixin, AbstractJob):
        kind = "between"

    class Own(Between):
        async def co_run(self):
            return self.kind + self._scheduler

    job = Own()

    assert orchestrate(Scheduler(job)) is True
    assert job.result() == "betweenx"
