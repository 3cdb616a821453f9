"""What was changed on a flow class after it was made, so that no run would heed it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType
from typing import cast

from flowdeco.base.text import class_name, line, with_article
from flowdeco.errors import DefinitionError, ReplacedError

from .checks import place
from .declaration import Declaration
from .definition import Definition
from .foreign import OVER_A_FLOW
from .kinds import Each, Service, Step, Subflow
from .wording import function_in

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
    found: dict[str, object] = {}
    for base in cls.__mro__[-2::-1]:  # but for `object`: this is done at each use of a flow
        found.update(vars(base))
    for name, one in declared.items():
        if found.get(name) is not one:
            raise _error(cls, definition, found)
    for name, value in found.items():
        if type(value) in _KINDS and name not in declared and _is_new(cls, value, definition):
            raise _error(cls, definition, found)
    refuse_dataclass(cls)


# By its type: what else a class has may be a lazy object, which a look at it would load.
_KINDS = frozenset({Step, Service, Each, Subflow})


def _is_new(cls: type, value: object, definition: Definition) -> bool:
    """Whether a declaration that was not collected is no other name of one that was."""
    one = cast("Declaration[object]", value)
    return one.owner not in cls.__mro__ or one.name not in definition.declarations


def _error(cls: type, definition: Definition, found: Mapping[str, object]) -> ReplacedError:
    return ReplacedError(cls.__qualname__, list(_changes(cls, definition, found)))


def _changes(cls: type, definition: Definition, found: Mapping[str, object]) -> Iterator[str]:
    for name, declared in definition.declarations.items():
        kind = declared.kind
        where = f"{cls.__qualname__}.{name} ({_place(declared)})"
        if name not in found:
            yield f"{where}: this {kind} was deleted after the class was made; {_instead(cls)}"
        elif found[name] is not declared:
            yield (
                f"{where}: {_described(found[name])} was put in place of this {kind} after the"
                f" class was made, and no run would call it; undo that, and for one run write"
                f" run(overrides=[{cls.__name__}.{name}.replaced_by(...)]); for all runs, redefine"
                f" {name} in a subclass: `class Other{cls.__name__}({cls.__name__})` with {name}"
                f" under @{kind}"
            )
    for name, value in found.items():
        is_declared = type(value) not in _KINDS or name in definition.declarations
        if not is_declared and _is_new(cls, value, definition):
            added = cast("Declaration[object]", value)
            yield (
                f"{cls.__qualname__}.{name} ({_place(added)}): this {added.kind} was added after"
                f" the class was made, and no run would call it; {_instead(cls)}"
            )


def _instead(cls: type) -> str:
    return (
        "undo that, and declare what there is in the body of the class, or of a subclass:"
        f" `class Other{cls.__name__}({cls.__name__})`"
    )


def _place(declared: Declaration[object]) -> str:
    # Not what stands under its name, for that is something else now.
    code = getattr(function_in(declared), "__code__", None)
    if isinstance(code, CodeType):
        return f"{code.co_filename}:{code.co_firstlineno}"
    return "no class" if declared.owner is None else place(declared.owner)


def _described(value: object) -> str:
    if type(value) in _KINDS:
        one = cast("Declaration[object]", value)
        return f"another {one.kind} ({line(one.name)})"
    kind = with_article(class_name(value))
    return f"{kind} ({line(value.__name__)})" if type(value) is FunctionType else kind


def refuse_dataclass(cls: type) -> None:
    """Refuse a flow class over which `@dataclass` stands, which could not be seen before.

    Raises:
        DefinitionError: it does.
    """
    if "__dataclass_fields__" in vars(cls):
        problem = f"{cls.__qualname__} ({place(cls)}): {OVER_A_FLOW}"
        raise DefinitionError(cls.__qualname__, [problem])
