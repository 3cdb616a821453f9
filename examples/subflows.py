"""Subflows: flows that are made from a result, and run as part of the run. One goes first alone.

Prints:

    what is known before the run:
    01 ⚠   ⚐   <Job `plan`>
    02 ⚠   ⚐   <Job `trial`> - requires {01}
    03     ⚐     <Scheduler `Install`>
    04 ⚠   ⚐ ∞     <Job `tunnel`>
    05 ⚠   ⚐       <Job `upload`> - requires {04}
    06 ⚠   ⚐       <Job `start`> - requires {05}
    07 ⚠   ⚐   <Job `accept`> - requires {02}
    08 ⚠   ⚐   <Job `others`> - requires {01, 07}
    09     ⚐     <Scheduler `Install`>
    10 ⚠   ⚐ ∞     <Job `tunnel`>
    11 ⚠   ⚐       <Job `upload`> - requires {10}
    12 ⚠   ⚐       <Job `start`> - requires {11}
    13 ⚠   ⚐   <Job `announce`> - requires {02, 08}
    the run:
    tunnel to test is closed
    accepted: 2.0 on test
    tunnel to eu is closed
    tunnel to us is closed
    running: 2.0 on test, 2.0 on eu, 2.0 on us
    the jobs that were not known before:
    others/Install: done
    others/Install/tunnel: cancelled
    others/Install/upload: done
    others/Install/start: done
    others/Install (2): done
    others/Install (2)/tunnel: cancelled
    others/Install (2)/upload: done
    others/Install (2)/start: done
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

from flowdeco import Flow, service, step, subflow


class Plan(NamedTuple):
    version: str
    first: str
    others: list[str]


class Install(Flow, critical=True, timeout=5):
    """What is done for one host."""

    host: str
    version: str

    @service
    async def tunnel(self) -> AsyncIterator[str]:
        yield f"tunnel to {self.host}"
        print(f"tunnel to {self.host} is closed")

    @step(after=tunnel)
    async def upload(self, tunnel: str) -> str:
        await asyncio.sleep(0.01)
        return f"sent through the {tunnel}"

    @step(after=[upload])
    async def start(self) -> str:
        return f"{self.version} on {self.host}"


class Release(Flow, critical=True):
    @step
    async def plan(self) -> Plan:
        return Plan("2.0", "test", ["eu", "us"])

    # Called when its turn comes, with the values of `after`. What it returns then runs.
    @subflow(after=plan)
    def trial(self, plan: Plan) -> Install:
        return Install(host=plan.first, version=plan.version)

    # It comes after the end of the flow, and gets the flow, whose jobs have results.
    @step(after=trial)
    async def accept(self, trial: Install) -> None:
        print(f"accepted: {trial.start.result()}")

    # The flows of a list run in parallel.
    @subflow(after=plan)
    def others(self, plan: Plan) -> list[Install]:
        return [Install(host=host, version=plan.version) for host in plan.others]

    @step(after=(trial, others))
    async def announce(self, trial: Install, others: list[Install]) -> None:
        print("running:", ", ".join(install.start.result() for install in (trial, *others)))

    order = accept >> others


def main() -> None:
    release = Release()
    print("what is known before the run:")
    release.list()

    print("the run:")
    report = release.run(timeout=10)

    print("the jobs that were not known before:")
    for job in report.jobs:
        if job.path.startswith("others/"):
            print(f"{job.path}: {job.state.value}")


if __name__ == "__main__":
    main()
