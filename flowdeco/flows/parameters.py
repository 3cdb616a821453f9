"""What a decorated method takes, and what its decorator offers."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from types import FunctionType

from .declaration import Declaration
from .wording import counted, first_line, listed

__all__ = ["names_of", "parameter_problems"]

_SELF = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def parameter_problems(declared: Declaration[object]) -> Iterator[str]:
    """Find what is wrong with the parameters of a declared method."""
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
    offered = names_of(declared.after)
    if declared.kind == "each":
        offered = ["item", *(offered if declared.passes_values else [])]
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
    if unusual and (declared.kind == "each" or declared.options.after is not None):
        yield (
            f"{listed(map(_written, unusual))} cannot be passed: a value goes to a plain parameter"
            f" without a default; write `{first_line(declared, *offered)}`, and make fields of the"
            " rest"
        )
    elif declared.kind == "each" and len(wanted) not in (1, len(offered)):
        yield _of_item_count(declared, wanted, offered)
    elif wanted and declared.kind != "each" and not _fit(declared, wanted, offered):
        yield _of_count(declared, wanted, offered)
    elif any(name != own and name in offered for name, own in zip(wanted, offered, strict=False)):
        yield (
            f"it takes ({listed(wanted)}) and gets the values of ({listed(offered)}), in this"
            f" order; write `{first_line(declared, *offered)}`"
        )


def _fit(declared: Declaration[object], wanted: Sequence[str], offered: Sequence[str]) -> bool:
    return declared.passes_values and len(wanted) == len(offered)


def _of_item_count(
    declared: Declaration[object], wanted: Sequence[str], offered: Sequence[str]
) -> str:
    takes = f"it takes {counted(len(wanted), 'value')} and is called with {len(offered)}"
    alone = f"`{first_line(declared, 'item')}`"
    if isinstance(declared.options.after, list) and declared.after:
        names = names_of(declared.after)
        given = names[0] if len(names) == 1 else f"({listed(names)})"
        return (
            f"{takes}, the item, as a list in `after=` only says what comes first; write"
            f" `after={given}`, or {alone}"
        )
    if len(offered) == 1:
        return f"{takes}, the item; write {alone}"
    return (
        f"{takes}, the item and {listed(offered[1:])}; write `{first_line(declared, *offered)}`, or"
        f" {alone}"
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


def names_of(others: Iterable[object]) -> list[str]:
    """Return the names of what a decorator was given, be they declarations or strings."""
    return [
        other if isinstance(other, str) else str(getattr(other, "name", "value"))
        for other in others
    ]


def _written(parameter: inspect.Parameter) -> str:
    if parameter.kind is parameter.VAR_POSITIONAL:
        return f"*{parameter.name}"
    if parameter.kind is parameter.VAR_KEYWORD:
        return f"**{parameter.name}"
    if parameter.kind is parameter.KEYWORD_ONLY:
        return f"{parameter.name} (keyword-only)"
    return f"{parameter.name} (with a default)"
