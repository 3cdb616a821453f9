"""What a job is given as its requirements."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Iterator
from typing import Any, TypeVar, cast

from flowdeco.base.text import class_name, repr_line

from .callables import is_coroutine
from .chain import Chain

__all__ = ["collected"]

J = TypeVar("J")


def collected(given: object, kind: type[J]) -> tuple[J, ...]:
    """Collect the jobs in what was given as requirements, in order.

    A job that stands twice in one list is there twice: a run counts it twice and ends it twice,
    which costs less than to look for it in every list.

    Args:
        given: a job, a chain, None, or a nested collection of them.
        kind: the class of all jobs.

    Raises:
        TypeError: something is neither of these.
    """
    # A cast would take longer than the rest.
    items: Any = given if isinstance(given, (list, tuple)) else (given,)  # pyright: ignore[reportUnknownVariableType]
    for item in items:
        if not isinstance(item, kind):
            return tuple(dict.fromkeys(_flattened(items, kind)))
    return tuple(items)


def _flattened(given: object, kind: type[J]) -> Iterator[J]:
    """Walk through nested collections of requirements to the jobs."""
    levels: list[Iterator[object]] = [iter((given,))]
    while levels:
        for item in levels[-1]:
            if isinstance(item, kind):
                yield item
            elif isinstance(item, Chain):
                levels.append(iter(cast("Chain[J]", item).tails))
                break
            elif item is None:
                continue
            elif isinstance(item, Iterable) and not isinstance(item, (str, bytes)):
                levels.append(iter(item))
                break
            else:
                raise _no_requirement(item)
        else:
            levels.pop()


def _no_requirement(item: Any) -> TypeError:
    shown = repr_line(item)
    if isinstance(item, (str, bytes)):
        return TypeError(
            f"a requirement is a job, not its name {shown}; give the job itself,"
            " which scheduler.find() returns by name"
        )
    if is_coroutine(item) or callable(item):
        if is_coroutine(item):
            cast("Coroutine[Any, Any, object]", item).close()
        return TypeError(f"a requirement is a job, not {shown}; make one with Job(...)")
    return TypeError(f"a requirement is a job or a chain, not {shown} ({class_name(item)})")
