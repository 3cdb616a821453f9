"""The decorators: they mark a method, and note what they were given."""

from __future__ import annotations

from typing import Any

from .declaration import Declaration, Decorator, Each, Options, Service, Step, Subflow

__all__ = ["each", "service", "step", "subflow"]


def step(
    method: Any = None,
    /,
    *,
    after: Any = None,
    critical: bool | None = None,
    timeout: float | None = None,
    label: str | None = None,
) -> Any:
    """Declare a step: a method that a flow runs when its turn comes.

    Args:
        method: an async method, or a plain one, which runs in a thread.
        after: what it comes after: one declaration, or a tuple of them, whose results the method
            receives in this order, or takes none of; a list is an ordering alone.
        critical: whether its failure ends the run; None is the default of the flow.
        timeout: the seconds that it may take from its start.
        label: the name in listings; by default that of the method.

    Returns:
        The declaration; on an instance of the flow it is the job.
    """
    return _declared(Step, method, Options(after, critical, timeout, label))


def service(
    method: Any = None,
    /,
    *,
    after: Any = None,
    critical: bool | None = None,
    timeout: float | None = None,
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
        label: the name in listings; by default that of the method.

    Returns:
        The declaration; on an instance of the flow it is the job.
    """
    return _declared(Service, method, Options(after, critical, timeout, label))


def subflow(
    method: Any = None,
    /,
    *,
    after: Any = None,
    critical: bool | None = None,
    timeout: float | None = None,
    label: str | None = None,
) -> Any:
    """Declare a subflow: a method that makes the flows which then run as part of this one.

    Args:
        method: a plain method that returns a flow, or a list of flows, which run in parallel.
        after: what it comes after, as for `step`.
        critical: whether its failure ends the run; None is the default of the flow.
        timeout: the seconds that all of it may take from its start.
        label: the name in listings; by default that of the method.

    Returns:
        The declaration; on an instance it is what the method has returned, once it was called.
    """
    return _declared(Subflow, method, Options(after, critical, timeout, label))


def each(
    over: Any,
    *,
    window: int | None = None,
    critical: bool | None = None,
    timeout: float | None = None,
    label: str | None = None,
) -> Any:
    """Declare a fan-out: a method that runs once for each item of a result, all in parallel.

    Args:
        over: the declaration whose result is iterated over.
        window: how many items are worked on at once; they take places of the flow's window, too.
        critical: whether the first failure ends the run; None is the default of the flow.
        timeout: the seconds that each item may take.
        label: the name in listings; by default that of the method.

    Returns:
        A decorator of a method that takes an item; the result is the list of what it returned, in
        the order of the items.
    """
    return Decorator(Each, Options(over, critical, timeout, label, window))


def _declared(kind: type[Declaration[object]], method: Any, options: Options) -> Any:
    decorator = Decorator(kind, options)
    return decorator if method is None else decorator(method)
