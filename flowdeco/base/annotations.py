"""What annotations say, read without evaluating any: the names in them are looked up."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import functools
import inspect
import operator
import re
import sys
from collections import ChainMap
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from types import FunctionType, MethodType
from typing import Annotated, Any, ClassVar, ForwardRef, cast, get_args, get_origin

import attrs

from .lazy import IS_LAZY, annotate_of, as_text, copied, names_around

__all__ = [
    "field_names",
    "is_async_function",
    "only_fields",
    "parameters",
    "return_note",
    "returned",
    "unannotated",
]

Names = Mapping[str, Any]


def field_names(cls: type) -> list[str]:
    """Name what the body of a class annotates, class variables aside."""
    notes, names = _notes_of_class(cls)
    return [name for name, note in notes.items() if not _is_class_variable(note, names)]


@contextlib.contextmanager
def only_fields(cls: type) -> Generator[None, None, None]:
    """Let a class have the annotations of its fields alone, as text where they were not evaluated.

    attrs would evaluate them, and knows only some spellings of ClassVar.
    """
    notes, _ = _notes_of_class(cls)
    annotate = annotate_of(cls)
    if not notes:
        yield
        return
    cls.__annotations__ = {name: _for_attrs(notes[name]) for name in field_names(cls)}
    try:
        yield
    finally:
        if annotate is None:
            cls.__annotations__ = dict(notes)
        else:
            cast("Any", cls).__annotate__ = annotate


def _for_attrs(note: object) -> object:
    # It would take the text ClassVariant for a ClassVar, but not in parentheses.
    return f"({note})" if isinstance(note, str) and "ClassVar" in note else note


def unannotated(converter: Any) -> Any:
    """Hide the annotations of a converter, where attrs would evaluate them."""
    if IS_LAZY and converter is not None and not isinstance(converter, _CONVERTER):
        return functools.partial(operator.call, cast("Callable[..., object]", converter))
    return cast("object", converter)


_CONVERTER: type[object] = attrs.Converter


def is_async_function(function: object) -> bool:
    """Whether a call of something gives a coroutine: it says so itself, or was marked for that.

    Marked are plain wrappers that pass a coroutine on, as `@deprecated` makes one.
    """
    if inspect.iscoroutinefunction(function):
        return True
    # asyncio has a mark of its own, which `inspect` does not know.
    mark: object = getattr(asyncio.coroutines, "_is_coroutine", None)
    return mark is not None and inspect.getattr_static(function, "_is_coroutine", None) is mark


def parameters(function: object, *, follow_wrapped: bool = True) -> Sequence[inspect.Parameter]:
    """The parameters of something that can be called.

    Args:
        function: a function, or anything else.
        follow_wrapped: whether those of the function count on which decorators stand.

    Raises:
        TypeError, ValueError: it has none, as some builtins.
    """
    bare = _bare(cast("Callable[..., object]", function), follow_wrapped)
    return tuple(inspect.signature(bare, follow_wrapped=follow_wrapped).parameters.values())


def _bare(called: Any, follow_wrapped: bool) -> Any:
    """Copy what can be called, for its parameters and without its annotations."""
    if follow_wrapped:
        called = inspect.unwrap(called, stop=_has_signature)
    if _has_signature(called):
        return called
    if isinstance(called, FunctionType):
        bare = copied(called, called.__globals__, called.__closure__)
        bare.__kwdefaults__ = called.__kwdefaults__
        return bare
    if isinstance(called, functools.partial):
        inner = _bare(called.func, follow_wrapped)
        return functools.partial(inner, *called.args, **called.keywords)
    if isinstance(called, MethodType):
        return MethodType(_bare(called.__func__, follow_wrapped), called.__self__)
    kind: type[object] = type(cast("object", called))
    method = inspect.getattr_static(kind, "__call__", None)
    if kind is type and called.__new__ is object.__new__:
        method = called.__init__
    if isinstance(method, FunctionType):
        return MethodType(_bare(method, follow_wrapped), called)
    return called


def _has_signature(function: object) -> bool:
    return hasattr(function, "__signature__")


def returned(method: Callable[..., Any]) -> list[object]:
    """Find what a method is annotated to return, or to return a list of."""
    note, names = _return_note(method)
    return list(_named_by(note, names, in_list=False))


def return_note(method: object) -> object:
    """Return the annotation of what a method returns, as text where it was not evaluated.

    Where there is none, it is `inspect.Parameter.empty`.
    """
    return _return_note(method)[0]


def _return_note(method: object) -> tuple[object, Names]:
    annotate = annotate_of(method)
    if annotate is None:
        notes = getattr(method, "__annotations__", {})
        names = getattr(method, "__globals__", {})
    else:
        notes, names = as_text(annotate), names_around(annotate)
    return notes.get("return", inspect.Parameter.empty), names


# Annotations


def _notes_of_class(cls: type) -> tuple[Mapping[str, object], Names]:
    """The annotations in the body of a class, and the names that they may use."""
    annotate = annotate_of(cls)
    if annotate is not None:
        return as_text(annotate), names_around(annotate)
    module = sys.modules.get(cls.__module__)
    names = ChainMap[str, Any](dict(vars(cls)), getattr(module, "__dict__", {}))
    return vars(cls).get("__annotations__", {}), names


# The names in them


def _is_class_variable(note: object, names: Names) -> bool:
    """Whether an annotation is a ClassVar, however it is imported and written."""
    if isinstance(note, str):
        begin = re.match(r"\s*['\"]?\s*([\w.]+)", note)
        name = "" if begin is None else begin[1]
        return name.split(".")[-1] == "ClassVar" or _value_of(_parsed(name), names) is ClassVar
    return note is ClassVar or get_origin(note) is ClassVar


def _named_by(note: object, names: Names, *, in_list: bool) -> Iterator[object]:
    """Find what an annotation names: by itself, in a union, or between its brackets."""
    if isinstance(note, ForwardRef):
        note = note.__forward_arg__
    if isinstance(note, str):
        yield from _named_in(_parsed(note), names, in_list=in_list)
    elif get_origin(note) is Annotated:
        yield from _named_by(get_args(note)[0], names, in_list=in_list)
    elif in_list or not get_args(note):
        yield note
    else:
        for part in get_args(note):
            yield from _named_by(part, names, in_list=True)


def _named_in(tree: ast.expr | None, names: Names, *, in_list: bool) -> Iterator[object]:
    if isinstance(tree, ast.Subscript):
        parts = tree.slice.elts if isinstance(tree.slice, ast.Tuple) else [tree.slice]
        if _value_of(tree.value, names) is Annotated:
            yield from _named_in(parts[0], names, in_list=in_list)
        elif not in_list:
            for part in parts:
                yield from _named_in(part, names, in_list=True)
    elif isinstance(tree, ast.BinOp):
        yield from _named_in(tree.left, names, in_list=in_list)
        yield from _named_in(tree.right, names, in_list=in_list)
    elif isinstance(tree, ast.Constant):
        yield from _named_by(tree.value, names, in_list=in_list)
    elif not isinstance(found := _value_of(tree, names), str):
        yield from _named_by(found, names, in_list=in_list)


def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None


def _value_of(tree: ast.expr | None, names: Names) -> object:
    """Look a name up, dotted or not, and call nothing for it."""
    if isinstance(tree, ast.Name):
        return names.get(tree.id)
    if isinstance(tree, ast.Attribute):
        return inspect.getattr_static(_value_of(tree.value, names), tree.attr, None)
    return None
