"""Jobs and schedulers that a checker must refuse."""

# What follows from a refusal is not counted as another one.
# mypy: disable-error-code="empty-body, no-any-return, untyped-decorator"
# pyright: reportUnusedClass=false, reportUnusedVariable=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUntypedClassDecorator=false, reportUntypedFunctionDecorator=false

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Future

from flowdeco import AbstractJob, Flow, Job, PrintJob, Scheduler, step


async def number() -> int:
    return 1


async def greet(name: str) -> str:
    return name


def plain() -> int:
    return 1


async def up() -> AsyncIterator[str]:
    yield "dsn"


def bodies() -> None:
    Job()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Job(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Job("number")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Job(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Job(plain)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Job(plain())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Job(lambda: 3)  # type: ignore[arg-type, return-value]  # pyright: ignore[reportArgumentType]
    Job(greet)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Job(lambda name: greet(name))  # type: ignore[arg-type, misc]  # pyright: ignore[reportArgumentType]
    Job(asyncio.sleep)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Job(number, 3)  # type: ignore[arg-type, call-arg]  # pyright: ignore[reportCallIssue]
    Job(Job(number))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Job(Flow())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Job(iter([number]))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Job(Future[int]())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Job([number])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def options() -> None:
    Job(corun=number())  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Job(number, labl="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Job(number, label=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Job(number, critical="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Job(number, forever=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Job(number, timeout="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Job(number, required="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Job(number, required=number)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Job(number, required=[3])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    Job(number, shutdown=plain)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Job(number, shutdown=number())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Job(number, shutdown=greet)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Job(number, window=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    PrintJob("x", sleep="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    PrintJob("x", bannr="-")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def results(job: Job[int], printed: PrintJob, inner: Scheduler) -> None:
    text: str = job.result()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    text = printed.result()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    job.result().upper()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    job()  # type: ignore[operator]  # pyright: ignore[reportCallIssue]
    job.reslt()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    print(1 if job.is_done else 0)  # type: ignore[redundant-expr, truthy-function]  # pyright: ignore[reportUnnecessaryComparison]
    print(job.result() == "one")  # type: ignore[comparison-overlap]  # pyright: ignore[reportUnnecessaryComparison]
    job.label = 3  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    other: Job[str] = job  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    raised: Exception | None = job.raised_exception()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    flag: str = inner.result()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


def requirements(job: Job[int]) -> None:
    job.requires("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    job.requires(["x"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    job.requires(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    job.requires(number)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    job.requires(number())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    job.requires([[3]])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    job.requires(job, remov=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    job.requires(job, remove="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    job.required.add(job)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    job.required = {job}  # type: ignore[assignment, misc]  # pyright: ignore[reportAttributeAccessIssue]


def subclasses() -> None:
    class NotAsync(AbstractJob[int]):
        def co_run(self) -> int: ...  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]

    class AnotherResult(AbstractJob[int]):
        async def co_run(self) -> str: ...  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]

    class NeedsAnArgument(AbstractJob[int]):
        async def co_run(self, times: int) -> int: ...  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]

    class ShutdownNotAsync(AbstractJob[int]):
        def co_shutdown(self) -> None: ...  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]

    class DetailsOfBytes(AbstractJob[int]):
        def details(self) -> bytes: ...  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]

    class LabelOfBytes(AbstractJob[int]):
        def default_label(self) -> bytes: ...  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]

    class Fine(AbstractJob[int]): ...

    Fine("label")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Fine(labl="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Fine(timeout="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def schedulers(job: Job[int], scheduler: Scheduler) -> None:
    Scheduler(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Scheduler(number)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Scheduler([job])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Scheduler(job, timeout="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Scheduler(job, window="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Scheduler(job, grace=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Scheduler(job, jobs_critcal=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Scheduler("label")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    scheduler.add(number)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
    scheduler.add("x")  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
    scheduler.update(job)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    scheduler.update(["x"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    scheduler.remove("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    scheduler.find(job)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    scheduler.orchestrate(timeout="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    scheduler.orchestrate(timout=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    scheduler.orchestrate(observers=print)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    scheduler.report.ok  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
    later: bool = scheduler.co_orchestrate()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


class Base(Flow):
    @step
    async def build(self) -> int:
        return 1


def the_jobs_of_a_flow(flow: Base) -> None:
    text: str = flow.build.result()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    flow.build.result().upper()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    flow.biuld  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    flow.build.requires("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    # basedpyright alone: mypy takes what is read for what can be assigned.
    flow.build = Job(number)  # pyright: ignore[reportAttributeAccessIssue]
    flow.scheduler.add(Base.build)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
    Base.build.result()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Scheduler(flow)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
