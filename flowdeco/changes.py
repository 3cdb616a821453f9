"""What was changed on a flow class after it was made, so that no run would heed it."""

from __future__ import annotations

from collections.abc import Iterator

from .checks import place
from .declaration import Declaration
from .definition import Definition
from .errors import DefinitionError, ReplacedError
from .foreign import OVER_A_FLOW
from .text import class_name, line

__all__ = ["check_unchanged", "refuse_dataclass"]


def check_unchanged(cls: type, definition: Definition) -> None:
    """Refuse a flow class of which something is no longer as it was when the class was made.

    Args:
        cls: the class.
        definition: what was collected then.

    Raises:
        ReplacedError: something stands in place of a declaration, or there is another one.
        DefinitionError: it was made a dataclass.
    """
    declared = definition.declarations
    found = {name: value for base in reversed(cls.__mro__) for name, value in vars(base).items()}
    if any(found.get(name) is not one for name, one in declared.items()) or any(
        isinstance(value, Declaration) and name not in declared and _is_new(cls, value, definition)
        for name, value in found.items()
    ):
        raise ReplacedError(cls.__qualname__, list(_changes(cls, definition, found)))
    refuse_dataclass(cls)


def _is_new(cls: type, value: Declaration[object], definition: Definition) -> bool:
    """Whether a declaration under a name that is not declared is no other name of a known one."""
    return value.owner not in cls.__mro__ or value.name not in definition.declarations


def _changes(cls: type, definition: Definition, found: dict[str, object]) -> Iterator[str]:
    for name, declared in definition.declarations.items():
        kind = declared.kind
        where = f"{cls.__qualname__}.{name} ({_place(declared)})"
        if name not in found:
            yield f"{where}: this {kind} was deleted after the class was made; {_instead(cls)}"
        elif found[name] is not declared:
            yield (
                f"{where}: {_described(found[name])} was put in place of this {kind} after the"
                f" class was made, and no run would call it; undo that, and redefine {name} in a"
                f" subclass: `class Other{cls.__name__}({cls.__name__})` with {name} under @{kind}"
            )
    for name, value in found.items():
        if (
            isinstance(value, Declaration)
            and name not in definition.declarations
            and _is_new(cls, value, definition)
        ):
            yield (
                f"{cls.__qualname__}.{name} ({_place(value)}): this {value.kind} was added after"
                f" the class was made, and no run would call it; {_instead(cls)}"
            )


def _instead(cls: type) -> str:
    return (
        "undo that, and declare what there is in the body of the class, or of a subclass:"
        f" `class Other{cls.__name__}({cls.__name__})`"
    )


def _place(declared: Declaration[object]) -> str:
    if declared.owner is not None:
        return place(declared.owner, declared.name)
    code = getattr(declared.method, "__code__", None)
    return "no class" if code is None else f"{code.co_filename}:{code.co_firstlineno}"


def _described(value: object) -> str:
    name: object = getattr(value, "__name__", None)
    kind = f"another {value.kind}" if isinstance(value, Declaration) else f"a {class_name(value)}"
    return f"{kind} ({line(name)})" if isinstance(name, str) else kind


def refuse_dataclass(cls: type) -> None:
    """Refuse a flow class over which `@dataclass` stands, which could not be seen before.

    Raises:
        DefinitionError: it does.
    """
    if "__dataclass_fields__" in vars(cls):
        problem = f"{cls.__qualname__} ({place(cls)}): {OVER_A_FLOW}"
        raise DefinitionError(cls.__qualname__, [problem])
