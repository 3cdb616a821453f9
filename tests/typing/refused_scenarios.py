"""What checkers refuse of overrides, parts, retries and the newer fan-outs."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator

from flowdeco import Flow, Job, Override, Retry, Scheduler, each, service, step, subflow
from flowdeco.testing import Recorder


class Part(Flow):
    @step
    async def work(self) -> int:
        return 1


class Deploy(Flow):
    @service
    async def database(self) -> AsyncIterator[str]:
        yield "db"

    @step
    async def build(self) -> bytes:
        return b""

    @step(after=(build, database))
    async def migrate(self, wheel: bytes, dsn: str) -> int:
        return len(wheel) + len(dsn)

    @step
    def hosts(self) -> list[str]:
        return []

    @each(hosts)
    async def ping(self, host: str) -> float:
        return float(len(host))

    @each(hosts, return_exceptions=True)
    async def try_ping(self, host: str) -> float:
        return float(len(host))

    @step
    async def lines(self) -> AsyncIterable[str]:
        raise NotImplementedError

    @subflow
    def part(self) -> Part:
        return Part()


async def takes_nothing(self: Deploy) -> int:
    return 0


async def takes_another(self: Deploy, wheel: bytes, dsn: bytes) -> int:
    return 0


async def takes_more(self: Deploy, wheel: bytes, dsn: str, more: str) -> int:
    return 0


async def gives_another(self: Deploy) -> str:
    return ""


async def gives_less(self: Deploy) -> object:
    return ""


def plain_build(self: Deploy) -> bytes:
    return b""


async def async_hosts(self: Deploy) -> list[str]:
    return []


async def no_generator(self: Deploy) -> str:
    return ""


async def yields_bytes(self: Deploy) -> AsyncIterator[bytes]:
    yield b""


async def takes_int(self: Deploy, host: int) -> float:
    return 0.0


async def gives_list(self: Deploy, host: str) -> list[float]:
    return []


def no_flow(self: Deploy) -> int:
    return 0


async def async_part(self: Deploy) -> Part:
    return Part()


def overrides() -> None:
    Deploy.build.returns("text")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Deploy.build.returns()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Deploy.build.returns(b"", b"")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Deploy.database.returns(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Deploy.ping.returns(1.0)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Deploy.ping.returns(["a"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    Deploy.ping.returns([ValueError()])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    Deploy.try_ping.returns(["a"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    Deploy.part.returns(Deploy())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Deploy.part.returns([Part()])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Deploy.build.raises(ValueError)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Deploy.build.raises("text")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Deploy.migrate.replaced_by(takes_nothing)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Deploy.migrate.replaced_by(takes_another)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Deploy.migrate.replaced_by(takes_more)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Deploy.build.replaced_by(gives_another)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Deploy.build.replaced_by(gives_less)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Deploy.build.replaced_by(plain_build)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Deploy.build.replaced_by(b"")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Deploy.hosts.replaced_by(async_hosts)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Deploy.database.replaced_by(no_generator)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Deploy.database.replaced_by(yields_bytes)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Deploy.ping.replaced_by(takes_int)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Deploy.ping.replaced_by(gives_list)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Deploy.part.replaced_by(no_flow)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Deploy.part.replaced_by(async_part)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Override(3, returns=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Override("build", raises=ValueError)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Override("build", replaced_by=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Override("build", result=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def runs(flow: Deploy, scheduler: Scheduler, job: Job[int]) -> None:
    flow.run(overrides=[3])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    flow.run(overrides=Deploy.build)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    flow.run(until=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    flow.run(start=[3])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    flow.run(untill="build")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    scheduler.orchestrate(until=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    job.cancel("why")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Retry()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Retry(on=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Retry(on=OSError, attempt=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Retry(on=OSError, attempts="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Retry(OSError, 3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Job(async_job, retry=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Recorder().ran(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def async_job() -> int:
    return 1


class Options(Deploy):
    @step(retry=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    async def wrong_retry(self) -> None: ...

    @step(retries=Retry(on=OSError))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    async def misspelt_retry(self) -> None: ...

    @service(retry=Retry(on=OSError))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    async def tried_service(self) -> None: ...

    @subflow(retry=Retry(on=OSError))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    def tried_subflow(self) -> Part:
        return Part()

    @each(Deploy.hosts, return_exceptions="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    async def wrong_flag(self, host: str) -> None: ...

    @each(Deploy.hosts, keep="all")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    async def wrong_keep(self, host: str) -> None: ...

    @each(Deploy.hosts, return_exception=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    async def misspelt_flag(self, host: str) -> None: ...

    @each(Deploy.lines)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    async def wrong_item(self, line: int) -> None: ...

    @step(after=Deploy.try_ping)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    async def takes_no_failures(self, pings: list[float]) -> None: ...

    @step(return_exceptions=True)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    async def no_fan_out(self) -> None: ...
