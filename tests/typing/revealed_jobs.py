"""Jobs and schedulers made at run time."""

import asyncio
import types
from collections.abc import AsyncIterator, Awaitable, Generator, Iterator, KeysView
from functools import partial
from typing import assert_type

from flowdeco import AbstractJob, Chain, Job, PrintJob, Scheduler, current_job
from flowdeco.surgery import keep_only_between, predecessors, successors


async def number() -> int:
    return 1


async def greet(name: str, *, loud: bool = False) -> str:
    return name.upper() if loud else name


async def up() -> AsyncIterator[str]:
    yield "dsn"


def later() -> Awaitable[bytes]:
    return asyncio.get_running_loop().create_future()


def job_infers_its_result() -> None:
    assert_type(Job(number), Job[int])
    assert_type(Job(number).result(), int)
    assert_type(Job(greet("eve")).result(), str)
    assert_type(Job(lambda: greet("eve")).result(), str)
    assert_type(Job(partial(greet, "eve", loud=True)).result(), str)
    assert_type(Job(later).result(), bytes)
    assert_type(Job(up, forever=True).result(), str)
    assert_type(Job(body=number).result(), int)
    assert_type(Job(lambda: asyncio.sleep(1)).result(), None)
    assert_type(Job(asyncio.sleep(1, "slept")).result(), str)


class Ticket:
    def __await__(self) -> Generator[object, None, float]:
        yield 0
        return 1.5


@types.coroutine
def old() -> Generator[object, None, bytes]:
    yield 0
    return b""


async def awaitables(future: asyncio.Future[int], task: asyncio.Task[str]) -> None:
    assert_type(Job(future).result(), int)
    assert_type(Job(task, label="task", timeout=3).result(), str)
    assert_type(Job(Ticket()).result(), float)
    assert_type(Job(Ticket), Job[float])
    assert_type(Job(old()).result(), bytes)
    assert_type(Job(later()).result(), bytes)
    assert_type(Job(asyncio.gather(number(), greet("x"))).result(), tuple[int, str])
    assert_type(Job(asyncio.gather(*[number()])).result(), list[int])
    assert_type(Job(asyncio.shield(number())).result(), int)
    assert_type(Job(asyncio.wait_for(greet("x"), 1)).result(), str)
    assert_type(Job(asyncio.to_thread(len, "abc")).result(), int)


def none_among_jobs(maybe: Job[int] | None) -> None:
    assert_type(Chain(maybe, Job(number), None), Chain[AbstractJob[object]])
    scheduler = Scheduler(maybe, None, Job(number) >> Job(number))
    scheduler.update([maybe, None])
    assert_type(scheduler.add(maybe), Job[int] | None)
    scheduler.graph().source.upper()


def a_job_is_one_of_a_wider_result(job: Job[int]) -> AbstractJob[int | None]:
    return job


def options_of_jobs() -> None:
    first = Job(number, label="a", critical=True, forever=False, timeout=1)
    second = Job(number, timeout=None, critical=None, required=first, shutdown=number)
    third = Job(number, required=[first, None, (second, {first})], shutdown=lambda: greet("x"))
    assert_type(third.required, KeysView[AbstractJob[object]])
    assert_type(third.label, str | None)
    assert_type(third.critical, bool | None)
    assert_type(third.timeout, float | None)
    assert_type(third.forever, bool)
    assert_type(third.is_critical(), bool)
    assert_type(third.standalone_run(), int)
    assert_type(PrintJob("a", 2, sleep=0.1, banner="-", label="x", required=third), PrintJob)
    assert_type(PrintJob().result(), None)
    assert_type(current_job(), AbstractJob[object] | None)


class Bare(AbstractJob):
    """Clean under --strict without naming a result."""

    async def co_run(self) -> int:
        return 1


class Typed(AbstractJob[list[str]]):
    async def co_run(self) -> list[str]:
        return []

    async def co_shutdown(self) -> None:
        pass

    def details(self) -> str | None:
        return "more"

    def default_label(self) -> str:
        return "typed"


class OwnInit(AbstractJob[None]):
    def __init__(self, path: str, *, label: str | None = None, critical: bool = False) -> None:
        super().__init__(label=label, critical=critical, timeout=3)
        self.path = path

    async def co_run(self) -> None:
        pass


class Plain(AbstractJob[int]):
    """Any awaitable method will do, as long as calling it gives a coroutine."""

    async def co_run(self, times: int = 1) -> int:
        return times


def subclasses() -> None:
    assert_type(Bare(label="x", required=Job(number)).result(), object)
    assert_type(Typed(timeout=1).result(), list[str])
    assert_type(OwnInit("here", critical=True).path, str)
    assert_type(OwnInit("here").requires(Bare()), OwnInit)
    assert_type(Plain().standalone_run(), int)
    several: list[AbstractJob] = [Bare(), Typed(), OwnInit("x"), Job(number), Scheduler()]
    Scheduler(*several)


def schedulers() -> None:
    one, two = Job(number), Job(greet("x"), required=[])
    scheduler = Scheduler(one, two, critical=True, jobs_critical=False, timeout=5, window=2)
    inner = Scheduler(
        grace=1, shutdown_timeout=0.5, label="inner", forever=True, required=one, timeout=None
    )
    assert_type(scheduler.add(inner), Scheduler)
    assert_type(scheduler.add(two), Job[str])
    assert_type(scheduler.update([one, two]), Scheduler)
    assert_type(scheduler.remove(one), Scheduler)
    assert_type(len(scheduler), int)
    assert_type(one in scheduler, bool)
    assert_type([job.label for job in scheduler], list[str | None])
    assert_type(scheduler.orchestrate(), bool)
    assert_type(scheduler.orchestrate(5, loop_factory=asyncio.new_event_loop, observers=[]), bool)
    assert_type(scheduler.find("probe"), AbstractJob[object])
    assert_type(scheduler.entry_jobs(), Iterator[AbstractJob[object]])
    assert_type(scheduler.iterate_jobs(scan_schedulers=True), Iterator[AbstractJob[object]])
    assert_type(scheduler.sanitize(), bool)
    assert_type(scheduler.rain_check(), bool)
    assert_type(scheduler.failed_timeout(), bool)
    assert_type(scheduler.why(), str)
    assert_type(scheduler.stats(), str)
    assert_type(scheduler.result(), bool)
    assert_type(predecessors(scheduler, one, closure=True), KeysView[AbstractJob[object]])
    assert_type(successors(scheduler, one), KeysView[AbstractJob[object]])
    keep_only_between(scheduler, starts=[one], ends=[two], keep_ends=False)


async def awaited_schedulers(scheduler: Scheduler) -> None:
    assert_type(await scheduler.co_orchestrate(timeout=3), bool)
    assert_type(await scheduler.co_run(), bool)
    assert_type(await Job(number).co_run(), int)
