"""Fields, class keywords, overrides and runs that a checker must refuse."""

# What follows from a refusal is not counted as another one.
# mypy: disable-error-code="empty-body, no-any-return, untyped-decorator"
# pyright: reportUnusedClass=false, reportUnusedVariable=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUntypedClassDecorator=false, reportUntypedFunctionDecorator=false

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Generic, TypeVar

import attrs

from flowdeco import AbstractJob, Flow, Observer, PrintJob, Report, service, step, subflow

T = TypeVar("T")


class Deploy(Flow):
    host: str
    retries: int = 3
    tags: list[str] = attrs.field(factory=list)
    zone: str = attrs.field(default="", alias="region")
    made: int = attrs.field(default=0, init=False)
    _token: str = ""

    @step
    async def build(self) -> Path:
        return Path()

    @service
    async def database(self) -> AsyncIterator[str]:
        yield "dsn"

    @step(after=(build, database))
    async def migrate(self, wheel: Path, dsn: str) -> int:
        return 1

    @subflow
    def inner(self) -> Flow:
        return Flow()


# Fields


def arguments() -> None:
    Deploy()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Deploy("eu-1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Deploy(host="eu-1", retires=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Deploy(host=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Deploy(host="eu-1", retries="1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Deploy(host="eu-1", tags=("a",))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Deploy(host="eu-1", zone="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Deploy(host="eu-1", made=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Deploy(host="eu-1", token="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Deploy(host="eu-1", build=Path())  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def attributes(flow: Deploy) -> None:
    flow.retries = "1"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    flow.hots  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    number: int = flow.host  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


def fields() -> None:
    class Wrong(Flow):
        default: int = "x"  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
        factory: int = attrs.field(factory=list)  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
        given: int = attrs.field(defualt=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
        # No checker can see this one: it is a DefinitionError.
        shared: list[int] = []


def a_name_used_twice() -> None:
    class Wrong(Flow):
        build: int  # pyright: ignore[reportRedeclaration]

        @step  # type: ignore[no-redef]
        async def build(self) -> int: ...

        @step
        async def check(self) -> int: ...  # pyright: ignore[reportRedeclaration]

        @step  # type: ignore[no-redef]
        async def check(self) -> int: ...

        @step
        async def close(self) -> int: ...  # pyright: ignore[reportRedeclaration]

        @close.shutdown  # type: ignore[no-redef]
        async def close(self) -> None: ...


# Class keywords


def class_keywords() -> None:
    class Misspelt(Flow, critcal=True): ...  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue, reportGeneralTypeIssues]

    class WrongFlag(Flow, critical="yes"): ...  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportGeneralTypeIssues]

    class WrongNumber(Flow, timeout="60"): ...  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportGeneralTypeIssues]

    class NoNumber(Flow, grace=None): ...  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportGeneralTypeIssues]

    class HalfAPlace(Flow, window=1.5): ...  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportGeneralTypeIssues]


# Overrides


def wrong_overrides() -> None:
    class AnotherResult(Deploy):
        @step
        async def build(self) -> str: ...  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]

    class WiderResult(Deploy):
        @step
        async def build(self) -> Path | None: ...  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]

    # The next three basedpyright alone: mypy compares what they are on a flow, the jobs.
    class AnotherParameter(Deploy):
        @step(after=(Deploy.migrate, Deploy.database))
        async def migrate(self, number: int, dsn: str) -> int: ...  # pyright: ignore[reportIncompatibleVariableOverride]

    class FewerParameters(Deploy):
        @step(after=Deploy.build)
        async def migrate(self, wheel: Path) -> int: ...  # pyright: ignore[reportIncompatibleVariableOverride]

    class AnotherKind(Deploy):
        @service
        async def build(self) -> AsyncIterator[Path]:  # pyright: ignore[reportIncompatibleVariableOverride]
            yield Path()

    class PlainMethod(Deploy):
        async def build(self) -> Path: ...  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]

    class Field(Deploy):
        build: Path  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleVariableOverride]

    class ReservedName(Flow):
        @step
        async def run(self) -> None: ...  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]

        @step
        async def list(self) -> None: ...  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]

        scheduler: int  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleMethodOverride]


def inherited_values() -> None:
    class Wrong(Deploy):
        @step(after=Deploy.build)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def wrong_type(self, wheel: str) -> None: ...

        @step(after=Deploy.biuld)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        async def misspelt(self) -> None: ...


# Generic flows


def generic_flows() -> None:
    class Source(Flow, Generic[T]):
        start: T

        @step
        async def item(self) -> T:
            return self.start

        # mypy alone: to basedpyright T may still be anything there.
        @step(after=item)  # type: ignore[arg-type]
        async def list_of_it(self, items: list[T]) -> None: ...

    class Wrong(Source[int]):
        @step(after=Source[int].item)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
        async def wrong_type(self, item: str) -> None: ...

        # mypy alone: basedpyright says that the argument is unknown, which is turned off above.
        @step(after=Source.item)  # type: ignore[arg-type]
        async def of_what(self, item: int) -> None: ...

    Source[int](start="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    text: str = Source(start=1).item.result()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


# Runs


def runs(flow: Deploy) -> None:
    flow.run("60")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    flow.run(60, 3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    flow.run(timout=60)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    flow.run(window="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    flow.run(window=1.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    flow.run(observers=Observer())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    flow.run(observers=[print])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    flow.run(observers=[Observer])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    flow.run(loop_factory=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    flow.run().okay  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    ok: bool = flow.run()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    Deploy.run()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    for _ in flow:  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]
        return
    if flow.run:  # type: ignore[truthy-function]  # pyright: ignore[reportUnnecessaryComparison]
        return


async def awaited_runs(flow: Deploy) -> None:
    flow.co_run()  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    await flow.co_run(timout=60)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await flow.co_run(loop_factory=None)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await flow.run()  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
    ok: Report = flow.co_run()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


def observers() -> None:
    class Wrong(Observer):
        def job_started(self, job: PrintJob) -> None: ...  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]

        def job_ended(self, job: AbstractJob[object], more: int) -> None: ...  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]

        async def run_ended(self, report: Report) -> None: ...  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]


def reports(report: Report) -> None:
    report.failures[0].excepion  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    report.duration = 3  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    number: int = report.reason  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
