"""The decorators: they mark a method, and note what they were given."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from flowdeco.base.text import alike, line
from flowdeco.jobs.retry import Retry

from .declaration import Declaration, Decorator, Options
from .kinds import Each, Service, Step, Subflow

__all__ = ["each", "service", "step", "subflow"]


def _telling_options(decorator: Callable[..., Any]) -> Callable[..., Any]:
    """Let Python's own error on an unknown option say which ones there are."""
    parameters = inspect.signature(decorator).parameters
    options = [name for name, one in parameters.items() if one.kind is one.KEYWORD_ONLY]
    if decorator.__name__ in ("service", "subflow"):
        options.remove("retry")  # which is there to be refused where the class is written

    @functools.wraps(decorator)
    def wrapper(*args: Any, **keywords: Any) -> Any:
        try:
            return decorator(*args, **keywords)
        except TypeError as error:
            unknown = next((name for name in keywords if name not in parameters), None)
            if unknown is not None:
                error.args = (_no_option(decorator.__name__, unknown, options),)
            # Raised again like this, it is an error of the line that has called, and of no other.
            error.__traceback__ = None
            raise

    return wrapper


_MEANT = {"retry": "retry=Retry(on=...)"}


def _no_option(name: str, unknown: str, options: list[str]) -> str:
    close = [_MEANT.get(option, f"{option}=") for option in alike(unknown, options)]
    meant = f"; did you mean {' or '.join(close)}?" if close else ";"
    there_are = ", ".join(f"{option}=" for option in options)
    return (
        f"{name}() got an unexpected keyword argument {line(repr(unknown))}{meant} @{name} takes"
        f" {there_are}"
    )


@_telling_options
def step(
    method: Any = None,
    /,
    *,
    after: Any = None,
    critical: bool | None = None,
    timeout: float | None = None,
    retry: Retry | None = None,
    label: str | None = None,
) -> Any:
    """Declare a step: a method that a flow runs when its turn comes.

    Args:
        method: an async method, or a plain one, which runs in a thread.
        after: what it comes after: one declaration, or a tuple of them, whose results the method
            receives in this order, or takes none of; a list only sets the order.
        critical: whether its failure ends the run; None is the default of the flow.
        timeout: the seconds that it may take from its start; those of each attempt.
        retry: when it is tried again after a failure.
        label: the name in listings; by default that of the method.

    Returns:
        The declaration; on an instance of the flow it is the job.
    """
    return _declared(Step, method, Options(after, critical, timeout, label, retry=retry))


@_telling_options
def service(
    method: Any = None,
    /,
    *,
    after: Any = None,
    critical: bool | None = None,
    timeout: float | None = None,
    retry: Retry | None = None,
    label: str | None = None,
) -> Any:
    """Declare a service: it runs until the steps are done, and is then stopped.

    Args:
        method: an async method. With a `yield` (annotated `AsyncIterator[T]`) it is ready there,
            gives what it yields, and goes on for its teardown however the run ends. Without, it
            is ready at its first suspension, and is cancelled at the end.
        after: what it comes after, as for `step`.
        critical: whether its failure ends the run; None is the default of the flow.
        timeout: the seconds until it is ready; only where there is a `yield`.
        retry: refused, with an error that says where to try again instead.
        label: the name in listings; by default that of the method.

    Returns:
        The declaration; on an instance of the flow it is the job.
    """
    return _declared(Service, method, Options(after, critical, timeout, label, retry=retry))


@_telling_options
def subflow(
    method: Any = None,
    /,
    *,
    after: Any = None,
    critical: bool | None = None,
    timeout: float | None = None,
    retry: Retry | None = None,
    label: str | None = None,
) -> Any:
    """Declare a subflow: a method that makes the flows which then run as part of this one.

    Args:
        method: a plain method that returns a flow, or a list of flows, which run in parallel.
        after: what it comes after, as for `step`.
        critical: whether its failure ends the run; None is the default of the flow.
        timeout: the seconds that all of it may take from its start.
        retry: refused, with an error that says where to try again instead.
        label: the name in listings; by default that of the method.

    Returns:
        The declaration; on an instance it is what the method has returned, once it was called.
    """
    return _declared(Subflow, method, Options(after, critical, timeout, label, retry=retry))


@_telling_options
def each(
    over: Any,
    *,
    after: Any = None,
    return_exceptions: bool = False,
    window: int | None = None,
    critical: bool | None = None,
    timeout: float | None = None,
    retry: Retry | None = None,
    keep: int = 1000,
    label: str | None = None,
) -> Any:
    """Declare a fan-out: a method that runs once for each item of a result, all in parallel.

    Args:
        over: the declaration whose result is iterated over: any iterable, or an async one. Items
            are drawn as places become free, so it may be endless.
        after: what it comes after besides, as for `step`: the method takes the results after the
            item, or the item alone; a list only sets the order.
        return_exceptions: let failures of items be values among the results, as `asyncio.gather`
            does, so that the fan-out itself has not failed.
        window: how many items are worked on at once; they take places of the flow's window, too.
        critical: whether the first failure ends the run; None is the default of the flow.
        timeout: the seconds that each item may take; those of each attempt.
        retry: when an item is tried again after a failure.
        keep: how many of the items that have ended well stay in `children` and in the report; the
            others are counted. All that have failed stay.
        label: the name in listings; by default that of the method.

    Returns:
        A decorator of a method that takes an item, and the values of `after`; the result is the
        list of what it returned, in the order of the items.
    """
    return Decorator(
        Each, Options(after, critical, timeout, label, window, over, retry, return_exceptions, keep)
    )


def _declared(kind: type[Declaration[object]], method: Any, options: Options) -> Any:
    decorator = Decorator(kind, options)
    return decorator if method is None else decorator(method)
