"""How errors call jobs and schedulers, with a label and without."""

from __future__ import annotations

import pytest
from jobs import Nap, nap, naps, orchestrate, sleeping

from flowdeco import AbstractJob, Flow, Job, PrintJob, Scheduler, step
from flowdeco.errors import (
    BusyError,
    CycleError,
    NestingError,
    NotFinishedError,
    OwnershipError,
    RequirementError,
)
from flowdeco.surgery import keep_only, predecessors


def message(error, call):
    with pytest.raises(error) as caught:
        call()
    text = str(caught.value)
    assert "NOLABEL" not in text
    return text


def test_schedulers_without_labels():
    """A scheduler without a label is called by its first jobs, or is said to be empty."""
    inner = Scheduler()
    outer = Scheduler(inner, nap("x"))

    owned = message(OwnershipError, lambda: Scheduler(inner))
    assert owned.startswith("an empty Scheduler without a label cannot be added to an empty Sch")
    assert "it is in the Scheduler of a Scheduler, 'x';" in owned
    many = Scheduler(*naps("abcde"))
    assert "it is in the Scheduler of 'a', 'b', 'c' and 2 more;" in message(
        OwnershipError, lambda: outer.add(next(iter(many)))
    )
    assert "the Scheduler of 'a', 'b', 'c' and 2 more cannot be" in (
        message(NestingError, lambda: many.add(many))
    )
    assert "cannot be added to an empty Scheduler without a label, which is inside of it" in (
        message(NestingError, lambda: inner.add(outer))
    )


def test_labels_and_classes_are_names():
    """A label is the name, and so is the class of a scheduler that has one of its own."""

    class Deploy(Scheduler):
        """With nothing in it."""

    job = nap("a")
    main = Scheduler(job, label="main")

    assert message(OwnershipError, lambda: Deploy(job)) == (
        "'a' cannot be added to 'Deploy': it is in 'main'; remove it there first, or make another"
        " job"
    )
    assert len(main) == 1


def test_jobs_without_labels():
    """A job of a class of one's own is called by its class, and by its place where it has one."""
    job, other = Nap(1), Nap(2)
    schedulers = Scheduler(nap("first"), job, label="main"), Scheduler(other)

    assert message(NotFinishedError, job.result).startswith("the Nap that is job 2 of 'main' has")
    assert message(NotFinishedError, other.result).startswith("the Nap that is job 1 has no")
    assert message(NotFinishedError, Nap(3).result).startswith("a Nap without a label has no")
    assert "the Nap that is job 2 of 'main'" in message(ValueError, lambda: job.requires(job))
    assert len(schedulers) == 2


def test_lambdas():
    """A job made of a lambda is called by the line where that is written."""
    job = Job(lambda: sleeping(1))

    assert "'<lambda>' (test_called.py:" in message(NotFinishedError, job.result)
    assert "test_called" not in message(NotFinishedError, nap("labelled").result)


def test_empty_labels():
    """An empty label is a label."""
    assert message(NotFinishedError, Job(sleeping_once(), label="").result).startswith("'' has")


def sleeping_once():
    return sleeping(0)


def test_cycles_without_labels():
    """A cycle names its jobs by class and place, and its scheduler by its jobs."""
    a, b, c = Nap(1), nap("b"), Nap(1)
    scheduler = Scheduler(a >> b >> c)
    a.requires(c)

    assert (
        "in the Scheduler of a Nap, 'b', a Nap: the Nap that is job 1 -> b -> the Nap that is job 3"
        " -> the Nap that is job 1;"
    ) in message(CycleError, scheduler.topological_order)


def test_requirements_without_labels():
    """A requirement out of reach is told with what can be known of job, requirement and places."""
    stranger = Nap(1)
    job = nap("job", required=stranger)
    scheduler = Scheduler(job)

    assert "'job' in the Scheduler of 'job' requires a Nap without a label, which is in no" in (
        message(RequirementError, scheduler.orchestrate)
    )
    elsewhere = Scheduler(stranger, nap("other"))
    assert (
        "requires the Nap that is job 1, which is in the Scheduler of a Nap, 'other'; require"
    ) in message(RequirementError, scheduler.orchestrate)
    assert len(elsewhere) == 2


def test_busy_without_labels():
    """What cannot be done during a run says during which."""
    texts = []

    class Meddling(AbstractJob):
        async def co_run(self):
            texts.append(message(BusyError, lambda: scheduler.add(nap("new"))))
            texts.append(message(BusyError, lambda: self.requires(other)))

    other = nap("other")
    scheduler = Scheduler(Meddling(), other)

    assert orchestrate(scheduler) is True
    changed = "cannot change the requirements of the Meddling that is job 1 while"
    assert texts == [
        "cannot add a job to the Scheduler of a Meddling, 'other' while it is running",
        f"{changed} the Scheduler of a Meddling, 'other' is running",
    ]


@pytest.mark.parametrize(
    "call",
    [
        lambda scheduler, job: scheduler.remove(job),
        lambda scheduler, job: keep_only(scheduler, [job]),
        lambda scheduler, job: predecessors(scheduler, job),
        lambda scheduler, _: scheduler.find("x"),
    ],
)
def test_lookups_without_labels(call):
    """Who looks for what is not there learns where it is not."""
    text = message(LookupError, lambda: call(Scheduler(Nap(1), nap("b")), Nap(2)))

    assert "in the Scheduler of a Nap, 'b'" in text


def test_requirements_are_not_assigned():
    """To assign the requirements is an error that says what to write."""
    job = nap("a")

    with pytest.raises(AttributeError, match=r"'a' cannot be assigned; write job\.requires\("):
        job.required = {nap("b")}


class Labelled(AbstractJob[None]):
    """A class that makes the label of its jobs."""

    def __init__(self, label_of, **options):
        super().__init__(**options)
        self.label_of = label_of

    async def co_run(self):
        """Do nothing."""

    def default_label(self):
        return self.label_of()


def test_default_label():
    """What `default_label` returns is the name of a job without a label, everywhere."""
    job, given = Labelled(lambda: "ping eu"), Labelled(lambda: "ping us", label="us")
    scheduler = Scheduler(job >> given)

    assert [job.name, given.name] == ["ping eu", "us"]
    assert scheduler.find("ping eu") is job
    assert scheduler.find("ping us") is given
    assert "`ping eu`" in repr(job)
    assert "ping eu" in scheduler.to_dot()
    assert orchestrate(scheduler) is True
    assert [record.path for record in scheduler.report.jobs] == ["ping eu", "us"]
    assert job.label is None


@pytest.mark.parametrize(
    ("label_of", "name"),
    [
        (lambda: None, "NOLABEL"),
        (lambda: "", ""),
        (lambda: 3, "3"),
        (lambda: b"x", "b'x'"),
        (lambda: "two\nlines \x1b[0m", r"two\nlines \x1b[0m"),
        (lambda: "x" * 1000, "x" * 199 + "…"),
        (lambda: 1 / 0, "<default_label() raised ZeroDivisionError>"),
        (lambda: exit(3), "<default_label() raised SystemExit>"),
        (lambda: deep(), "<default_label() raised RecursionError>"),
    ],
)
def test_hostile_default_labels(label_of, name):
    """Whatever `default_label` does, the job has a name in one line, and the run goes on."""
    job = Labelled(label_of)

    assert job.name == name
    assert orchestrate(Scheduler(job)) is True
    assert str(job.raised_exception()) == "None"


def deep():
    return deep()


def test_default_labels_of_the_library():
    """Jobs go by their function, printing jobs by their messages, own schedulers by their class."""

    class Deploy(Scheduler):
        """With nothing in it."""

    class Base(Flow):
        @step
        async def build(self) -> None: ...

    assert Job(sleeping_once).default_label() == "sleeping_once"
    assert PrintJob("a", 2).default_label() == "a 2"
    assert Deploy().default_label() == "Deploy"
    assert Base().build.default_label() == "build"
    assert [Scheduler().name, Nap(1).name, PrintJob().name] == ["NOLABEL"] * 3
