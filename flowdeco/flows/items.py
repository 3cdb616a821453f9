"""The items of a fan-out: drawn one by one, and a job made of each."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import (
    AsyncIterable,
    Callable,
    Iterable,
    Sequence,
    Sized,
)
from typing import TYPE_CHECKING, Any, Protocol

from flowdeco.base.exceptions import is_cancellation
from flowdeco.engine.enclosing import enclosing_execution
from flowdeco.engine.fan_out_run import FanOutRun
from flowdeco.engine.run import Run
from flowdeco.jobs.bodies import PLAIN, MethodBody
from flowdeco.jobs.job import Job
from flowdeco.jobs.outcome import MISSING, Outcome, State
from flowdeco.scheduler import Scheduler

if TYPE_CHECKING:
    from flowdeco.engine.execution import Execution
    from flowdeco.engine.observers import Watcher
    from flowdeco.engine.specification import Specification
    from flowdeco.jobs.abstract_job import AbstractJob
    from flowdeco.jobs.retry import Retry

__all__ = ["FanOut", "ItemBody", "ItemSet", "Items"]


class ItemBody(MethodBody):
    """The method of a fan-out, for one item.

    There may be a million of them, so all that they have in common is with the items.
    """

    __slots__ = ("has_ended", "index", "item", "items")

    if not TYPE_CHECKING:  # for checkers, it has what any body has
        inputs = ()
        is_generator = False
        made = MISSING
        reached_as = None
        name = property(lambda self: f"{self.items.name}[{self.index}]")
        method = property(lambda self: self.items.each.method)
        flow = property(lambda self: self.items.each.flow)
        is_threaded = property(lambda self: self.items.each.in_threads)
        retry = property(lambda self: self.items.each.item_retry)

    def __init__(self, items: Items, index: int, item: object) -> None:
        self.items = items
        self.index = index
        self.item = item
        self.has_ended = False

    def start(self) -> Any:
        return self.call(self.item, *self.items.values)


class FanOut(Protocol):
    """The body of a fan-out, as its items know it."""

    name: str
    method: Callable[..., Any]
    flow: object
    timeout: float | None
    item_retry: Retry | None
    in_threads: bool
    return_exceptions: bool
    keep: int


class Items:
    """The items of one fan-out in one run, their jobs, and what has become of them.

    Args:
        each: the body of the fan-out.
        over: what to iterate over.
        values: what the method takes beside an item.

    Raises:
        TypeError: that cannot be iterated over.
        RuntimeError: it is an iterator, and another fan-out goes over it.
    """

    def __init__(
        self,
        each: FanOut,
        over: Iterable[object] | AsyncIterable[object],
        values: Sequence[object],
    ) -> None:
        self.each = each
        self.name = each.name
        self.values = values
        self._iterator: Any
        if isinstance(over, Iterable):
            self.is_async = False
            self._iterator = iter(over)
        else:
            self.is_async = True
            self._iterator = aiter(over)
        if self._iterator is over:
            _claim(each.name, over)
        self.is_plain = not each.in_threads and each.item_retry is None
        """Whether a job has nothing but its body, and perhaps a timeout."""
        self.jobs: dict[AbstractJob[object], int] = {}
        """Those that are kept: at work, failed, or ended last."""
        self.owner: Callable[[], Any] | None = None
        """The set that they are in."""
        self.is_exhausted = False
        self.error: BaseException | None = None
        """What the iteration has failed with."""
        self.results: list[object] = []
        self._failed: dict[int, BaseException] = {}
        """What items have failed with, by their places."""
        self._latest: deque[AbstractJob[object]] = deque()
        """The jobs that have ended last."""
        self._total = len(over) if isinstance(over, Sized) else None
        self._ended = 0

    # Drawing

    def draw(self) -> Job[object] | None:
        """Return the job of the next item; None where there is none."""
        try:
            item = next(self._iterator)
        except StopIteration:
            self.is_exhausted = True
            return None
        except BaseException as error:
            self._fail(error)
            return None
        return self._job(item)

    async def pull(self) -> Job[object] | None:
        """Do the same, and wait for the item.

        Raises:
            CancelledError: the fan-out was cancelled meanwhile.
        """
        try:
            item = await anext(self._iterator)
        except StopAsyncIteration:
            self.is_exhausted = True
            return None
        except BaseException as error:
            execution = enclosing_execution()
            if is_cancellation(error) and (execution is None or execution.stopping):
                raise
            self._fail(error)
            return None
        return self._job(item)

    def _fail(self, error: BaseException) -> None:
        self.is_exhausted = True
        self.error = error

    def _job(self, item: object) -> Job[object]:
        results = self.results
        body = ItemBody(self, len(results), item)
        results.append(MISSING)
        traits = PLAIN if self.is_plain else body
        job: Job[object] = Job.__flow_of_item__(body, traits, self.each.timeout, self.owner)
        self.jobs[job] = 0
        return job

    async def close(self) -> None:
        """Close the iterator, as a generator wants to be."""
        iterator = self._iterator
        if getattr(iterator, "ag_running", False):
            return  # the task is closed by force, while it waits for an item
        if self.is_async and hasattr(iterator, "aclose"):
            await iterator.aclose()
        elif not self.is_async and hasattr(iterator, "close"):
            iterator.close()

    # What the run tells

    def function_of(self, job: Any) -> Callable[[], Any] | None:
        """Return the body of a job that has nothing but that, and perhaps a timeout."""
        if not self.is_plain:
            return None
        each = self.each
        return functools.partial(each.method, each.flow, job.body.item, *self.values)

    def note_value(self, job: Any, value: object) -> None:
        """Note that a job has ended with a value."""
        body = job.body
        body.has_ended = True
        self.results[body.index] = value
        self._keep(job)

    def note_end(self, job: Any, outcome: Outcome) -> bool:
        """Note that a job has ended; return whether that was not known."""
        body, error = job.body, outcome.exception
        if body.has_ended:
            return False
        if error is None:
            self.note_value(job, outcome.value)
            return True
        body.has_ended = True
        if outcome.state is State.SKIPPED:
            self._keep(job)
            return True
        self._ended += 1
        if self.each.return_exceptions and issubclass(type(error), Exception):
            self.results[body.index] = error
        else:
            self._failed[body.index] = error
        return True

    def _keep(self, job: AbstractJob[object]) -> None:
        """Keep a job that has not failed for some time."""
        self._ended += 1
        latest = self._latest
        latest.append(job)
        if len(latest) > self.each.keep:
            del self.jobs[latest.popleft()]

    @property
    def failures(self) -> list[BaseException]:
        """What items have failed with, in the order of the items."""
        return [self._failed[index] for index in sorted(self._failed)]

    @property
    def counts(self) -> tuple[int, int | None]:
        """How many items have ended, and how many there are, where that is known."""
        return self._ended, len(self.results) if self.is_exhausted else self._total


def _claim(name: str, iterator: object) -> None:
    """Let nobody else go over an iterator: each of them would get a part of the items."""
    execution = enclosing_execution()
    if execution is None:
        return
    readers = execution.run.session.readers
    if id(iterator) in readers:
        other, _ = readers[id(iterator)]
        raise RuntimeError(
            f"{name!r} goes over an iterator that {other!r} goes over as well, and each of them"
            f" would get a part of the items; let the step before return list(...)"
        )
    readers[id(iterator)] = (name, iterator)


class ItemSet(Scheduler):
    """The jobs of the items of a fan-out, as far as they are kept.

    Args:
        items: where they come from.
        label: the name of the fan-out.
        window: how many of them run at once.
        grace: the seconds that they have to end.
        is_critical: whether the first failure ends the run.
    """

    shares_slots = True

    def __init__(
        self, items: Items, *, label: str, window: int | None, grace: float, is_critical: bool
    ) -> None:
        super().__init__(label=label, window=window, grace=grace)
        self._items = items
        self.__flow_jobs__ = items.jobs
        items.owner = self.__flow_me__
        self.returns_exceptions = items.each.return_exceptions
        # The items are of no weight, the fan-out is.
        self.ends_at_first_failure = is_critical

    def __flow_new_run__(
        self,
        specification: Specification,
        observers: Sequence[Watcher],
        enclosing: Execution | None,
    ) -> Run:
        return FanOutRun(specification, observers, enclosing, self._items)

    @property
    def counts(self) -> tuple[int, int | None]:
        """How many items have ended, and how many there are, where that is known."""
        return self._items.counts
