"""What checkers make of overrides, parts, retries and the newer fan-outs."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterator
from typing import assert_type

from flowdeco import (
    Flow,
    Job,
    Override,
    Retry,
    Scheduler,
    each,
    service,
    step,
    subflow,
)
from flowdeco.jobs.attempts import Attempt
from flowdeco.testing import Recorder


class Part(Flow):
    @step
    async def work(self) -> int:
        return 1


class Deploy(Flow):
    @service
    async def database(self) -> AsyncIterator[str]:
        yield "db"

    @service
    async def watch(self) -> None: ...

    @step(retry=Retry(on=OSError, attempts=None))
    async def build(self) -> bytes:
        return b""

    @step(after=(build, database), retry=None)
    async def migrate(self, wheel: bytes, dsn: str) -> int:
        return len(wheel) + len(dsn)

    @step
    def hosts(self) -> list[str]:
        return []

    @each(hosts, retry=Retry(on=(OSError, ValueError)), keep=10)
    async def ping(self, host: str) -> float:
        return float(len(host))

    @each(hosts, return_exceptions=True)
    async def try_ping(self, host: str) -> float:
        return float(len(host))

    @each(hosts, after=build, return_exceptions=True, window=3)
    def upload(self, host: str, wheel: bytes) -> str:
        return host + wheel.decode()

    @each(hosts, after=(build, database), return_exceptions=False)
    async def install(self, host: str, wheel: bytes, dsn: str) -> str:
        return host + wheel.decode() + dsn

    @step
    async def lines(self) -> AsyncIterable[str]:
        raise NotImplementedError

    @each(lines)
    async def read(self, line: str) -> int:
        return len(line)

    @step
    async def numbers(self) -> Iterator[int]:
        return iter([1])

    @each(numbers)
    async def square(self, number: int) -> int:
        return number * number

    @subflow
    def part(self) -> Part:
        return Part()

    @subflow
    def parts(self) -> list[Part]:
        return []

    @subflow
    def perhaps(self) -> Part | None:
        return None

    @step(after=(try_ping, ping))
    async def count(self, tried: list[float | Exception], pings: list[float]) -> int:
        return len(tried) + len(pings)


async def fake_build(self: Deploy) -> bytes:
    return b"fake"


async def fake_migrate(self: Deploy, wheel: bytes, dsn: str) -> int:
    return 0


async def wider(self: Flow, wheel: object, dsn: str) -> bool:
    return True


async def fake_database(self: Deploy) -> AsyncIterator[str]:
    yield "fake"


def fake_hosts(self: Deploy) -> list[str]:
    return ["fake"]


async def fake_ping(self: Deploy, host: str) -> float:
    return 0.0


def fake_part(self: Deploy) -> Part:
    return Part()


def overrides(flow: Deploy) -> None:
    assert_type(Deploy.build.returns(b"x"), Override)
    assert_type(Deploy.database.returns("db"), Override)
    assert_type(Deploy.watch.returns(None), Override)
    assert_type(Deploy.ping.returns([1.0]), Override)
    assert_type(Deploy.try_ping.returns([1.0, ValueError()]), Override)
    assert_type(Deploy.part.returns(Part()), Override)
    assert_type(Deploy.parts.returns([Part()]), Override)
    assert_type(Deploy.perhaps.returns(None), Override)
    assert_type(Deploy.build.raises(OSError()), Override)
    assert_type(Deploy.build.replaced_by(fake_build), Override)
    assert_type(Deploy.migrate.replaced_by(fake_migrate), Override)
    assert_type(Deploy.migrate.replaced_by(wider), Override)
    assert_type(Deploy.database.replaced_by(fake_database), Override)
    assert_type(Deploy.hosts.replaced_by(fake_hosts), Override)
    assert_type(Deploy.ping.replaced_by(fake_ping), Override)
    assert_type(Deploy.part.replaced_by(fake_part), Override)
    assert_type(Override("build", returns=3), Override)
    assert_type(Override(flow.build, raises=OSError()), Override)
    assert_type(Override(Deploy.build, replaced_by=fake_build), Override)


def fan_outs(flow: Deploy) -> None:
    assert_type(flow.ping.result(), list[float])
    assert_type(flow.try_ping.result(), list[float | Exception])
    assert_type(flow.upload.result(), list[str | Exception])
    assert_type(flow.install.result(), list[str])
    assert_type(flow.read.result(), list[int])
    assert_type(flow.square.result(), list[int])
    assert_type(flow.count.result(), int)
    assert_type(flow.ping.ended, int | None)
    assert_type(flow.ping.total, int | None)


async def runs(flow: Deploy, job: Job[int], scheduler: Scheduler) -> None:
    flow.run(10, overrides=[Deploy.build.returns(b"x")], start=Deploy.build, until="migrate")
    flow.run(start=[Deploy.build, "migrate", flow.ping], until=(Deploy.migrate,))
    await flow.co_run(overrides=(Override("build", returns=3),), until=flow.build)
    scheduler.orchestrate(overrides=[Override(job, returns=3)], start="a", until=[job, "b"])
    await scheduler.co_orchestrate(window=3, until=job)
    assert_type(job.cancel(), bool)
    assert_type(job.attempts, tuple[Attempt, ...])
    assert_type(Job(fake_job, retry=Retry(on=lambda error: True)).result(), int)


async def fake_job() -> int:
    return 1


def recorded(recorder: Recorder) -> None:
    assert_type(recorder.order, list[str])
    assert_type(recorder.attempts("build"), int)
    assert_type(recorder.ran("build").before("migrate"), bool)
