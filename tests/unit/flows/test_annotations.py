"""Annotations are read and never evaluated: what they name may be there for type checkers alone."""

import sys
import types

import attrs
import pytest
from test_definition import body_of

from flowdeco.errors import DefinitionError

LAZY = sys.version_info >= (3, 14)
"""Whether annotations are evaluated when somebody asks for them."""

NAMES = """\
import attrs, functools, typing, typing as t
from typing import *; from typing import ClassVar as CV
from flowdeco import *
class Evaluated(BaseException): ...
def evaluated(): raise Evaluated
"""
POSTPONED = f"from __future__ import annotations\n{NAMES}"
"""Annotations are text."""

unevaluated = pytest.mark.parametrize("header", [POSTPONED, *([NAMES] if LAZY else [])])
"""Where annotations are not evaluated: as text, and, on Python 3.14 and later, by themselves."""

everywhere = pytest.mark.parametrize("header", [POSTPONED, NAMES], ids=["postponed", "as they are"])


@pytest.fixture
def execute(monkeypatch):
    """Execute a source as the module `flows`, and return what it defines."""

    def execute(header, source):
        module = types.ModuleType("flows")
        monkeypatch.setitem(sys.modules, "flows", module)
        exec(compile(header + body_of(source), "flows.py", "exec", dont_inherit=True), vars(module))
        return vars(module)

    return execute


UNKNOWN = """
        class X(Flow):
            a: evaluated()
            b: Unknown[evaluated()].x | None = 1
            c: ClassVar[evaluated()] = []
            d: ClassVar[Unknown] = {}
            @step
            async def e(self) -> evaluated(): ...
            @step(after=e)
            async def f(self, e: Unknown.x[evaluated()]) -> Unknown: ...
            @e.shutdown
            async def close(self) -> evaluated(): ...
            @each(f)
            async def g(self, item: Unknown) -> evaluated(): ...
            @subflow(after=e)
            def h(self, e: evaluated()) -> evaluated():
                return []
            @service
            async def i(self) -> AsyncIterator[Unknown]:
                yield evaluated
"""


@unevaluated
def test_no_annotation_is_evaluated(execute, header):
    """Neither the definition of a class, nor a flow, nor its list needs what annotations name."""
    found = execute(header, UNKNOWN)["X"]

    assert [field.name for field in attrs.fields(found)] == ["a", "b"]
    flow = found(a=1)
    assert (flow.a, flow.b, found.c, found.d) == (1, 1, [], {})
    flow.list()


@unevaluated
def test_annotations_are_left_as_they_are(execute, header):
    """Who asks a flow class for its annotations gets all of them, in order."""
    source = """
        class X(Flow):
            a: int
            b: ClassVar[str] = ""
            c: list[int] = attrs.field(factory=list)
            @step
            async def d(self) -> int: ...
    """
    found = execute(header, source)["X"]
    hints = {"a": "int", "b": "ClassVar[str]", "c": "list[int]"}

    if LAZY:
        import annotationlib

        text = annotationlib.Format.STRING
        assert annotationlib.get_annotations(found, format=text) == hints
        if header is NAMES:
            assert found.__annotations__["c"] == list[int]
    else:
        assert found.__annotations__ == hints
    assert list(found.__annotations__) == ["a", "b", "c"]


@everywhere
def test_mistakes_with_fields_are_seen(execute, header):
    """What is annotated is a field, with all that is wrong with it, evaluated or not."""
    source = """
        class X(Flow):
            shared: list = []
            made: "dict[str, int]" = attrs.field(default={})
            @step
            async def build(self): ...
            build: int
            @step
            async def test(self): ...
            order: Chain = build >> test
            run: int = 1
            _flow_mine: int = 1
            other: Step = test
    """
    with pytest.raises(DefinitionError) as caught:
        execute(header, source)

    assert [text.partition(" ")[0] for text in caught.value.problems] == [
        *("X.other", "X.shared", "X.made", "X.order", "X.run", "X._flow_mine", "X.build"),
    ]


@everywhere
@pytest.mark.parametrize(
    "note",
    [
        *("ClassVar", "ClassVar[list]", "typing.ClassVar[list]", "t.ClassVar", "CV", "CV[list]"),
        *('"ClassVar[list]"', '"CV"', '"t.ClassVar[list[int]]"', 'ClassVar["Unknown"]'),
        *('CV["Unknown"]', '"CV[Unknown]"', "ClassVar[Annotated[list, 'x']]"),
    ],
)
def test_class_variables(execute, header, note):
    """A ClassVar under any name is no field, and may be mutable."""
    found = execute(
        header,
        f"""
        class X(Flow):
            a: {note} = []
            b: int = 1
        """,
    )["X"]

    assert [field.name for field in attrs.fields(found)] == ["b"]
    assert found.a == []


@everywhere
@pytest.mark.parametrize("note", ["list[int]", "ClassVariant", "u.ClassVars[int]", "'CW'", "type"])
def test_fields_that_are_no_class_variables(execute, header, note):
    """What only begins as a ClassVar does is the annotation of a field."""
    source = f"""
        ClassVariant = CW = int
        u = type("u", (), {{"ClassVars": list}})
        class X(Flow):
            a: {note} = 1
    """
    assert execute(header, source)["X"](a=2).a == 2


@unevaluated
def test_converters(execute, header):
    """A converter does its work, whatever its annotations name."""
    source = """
        def doubled(value: Unknown) -> evaluated():
            return 2 * value
        class Endpoint:
            def __init__(self, text: Unknown) -> evaluated():
                self.text = text
        class X(Flow):
            a: int = attrs.field(default=1, converter=doubled)
            b: Endpoint = attrs.field(default="x", converter=Endpoint)
            c: float = attrs.field(default="1.5", converter=float)
            d: str = attrs.field(
                default="", converter=attrs.Converter(lambda value, flow: value, takes_self=True)
            )
    """
    flow = execute(header, source)["X"](a=2)

    assert (flow.a, flow.b.text, flow.c, flow.d) == (4, "x", 1.5, "")
    flow.a = 3
    assert flow.a == 6


@unevaluated
def test_decorated_methods(execute, header):
    """A method that other decorators stand on is called with what the function below it takes."""
    source = """
        def kept(function: evaluated()) -> Unknown:
            @functools.wraps(function)
            async def wrapper(*args: Unknown, **options: evaluated()):
                return await function(*args, **options)
            return wrapper
        class X(Flow):
            @step
            async def a(self) -> Unknown: ...
            @step(after=a)
            @kept
            async def b(self, a: evaluated()) -> Unknown: ...
    """
    execute(header, source)

    wrong = source.replace("a: evaluated()", "x: evaluated(), y: Unknown")
    with pytest.raises(DefinitionError, match=r"it takes 2 values \(x, y\) and `after=` gives 1"):
        execute(header, wrong)


@unevaluated
@pytest.mark.parametrize(
    "body",
    ["function", "functools.partial(more, 1)", "Called()", "Called().method", "Made", "wrapped"],
)
def test_bodies_of_jobs(execute, header, body):
    """A job can be made of what has annotations of any kind."""
    source = f"""
        async def function(x: Unknown = 1) -> evaluated(): ...
        async def more(x: Unknown, y: evaluated() = 1) -> evaluated(): ...
        class Called:
            async def __call__(self, x: Unknown = 1) -> evaluated(): ...
            async def method(self, x: evaluated() = 1) -> Unknown: ...
        class Made:
            def __init__(self, x: evaluated() = 1) -> Unknown: ...
        @functools.wraps(function)
        async def wrapped(*args: evaluated()): ...
        job = Job({body})
    """
    execute(header, source)

    missing = source.replace("= 1", "")
    if body not in ("function", "wrapped"):
        with pytest.raises(TypeError, match="is called without arguments"):
            execute(header, missing)


@everywhere
@pytest.mark.parametrize(
    ("note", "shown"),
    [
        ("Leaf", ["Leaf"]),
        ('"Leaf"', ["Leaf"]),
        ("list[Leaf]", ["Leaf"]),
        ('list["Leaf"]', ["Leaf"]),
        ("t.List['Leaf']", ["Leaf"]),
        ("tuple[Leaf, Outer.Inner]", ["Leaf", "Inner"]),
        ("Sequence[Outer.Inner]", ["Inner"]),
        ("Leaf | Outer.Inner", ["Leaf", "Inner"]),
        ("Union[Leaf, None]", ["Leaf"]),
        ("Annotated[Leaf, 'Outer']", ["Leaf"]),
        ("t.Annotated[list[Leaf], 1, 'Leaf']", ["Leaf"]),
        ("Leaves", ["Leaf"]),
        ("Tree", []),
        ("int", []),
        ("'not an annotation'", []),
        ("'Nowhere.Leaf'", []),
        ("Flow", ["Flow"]),
    ],
)
def test_flows_named_by_a_subflow(execute, header, note, shown):
    """What the method of a subflow is annotated to return is shown before the run."""
    source = f"""
        class Leaf(Flow): ...
        class Outer(Flow):
            class Inner(Flow): ...
        Leaves = list[Leaf]
        Tree = list["Tree"]
        class X(Flow):
            @subflow
            def parts(self) -> {note}: ...
    """
    (job,) = execute(header, source)["X"]().scheduler

    assert [inner.name for inner in job.body.children] == shown


@pytest.mark.skipif(not LAZY, reason="annotations are evaluated where they stand")
def test_a_subflow_names_what_is_local_or_comes_later(execute):
    """A class of the function or of the class around a subflow is found, a later one as well."""
    source = """
        def local():
            class Local(Flow): ...
            class X(Flow):
                class Nested(Flow): ...
                @subflow
                def parts(self) -> tuple[Local, Nested, Later, Unbound, Unknown]: ...
            class Later(Flow): ...
            return X
            Unbound = 1
    """
    (job,) = execute(NAMES, source)["local"]()().scheduler

    assert [inner.name for inner in job.body.children] == ["Local", "Nested", "Later"]


@everywhere
@pytest.mark.parametrize(
    "note",
    [
        *("MOST - 1", "-MOST", "1 + MOST * 2", "MOST | 1", "1 | MOST", "MOST < 2", "~MOST"),
        *('f"{MOST}"', 'f"1 to {MOST:>5}"', "lambda: MOST", "[MOST, {MOST}, {MOST: 1}]", "..."),
        *("MOST if MOST else 1", "not MOST", "(MOST, None)", "str(object=MOST)"),
        *(
            "MOST in (1, 2)",
            "[x for x in [MOST]]",
            "max(*[MOST], 1)",
            "'%s' + str(MOST)",
            "MOST == 1",
        ),
        *("max([MOST], key=lambda x: x)", "t.Any", "(MOST - 1).real", "MOST // (MOST % 7)"),
    ],
)
def test_expressions_in_annotations(execute, header, note):
    """What is beside a type in an annotation may be any expression."""
    source = f"""
        MOST = 5
        class X(Flow):
            a: Annotated[int, {note}] = 1
            b: CV[Annotated[int, {note}]] = 2
            @step
            async def c(self) -> Annotated[int, {note}]: ...
            @subflow
            def d(self) -> Annotated[list["X"], {note}]: ...
    """
    found = execute(header, source)["X"]

    assert [field.name for field in attrs.fields(found)] == ["a"]
    assert attrs.resolve_types(found, include_extras=False)
    assert attrs.fields(found).a.type is int
    assert len(list(found().scheduler)) == 2


@unevaluated
def test_the_type_of_a_field_is_text(execute, header):
    """In attrs it is the annotation as it is written, which `attrs.resolve_types` evaluates."""
    source = """
        class X(Flow):
            a: t.Union[int, "str", tuple[int, ...], None] | list[()] | t.Literal["x", -1]
            b: Callable[[int, t.Any], (MOST - 1) * 2 + ~MOST]
            c: "int"
            d: tuple[*Sizes, MOST.x(1, y="z")]
            e: None
    """
    found = execute(header, source)["X"]

    if header is NAMES:
        assert [field.type for field in attrs.fields(found)] == [
            "t.Union[int, 'str', tuple[int, ...], None] | list[()] | t.Literal['x', -1]",
            "Callable[[int, t.Any], ((MOST - 1) * 2) + ~MOST]",
            *("int", "tuple[*Sizes, MOST.x(1, y='z')]", "None"),
        ]
    else:
        assert attrs.fields(found).c.type == "'int'"


@everywhere
def test_names_of_checkers_alone(execute, header):
    """What is annotated in a branch that is not taken is no field."""
    source = """
        class X(Flow):
            if TYPE_CHECKING:
                a: int
            else:
                b: int
    """
    found = execute(header, source)["X"]

    assert [field.name for field in attrs.fields(found)] == ["b"]
