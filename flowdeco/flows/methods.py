"""What a decorated method must look like, and what to write where it does not."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FunctionType,
    MethodDescriptorType,
    MethodWrapperType,
    WrapperDescriptorType,
)
from typing import Any, Final, cast, get_origin

from flowdeco.base.annotations import is_async_function, return_note
from flowdeco.base.limits import check_flag, check_seconds, check_window
from flowdeco.base.text import class_name, line, value_line, with_article
from flowdeco.jobs.chain import Chainable

from .declaration import Declaration, Decorator

__all__ = [
    "RESERVED",
    "WRAPPERS",
    "counted",
    "described",
    "first_line",
    "function_in",
    "is_body",
    "is_reserved",
    "layers",
    "listed",
    "problems_of",
    "reserved",
]

RESERVED: Final = frozenset(
    {"run", "co_run", "scheduler", "list", "debrief", "to_dot", "to_mermaid", "to_svg", "to_image"}
)
"""The names of a flow's own methods, beside all that begin with `_flow`."""

WRAPPERS: Final[tuple[type, ...]] = (
    *(staticmethod, classmethod, property),
    *(functools.cached_property, functools.partialmethod),
)
"""What makes something of a function that is no method of the instance."""

_NO_BODIES: Final[tuple[type, ...]] = (
    *(type, Chainable, Decorator, BuiltinFunctionType, MethodDescriptorType, MethodWrapperType),
    *(WrapperDescriptorType, ClassMethodDescriptorType),
)
"""What can be called, and is no method that somebody has written for a flow."""

_SELF = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def problems_of(declared: Declaration[object]) -> Iterator[str]:
    """Find what is wrong with a declaration by itself, whatever else the class has."""
    yield from reserved(declared.name)
    if declared.kind == "each":
        yield from _of_over(declared)
    wrong = _of_method(declared)
    if wrong is not None:
        yield wrong
    else:
        yield from _of_parameters(declared)
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
    over = declared.options.after
    several = isinstance(over, (tuple, list))
    if over is None or (several and any(isinstance(one, Declaration) for one in declared.before)):
        names = _names_before(declared)
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


def is_body(declared: Declaration[object]) -> bool:
    """Whether what a decorator stands on can be the body of a job.

    Besides functions that is what is called like one: an instance of a class with `__call__`, or a
    partial of a function. No instance is bound to it: the flow is the first argument.
    """
    method = declared.method
    if isinstance(method, FunctionType) or declared.kind not in ("step", "each"):
        return isinstance(method, FunctionType)
    while isinstance(method, functools.partial):
        method = method.func
    return callable(method) and not isinstance(method, (*_NO_BODIES, *WRAPPERS))


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


def layers(value: object) -> Iterator[object]:
    """Iterate over what decorators have made of a function, from the outermost to the innermost."""
    seen: dict[int, object] = {}
    while id(value) not in seen:
        seen[id(value)] = value
        yield value
        value = _one_inside(value)


def function_in(value: object) -> object:
    """Find the innermost function of what decorators have made of it."""
    return [*layers(value)][-1]


def _one_inside(value: object) -> object:
    if isinstance(value, Declaration):
        return value.method
    if isinstance(value, (staticmethod, classmethod)):
        return cast("Any", value).__func__
    if isinstance(value, property):
        return value.fget
    if isinstance(value, (functools.cached_property, functools.partialmethod, functools.partial)):
        return value.func
    return inspect.getattr_static(value, "__wrapped__", value)


# Its parameters


def _of_parameters(declared: Declaration[object]) -> Iterator[str]:
    try:
        parameters = [*declared.parameters]
    except Exception:
        yield (
            f"it does not say what it takes; call it in a method, `{first_line(declared)}`, and"
            f" decorate that"
        )
        return
    is_function = isinstance(declared.method, FunctionType)
    if declared.takes_anything:
        return
    if not parameters or parameters[0].kind not in _SELF:
        if is_function:
            yield f"it has no self; write `{first_line(declared)}`"
        else:
            yield (
                "it is called with the flow as its first argument, as a method is, and takes none;"
                f" write `{first_line(declared)}`"
            )
        return
    offered = ["item"] if declared.kind == "each" else _names_before(declared)
    problem = _of_self(declared, parameters, offered) if is_function else None
    if problem is not None:
        yield problem
    else:
        yield from _of_values(declared, parameters[1:], offered)


def _of_self(
    declared: Declaration[object],
    parameters: Sequence[inspect.Parameter],
    offered: Sequence[str],
) -> str | None:
    """Refuse a first parameter that is not self where it could be taken for that of a value."""
    first = parameters[0].name
    if first == "self" or first.startswith("_"):  # as what is not used is called
        return None
    if not (declared.kind == "each" or (declared.passes_values and offered)):
        return None
    names = [parameter.name for parameter in parameters]
    values = names if len(names) == len(offered) else offered
    return (
        f"its first parameter is {first}, and that is the flow, not a value; write"
        f" `{first_line(declared, *values)}`"
    )


def _of_values(
    declared: Declaration[object],
    others: Sequence[inspect.Parameter],
    offered: Sequence[str],
) -> Iterator[str]:
    unusual = [p for p in others if p.default is not p.empty or p.kind not in _SELF]
    wanted = [p.name for p in others if p.default is p.empty and p.kind not in _VARIABLE]
    if unusual and declared.options.after is not None:
        yield (
            f"{listed(map(_written, unusual))} cannot be passed: a value goes to a plain parameter"
            f" without a default; write `{first_line(declared, *offered)}`, and make fields of the"
            " rest"
        )
    elif declared.kind == "each":
        if len(wanted) != 1:
            yield (
                f"it takes {counted(len(wanted), 'value')} and is called with 1, the item; write"
                f" `{first_line(declared, *offered)}`"
            )
    elif wanted and not (declared.passes_values and len(wanted) == len(offered)):
        yield _of_count(declared, wanted, offered)
    elif any(name != own and name in offered for name, own in zip(wanted, offered, strict=False)):
        yield (
            f"it takes ({listed(wanted)}) and gets the values of ({listed(offered)}), in this"
            f" order; write `{first_line(declared, *offered)}`"
        )


def _of_count(declared: Declaration[object], wanted: Sequence[str], offered: Sequence[str]) -> str:
    takes = f"it takes {counted(len(wanted), 'value')} ({listed(wanted)})"
    alone = f"`{first_line(declared)}`"
    if declared.options.after is None:
        return f"{takes} and without `after=` gets 0; write {alone}, and make fields of the rest"
    if not declared.passes_values:
        given = offered[0] if len(offered) == 1 else f"({listed(offered)})"
        return (
            f"{takes} and a list in `after=` gives 0, as it only says what comes first; write"
            f" `after={given}`, or {alone}"
        )
    all_of_them = f"`{first_line(declared, *offered)}`, or " if offered else ""
    return f"{takes} and `after=` gives {len(offered)}; write {all_of_them}{alone}"


def _names_before(declared: Declaration[object]) -> list[str]:
    return [
        other if isinstance(other, str) else str(getattr(other, "name", "value"))
        for other in declared.before
    ]


def _written(parameter: inspect.Parameter) -> str:
    if parameter.kind is parameter.VAR_POSITIONAL:
        return f"*{parameter.name}"
    if parameter.kind is parameter.VAR_KEYWORD:
        return f"**{parameter.name}"
    if parameter.kind is parameter.KEYWORD_ONLY:
        return f"{parameter.name} (keyword-only)"
    return f"{parameter.name} (with a default)"


# Its options


def _of_options(declared: Declaration[object]) -> Iterator[str]:
    options = declared.options
    checks: Iterable[tuple[Callable[[object, str], None], object, str]] = (
        (check_flag, options.critical, "critical"),
        (check_seconds, options.timeout, "timeout"),
        (check_window, options.window, "window"),
    )
    for check, value, name in checks:
        try:
            check(value, name)
        except (TypeError, ValueError) as error:
            yield str(error)
    label: object = options.label
    if label is not None and not isinstance(label, str):
        yield f"label must be a str or None, not {value_line(label)} ({class_name(label)})"
    coroutine_service = declared.kind == "service" and not (
        declared.is_generator or _is_iterator(_return_annotation(declared.method))
    )
    if coroutine_service and options.timeout is not None:
        yield (
            "timeout bounds the time until a service yields, and this one does not yield; drop"
            " timeout="
        )


# How it is said


def first_line(declared: Declaration[object], *parameters: str) -> str:
    """Write the line with which the method should begin."""
    method = function_in(declared.method)
    plain = declared.kind == "subflow" or (
        declared.kind != "service"
        and (isinstance(method, FunctionType) or is_body(declared))
        and not (is_async_function(method) or declared.is_async)
    )
    return f"{'def' if plain else 'async def'} {declared.name}({', '.join(['self', *parameters])})"


def described(value: object) -> str:
    """Say what something is that is no function."""
    kind = class_name(value)
    if value is None:
        return "None"
    if isinstance(value, type):
        return f"the class {value_line(value.__name__)}"
    if isinstance(value, WRAPPERS):
        return with_article(kind)
    return f"{value_line(value)} ({kind}), which is no function"


def listed(names: Iterable[str]) -> str:
    """Join names."""
    return ", ".join(names)


def counted(count: int, noun: str) -> str:
    """Say how many there are."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
