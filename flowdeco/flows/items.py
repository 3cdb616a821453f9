"""The items of a fan-out: drawn one by one, and a job made of each."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
    Sequence,
    Sized,
)
from typing import TYPE_CHECKING, Any, cast

from flowdeco.base.exceptions import is_cancellation
from flowdeco.engine.enclosing import enclosing_execution
from flowdeco.engine.fan_out_run import FanOutRun
from flowdeco.engine.run import Run
from flowdeco.jobs.bodies import MethodBody
from flowdeco.jobs.job import Job
from flowdeco.jobs.outcome import MISSING, Outcome, State
from flowdeco.scheduler import Scheduler

if TYPE_CHECKING:
    from flowdeco.engine.execution import Execution
    from flowdeco.engine.observers import Watcher
    from flowdeco.engine.specification import Specification
    from flowdeco.jobs.abstract_job import AbstractJob
    from flowdeco.jobs.retry import Retry

__all__ = ["ItemBody", "ItemSet", "Items"]


class ItemBody(MethodBody):
    """The method of a fan-out, for one item."""

    __slots__ = ("index", "item", "values")

    def __init__(
        self,
        method: Callable[..., Any],
        flow: object,
        name: str,
        *,
        index: int,
        item: object,
        values: Sequence[object],
        is_threaded: bool,
        retry: Retry | None,
    ) -> None:
        # By hand: there may be a million of them.
        self.method = method
        self.flow = flow
        self.name = name
        self.inputs = ()
        self.made = MISSING
        self.reached_as = None
        self.is_generator = False
        self.is_threaded = is_threaded
        self.retry = retry
        self.index = index
        self.item = item
        self.values = values

    def start(self) -> Any:
        return self.call(self.item, *self.values)


class Items:
    """The items of one fan-out in one run, their jobs, and what has become of them.

    Args:
        name: the name of the fan-out.
        make: makes the job of an item, given its index and the item.
        over: what to iterate over.
        owner: the set that the jobs are in.
        keep: how many jobs that have ended well are kept.
        returns_exceptions: whether exceptions are values.

    Raises:
        TypeError: that cannot be iterated over.
        RuntimeError: it is an iterator, and another fan-out goes over it.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[int, object], Job[object]],
        over: Iterable[object] | AsyncIterable[object],
        *,
        keep: int,
        returns_exceptions: bool,
    ) -> None:
        self._make = make
        self._iterator: Iterator[object] | AsyncIterator[object]
        if isinstance(over, Iterable):
            self.is_async = False
            self._iterator = iter(over)
        else:
            self.is_async = True
            self._iterator = aiter(over)
        if cast("object", self._iterator) is over:
            _claim(name, over)
        self._keep = keep
        self.returns_exceptions = returns_exceptions
        self.owner: ItemSet | None = None
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
            item = next(cast("Iterator[object]", self._iterator))
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
            item = await anext(cast("AsyncIterator[object]", self._iterator))
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
        assert self.owner is not None  # the jobs of a run are in a set
        job = self._make(len(self.results), item)
        self.results.append(MISSING)
        self.owner.take(job)
        return job

    async def close(self) -> None:
        """Close the iterator, as a generator wants to be."""
        iterator: Any = self._iterator
        if self.is_async and hasattr(iterator, "aclose"):
            await iterator.aclose()
        elif not self.is_async and hasattr(iterator, "close"):
            iterator.close()

    # What the run tells

    def function_of(self, job: AbstractJob[object]) -> Callable[[], Any] | None:
        """Return the body of a job that has nothing but that."""
        body = cast("ItemBody", cast("Job[object]", job).body)
        if body.is_threaded or body.retry is not None:
            return None
        return functools.partial(body.method, body.flow, body.item, *body.values)

    def note_end(self, job: AbstractJob[object], outcome: Outcome, value: object) -> bool:
        """Note that a job has ended; return whether that was not known."""
        body = cast("ItemBody", cast("Job[object]", job).body)
        if body.made is not MISSING:
            return False
        body.made = None
        self._ended += 1
        error = outcome.exception
        if error is None:
            self.results[body.index] = value
        elif outcome.state is not State.SKIPPED:
            if self.returns_exceptions and issubclass(type(error), Exception):
                self.results[body.index] = error
            else:
                self._failed[body.index] = error
            return True
        self._latest.append(job)
        if len(self._latest) > self._keep and self.owner is not None:
            self.owner.drop(self._latest.popleft())
        return True

    @property
    def failures(self) -> list[BaseException]:
        """What items have failed with, in the order of the items."""
        return [self._failed[index] for index in sorted(self._failed)]

    def kept(self) -> Iterable[AbstractJob[object]]:
        """Return the jobs that are kept for the report: at work, failed, or ended last."""
        return () if self.owner is None else tuple(self.owner)

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
        items.owner = self
        self.returns_exceptions = items.returns_exceptions
        # The items are of no weight, the fan-out is.
        self.ends_at_first_failure = is_critical

    def __flow_new_run__(
        self,
        specification: Specification,
        observers: Sequence[Watcher],
        enclosing: Execution | None,
    ) -> Run:
        return FanOutRun(specification, observers, enclosing, self._items)

    def take(self, job: Job[object]) -> None:
        """Take in the job of an item."""
        job.__flow_owner__ = self.__flow_me__
        self.__flow_jobs__[job] = 0

    def drop(self, job: AbstractJob[object]) -> None:
        """Let go of the job of an item that has ended."""
        del self.__flow_jobs__[job]

    @property
    def counts(self) -> tuple[int, int | None]:
        """How many items have ended, and how many there are, where that is known."""
        return self._items.counts
