"""The mistakes of a flow class, each with its name, file and line, and with what to write."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from types import CodeType, FunctionType, MemberDescriptorType
from typing import Any, cast

import attrs

from flowdeco.base.annotations import field_names
from flowdeco.base.text import alike, class_name, line, repr_line, value_line, with_article
from flowdeco.jobs.chain import Chain, Chainable

from .base import FlowBase
from .declaration import Declaration, Decorator
from .foreign import OVER_A_FLOW, bases_with_fields, field_meant, foreign_field, items_problem
from .hooks import hook_problems, inherited_hook_problems
from .methods import RESERVED, is_reserved, problems_of, reserved
from .wording import WRAPPERS, first_line, function_in, layers, listed

__all__ = ["Checks", "fields_in", "names_in", "place"]


@attrs.frozen(eq=False, repr=False, slots=False)
class Checks:
    """The checks of one class.

    Args:
        cls: the class.
        own: the declarations of its body.
        inherited: those of its bases.
        chains: the chains that count for it, each with the name that is nearest to it.
        hooks: by the names of its bases' declarations, those of their shutdown hooks.
    """

    cls: type
    own: Mapping[str, Declaration[object]]
    inherited: Mapping[str, Declaration[object]]
    chains: Mapping[Chain[Any], str]
    hooks: Mapping[str, Sequence[str]]

    @cached_property
    def declarations(self) -> Mapping[str, Declaration[object]]:
        """All declarations."""
        return {**self.inherited, **self.own}

    @cached_property
    def own_fields(self) -> Mapping[str, object]:
        """The fields of the body, each with what is assigned to it."""
        return fields_in(self.cls)

    @cached_property
    def fields(self) -> Mapping[str, type]:
        """All fields, each with the class that declares it."""
        fields = dict.fromkeys(self.own_fields, self.cls)
        for base in self.cls.__mro__[1:]:
            for field in vars(base).get("__attrs_attrs__", ()):
                if not field.inherited:
                    fields.setdefault(field.name, base)
        return fields

    @cached_property
    def names(self) -> Mapping[int, str]:
        """The name of each object in the body."""
        return names_in(self.cls)

    def problems(self) -> Iterator[str]:
        """Find all of them."""
        for name, declared in self.own.items():
            if declared.owner is self.cls:
                yield from self._placed(name, self._of_declaration(declared))
        for name, value in vars(self.cls).items():
            yield from self._placed(name, self._of_member(name, value))
        for name, value in self.own_fields.items():
            yield from self._placed(name, _of_field(name, value))
        for name, declared in self.declarations.items():
            yield from self._placed(name, self._of_name(name, declared))
        for chain, name in self.chains.items():
            yield from self._placed(name, self._of_chain(chain))
        inherited = self.inherited.values()
        for name, problem in inherited_hook_problems(self.cls, inherited, self.hooks, self.names):
            yield from self._placed(name, [problem])
        yield from self._of_mixins()

    def _placed(self, name: str, problems: Iterable[str]) -> Iterator[str]:
        for problem in problems:
            yield f"{self.cls.__qualname__}.{name} ({place(self.cls, name)}): {problem}"

    # A declaration among others

    def _of_declaration(self, declared: Declaration[object]) -> Iterator[str]:
        yield from problems_of(declared)
        if declared.kind == "each" and (problem := self._of_items(declared)) is not None:
            yield problem
        else:
            yield from self._of_given(declared, "@each", declared.over)
        yield from self._of_given(declared, "`after=`", declared.after)
        yield from self._of_dropped(declared)
        for hook in declared.hooks:
            yield from hook_problems(declared, hook, self.names)

    def _of_given(
        self, declared: Declaration[object], given: str, others: Iterable[object]
    ) -> Iterator[str]:
        for other in others:
            field = field_meant(other, self.own_fields)
            if field is not None:
                yield f"{given} has {field}, which is a field; a body reads it: `self.{field}`"
            elif isinstance(other, str):
                meant = self._meant(declared, given, other)
                yield f"{given} has the string {repr_line(other)}; {meant}"
            elif isinstance(other, Declaration):
                yield from self._of_origin(given, other)
            else:
                yield f"{given} {self._undeclared(other)}"

    def _of_items(self, declared: Declaration[object]) -> str | None:
        """Refuse an `@each` over items that are there already, be they in a field or not."""
        over = declared.options.over
        members = {**vars(self.cls), **self.own_fields}
        taken = {*self.declarations, *self.fields, *members}
        named = isinstance(over, str) and over not in self.own_fields
        if named or any(self._names_one(one) for one in declared.over):
            return None
        data = {name: value for name, value in members.items() if not _is_part(value)}
        return items_problem(over, data, self.own_fields, taken)

    def _names_one(self, part: object) -> bool:
        return isinstance(part, Declaration) or (isinstance(part, str) and part in self.own)

    def _undeclared(self, other: object) -> str:
        what = f"{value_line(other)} ({class_name(other)})"
        write = "name a method that is decorated above"
        name = self.names.get(id(other))
        if isinstance(other, FunctionType):
            what = f"the method {name}" if name else f"the function {line(other.__name__)}"
            write = "put @step over it" if name else write
        elif name is not None and isinstance(other, WRAPPERS):
            what = f"the {class_name(other)} {name}"
            write = f"make it a step: `async def {name}(self)` under @step"
        return f"has {what}, which is no declaration; {write}"

    def _meant(self, declared: Declaration[object], given: str, text: str) -> str:
        """Guess which declaration a string means."""
        names = [name for name in self.declarations if name != declared.name]
        close = alike(text, names)
        if not close:
            there_are = f", of which there are {listed(names)}" if names else ""
            return f"write the declaration itself{there_are}"
        first, *others = (
            name if name in self.own else f"{_owner(self.inherited[name])}.{name}" for name in close
        )
        mend = f"@each({first})" if given == "@each" else f"after={first}"
        mend += "".join(f", or {other}" for other in others)
        order = list(self.own)
        if first in order and order.index(first) > order.index(declared.name):
            mend += f", and declare {first} above it"
        return f"write the declaration itself: {mend}"

    def _of_origin(self, given: str, other: Declaration[object]) -> Iterator[str]:
        """Refuse a declaration that is none of this flow."""
        if other.owner is None and other.name in self.own:
            yield (
                f"{given} names the first of two declarations called {other.name}; rename one of"
                " them"
            )
        elif other.owner is None:
            yield (
                f"{given} names {other.name}, which is declared in no flow; declare it in the body"
                f" of {self.cls.__name__}"
            )
        elif other.owner not in self.cls.__mro__:
            yield (
                f"{given} names {other.name}, which is declared in {_owner(other)}; name a"
                f" declaration of this flow, or derive it: `{self._derived_from(other.owner)}`"
            )

    def _derived_from(self, other: type) -> str:
        bases = [base.__name__ for base in self.cls.__bases__ if not issubclass(other, base)]
        return f"class {self.cls.__name__}({listed([*bases, other.__name__])})"

    def _of_chain(self, chain: Chain[Any]) -> Iterator[str]:
        members = (atom for joint in chain.joints for end in joint for atom in end)
        for member in dict.fromkeys(members):
            if isinstance(member, Declaration):
                yield from self._of_origin("`>>`", member)

    def _of_dropped(self, declared: Declaration[object]) -> Iterator[str]:
        """Find what it was to follow and what a second declaration has taken the name of."""
        told = {member for chain in self.chains for joint in chain.joints for member in joint[0]}
        for other in declared.followed:
            if other.owner is None and other.name in self.own and other not in told:
                yield from self._of_origin("`>>`", other)

    # What else the body has, and the bases

    def _of_member(self, name: str, value: object) -> Iterator[str]:
        if isinstance(value, Decorator):
            yield _of_unused(value)
        elif isinstance(value, Declaration):
            yield from self._of_alias(name, value)
        elif (covered := _covered(value)) is not None:
            yield _of_cover(value, covered)
        elif name in self.own_fields:
            return
        elif isinstance(value, _FIELD):
            yield f"this field has no annotation; write `{name}: ... = attrs.field(...)`"
        elif (foreign := foreign_field(name, value)) is not None:
            yield foreign
        elif is_reserved(name) and not (name in RESERVED and _is_method(value)):
            yield from reserved(name)

    def _of_alias(self, name: str, value: Declaration[object]) -> Iterator[str]:
        assert value.owner is not None  # it is in the body of a class
        if value.owner not in self.cls.__mro__:
            yield (
                f"this {value.kind} is declared in {_owner(value)}; derive the flow from that one:"
                f" `{self._derived_from(value.owner)}`"
            )
        elif name in self.inherited and name not in self.own:
            yield (
                f"as another name of {_owner(value)}.{value.name} it would hide the"
                f" {self.inherited[name].kind} {name} of {_owner(self.inherited[name])}; rename it"
            )
        elif name in self.own_fields and name not in self.own:
            yield _annotated(name, f"another name of {value.name}")

    def _of_name(self, name: str, declared: Declaration[object]) -> Iterator[str]:
        """Refuse what would hide a declaration, or be hidden by it."""
        if name in self.fields:
            field = self.fields[name].__qualname__
            yield (
                f"the name is both that of a field (in {field}) and of a {declared.kind} (in"
                f" {_owner(declared)}); rename one of them"
            )
            return
        base = next(base for base in self.cls.__mro__ if name in vars(base))
        value = vars(base)[name]
        if _covered(value) is not None or any(value is hook for hook in declared.hooks):
            return  # a step, or a mistake that is told elsewhere
        hides = f"would hide the {declared.kind} {name} of {_owner(declared)}"
        whose = "" if base is self.cls else f" of {base.__qualname__}"
        if isinstance(value, FunctionType):
            yield f"a plain method{whose} {hides}; decorate it as well: @{declared.kind}"
        elif value is None:
            write = first_line(declared)
            yield f"None{whose} {hides}; let it do nothing: `{write}` under @{declared.kind}"
        else:
            yield f"an attribute{whose} ({class_name(value)}) {hides}; rename it"

    def _of_mixins(self) -> Iterator[str]:
        mixins: list[type] = [one for one in self.cls.__mro__[1:] if not issubclass(one, FlowBase)]
        for problem in bases_with_fields(mixins):
            yield f"{self.cls.__qualname__} ({place(self.cls)}): its base {problem}"
        for base in self.cls.__mro__[1:]:
            if base not in mixins and "__dataclass_fields__" in vars(base):
                yield f"{base.__qualname__} ({place(base)}): {OVER_A_FLOW}"
        for base in mixins:
            for name, value in vars(base).items():
                if isinstance(value, Declaration):
                    yield (
                        f"{base.__qualname__}.{name} ({place(base, name)}): this {value.kind} is in"
                        f" a base of {self.cls.__qualname__} that is no flow; write"
                        f" `class {base.__name__}(Flow)`"
                    )


_FIELD: type = type(cast("object", attrs.field()))


def _owner(declared: Declaration[object]) -> str:
    return "no flow" if declared.owner is None else declared.owner.__qualname__


def _is_part(value: object) -> bool:
    """Whether something in the body of a class is no data."""
    return callable(value) or isinstance(value, (Chainable, *WRAPPERS))


def _is_method(value: object) -> bool:
    return isinstance(value, (FunctionType, *WRAPPERS))


def _covered(value: object) -> Declaration[object] | None:
    """Find the declaration over which other decorators stand."""
    for layer in layers(value):
        if isinstance(layer, Declaration):
            return layer
    return None


def _of_cover(value: object, covered: Declaration[object]) -> str:
    if isinstance(value, WRAPPERS):
        return (
            f"{with_article(class_name(value))} stands over @{covered.kind}, and a {covered.kind}"
            " is a method of the instance; write"
            f" `{first_line(covered)}` under @{covered.kind} alone"
        )
    return (
        f"another decorator stands over @{covered.kind}; let @{covered.kind} be the topmost, and"
        f" the other one stand between it and `{first_line(covered)}`"
    )


def _of_unused(decorator: Decorator) -> str:
    over = decorator.options.over
    kind = decorator.kind.kind
    if kind == "each" and not isinstance(over, (Declaration, str)):
        return (
            f"@each stands on it without what it goes over; write `@each(name)`, not {_said(over)}"
        )
    return f"@{kind}(...) stands on no method; write it in the line above one"


def _said(over: object) -> str:
    return "`@each`" if isinstance(over, FunctionType) else f"`@each({value_line(over)})`"


def _of_field(name: str, value: object) -> Iterator[str]:
    yield from reserved(name)
    if isinstance(value, MemberDescriptorType):
        yield "this field is in __slots__ as well; leave that out"
    elif isinstance(value, Chain):
        yield _annotated(name, "the chain")
    elif (foreign := foreign_field(name, value)) is not None:
        yield foreign
    else:
        default: Any = getattr(value, "_default", None) if isinstance(value, _FIELD) else value
        if type(default).__hash__ is None:  # so it can change, as dataclasses have it
            yield _shared(name, default)


def _shared(name: str, default: Any) -> str:
    kind = class_name(default)
    empty = type(default) in (list, dict, set) and not default
    factory = kind if empty else f"lambda: {value_line(default)}"
    return (
        f"its default, {with_article(kind)}, would be shared by all instances; write"
        f" `{name}: ... = attrs.field(factory={factory})`"
    )


def _annotated(name: str, what: str) -> str:
    return f"{what} is annotated, which makes a field of it; write `{name} = ...`"


# What can be read from the body of a class


def fields_in(cls: type) -> dict[str, object]:
    """Find the fields that the body of a class declares, each with what is assigned to it."""
    return {name: vars(cls).get(name) for name in field_names(cls)}


def names_in(cls: type) -> dict[int, str]:
    """Find the name of each object in the body of a class, by identity."""
    return {id(value): name for name, value in vars(cls).items()}


def place(cls: type, name: str = "") -> str:
    """Say in which file and line a class, or a name of it, is, as far as that can be found out."""
    own = name in vars(cls) or name in fields_in(cls)
    base = next((base for base in cls.__mro__ if name in vars(base)), cls)
    if not own and base is not cls:
        return place(base, name)
    value = vars(cls).get(name)
    elsewhere = isinstance(value, Declaration) and (value.owner is not cls or value.name != name)
    code = getattr(function_in(value), "__code__", None)
    if isinstance(code, CodeType) and not elsewhere:
        return f"{code.co_filename}:{code.co_firstlineno}"
    try:
        lines, first = inspect.getsourcelines(cls)
    except (OSError, TypeError, IndexError, SyntaxError):
        return _file_of(cls)  # made by type(), or by exec()
    said = re.compile(rf"\s+(class |def |async def )?{re.escape(name or '?')}\s*[:=(]")
    number = next((number for number, text in enumerate(lines) if said.match(text)), 0)
    return f"{inspect.getsourcefile(cls)}:{first + number}"


def _file_of(cls: type) -> str:
    module = sys.modules.get(cls.__module__)
    codes = (getattr(function_in(value), "__code__", None) for value in vars(cls).values())
    files = (str(code.co_filename) for code in codes if code is not None)
    written = (file for file in files if not file.startswith("<attrs "))
    return getattr(module, "__file__", None) or next(written, cls.__module__)
