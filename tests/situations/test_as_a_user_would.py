"""Five tests of a flow, as those who have written it would test it.

It brings a release to some hosts: real work takes minutes, and here no second passes.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest

from flowdeco import Flow, Retry, Skip, each, service, step
from flowdeco.testing import Recorder, VirtualClockLoop


class Release(Flow, critical=True, timeout=3600):
    """Build a version, migrate the database, bring it to all hosts, and tell the others."""

    version: str
    deployed: str = "1.0"

    @service
    async def database(self) -> AsyncIterator[str]:
        await asyncio.sleep(20)
        yield "db://shop"
        await asyncio.sleep(2)

    @step
    async def changes(self) -> list[str]:
        if self.version == self.deployed:
            raise Skip("nothing to release")
        await asyncio.sleep(10)
        return ["new shop"]

    @step(after=changes)
    async def build(self, changes: list[str]) -> str:
        await asyncio.sleep(600)
        return f"shop-{self.version}.whl"

    @step(after=(build, database), timeout=60)
    async def migrate(self, wheel: str, address: str) -> str:
        await asyncio.sleep(30)
        return f"{address} has {wheel}"

    @step(retry=Retry(on=ConnectionError, attempts=5, wait_jitter=0))
    async def hosts(self) -> list[str]:
        return ["eu-1", "eu-2", "us-1"]

    @each(hosts, after=build, window=2, return_exceptions=True)
    async def install(self, host: str, wheel: str) -> str:
        await asyncio.sleep(60)
        return f"{host}: {wheel}"

    @step(after=(install, migrate), critical=False)
    async def announce(self, installed: list[str | Exception], _migrated: str) -> str:
        failed = [one for one in installed if isinstance(one, Exception)]
        return f"{len(installed) - len(failed)} of {len(installed)} hosts"


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def test_a_release_from_end_to_end(recorder: Recorder) -> None:
    flow = Release(version="1.1")

    report = flow.run(observers=[recorder], loop_factory=VirtualClockLoop)

    report.raise_for_failure()
    assert flow.announce.result() == "3 of 3 hosts"
    assert recorder.ran("build").before("migrate")
    assert recorder.ran("install").after("build")
    assert report.duration == 10 + 600 + 2 * 60 + 2


def test_nothing_to_release(recorder: Recorder) -> None:
    flow = Release(version="1.0")

    assert flow.run(observers=[recorder], loop_factory=VirtualClockLoop)

    assert not recorder.ran("build")
    assert not recorder.ran("announce")


def test_a_host_that_is_down_does_not_stop_the_others() -> None:
    async def install(self: Release, host: str, wheel: str) -> str:
        if host == "eu-2":
            raise ConnectionError("eu-2 is down")
        return host

    flow = Release(version="1.1")
    overrides = [
        Release.build.returns("shop.whl"),
        Release.database.returns("db://fake"),
        Release.install.replaced_by(install),
    ]

    assert flow.run(overrides=overrides, loop_factory=VirtualClockLoop)

    assert flow.announce.result() == "2 of 3 hosts"


def test_the_list_of_hosts_is_asked_for_again(recorder: Recorder) -> None:
    answers = iter([ConnectionError("try later"), ConnectionError("try later"), ["eu-1"]])

    async def hosts(self: Release) -> list[str]:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    flow = Release(version="1.1")
    overrides = [Release.hosts.replaced_by(hosts)]

    assert flow.run(
        overrides=overrides, until="hosts", observers=[recorder], loop_factory=VirtualClockLoop
    )

    assert recorder.attempts("hosts") == 3
    assert [attempt.started_at for attempt in flow.hosts.attempts] == [0, 1, 3]
    assert recorder.order == ["hosts"]


def test_a_migration_that_takes_too_long_fails_the_release() -> None:
    async def migrate(self: Release, wheel: str, address: str) -> str:
        await asyncio.sleep(3600)
        return "never"

    flow = Release(version="1.1")
    overrides = [Release.build.returns("shop.whl"), Release.migrate.replaced_by(migrate)]

    report = flow.run(
        start="migrate",
        overrides=[*overrides, Release.install.returns([])],
        loop_factory=VirtualClockLoop,
    )

    assert not report
    assert str(report.reason) == "critical job 'migrate' failed with TimeoutError"
    assert report.duration == 20 + 60 + 2
