"""Rule 18: the contexts of jobs, the names of their tasks and threads, and observers in there."""

from __future__ import annotations

import asyncio
import contextvars
import threading

import pytest
from actors import fails, quick, swallows_times, waits

from flowdeco import Flow, Job, Observer, Scheduler, current_job, each, service, step, subflow
from flowdeco.testing import VirtualClockLoop

span = contextvars.ContextVar("span", default="none")


def eager_or_not(factory):
    """A virtual loop, with a task factory or without one."""

    def make():
        loop = VirtualClockLoop()
        if factory:
            loop.set_task_factory(lambda loop, coro, **options: asyncio.Task(coro, loop=loop))
        return loop

    return make


@pytest.fixture(params=[False, True], ids=["", "factory"])
def make_loop(request):
    return eager_or_not(request.param)


def task_name():
    return asyncio.current_task().get_name()


class Inner(Flow):
    names: dict[str, str]

    @step
    async def deep(self) -> None:
        self.names["deep"] = task_name()


class Outer(Flow):
    names: dict[str, str]

    @service
    async def server(self):
        self.names["server"] = task_name()
        yield

    @step
    async def items(self) -> list[int]:
        self.names["items"] = task_name()
        return [1, 2]

    @each(items)
    async def item(self, number: int) -> None:
        self.names[f"item {number}"] = task_name()

    @step
    def threaded(self) -> None:
        self.names["threaded"] = threading.current_thread().name

    @subflow
    def inner(self) -> Inner:
        return Inner(names=self.names)


def test_tasks_and_threads_have_the_paths_of_jobs_as_names(make_loop):
    """Those of items and nested jobs as well; a thread for the time that it works for the job."""
    flow = Outer(names={})

    assert flow.run(loop_factory=make_loop)

    assert flow.names == {
        "server": "server",
        "items": "items",
        "item 1": "item/item[0]",
        "item 2": "item/item[1]",
        "threaded": "threaded",
        "deep": "inner/Inner/deep",
    }


@pytest.mark.parametrize("label", ["two\nlines", "x" * 500, 3])
def test_a_label_that_is_no_plain_text_is_made_one_for_the_name(label, make_loop):
    """Rule 17: names are in one printable line."""
    names = []

    async def body():
        names.append(task_name())

    scheduler = Scheduler(job := Job(body, label=label), Job(quick, label="b"))

    assert scheduler.orchestrate(loop_factory=make_loop)
    assert names == [job.name]


class Spans(Observer):
    """Opens a span when a job starts, and notes in which one it ends."""

    def __init__(self):
        self.ended = {}

    def job_started(self, job):
        span.set(f"span of {job.name}")

    def job_ended(self, job):
        self.ended[job.name] = span.get(), current_job() is job


def test_observers_are_called_in_the_context_of_the_job(make_loop):
    """The span that an observer opens at the start is that of the body, and of the end."""
    seen = {}

    async def body(name):
        seen[name] = span.get()

    spans = Spans()
    good = Job(lambda: body("good"), label="good")
    bad = Job(fails(1), label="bad")
    late = Job(waits, label="late", timeout=1)
    stuck = Job(swallows_times(20), label="stuck", timeout=1)

    scheduler = Scheduler(good, bad, late, stuck, grace=1)
    scheduler.orchestrate(observers=[spans], loop_factory=make_loop)

    assert seen == {"good": "span of good"}
    names = ("good", "bad", "late", "stuck")
    assert spans.ended == {name: (f"span of {name}", True) for name in names}


def test_a_skipped_job_ends_in_a_context_like_its_own(make_loop):
    """It has never started, and is the current job there."""

    class Skips(Flow):
        @step
        async def source(self) -> int:
            raise ValueError

        @step(after=source)
        async def taker(self, value: int) -> None:
            pass

    spans = Spans()
    Skips().run(observers=[spans], loop_factory=make_loop)

    assert spans.ended["taker"] == ("none", True)


def test_nested_jobs_run_in_copies_of_the_context_of_their_job(make_loop):
    """What a body has set before it begins a run is seen there, and nowhere else."""
    seen = {}

    async def look(name):
        seen[name] = span.get()
        span.set(f"set by {name}")

    async def around():
        span.set("around")
        await Scheduler(Job(lambda: look("one")) >> Job(lambda: look("two"))).co_orchestrate()
        seen["after"] = span.get()

    nested = Job(around, label="nested")
    beside = Job(lambda: look("beside"), label="beside", required=nested)
    assert Scheduler(nested, beside).orchestrate(loop_factory=make_loop)

    assert seen == {"one": "around", "two": "around", "after": "around", "beside": "none"}
