"""What a decorated method must look like, and what to write where it does not."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType
from typing import Final, get_origin

from flowdeco.base.annotations import is_async_function, return_note
from flowdeco.base.limits import check_flag, check_number, check_seconds, check_window
from flowdeco.base.text import class_name, line, value_line, with_article
from flowdeco.jobs.retry import Retry

from .declaration import Declaration
from .parameters import names_of, parameter_problems
from .wording import WRAPPERS, described, first_line, function_in, is_body, listed

__all__ = ["RESERVED", "is_reserved", "problems_of", "reserved"]

RESERVED: Final = frozenset(
    {"run", "co_run", "scheduler", "list", "debrief", "to_dot", "to_mermaid", "to_svg", "to_image"}
)
"""The names of a flow's own methods, beside all that begin with `_flow`."""


def problems_of(declared: Declaration[object]) -> Iterator[str]:
    """Find what is wrong with a declaration by itself, whatever else the class has."""
    yield from reserved(declared.name)
    if declared.kind == "each":
        yield from _of_over(declared)
    wrong = _of_method(declared)
    if wrong is not None:
        yield wrong
    else:
        yield from parameter_problems(declared)
    yield from _of_options(declared)


def is_reserved(name: str) -> bool:
    """Whether a flow has the name for itself."""
    return name in RESERVED or name.startswith(("_flow", "__flow_"))


def reserved(name: str) -> Iterator[str]:
    """Refuse the names of a flow's own, and Python's."""
    if is_reserved(name) or re.fullmatch(r"__\w+__", name):
        yield (
            f"the name {name} is taken; choose another than {listed(sorted(RESERVED))}, what begins"
            " with _flow, and names such as __init__"
        )


def _of_over(declared: Declaration[object]) -> Iterator[str]:
    # What is no declaration at all is refused with the prerequisites.
    # What has none in it is refused there as well.
    over = declared.options.over
    several = isinstance(over, (tuple, list))
    if over is None or (several and any(isinstance(one, Declaration) for one in declared.over)):
        names = names_of(declared.over)
        given = f"and is given {'a list' if isinstance(over, list) else 'a tuple'} of {len(names)}"
        if over is None:
            given = "and is given None"
        yield f"@each goes over one declaration, {given}; write `@each({[*names, 'name'][0]})`"


# What the decorator stands on


def _of_method(declared: Declaration[object]) -> str | None:
    method, kind = declared.method, declared.kind
    what = class_name(method)
    write = f"write `{first_line(declared)}`"
    if isinstance(method, Declaration):
        if method.kind == kind:
            return f"it is decorated twice with @{kind}; drop one of them"
        return f"it is decorated twice; keep one of @{method.kind} and @{kind}"
    if isinstance(method, WRAPPERS):
        what = with_article(what)
        return f"@{kind} stands on {what}, and a {kind} is a method of the instance; {write}"
    if not is_body(declared):
        return f"@{kind} stands on {described(method)}; {write}"
    if isinstance(method, FunctionType) and method.__name__ == "<lambda>":
        return f"@{kind} stands on a lambda; {write}"
    if kind == "service":
        if is_async_function(method):
            return _of_yieldless(declared)
        # Left abstract, a generator is written without `async`, or checkers await it.
        if declared.is_generator or declared.__isabstractmethod__:
            return None
        inner = function_in(method)
        if inner is not method and inspect.isasyncgenfunction(inner):
            return "another decorator has made a plain method of a service; drop that decorator"
        return f"a service is async, and this method is not; {write}"
    if declared.is_generator and kind == "step":
        return "it is a step and yields; did you mean @service?"
    if inspect.isgeneratorfunction(method) and kind == "step":
        write = f"`async def {declared.name}(self)`"
        return f"it is a step and yields; did you mean @service, which is async? Write {write}"
    if declared.is_generator or inspect.isgeneratorfunction(method):
        return f"it yields; return {_RETURNED[kind]} instead"
    if kind == "subflow" and is_async_function(method):
        return f"it makes flows and waits for nothing, so it is not async; {write}"
    if kind == "subflow" and _is_none(_return_annotation(method)):
        return (
            "it is annotated as None, so that it would never make a flow; annotate it as the flow,"
            " as in `-> Restart | None` where it does so at times, or make a step of it"
        )
    return None


def _of_yieldless(declared: Declaration[object]) -> str | None:
    """Refuse a service that is annotated as an iterator and yields nothing."""
    inner = function_in(declared.method)
    annotation = _return_annotation(declared.method)
    if declared.__isabstractmethod__ or inspect.isasyncgenfunction(inner):
        return None
    if not _is_iterator(annotation):
        return None
    shown = annotation.strip("'\"") if isinstance(annotation, str) else value_line(annotation)
    return (
        f"it is annotated as {line(shown)} and never yields, so that it would give None; let it"
        " `yield` where it is ready, or annotate it `-> None`"
    )


def _is_none(annotation: object) -> bool:
    return annotation is None or (isinstance(annotation, str) and annotation.strip("'\"") == "None")


def _return_annotation(method: object) -> object:
    try:
        return return_note(method)
    except Exception:  # it has none that could be read
        return inspect.Parameter.empty


def _is_iterator(annotation: object) -> bool:
    if isinstance(annotation, str):
        return _ITERATOR.match(annotation) is not None
    origin = get_origin(annotation) or annotation
    return isinstance(origin, type) and _ITERATOR.match(origin.__name__) is not None


_ITERATOR = re.compile(r"['\"]?([\w.]+\.)?(Async)?(Iterator|Iterable|Generator)\b")

_RETURNED = {"each": "the result for the item", "subflow": "a flow, or a list of flows,"}


# Its options


def _of_options(declared: Declaration[object]) -> Iterator[str]:
    options = declared.options
    checks: Iterable[tuple[Callable[[object, str], None], object, str]] = (
        (check_flag, options.critical, "critical"),
        (check_seconds, options.timeout, "timeout"),
        (check_window, options.window, "window"),
        (check_flag, options.return_exceptions, "return_exceptions"),
        (check_number, options.keep, "keep"),
    )
    for check, value, name in checks:
        try:
            check(value, name)
        except (TypeError, ValueError) as error:
            yield str(error)
    label: object = options.label
    if label is not None and not isinstance(label, str):
        yield f"label must be a str or None, not {value_line(label)} ({class_name(label)})"
    yield from _of_retry(declared)
    coroutine_service = declared.kind == "service" and not (
        declared.is_generator or _is_iterator(_return_annotation(declared.method))
    )
    if coroutine_service and options.timeout is not None:
        yield (
            "timeout bounds the time until a service yields, and this one does not yield; drop"
            " timeout="
        )


def _of_retry(declared: Declaration[object]) -> Iterator[str]:
    retry, kind = declared.options.retry, declared.kind
    if retry is None:
        return
    if kind == "service":
        yield "a service is not tried again; drop retry=, and let it try again before its `yield`"
    elif kind == "subflow":
        yield "a subflow is not tried again; drop retry=, and give it to the steps of its flows"
    elif not isinstance(retry, Retry):
        yield (
            f"retry must be a Retry or None, not {value_line(retry)} ({class_name(retry)}); for"
            " instance retry=Retry(on=ConnectionError)"
        )
