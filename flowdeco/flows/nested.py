"""Bodies with jobs inside: fan-out over the items of a result, and flows made by a method."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Coroutine, Iterable, Sequence
from typing import Any, cast

import attrs

from flowdeco.base.annotations import returned
from flowdeco.base.limits import Limits
from flowdeco.base.text import class_name, repr_line, value_line
from flowdeco.engine.enclosing import enclosing_execution
from flowdeco.errors import BusyError, FlowdecoError
from flowdeco.jobs.abstract_job import AbstractJob
from flowdeco.jobs.bodies import MethodBody
from flowdeco.jobs.callables import isinstance_of
from flowdeco.jobs.outcome import MISSING
from flowdeco.jobs.plain import discard
from flowdeco.jobs.request import Request
from flowdeco.jobs.retry import Retry
from flowdeco.scheduler import Scheduler

from .base import FlowBase
from .items import Items, ItemSet

__all__ = ["EachBody", "SubflowBody"]


def _grace() -> float:
    """The grace of the run that goes on."""
    execution = enclosing_execution()
    return Limits().grace if execution is None else execution.run.specification.limits.grace


def _is_critical() -> bool:
    """Whether the job is critical in whose body this is called."""
    execution = enclosing_execution()
    return execution is not None and bool(execution.outcome.critical)


@attrs.define(eq=False, repr=False)
class EachBody(MethodBody):
    """The body of a fan-out: a job for each item, all of them in a scheduler of their own."""

    window: int | None = None
    timeout: float | None = None
    item_retry: Retry | None = None
    in_threads: bool = False
    """Whether the method runs in a thread for each item."""
    return_exceptions: bool = False
    """Whether failures of items are values."""
    keep: int = 1000
    """How many items that have ended are kept."""
    _items: ItemSet | None = attrs.field(default=None, init=False)

    takes_slot = False
    is_stateful = True
    raises_nested_failures = True

    def __attrs_post_init__(self) -> None:
        self.is_generator = self.is_threaded = False

    @property
    def is_plain(self) -> bool:
        return self.in_threads

    def refused(self, value: object) -> str | None:
        if isinstance(value, list):
            return None
        return f"a fan-out gives a list of results, not {repr_line(value)} ({class_name(value)})"

    def start(self) -> Coroutine[Any, Any, list[object]]:
        return self._perform()

    async def _perform(self) -> list[object]:
        over, *values = self.arguments
        if not isinstance(over, (Iterable, AsyncIterable)):
            raise TypeError(
                f"{self.name!r} goes over {self.inputs[0].name!r}, whose result cannot be iterated"
                f" over: {value_line(over)} ({class_name(over)})"
            )
        items = Items(self, over, values)
        self._items = ItemSet(
            items,
            label=self.name,
            window=self.window,
            grace=_grace(),
            is_critical=_is_critical(),
        )
        try:
            report = await self._items.co_perform(Request(self._items.limits))
        except asyncio.CancelledError:
            # The run stops it, perhaps because of the first of these failures.
            self._raise_failures(items)
            raise
        finally:
            await items.close()
        self._raise_failures(items)
        report.raise_as_nested()
        return [value for value in items.results if value is not MISSING]

    def _raise_failures(self, items: Items) -> None:
        failed = items.failures
        if items.error is not None:
            if not failed:
                raise items.error
            failed = [items.error, *failed]
        if failed:
            count = len(failed) - (items.error is not None)
            message = f"{self.name}: {count} of {len(items.results)} failed"
            raise BaseExceptionGroup(message, failed) from None

    @property
    def children(self) -> Sequence[AbstractJob[object]]:
        return () if self._items is None else tuple(self._items)

    @property
    def counts(self) -> tuple[int, int | None] | None:
        """How many items have ended, and how many there are, where that is known."""
        return None if self._items is None else self._items.counts

    def renew(self) -> None:
        self._items = None


@attrs.define(eq=False, repr=False)
class SubflowBody(MethodBody):
    """The body of a subflow: calls the method, and runs the flows that it returns."""

    preview: Callable[[type[FlowBase]], Scheduler] | None = None
    """Makes the jobs of a flow class, to be drawn before the run."""
    _ran: Sequence[Scheduler] | None = attrs.field(default=None, init=False)
    _previewed: Sequence[Scheduler] | None = attrs.field(default=None, init=False)

    is_stateful = True
    raises_nested_failures = True
    makes_flows = True

    def __attrs_post_init__(self) -> None:
        self.is_generator = self.is_threaded = False

    @property
    def is_plain(self) -> bool:
        return True

    def refused(self, value: object) -> str | None:
        several = isinstance(value, (list, tuple))
        for flow in cast("Sequence[object]", value) if several else [value]:
            if not isinstance_of(flow, FlowBase) and (several or value is not None):
                shown = f"{repr_line(flow)} ({class_name(flow)})"
                return f"a subflow gives a flow, a list of flows, or None, not {shown}"
        return None

    def take_value(self, value: object) -> None:
        self._ran = []
        self.made = value

    def start(self) -> Coroutine[Any, Any, object]:
        return self._perform()

    async def _perform(self) -> object:
        made: object = self.method(self.flow, *self.arguments)
        if made is None:
            self._ran = []
            self.made = None
            return None
        several = isinstance(made, (list, tuple))
        flows = cast("Sequence[object]", made) if several else [made]
        schedulers = self._schedulers_of(flows)
        around = Scheduler(*schedulers, label=self.name, grace=_grace())
        self._ran = schedulers
        self.made = made
        try:
            report = await around.co_perform(Request(around.limits))
        except FlowdecoError:
            self._ran = None  # none of them has started
            raise
        finally:
            _let_go(around)
        errors = [scheduler.raised_exception() for scheduler in schedulers]
        failed = [error for error in errors if error is not None]
        if len(failed) == 1:
            raise failed[0]
        if failed:
            raise BaseExceptionGroup(f"{self.name}: {len(failed)} of {len(errors)} failed", failed)
        report.raise_as_nested()
        return made

    def _schedulers_of(self, flows: Sequence[object]) -> list[Scheduler]:
        schedulers: list[Scheduler] = []
        for flow in flows:
            if not isinstance_of(flow, FlowBase):
                error = TypeError(
                    f"{self.name!r} must return a flow, a list of flows, or None, not"
                    f" {value_line(flow)} ({class_name(flow)})"
                )
                for one in flows:
                    discard(one)
                raise error
            flow.__flow_begin__()
            scheduler = flow.__flow_scheduler__
            self._refuse_running(scheduler)
            if scheduler in schedulers:
                raise ValueError(
                    f"{self.name!r} returned {value_line(flow)} twice, and a flow that runs cannot"
                    " be run; make one for each place in the list"
                )
            schedulers.append(scheduler)
        return schedulers

    def _refuse_running(self, scheduler: Scheduler) -> None:
        if scheduler.is_busy():
            raise BusyError(
                f"{self.name!r} returned the flow {scheduler.name!r}, which is running already, and"
                " can run neither inside of itself nor twice at once; return one that is made for"
                f" this, such as {scheduler.name}(...)"
            )

    def passed_on(self, _value: object) -> object:
        return self.made

    @property
    def children(self) -> Sequence[AbstractJob[object]]:
        if self._ran is not None:
            return self._ran
        if self._previewed is None:
            self._previewed = self._foresee()
        return self._previewed

    def _foresee(self) -> list[Scheduler]:
        if self.preview is None:
            return []
        named = [one for one in returned(self.method) if isinstance(one, type)]
        return [self.preview(one) for one in named if issubclass(one, FlowBase)]

    def renew(self) -> None:
        self._ran = None
        self.made = MISSING


def _let_go(around: Scheduler) -> None:
    """Let go of flows that have run, so that they can be returned again, here or elsewhere.

    Where the run around them has cut theirs short, their hooks are still to be called, and it lets
    go of them after that.
    """
    if not around.is_busy() and around.__flow_shutdown_ok__ is not None:
        for scheduler in list(around):
            around.remove(scheduler)
