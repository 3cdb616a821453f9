"""Nested schedulers: a scheduler is a job too, and a function can return a piece of a scenario.

Prints:

    format the disk of eu
    format the disk of us
    check eu
    check us
    addresses: eu:8080 us:8080
    01   ☉ ☓   <Scheduler `eu`>[[ -> True]]
    02 ⚠ ☉ ☓     <PrintJob `format the disk of eu`>[[ -> None]]
    03 ⚠ ☉ ☓     <Job `boot eu`>[[ -> eu:8080]] - requires {02}
    04   ☉ ☓   <Scheduler `us`>[[ -> True]]
    05 ⚠ ☉ ☓     <PrintJob `format the disk of us`>[[ -> None]]
    06 ⚠ ☉ ☓     <Job `boot us`>[[ -> us:8080]] - requires {05}
    07   ☉ ☓   <PrintJob `check eu`>[[ -> None]] - requires {01, 04}
    08   ☉ ☓   <PrintJob `check us`>[[ -> None]] - requires {07}
"""

import asyncio

from flowdeco import AbstractJob, Chain, Job, PrintJob, Scheduler


async def boot(host: str) -> str:
    await asyncio.sleep(0.01)
    return f"{host}:8080"


def server(host: str) -> Scheduler:
    """Return one job with steps inside, a failure of which would end this server's steps alone."""
    disk = PrintJob("format the disk of", host, sleep=0.01)
    started = Job(boot(host), label=f"boot {host}")
    return Scheduler(disk >> started, label=host, jobs_critical=True, timeout=5)


def checks(*hosts: str) -> Chain[AbstractJob[object]]:
    """Return jobs that run one after the other, in whatever scheduler they are added to."""
    return Chain(*(PrintJob("check", host) for host in hosts))


def main() -> None:
    eu, us = server("eu"), server("us")
    scheduler = Scheduler(eu, us, checks("eu", "us").requires([eu, us]), label="network")

    if scheduler.orchestrate(timeout=10):
        print("addresses:", scheduler.find("boot eu").result(), scheduler.find("boot us").result())
    scheduler.list()


if __name__ == "__main__":
    main()
