"""Annotations that are evaluated when somebody asks for them, as since Python 3.14: their text."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from types import CellType, FunctionType, GeneratorType
from typing import Any, cast

if sys.version_info >= (3, 14):
    import annotationlib
    from annotationlib import Format

__all__ = ["IS_LAZY", "annotate_of", "as_text", "copied", "names_around"]

Annotate = Callable[..., Any]
"""What a class or function has to evaluate its annotations."""

if sys.version_info >= (3, 14):
    IS_LAZY = True

    def annotate_of(annotated: object) -> Annotate | None:
        """What evaluates the annotations; None if they are there already."""
        if isinstance(annotated, type):
            return annotationlib.get_annotate_from_class_namespace(vars(annotated))
        return getattr(annotated, "__annotate__", None)

    def as_text(annotate: Annotate) -> Mapping[str, object]:
        """Write the annotations, each by its name, and evaluate nothing for it."""
        # annotationlib calls what they call while it makes text of them (gh-138764).
        try:
            notes: Mapping[str, object] = annotate(Format.STRING)
        except NotImplementedError:  # as what the compiler makes
            function = cast("FunctionType", annotate)
            cells = map(_made_text, function.__code__.co_freevars, function.__closure__ or ())
            unknowing = copied(function, _Unknown(), tuple(cells))
            notes = unknowing(Format.VALUE_WITH_FAKE_GLOBALS)
        # What is in quotes is text already.
        return {name: n if isinstance(n, str) else _text(n) for name, n in notes.items()}

else:
    IS_LAZY = False

    def annotate_of(annotated: object) -> Annotate | None:  # noqa: ARG001
        """There is no such thing."""
        return None

    def as_text(annotate: Annotate) -> Mapping[str, object]:
        """Not called."""
        raise NotImplementedError


def names_around(annotate: Annotate) -> Mapping[str, Any]:
    """The names that an annotation may use: of the class, of functions around it, of the module."""
    if not isinstance(annotate, FunctionType):
        return {}
    cells: dict[str, Any] = {}
    for name, cell in zip(annotate.__code__.co_freevars, annotate.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):  # not assigned yet
            cells[name] = cell.cell_contents
    return ChainMap(cells.get("__classdict__", {}), cells, annotate.__globals__)


def copied(
    function: FunctionType, names: dict[str, Any], cells: tuple[CellType, ...] | None
) -> FunctionType:
    """Copy a function, with other names around it."""
    return FunctionType(function.__code__, names, function.__name__, function.__defaults__, cells)


# Code as text


class _Unknown(dict[str, Any]):
    """The names of a module, of which each stands for itself."""

    def __missing__(self, name: str) -> _Text:
        return _Text(name)


def _made_text(name: str, cell: CellType) -> CellType:
    if name == "__conditional_annotations__":  # which of them the class has
        return cell
    return CellType({} if name == "__classdict__" else _Text(name))


class _Text:
    """What code makes of a name: the text of that code."""

    def __init__(self, text: str) -> None:
        self.__text = text

    def __repr__(self) -> str:
        return self.__text

    def __format__(self, _: str) -> str:
        return self.__text

    def __getattr__(self, name: str) -> _Text:
        return _Text(f"{_operand(self)}.{name}")

    def __getitem__(self, key: object) -> _Text:
        parts = cast("tuple[object, ...]", key) if isinstance(key, tuple) else (key,)
        return _Text(f"{_operand(self)}[{', '.join(map(_text, parts)) or '()'}]")

    def __call__(self, *args: object, **options: object) -> _Text:
        given = [*map(_text, args), *(f"{name}={_text(value)}" for name, value in options.items())]
        return _Text(f"{_operand(self)}({', '.join(given)})")

    def __iter__(self) -> Iterator[_Text]:
        yield _Text(f"*{_operand(self)}")


def _text(value: object) -> str:
    """Write what stands in an annotation."""
    is_code = isinstance(value, (FunctionType, GeneratorType))
    return "..." if is_code or value is ... else repr(value)


def _operand(value: object) -> str:
    text = _text(value)
    return f"({text})" if isinstance(value, _Text) and " " in text else text


def _add_operators() -> None:
    compared = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
    computed = {"or": "|", "and": "&", "xor": "^", "lshift": "<<", "rshift": ">>"}
    computed |= {"add": "+", "sub": "-", "mul": "*", "matmul": "@", "truediv": "/"}
    computed |= {"floordiv": "//", "mod": "%", "pow": "**"}
    for name, sign in {**compared, **computed}.items():
        setattr(_Text, f"__{name}__", functools.partialmethod(_infix, sign))
    for name, sign in computed.items():
        setattr(_Text, f"__r{name}__", functools.partialmethod(_infix_right, sign))
    for name, sign in {"neg": "-", "pos": "+", "invert": "~"}.items():
        setattr(_Text, f"__{name}__", functools.partialmethod(_prefix, sign))


def _infix(left: object, sign: str, right: object) -> _Text:
    if sign == "|":  # which comes after all the others
        return _Text(f"{_text(left)} | {_text(right)}")
    return _Text(f"{_operand(left)} {sign} {_operand(right)}")


def _infix_right(right: object, sign: str, left: object) -> _Text:
    return _infix(left, sign, right)


def _prefix(value: object, sign: str) -> _Text:
    return _Text(f"{sign}{_operand(value)}")


_add_operators()
