"""Fields that are not attrs' own, and fields where a declaration is meant."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any, Final, cast

from flowdeco.base.text import class_name, line, value_line, with_article
from flowdeco.jobs.chain import Chainable

__all__ = [
    "OVER_A_FLOW",
    "bases_with_fields",
    "field_meant",
    "foreign_field",
    "items_problem",
]

OVER_A_FLOW: Final = "@dataclass stands over a flow, which has its fields already; drop it"


def foreign_field(name: str, value: object) -> str | None:
    """Refuse what makes a field elsewhere, as `dataclasses.field` does; None for anything else."""
    kind = _foreign(value)
    if kind is None:
        return None
    return f"{kind} makes no field of a flow; write `{name}: ... = {_rewritten(value)}`"


def _foreign(value: object) -> str | None:
    # Known by their names: nothing is imported, and no instance is asked for its attributes.
    for base in type(value).__mro__:
        for module, class_, what in _FIELDS:
            if base.__module__ == module and base.__name__ == class_:
                return what
    return None


_FIELDS = (
    ("dataclasses", "Field", "dataclasses.field"),
    ("pydantic.fields", "FieldInfo", "pydantic's Field"),
    ("pydantic.v1.fields", "FieldInfo", "pydantic's Field"),
    ("pydantic.fields", "ModelPrivateAttr", "pydantic's PrivateAttr"),
    ("pydantic.v1.fields", "ModelPrivateAttr", "pydantic's PrivateAttr"),
    ("msgspec", "_Field", "msgspec.field"),
    ("msgspec._core", "Field", "msgspec.field"),
)


def _rewritten(field: Any) -> str:
    """Write an `attrs.field` with the default of another library's field."""
    factory: object = getattr(field, "default_factory", None)
    if callable(factory):
        name: object = getattr(factory, "__name__", None)
        named = isinstance(name, str) and name.isidentifier()
        return f"attrs.field(factory={name if named else '...'})"
    default: object = getattr(field, "default", ...)
    if default is ... or class_name(default) in _UNDEFINED:
        return "attrs.field()"
    return f"attrs.field(default={value_line(_quoted(default))})"


_UNDEFINED = ("_MISSING_TYPE", "PydanticUndefinedType", "UndefinedType", "NoDefaultType")


def _quoted(value: object) -> object:
    return repr(value) if isinstance(value, (str, bytes)) else value


def bases_with_fields(bases: Iterable[type]) -> Iterator[str]:
    """Refuse bases whose fields another library knows, and a flow does not.

    Args:
        bases: those that are no flows.

    Returns:
        What is wrong with each of them.
    """
    for base in bases:
        for attribute, what in _BASES.items():
            names = _field_names(vars(base).get(attribute))
            if names:
                yield (
                    f"{base.__name__} is {what} with fields ({', '.join(names)}), of which a flow"
                    f" makes no arguments; write them as fields of the flow, as in"
                    f" `{names[0]}: ...`, or have one that holds them all:"
                    f" `{_snake(base.__name__)}: {base.__name__}`"
                )


_BASES: Mapping[str, str] = {
    "__dataclass_fields__": "a dataclass",
    "__attrs_attrs__": "an attrs class",
    "__pydantic_fields__": "a pydantic model",
    "__struct_fields__": "a msgspec struct",
}


def _field_names(fields: Any) -> list[str]:
    if not fields:
        return []
    if isinstance(fields, dict):
        found = cast("dict[str, object]", fields)
        # A dataclass keeps its class variables among them.
        kinds = {name: repr(getattr(one, "_field_type", None)) for name, one in found.items()}
        return [name for name, kind in kinds.items() if "CLASSVAR" not in kind]
    return [line(getattr(field, "name", field)) for field in fields]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


# A field where a declaration is meant


def field_meant(value: object, fields: Mapping[str, object]) -> str | None:
    """Find the field, or class attribute, that was given where a declaration is meant.

    Args:
        value: what was given: what is assigned to the field, or its name.
        fields: what the class has, by name.
    """
    if isinstance(value, str):
        return value if value in fields else None
    if value is None or isinstance(value, (int, float, bytes)) or value == ():
        return None  # there is one such object for all who write it
    return next((name for name, one in fields.items() if one is value), None)


def items_problem(
    over: object, data: Mapping[str, object], fields: Container[str], taken: Container[str]
) -> str | None:
    """Refuse an `@each` over what could be iterated over, but is the result of no declaration.

    Args:
        over: what it was given.
        data: what the class has, by name, but for methods, declarations and chains.
        fields: which of these are fields.
        taken: the names that are not free.
    """
    name = field_meant(over, data)
    if name is not None:
        what = f"{name} is {'a field' if name in fields else 'an attribute'}"
        step = _step_for(f"all_{name}", f"self.{name}", taken)
    elif isinstance(over, Iterable) and not isinstance(over, (str, Chainable)):
        what = f"this is {with_article(class_name(over))}"
        step = _step_for("items", _literal(over), taken)
    else:
        return None
    return f"@each goes over the result of a declaration, and {what}; {step}"


def _step_for(name: str, returned: str, taken: Container[str]) -> str:
    while name in taken:
        name += "_"
    return (
        f"write a step that returns it, `async def {name}(self): return {returned}` under @step,"
        f" and below it `@each({name})`"
    )


def _literal(items: object) -> str:
    """Write items as they stand in a source, if they can be written there and are few."""
    if type(items) not in (tuple, list, set, dict, range):
        return "..."
    text = value_line(items)
    return text if len(text) <= 60 else "..."
