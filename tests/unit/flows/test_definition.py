"""The definition of a flow: what its body declares, and every mistake that it can have."""

import functools
import importlib.util
import sys
import types

import attrs
import pytest
from actors import perform

from flowdeco import Each, Flow, Service, Step, Subflow, each, service, step, subflow
from flowdeco.errors import DefinitionError, FlowdecoError


class Other(Flow):
    """A flow that has nothing to do with the others."""

    @step
    async def build(self): ...


class Base(Flow):
    """A flow with a field, two steps and a hook."""

    size: int = 1

    @step
    async def a(self): ...

    @step(after=a)
    async def b(self): ...

    @a.shutdown
    async def close_a(self): ...


@step
async def loose(self): ...


def wrapped(function):
    """Decorate as most decorators do."""

    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    return wrapper


PYDANTIC = importlib.util.find_spec("pydantic") is not None

HEADER = (
    "import abc, attrs, collections, contextlib, functools, math, typing, typing_extensions;"
    " import typing as tp; from decimal import Decimal; from typing import ClassVar;"
    " from flowdeco import *"
)
POSTPONED = f"from __future__ import annotations; {HEADER}"

headers = pytest.mark.parametrize("header", [HEADER, POSTPONED], ids=["evaluated", "postponed"])


@pytest.fixture
def execute(tmp_path, monkeypatch):
    """Execute a source as the module `flows`, in which it begins in the second line."""

    def execute(header, source):
        path = tmp_path / "flows.py"
        path.write_text(f"{header}\n{source}", "utf-8")
        module = types.ModuleType("flows")
        module.__file__ = str(path)
        vars(module).update(Other=Other, Base=Base, loose=loose, wrapped=wrapped)
        monkeypatch.setitem(sys.modules, "flows", module)
        try:
            exec(compile(path.read_text("utf-8"), path, "exec", dont_inherit=True), vars(module))
        except DefinitionError as error:
            error.problems = [text.replace(str(path), "flows.py") for text in error.problems]
            raise
        return vars(module)

    return execute


def body_of(text):
    """Take the indentation of a test away."""
    return "".join(f"{line[8:]}\n" for line in text.strip("\n").splitlines())


def promised(text):
    """Read what is promised: a line that is indented goes on with the one before it."""
    return text.strip().replace("\n  ", " ").splitlines()


MISTAKES = [
    pytest.param(
        """
        class X(Flow):
            @step(after="bild")
            async def upload(self): ...
            @step
            async def build(self): ...
        ---
        X.upload (flows.py:3): `after=` has the string 'bild'; write the declaration itself:
          after=build, and declare build above it
        """,
        id="G05 misspelt string, and one declared further down",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def build_a(self): ...
            @step
            async def build_b(self): ...
            @step(after=("build_b", "nothing"))
            async def upload(self): ...
        ---
        X.upload (flows.py:7): `after=` has the string 'build_b'; write the declaration itself:
          after=build_b, or build_a
        X.upload (flows.py:7): `after=` has the string 'nothing'; write the declaration itself, of
          which there are build_a, build_b
        """,
        id="G05 strings in a tuple, several close matches",
    ),
    pytest.param(
        """
        class X(Base):
            @step(after="a")
            async def c(self): ...
        ---
        X.c (flows.py:3): `after=` has the string 'a'; write the declaration itself: after=Base.a
        """,
        id="G05 string of an inherited step",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def hosts(self): ...
            @each("host")
            async def ping(self, item): ...
        ---
        X.ping (flows.py:5): @each has the string 'host'; write the declaration itself:
          @each(hosts)
        """,
        id="G05 string under each",
    ),
    pytest.param(
        """
        class X(Flow):
            @step(after="build")
            async def upload(self): ...
        ---
        X.upload (flows.py:3): `after=` has the string 'build'; write the declaration itself
        """,
        id="G05 string where nothing else is declared",
    ),
    pytest.param(
        """
        class X(Flow):
            @step(after=(3, None, {1}))
            async def a(self): ...
        ---
        X.a (flows.py:3): `after=` has 3 (int), which is no declaration; name a method that is
          decorated above
        X.a (flows.py:3): `after=` has None (NoneType), which is no declaration; name a method
          that is decorated above
        X.a (flows.py:3): `after=` has {1} (set), which is no declaration; name a method that is
          decorated above
        """,
        id="what is no declaration in after=",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def build(self): ...
            @step(after=Other.build)
            async def a(self): ...
            order = build >> Other.build
        ---
        X.a (flows.py:5): `after=` names build, which is declared in Other; name a declaration of
          this flow, or derive it: `class X(Other)`
        X.order (flows.py:7): `>>` names build, which is declared in Other; name a declaration of
          this flow, or derive it: `class X(Other)`
        """,
        id="G06 declaration of an unrelated flow, though of the same name",
    ),
    pytest.param(
        """
        class X(Base):
            @step
            async def c(self): ...
            c >> Other.build
        ---
        X.c (flows.py:3): `>>` names build, which is declared in Other; name a declaration of this
          flow, or derive it: `class X(Base, Other)`
        """,
        id="unnamed chain with a declaration of an unrelated flow",
    ),
    pytest.param(
        """
        class X(Base):
            build = Other.build
            again = Other.build
        ---
        X.build (flows.py:3): this step is declared in Other; derive the flow from that one:
          `class X(Base, Other)`
        X.again (flows.py:4): this step is declared in Other; derive the flow from that one:
          `class X(Base, Other)`
        """,
        id="declaration of an unrelated flow, put into the body",
    ),
    pytest.param(
        """
        class X(Flow):
            @step(after=loose)
            async def a(self): ...
        ---
        X.a (flows.py:3): `after=` names loose, which is declared in no flow; declare it in the
          body of X
        """,
        id="declaration that is in no flow",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def a(self): ...
            @step(after=a)
            async def b(self): ...
            @step
            async def a(self): ...
        ---
        X.b (flows.py:5): `after=` names the first of two declarations called a; rename one of
          them
        """,
        id="declared once more",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def a(self): ...
            @step(after=a)
            async def b(self): ...
            @step(after=b)
            async def c(self): ...
            @step
            async def d(self): ...
            back = c >> a
            other = d >> d
        ---
        X.a (flows.py:3): these wait for each other: a -> b -> c -> a; remove one of the `after=`
          or `>>` between them
        X.d (flows.py:9): these wait for each other: d -> d; remove one of the `after=` or `>>`
          between them
        """,
        id="G01 cycles, each as a path",
    ),
    pytest.param(
        """
        class X(Base):
            @step(after=Base.a)
            async def a(self): ...
        ---
        X.a (flows.py:3): these wait for each other: a -> a; remove one of the `after=` or `>>`
          between them
        """,
        id="G04 override after itself",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def run(self): ...
            @step(after=run)
            async def b(self): ...
            b >> run
        ---
        X.run (flows.py:3): the name run is taken; choose another than co_run, debrief, list, run,
          scheduler, to_dot, to_image, to_mermaid, to_svg, what begins with _flow, and names such as
          __init__
        X.run (flows.py:3): these wait for each other: run -> b -> run; remove one of the `after=`
          or `>>` between them
        """,
        id="G01 cycle beside another mistake",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def a(self, x, y): ...
            @step(after=())
            async def b(self, x): ...
            @service
            async def c(self, *, x): ...
            @subflow
            def d(self, x): ...
        ---
        X.a (flows.py:3): it takes 2 values (x, y) and without `after=` gets 0; write `async def
          a(self)`, and make fields of the rest
        X.b (flows.py:5): it takes 1 value (x) and `after=` gives 0; write `async def b(self)`
        X.c (flows.py:7): it takes 1 value (x) and without `after=` gets 0; write `async def
          c(self)`, and make fields of the rest
        X.d (flows.py:9): it takes 1 value (x) and without `after=` gets 0; write `def d(self)`,
          and make fields of the rest
        """,
        id="G15 values without after",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def a(self): ...
            @step(after=a)
            async def b(self, x, y): ...
            @step(after=(a, b))
            def c(self, x): ...
            @service(after=(a, b, c))
            async def d(self, x, y, z, more): yield
        ---
        X.b (flows.py:5): it takes 2 values (x, y) and `after=` gives 1; write `async def b(self,
          a)`, or `async def b(self)`
        X.c (flows.py:7): it takes 1 value (x) and `after=` gives 2; write `def c(self, a, b)`, or
          `def c(self)`
        X.d (flows.py:9): it takes 4 values (x, y, z, more) and `after=` gives 3; write `async def
          d(self, a, b, c)`, or `async def d(self)`
        """,
        id="G15 another count",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def a(self): ...
            @step(after=[a])
            async def b(self, x): ...
        ---
        X.b (flows.py:5): it takes 1 value (x) and a list in `after=` gives 0, as it only says
          what comes first; write `after=a`, or `async def b(self)`
        """,
        id="G15 a list passes nothing",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def a(self): ...
            @step(after=a)
            async def b(self, x=1): ...
            @step(after=a)
            async def c(self, *args): ...
            @step(after=a)
            async def d(self, x, **options): ...
            @step(after=a)
            async def e(self, *, x): ...
            @step(after=[a])
            async def f(self, x=1): ...
        ---
        X.b (flows.py:5): x (with a default) cannot be passed: a value goes to a plain parameter
          without a default; write `async def b(self, a)`, and make fields of the rest
        X.c (flows.py:7): *args cannot be passed: a value goes to a plain parameter without a
          default; write `async def c(self, a)`, and make fields of the rest
        X.d (flows.py:9): **options cannot be passed: a value goes to a plain parameter without a
          default; write `async def d(self, a)`, and make fields of the rest
        X.e (flows.py:11): x (keyword-only) cannot be passed: a value goes to a plain parameter
          without a default; write `async def e(self, a)`, and make fields of the rest
        X.f (flows.py:13): x (with a default) cannot be passed: a value goes to a plain parameter
          without a default; write `async def f(self, a)`, and make fields of the rest
        """,
        id="G15 parameters of another kind under after=",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def a(): ...
            @step
            async def b(*args): ...
            @step
            async def c(*, self): ...
        ---
        X.a (flows.py:3): it has no self; write `async def a(self)`
        X.b (flows.py:5): it has no self; write `async def b(self)`
        X.c (flows.py:7): it has no self; write `async def c(self)`
        """,
        id="G12 no self",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def a(self): yield
            @step
            def b(self): yield
        ---
        X.a (flows.py:3): it is a step and yields; did you mean @service?
        X.b (flows.py:5): it is a step and yields; did you mean @service, which is async? Write
          `async def b(self)`
        """,
        id="G13 generators under step",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def a(self): ...
            @each(a)
            async def b(self, item): yield
            @each(a)
            def c(self, item): yield
            @subflow
            def d(self): yield
        ---
        X.b (flows.py:5): it yields; return the result for the item instead
        X.c (flows.py:7): it yields; return the result for the item instead
        X.d (flows.py:9): it yields; return a flow, or a list of flows, instead
        """,
        id="generators under each and subflow",
    ),
    pytest.param(
        """
        class X(Flow):
            @service
            def a(self): ...
            @service
            def b(self): yield
            @service
            @contextlib.asynccontextmanager
            async def c(self): yield
        ---
        X.a (flows.py:3): a service is async, and this method is not; write `async def a(self)`
        X.b (flows.py:5): a service is async, and this method is not; write `async def b(self)`
        X.c (flows.py:7): another decorator has made a plain method of a service; drop that
          decorator
        """,
        id="plain methods under service",
    ),
    pytest.param(
        """
        class X(Flow):
            @subflow
            async def a(self): ...
        ---
        X.a (flows.py:3): it makes flows and waits for nothing, so it is not async; write `def
          a(self)`
        """,
        id="async subflow",
    ),
    pytest.param(
        """
        class X(Flow):
            @subflow
            def a(self) -> None: ...
            @subflow
            def b(self) -> "None": ...
            @subflow
            def fine(self) -> Flow | None: ...
        ---
        X.a (flows.py:3): it is annotated as None, so that it would never make a flow; annotate it
          as the flow, as in `-> Restart | None` where it does so at times, or make a step of it
        X.b (flows.py:5): it is annotated as None, so that it would never make a flow; annotate it
          as the flow, as in `-> Restart | None` where it does so at times, or make a step of it
        """,
        id="subflow that makes none",
    ),
    pytest.param(
        """
        class X(Flow):
            count: int = attrs.field(default=3)
            @step
            async def a(self): ...
            @step
            async def b(self): ...
            @each(a, after="b")
            async def c(self, item): ...
            @each(a, after=count)
            async def d(self, item): ...
            @each(a, after=(a, b))
            async def e(self, item, b): ...
            @each(a, after=[b])
            async def f(self, item, b): ...
            @each(a, after=(a, b))
            async def g(self, item, b, a): ...
            @each(a, after=b)
            async def h(self, item, b=None): ...
            @each("b", after=a)
            async def i(self, item, a): ...
            @each(a, after=b)
            async def fine(self, item): ...
        ---
        X.c (flows.py:8): `after=` has the string 'b'; write the declaration itself: after=b
        X.d (flows.py:10): `after=` has count, which is a field; a body reads it: `self.count`
        X.e (flows.py:12): it takes 2 values and is called with 3, the item and a, b; write `async
          def e(self, item, a, b)`, or `async def e(self, item)`
        X.f (flows.py:14): it takes 2 values and is called with 1, the item, as a list in `after=`
          only says what comes first; write `after=b`, or `async def f(self, item)`
        X.g (flows.py:16): it takes (item, b, a) and gets the values of (item, a, b), in this order;
          write `async def g(self, item, a, b)`
        X.h (flows.py:18): b (with a default) cannot be passed: a value goes to a plain parameter
          without a default; write `async def h(self, item, b)`, and make fields of the rest
        X.i (flows.py:20): @each has the string 'b'; write the declaration itself: @each(b)
        """,
        id="after= of a fan-out",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            class a: ...
            b = step(42)
            c = step(functools.partial(print, 1))
            d = service(lambda self: 1)
            e = step(print)
        ---
        X.a (flows.py:4): @step stands on the class a; write `async def a(self)`
        X.b (flows.py:5): @step stands on 42 (int), which is no function; write `async def
          b(self)`
        X.c (flows.py:6): @step stands on functools.partial(<built-in function print>, 1)
          (partial), which is no function; write `async def c(self)`
        X.d (flows.py:7): @service stands on a lambda; write `async def d(self)`
        X.e (flows.py:8): @step stands on <built-in function print> (builtin_function_or_method),
          which is no function; write `async def e(self)`
        """,
        id="G12 what is no function",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            @staticmethod
            async def a(): ...
            @service
            @classmethod
            async def b(cls): ...
            @step
            @property
            def c(self): ...
            @step
            @functools.cached_property
            def d(self): ...
        ---
        X.a (flows.py:3): @step stands on a staticmethod, and a step is a method of the instance;
          write `async def a(self)`
        X.b (flows.py:6): @service stands on a classmethod, and a service is a method of the
          instance; write `async def b(self)`
        X.c (flows.py:9): @step stands on a property, and a step is a method of the instance;
          write `def c(self)`
        X.d (flows.py:12): @step stands on a cached_property, and a step is a method of the
          instance; write `def d(self)`
        """,
        id="G14 static and class methods, properties under the decorator",
    ),
    pytest.param(
        """
        class X(Flow):
            @staticmethod
            @step
            async def a(): ...
            @classmethod
            @service
            async def b(cls): ...
            @property
            @step
            def c(self): ...
            @functools.cached_property
            @step
            def d(self): ...
        ---
        X.a (flows.py:3): a staticmethod stands over @step, and a step is a method of the
          instance; write `async def a(self)` under @step alone
        X.b (flows.py:6): a classmethod stands over @service, and a service is a method of the
          instance; write `async def b(self)` under @service alone
        X.c (flows.py:9): a property stands over @step, and a step is a method of the instance;
          write `def c(self)` under @step alone
        X.d (flows.py:12): a cached_property stands over @step, and a step is a method of the
          instance; write `def d(self)` under @step alone
        """,
        id="G14 static and class methods, properties over the decorator",
    ),
    pytest.param(
        """
        class X(Flow):
            @functools.cache
            @step
            def a(self): ...
            @wrapped
            @step
            async def b(self): ...
        ---
        X.a (flows.py:3): another decorator stands over @step; let @step be the topmost, and the
          other one stand between it and `def a(self)`
        X.b (flows.py:6): another decorator stands over @step; let @step be the topmost, and the
          other one stand between it and `async def b(self)`
        """,
        id="other decorators over the decorator",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            @service
            async def a(self): ...
            @step
            @step
            async def b(self): ...
        ---
        X.a (flows.py:3): it is decorated twice; keep one of @service and @step
        X.b (flows.py:6): it is decorated twice with @step; drop one of them
        """,
        id="G14 decorated twice",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def a(self): ...
            @each
            async def b(self, item): ...
            c = step(after=a)
            d = each(a)
        ---
        X.b (flows.py:6): @each stands on it without what it goes over; write `@each(name)`, not
          `@each`
        X.c (flows.py:7): @step(...) stands on no method; write it in the line above one
        X.d (flows.py:8): @each(...) stands on no method; write it in the line above one
        """,
        id="decorators on no method",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def a(self): ...
            @each(None)
            async def b(self, item): ...
            @each((a, b))
            async def c(self, item): ...
            @each([a])
            async def d(self, item): ...
            @each(3)
            async def e(self, item): ...
        ---
        X.b (flows.py:5): @each goes over one declaration, and is given None; write `@each(name)`
        X.c (flows.py:7): @each goes over one declaration, and is given a tuple of 2; write
          `@each(a)`
        X.d (flows.py:9): @each goes over one declaration, and is given a list of 1; write
          `@each(a)`
        X.e (flows.py:11): @each has 3 (int), which is no declaration; name a method that is
          decorated above
        """,
        id="what each goes over",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def a(self): ...
            @each(a)
            async def b(self): ...
            @each(a)
            def c(self, x, y): ...
            @each(a)
            async def d(self, x, y=1): ...
        ---
        X.b (flows.py:5): it takes 0 values and is called with 1, the item; write `async def
          b(self, item)`
        X.c (flows.py:7): it takes 2 values and is called with 1, the item; write `def c(self,
          item)`
        X.d (flows.py:9): y (with a default) cannot be passed: a value goes to a plain parameter
          without a default; write `async def d(self, item)`, and make fields of the rest
        """,
        id="what each takes",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def run(self): ...
            @service
            async def _flow_x(self): ...
            @step
            async def __aenter__(self): ...
        ---
        X.run (flows.py:3): the name run is taken; choose another than co_run, debrief, list, run,
          scheduler, to_dot, to_image, to_mermaid, to_svg, what begins with _flow, and names such as
          __init__
        X._flow_x (flows.py:5): the name _flow_x is taken; choose another than co_run, debrief,
          list, run, scheduler, to_dot, to_image, to_mermaid, to_svg, what begins with _flow, and
          names such as __init__
        X.__aenter__ (flows.py:7): the name __aenter__ is taken; choose another than co_run,
          debrief, list, run, scheduler, to_dot, to_image, to_mermaid, to_svg, what begins with
          _flow, and names such as __init__
        """,
        id="G16 reserved steps",
    ),
    pytest.param(
        """
        class X(Flow):
            list: int = 1
            scheduler: int
            _flow_y: int
            __doc__: str
        ---
        X.list (flows.py:3): the name list is taken; choose another than co_run, debrief, list,
          run, scheduler, to_dot, to_image, to_mermaid, to_svg, what begins with _flow, and names
          such as __init__
        X.scheduler (flows.py:4): the name scheduler is taken; choose another than co_run,
          debrief, list, run, scheduler, to_dot, to_image, to_mermaid, to_svg, what begins with
          _flow, and names such as __init__
        X._flow_y (flows.py:5): the name _flow_y is taken; choose another than co_run, debrief,
          list, run, scheduler, to_dot, to_image, to_mermaid, to_svg, what begins with _flow, and
          names such as __init__
        X.__doc__ (flows.py:6): the name __doc__ is taken; choose another than co_run, debrief,
          list, run, scheduler, to_dot, to_image, to_mermaid, to_svg, what begins with _flow, and
          names such as __init__
        """,
        id="G16 reserved fields",
    ),
    pytest.param(
        """
        class X(Flow):
            to_image = 1
            _flow_x = 1
            debrief: ClassVar[int] = 1
        ---
        X.to_image (flows.py:3): the name to_image is taken; choose another than co_run, debrief,
          list, run, scheduler, to_dot, to_image, to_mermaid, to_svg, what begins with _flow, and
          names such as __init__
        X._flow_x (flows.py:4): the name _flow_x is taken; choose another than co_run, debrief,
          list, run, scheduler, to_dot, to_image, to_mermaid, to_svg, what begins with _flow, and
          names such as __init__
        X.debrief (flows.py:5): the name debrief is taken; choose another than co_run, debrief,
          list, run, scheduler, to_dot, to_image, to_mermaid, to_svg, what begins with _flow, and
          names such as __init__
        """,
        id="G16 reserved attributes",
    ),
    pytest.param(
        """
        class X(Flow):
            a: int
            @step
            async def a(self): ...
            @service
            async def b(self): ...
            b: str
        ---
        X.a (flows.py:4): the name is both that of a field (in X) and of a step (in X); rename one
          of them
        X.b (flows.py:6): the name is both that of a field (in X) and of a service (in X); rename
          one of them
        """,
        id="field and step in one class",
    ),
    pytest.param(
        """
        class X(Base):
            a: int
            b: int = 1
        ---
        X.a (flows.py:3): the name is both that of a field (in X) and of a step (in Base); rename
          one of them
        X.b (flows.py:4): the name is both that of a field (in X) and of a step (in Base); rename
          one of them
        """,
        id="field over an inherited step",
    ),
    pytest.param(
        """
        class X(Base):
            @step
            async def size(self): ...
        ---
        X.size (flows.py:3): the name is both that of a field (in Base) and of a step (in X);
          rename one of them
        """,
        id="step over an inherited field",
    ),
    pytest.param(
        """
        class Sizes(Flow):
            a: int = 1
        class Steps(Flow):
            @step
            async def a(self): ...
        class X(Steps, Sizes): ...
        ---
        X.a (flows.py:5): the name is both that of a field (in Sizes) and of a step (in Steps);
          rename one of them
        """,
        id="field and step of two bases",
    ),
    pytest.param(
        """
        class X(Base):
            async def a(self): ...
            b = None
        ---
        X.a (flows.py:3): a plain method would hide the step a of Base; decorate it as well: @step
        X.b (flows.py:4): None would hide the step b of Base; let it do nothing: `async def
          b(self)` under @step
        """,
        id="G17 plain method, None or an attribute over an inherited step",
    ),
    pytest.param(
        """
        class X(Base):
            a = 1
            @property
            def b(self): ...
        ---
        X.a (flows.py:3): an attribute (int) would hide the step a of Base; rename it
        X.b (flows.py:4): an attribute (property) would hide the step b of Base; rename it
        """,
        id="attributes over inherited steps",
    ),
    pytest.param(
        """
        class X(Base):
            b = Base.a
        ---
        X.b (flows.py:3): as another name of Base.a it would hide the step b of Base; rename it
        """,
        id="another name of a step over another step",
    ),
    pytest.param(
        """
        class Plain(Flow):
            def b(self): ...
        class X(Plain, Base): ...
        ---
        X.b (flows.py:3): a plain method of Plain would hide the step b of Base; decorate it as
          well: @step
        """,
        id="plain method of another base over a step",
    ),
    pytest.param(
        """
        class NoFlow:
            @step
            async def c(self): ...
        class X(NoFlow, Base): ...
        ---
        NoFlow.c (flows.py:3): this step is in a base of X that is no flow; write `class
          NoFlow(Flow)`
        """,
        id="steps of a base that is no flow",
    ),
    pytest.param(
        """
        class X(Flow):
            a: list = []
            b: dict = {"x": 1}
            c: set = attrs.field(default=set())
            d: collections.deque = collections.deque()
        ---
        X.a (flows.py:3): its default, a list, would be shared by all instances; write `a: ... =
          attrs.field(factory=list)`
        X.b (flows.py:4): its default, a dict, would be shared by all instances; write `b: ... =
          attrs.field(factory=lambda: {'x': 1})`
        X.c (flows.py:5): its default, a set, would be shared by all instances; write `c: ... =
          attrs.field(factory=set)`
        X.d (flows.py:6): its default, a deque, would be shared by all instances; write `d: ... =
          attrs.field(factory=lambda: deque([]))`
        """,
        id="mutable defaults",
    ),
    pytest.param(
        """
        class X(Flow):
            a = attrs.field()
            b: int = attrs.field()
        ---
        X.a (flows.py:3): this field has no annotation; write `a: ... = attrs.field(...)`
        """,
        id="fields without annotation",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def a(self): ...
            @step
            async def b(self): ...
            order: Chain = a >> b
            other: object = a
        ---
        X.other (flows.py:8): another name of a is annotated, which makes a field of it; write
          `other = ...`
        X.order (flows.py:7): the chain is annotated, which makes a field of it; write `order =
          ...`
        """,
        id="annotated chain, annotated alias",
    ),
    pytest.param(
        """
        class X(Flow):
            __slots__ = ("a",)
            a: int
        ---
        X.a (flows.py:4): this field is in __slots__ as well; leave that out
        """,
        id="slots for fields",
    ),
    pytest.param(
        """
        class X(Flow):
            hosts: list = attrs.field(factory=list)
            names: tuple = ("eu", "us")
            more = ["eu"]
            @each(hosts)
            async def a(self, item): ...
            @each(names)
            async def b(self, item): ...
            @each(more)
            async def all_more(self, item): ...
            @each("hosts")
            async def d(self, item): ...
        ---
        X.a (flows.py:6): @each goes over the result of a declaration, and hosts is a field; write
          a step that returns it, `async def all_hosts(self): return self.hosts` under @step, and
          below it `@each(all_hosts)`
        X.b (flows.py:8): @each goes over the result of a declaration, and names is a field; write
          a step that returns it, `async def all_names(self): return self.names` under @step, and
          below it `@each(all_names)`
        X.all_more (flows.py:10): @each goes over the result of a declaration, and more is an
          attribute; write a step that returns it, `async def all_more_(self): return self.more`
          under @step, and below it `@each(all_more_)`
        X.d (flows.py:12): @each goes over the result of a declaration, and hosts is a field; write
          a step that returns it, `async def all_hosts(self): return self.hosts` under @step, and
          below it `@each(all_hosts)`
        """,
        id="each over a field",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def a(self): ...
            @each(("eu", "us"))
            async def b(self, item): ...
            @each(range(3))
            async def c(self, item): ...
            @each(one for one in "abc")
            async def d(self, item): ...
            @each([])
            async def e(self, item): ...
        ---
        X.b (flows.py:5): @each goes over the result of a declaration, and this is a tuple; write a
          step that returns it, `async def items(self): return ('eu', 'us')` under @step, and below
          it `@each(items)`
        X.c (flows.py:7): @each goes over the result of a declaration, and this is a range; write a
          step that returns it, `async def items(self): return range(0, 3)` under @step, and below
          it `@each(items)`
        X.d (flows.py:9): @each goes over the result of a declaration, and this is a generator;
          write a step that returns it, `async def items(self): return ...` under @step, and below
          it `@each(items)`
        X.e (flows.py:11): @each goes over the result of a declaration, and this is a list; write a
          step that returns it, `async def items(self): return []` under @step, and below it
          `@each(items)`
        """,
        id="each over items",
    ),
    pytest.param(
        """
        class X(Flow):
            host: str = attrs.field()
            @step(after=host)
            async def a(self): ...
            @step(after=[a, "host"])
            async def b(self): ...
        ---
        X.a (flows.py:4): `after=` has host, which is a field; a body reads it: `self.host`
        X.b (flows.py:6): `after=` has host, which is a field; a body reads it: `self.host`
        """,
        id="after a field",
    ),
    pytest.param(
        """
        import dataclasses
        from pydantic import Field, PrivateAttr
        class X(Flow):
            a: list = dataclasses.field(default_factory=list)
            b: int = dataclasses.field(default=3)
            c: str = dataclasses.field()
            d: dict = dataclasses.field(default_factory=lambda: {})
            e = dataclasses.field(default="x")
            f: int = Field(default=3, ge=0)
            g: int = Field(ge=0)
            h: list = Field(default_factory=list)
            _i: int = PrivateAttr(default=3)
        ---
        X.e (flows.py:9): dataclasses.field makes no field of a flow; write `e: ... =
          attrs.field(default='x')`
        X.a (flows.py:5): dataclasses.field makes no field of a flow; write `a: ... =
          attrs.field(factory=list)`
        X.b (flows.py:6): dataclasses.field makes no field of a flow; write `b: ... =
          attrs.field(default=3)`
        X.c (flows.py:7): dataclasses.field makes no field of a flow; write `c: ... = attrs.field()`
        X.d (flows.py:8): dataclasses.field makes no field of a flow; write `d: ... =
          attrs.field(factory=...)`
        X.f (flows.py:10): pydantic's Field makes no field of a flow; write `f: ... =
          attrs.field(default=3)`
        X.g (flows.py:11): pydantic's Field makes no field of a flow; write `g: ... = attrs.field()`
        X.h (flows.py:12): pydantic's Field makes no field of a flow; write `h: ... =
          attrs.field(factory=list)`
        X._i (flows.py:13): pydantic's PrivateAttr makes no field of a flow; write `_i: ... =
          attrs.field(default=3)`
        """,
        id="fields of other libraries",
        marks=pytest.mark.skipif(not PYDANTIC, reason="needs pydantic"),
    ),
    pytest.param(
        """
        import dataclasses
        @dataclasses.dataclass
        class Settings:
            url: str
            known: ClassVar[int] = 3
        class HTTPSettings(Settings): ...
        @attrs.define
        class Conf:
            x: int = 1
        class X(HTTPSettings, Flow): ...
        ---
        X (flows.py:11): its base Settings is a dataclass with fields (url), of which a flow makes
          no arguments; write them as fields of the flow, as in `url: ...`, or have one that holds
          them all: `settings: Settings`
        """,
        id="base with the fields of a dataclass",
    ),
    pytest.param(
        """
        @attrs.define
        class MyConf:
            x: int = 1
            y: int = 2
        class X(Base, MyConf): ...
        ---
        X (flows.py:6): its base MyConf is an attrs class with fields (x, y), of which a flow makes
          no arguments; write them as fields of the flow, as in `x: ...`, or have one that holds
          them all: `my_conf: MyConf`
        """,
        id="base with the fields of attrs",
    ),
    pytest.param(
        """
        import dataclasses
        @dataclasses.dataclass
        class Twice(Flow):
            n: int = 1
        class X(Twice): ...
        ---
        Twice (flows.py:3): @dataclass stands over a flow, which has its fields already; drop it
        """,
        id="base that was made a dataclass",
    ),
    pytest.param(
        """
        class X(Flow):
            @property
            def a(self): ...
            def b(self): ...
            @step(after=(a, b, lambda self: 3, len))
            async def c(self): ...
            @each(b)
            async def d(self, item): ...
        ---
        X.c (flows.py:6): `after=` has the property a, which is no declaration; make it a step:
          `async def a(self)` under @step
        X.c (flows.py:6): `after=` has the method b, which is no declaration; put @step over it
        X.c (flows.py:6): `after=` has the function <lambda>, which is no declaration; name a
          method that is decorated above
        X.c (flows.py:6): `after=` has <built-in function len> (builtin_function_or_method), which
          is no declaration; name a method that is decorated above
        X.d (flows.py:8): @each has the method b, which is no declaration; put @step over it
        """,
        id="methods without a decorator",
    ),
    pytest.param(
        """
        import dataclasses
        @dataclasses.dataclass(slots=True)
        class X(Flow):
            n: int = 1
        ---
        X (flows.py:3): @dataclass stands over a flow, which has its fields already; drop it
        """,
        id="dataclass with slots",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def a(self): ...
            @step(after=a)
            async def b(wheel): ...
            @step(after=(a, b))
            async def c(x, y): ...
            @step(after=(a, b))
            async def d(this, x, y): ...
            @each(a)
            async def e(item): ...
            @each(a)
            async def f(this, item): ...
        ---
        X.b (flows.py:5): its first parameter is wheel, and that is the flow, not a value; write
          `async def b(self, wheel)`
        X.c (flows.py:7): its first parameter is x, and that is the flow, not a value; write `async
          def c(self, x, y)`
        X.d (flows.py:9): its first parameter is this, and that is the flow, not a value; write
          `async def d(self, a, b)`
        X.e (flows.py:11): its first parameter is item, and that is the flow, not a value; write
          `async def e(self, item)`
        X.f (flows.py:13): its first parameter is this, and that is the flow, not a value; write
          `async def f(self, item)`
        """,
        id="first parameter that is not self",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def wheel(self): ...
            @service
            async def dsn(self): ...
            @step(after=(wheel, dsn))
            async def a(self, dsn, wheel): ...
            @step(after=(wheel, dsn))
            async def b(self, dsn, file): ...
            @subflow(after=(wheel, dsn, a))
            def c(self, wheel, a, dsn): ...
        ---
        X.a (flows.py:7): it takes (dsn, wheel) and gets the values of (wheel, dsn), in this order;
          write `async def a(self, wheel, dsn)`
        X.b (flows.py:9): it takes (dsn, file) and gets the values of (wheel, dsn), in this order;
          write `async def b(self, wheel, dsn)`
        X.c (flows.py:11): it takes (wheel, a, dsn) and gets the values of (wheel, dsn, a), in this
          order; write `def c(self, wheel, dsn, a)`
        """,
        id="parameters in another order",
    ),
    pytest.param(
        """
        class X(Flow):
            @service
            async def a(self) -> typing.AsyncIterator[str]: return None
            @service
            async def b(self) -> collections.abc.AsyncGenerator[str, None]: ...
            @service(timeout=3)
            async def c(self) -> "typing.Iterator[str]": ...
        ---
        X.a (flows.py:3): it is annotated as typing.AsyncIterator[str] and never yields, so that it
          would give None; let it `yield` where it is ready, or annotate it `-> None`
        X.b (flows.py:5): it is annotated as collections.abc.AsyncGenerator[str, None] and never
          yields, so that it would give None; let it `yield` where it is ready, or annotate it `->
          None`
        X.c (flows.py:7): it is annotated as typing.Iterator[str] and never yields, so that it
          would give None; let it `yield` where it is ready, or annotate it `-> None`
        """,
        id="service that never yields",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def a(self): ...
            @step
            async def b(self): ...
            a >> b
            @step
            async def a(self): ...
        ---
        X.b (flows.py:5): `>>` names the first of two declarations called a; rename one of them
        """,
        id="declared once more after an unnamed chain",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def a(self): ...
            @step
            async def b(self): ...
            @step
            async def c(self): ...
            a >> b >> c
            @step
            async def b(self): ...
        ---
        X.a (flows.py:3): `>>` names the first of two declarations called b; rename one of them
        """,
        id="declared once more in the middle of an unnamed chain",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def a(self): ...
            @step
            async def b(self): ...
            order = a >> b
            @step
            async def a(self): ...
        ---
        X.order (flows.py:7): `>>` names the first of two declarations called a; rename one of them
        """,
        id="declared once more after a named chain",
    ),
    pytest.param(
        """
        class X(Flow):
            @step(timeout=-1, critical="yes", label=3)
            async def a(self): ...
            @step(timeout="5", critical=1)
            async def b(self): ...
            @each(b, window=0, timeout=True)
            async def c(self, item): ...
            @each(b, window=1.5, timeout=math.nan)
            async def d(self, item): ...
            @subflow(timeout=Decimal(1))
            def e(self): ...
        ---
        X.a (flows.py:3): critical must be True, False or None, not 'yes'
        X.a (flows.py:3): timeout must be 0 or more seconds, or None for no limit, not -1
        X.a (flows.py:3): label must be a str or None, not 3 (int)
        X.b (flows.py:5): critical must be True, False or None, not 1
        X.b (flows.py:5): timeout must be a number of seconds or None, not '5' (str); for instance
          timeout=1.5
        X.c (flows.py:7): timeout must be a number of seconds or None, not True (bool); for
          instance timeout=1.5
        X.c (flows.py:7): window must be 1 or more jobs, or None for no limit, not 0
        X.d (flows.py:9): timeout must be 0 or more seconds, or None for no limit, not nan
        X.d (flows.py:9): window must be a positive int or None, not 1.5 (float); for instance
          window=10
        X.e (flows.py:11): timeout must be a number of seconds or None, not Decimal('1')
          (Decimal); for instance timeout=1.5
        """,
        id="bad options",
    ),
    pytest.param(
        """
        class X(Flow):
            @service(timeout=1)
            async def a(self): ...
            @service(timeout=1)
            async def b(self): yield
        ---
        X.a (flows.py:3): timeout bounds the time until a service yields, and this one does not
          yield; drop timeout=
        """,
        id="timeout on a coroutine service",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def a(self): ...
            @a.shutdown
            async def a(self): ...
        ---
        X.a (flows.py:3): the method under @a.shutdown has the name of the step; write `async def
          close_a(self)`
        """,
        id="hook of the same name",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def a(self): ...
            @a.shutdown
            def close_1(self): ...
            @a.shutdown
            async def close_2(self, x, y=1): ...
            @a.shutdown
            @staticmethod
            async def close_3(): ...
            a.shutdown(3)
        ---
        X.a (flows.py:3): the method close_1 under @a.shutdown must be async; write `async def
          close_1(self)`
        X.a (flows.py:3): the method close_2 under @a.shutdown takes 1 value (x) and gets 0; write
          `async def close_2(self)`
        X.a (flows.py:3): @a.shutdown stands on a staticmethod; write `async def close_3(self)`
        X.a (flows.py:3): @a.shutdown stands on 3 (int), which is no function; write `async def
          close_a(self)`
        """,
        id="hooks that cannot be called",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def a(self): ...
            @functools.cache
            @a.shutdown
            async def close_1(self): ...
            @step
            @a.shutdown
            async def close_2(self): ...
        ---
        X.a (flows.py:3): the method close_1 under @a.shutdown is not what has this name in the
          end; rename it, and let @a.shutdown be the topmost of its decorators
        X.a (flows.py:3): the method close_2 under @a.shutdown is not what has this name in the
          end; rename it, and let @a.shutdown be the topmost of its decorators
        """,
        id="hooks that something else hides",
    ),
    pytest.param(
        """
        class X(Base):
            @Base.b.shutdown
            def close_b(self): ...
            @Base.a.shutdown
            async def a(self): ...
        ---
        X.a (flows.py:5): the method under @a.shutdown has the name of the step; write `async def
          close_a(self)`
        X.close_b (flows.py:3): the method close_b under @b.shutdown must be async; write `async
          def close_b(self)`
        """,
        id="hooks of inherited steps",
    ),
    pytest.param(
        """
        class X(Base):
            close_a = None
        ---
        X.close_a (flows.py:3): it is called at the end of every run (@a.shutdown stands on it in
          a base), and so must be a method `async def close_a(self)`
        """,
        id="overridden hooks",
    ),
    pytest.param(
        """
        @attrs.define
        class X(Flow, critical=True):
            a: int
        ---
        X (flows.py:2): a decorator has made the class a second time, as @attrs.define does; drop
          it, for a flow has its fields already
        """,
        id="a second class by attrs",
    ),
    pytest.param(
        """
        def make():
            class X(Flow):
                @step
                async def run(self): ...
                a: list = []
        make()
        ---
        make.<locals>.X.run (flows.py:4): the name run is taken; choose another than co_run,
          debrief, list, run, scheduler, to_dot, to_image, to_mermaid, to_svg, what begins with
          _flow, and names such as __init__
        make.<locals>.X.a (flows.py:6): its default, a list, would be shared by all instances;
          write `a: ... = attrs.field(factory=list)`
        """,
        id="flow in a function",
    ),
]


@headers
@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes(execute, case, header):
    """All mistakes of a class are told at once, with their place and with what to write."""
    source, expected = body_of(case).split("---\n")

    with pytest.raises(DefinitionError) as caught:
        execute(header, source)

    assert promised(expected) == caught.value.problems


def test_a_definition_error_says_it_all():
    """It names the flow, holds the problems one by one, and is a `TypeError` as well."""
    with pytest.raises(DefinitionError) as caught:

        class Broken(Flow):
            @step
            async def run(self): ...

            @step(after=run)
            async def b(self, x, y): ...

    error = caught.value
    assert isinstance(error, FlowdecoError)
    assert isinstance(error, TypeError)
    assert error.flow == BROKEN
    assert [problem.split(": ")[0].split(" (")[0] for problem in error.problems] == [
        f"{BROKEN}.run",
        f"{BROKEN}.b",
    ]
    assert all(f"({__file__}:" in problem for problem in error.problems)
    assert str(error) == "\n".join([f"flow {BROKEN} has 2 mistakes:", *error.problems])


BROKEN = "test_a_definition_error_says_it_all.<locals>.Broken"


def test_place_without_a_source():
    """Where there is no source, the file is that of the methods, or of the module."""
    namespace = {"__name__": "nowhere", "Flow": Flow, "step": step}
    source = "class X(Flow):\n    a: list = []\n    @step\n    async def run(self): ...\n"
    with pytest.raises(DefinitionError) as caught:
        exec(compile(source, "gone.py", "exec"), namespace)
    assert [text.split(":")[0] for text in caught.value.problems] == [
        "X.run (gone.py",
        "X.a (gone.py)",
    ]

    with pytest.raises(DefinitionError, match=r"\nX\.a \(nowhere\): its default"):
        type("X", (Flow,), {"__module__": "nowhere", "__annotations__": {"a": "list"}, "a": []})


# What is no mistake


def graph_of(cls):
    """What a class has collected: the edges, and whose values are taken."""
    definition = cls.__flow_definition__
    return (
        dict(definition.edges),
        {name: taken for name, taken in definition.inputs.items() if taken},
    )


def test_a_definition_is_collected_without_running_anything():
    """The definition of a class can be looked at: no instance, job or loop is made for it."""

    class Whole(Flow):
        @step
        async def hosts(self):
            raise AssertionError

        @each(hosts)
        async def ping(self, host):
            raise AssertionError

        @subflow(after=[ping])
        def parts(self):
            raise AssertionError

        @service
        async def server(self):
            raise AssertionError

        @step(after=(ping, server))
        def report(self, pings, server):
            raise AssertionError

        @report.shutdown
        async def close(self):
            raise AssertionError

        order = parts >> report

    assert graph_of(Whole) == (
        {
            "hosts": (),
            "ping": ("hosts",),
            "parts": ("ping",),
            "server": (),
            "report": ("ping", "server", "parts"),
        },
        {"ping": ("hosts",), "report": ("ping", "server")},
    )
    assert Whole.__flow_definition__.hooks == {"report": ("close",)}
    assert [type(one) for one in Whole.__flow_definition__.declarations.values()] == [
        *(Step, Each, Subflow, Service, Step)
    ]


FINE = [
    pytest.param(
        """
        class X(Flow):
            a: tp.ClassVar[list] = []
            b: typing.ClassVar = {}
            c: "ClassVar[int]" = 1
            d: "typing_extensions.ClassVar[int]" = 1
            e: ClassVar[Chain]
            @step
            async def f(self): ...
            @step
            async def g(self): ...
            order: ClassVar[Chain] = f >> g
        """,
        [],
        {"f": (), "g": ("f",)},
        id="class variables, however they are written",
    ),
    pytest.param(
        """
        class X(Flow):
            a: ClassVar[int] = 1
            b: list = attrs.field(factory=list)
            c: type = list
            d: tuple = ()
            e = []
            f: int = attrs.field(default=1, kw_only=False)
            _private: int = 1
        """,
        ["b", "c", "d", "f", "_private"],
        {},
        id="fields and what is none",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def report(self): ...
            @step
            async def result(self): ...
            @step
            async def why(self): ...
            @step
            async def stop(self): ...
            @step
            async def _run(self): ...
            @step
            async def __secret(self): ...
        """,
        [],
        dict.fromkeys(["report", "result", "why", "stop", "_run", "_X__secret"], ()),
        id="natural names",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def a(self, x=1, *args, y=2, **options): ...
            @subflow
            def b(self, x=None): ...
            @a.shutdown
            async def close(self, force=False): ...
        """,
        [],
        {"a": (), "b": ()},
        id="defaults without after=",
    ),
    pytest.param(
        """
        class X(Flow):
            @step
            async def a(self): ...
            @step(after=(a, a))
            async def b(self, x, y, /): ...
            @step(after=[])
            async def c(self): ...
            @step(after=())
            async def d(self): ...
        """,
        [],
        {"a": (), "b": ("a",), "c": (), "d": ()},
        id="after= in other shapes",
    ),
    pytest.param(
        """
        class X(Flow):
            def run(self, *args, **options):
                return super().run(*args, **options)
            @staticmethod
            def helper(): ...
            @property
            def name(self): ...
        """,
        [],
        {},
        id="methods that are no steps",
    ),
    pytest.param(
        """
        class X(Base):
            z = Base.a
            y = 1
            @step
            async def c(self): ...
            also = c
            Base.b >> also
        """,
        ["size"],
        {"a": (), "b": ("a",), "c": ("b",)},
        id="other names for steps",
    ),
    pytest.param(
        """
        class X(Flow):
            __slots__ = ("cache",)
            a: int = 1
        """,
        ["a"],
        {},
        id="slots for something else",
    ),
    pytest.param(
        """
        class Y(Base):
            @step
            async def a(self): ...
        class X(Y):
            a = Base.a
        """,
        ["size"],
        {"a": (), "b": ("a",)},
        id="an inherited step, put back",
    ),
    pytest.param(
        """
        class X(Other, Base, abc.ABC):
            order = Base.b >> Other.build
        """,
        ["size"],
        {"a": (), "b": ("a",), "build": ("b",)},
        id="chain over two bases",
    ),
    pytest.param(
        """
        if tp.TYPE_CHECKING:
            from nowhere import Unknown
        class X(Flow):
            a: "Unknown"
            @step
            async def b(self) -> "Unknown": ...
            @step(after=b)
            async def c(self, b: "Unknown") -> None: ...
        """,
        ["a"],
        {"b": (), "c": ("b",)},
        id="names for type checkers alone",
    ),
]


@headers
@pytest.mark.parametrize(("source", "fields", "edges"), FINE)
def test_no_mistake(execute, source, fields, edges, header):
    """What looks like a mistake and is none gives the fields and edges that one expects."""
    found = execute(header, body_of(source))["X"]

    assert [field.name for field in attrs.fields(found)] == sorted(
        fields, key=["size", *fields].index
    )
    assert graph_of(found)[0] == edges


def test_positional_fields():
    """`kw_only=False` is obeyed, as type checkers have it."""

    class Positional(Flow):
        a: int = attrs.field(kw_only=False)
        b: int = 2

    flow = Positional(1, b=3)

    assert (flow.a, flow.b) == (1, 3)
    with pytest.raises(TypeError, match="positional argument"):
        Positional(1, 3)


def test_aliases_rename_nothing():
    """`z = a` is another name for the same job."""

    class Aliased(Flow):
        @step
        async def a(self):
            return "a"

        z = a

    flow = Aliased()

    assert perform(flow)
    assert flow.z is flow.a
    assert [job.name for job in flow.scheduler] == ["a"]


def test_only_names_of_the_body_count_for_a_chain():
    """A chain that is named elsewhere, or made later, has no effect on the class."""

    class Loose(Flow):
        @step
        async def a(self): ...

        @step
        async def b(self): ...

    class Elsewhere:
        order = Loose.a >> Loose.b

    class Named(Loose):
        order = Elsewhere.order

    Loose.b >> Loose.a

    assert graph_of(Loose)[0] == {"a": (), "b": ()}
    assert graph_of(Named)[0] == {"a": (), "b": ("a",)}


def test_values_reach_a_method_below_other_decorators():
    """A decorator between `@step` and the method does not hide what it takes."""

    def logged(function):
        @functools.wraps(function)
        async def wrapper(*args, **options):
            return await function(*args, **options)

        return wrapper

    class Decorated(Flow):
        @step
        async def a(self):
            return "value"

        @step(after=a)
        @logged
        async def b(self, value):
            return value

        @step(after=a)
        @wrapped
        def c(self, value):
            return value

    flow = Decorated()

    assert perform(flow)
    assert (flow.b.result(), flow.c.result()) == ("value", "value")
    assert graph_of(Decorated)[1] == {"b": ("a",), "c": ("a",)}


def test_a_decorator_that_stands_on_something_without_a_signature():
    """What the decorator itself takes counts."""

    def logged(function):
        @functools.wraps(function)
        async def wrapper(self, value):
            return function(value)

        return wrapper

    class Decorated(Flow):
        @step
        async def a(self):
            return [("key", 3)]

        b = step(after=a)(logged(dict))

    flow = Decorated()

    assert perform(flow)
    assert flow.b.result() == {"key": 3}


def test_a_hook_that_is_nothing_at_all():
    """A decorator that forgets to return its function gives None, which is said."""
    with pytest.raises(DefinitionError, match=r"@a\.shutdown stands on None; write `async def"):

        class Wrong(Flow):
            @step
            async def a(self): ...

            a.shutdown(None)


def test_repr_of_a_declaration():
    """It has what was declared: name, prerequisites, whether it is critical."""

    class Declared(Flow):
        @step
        async def a(self): ...

        @step(after=a, critical=True)
        async def b(self): ...

    assert [repr(Declared.a), repr(Declared.b)] == ["<Step a>", "<Step b after=(a) critical>"]


def test_hooks_may_be_private():
    """A hook with a mangled name is found, and so is the override of another one."""

    class Private(Base):
        closed: list = attrs.field(factory=list)

        @Base.b.shutdown
        async def __close_b(self):
            self.closed.append("b")

        async def close_a(self):
            self.closed.append("a")

    flow = Private()

    assert perform(flow)
    assert sorted(flow.closed) == ["a", "b"]


def test_methods_of_a_base_may_become_steps():
    """A subclass may decorate what is a plain method of its base, and mixins may be generic."""

    class Plain(Flow):
        async def a(self):
            return 1

    class Decorated(Plain):
        @step
        async def a(self):
            return 1 + await super().a()

    flow = Decorated()

    assert perform(flow)
    assert flow.a.result() == 2


def test_own_init_subclass():
    """A base may have class keywords of its own."""

    class Tagged(Flow):
        def __init_subclass__(cls, tag="", **keywords):
            super().__init_subclass__(**keywords)
            cls.tag = tag

    class Sub(Tagged, tag="x", critical=True):
        @step
        async def a(self): ...

    assert Sub.tag == "x"
    assert Sub().a.is_critical()


# Decorators


@pytest.mark.parametrize("method", [3, "text", None, print, int, staticmethod(print), property()])
@pytest.mark.parametrize("decorate", [step(), service(), subflow(), each(loose), step(after=3)])
def test_decorators_never_raise_on_account_of_the_method(decorate, method):
    """Whatever stands below, a decorator makes a declaration of it, which notes it."""
    declared = decorate(method)

    assert declared.method is method
    assert repr(declared).startswith(f"<{type(declared).__name__} ")
    assert declared.shutdown(3) == 3


@pytest.mark.parametrize(
    "decorate",
    [
        lambda: step(aftr=loose),
        lambda: step(window=1),
        lambda: service(loose, windw=3),
        lambda: subflow(over=loose),
        lambda: each(loose, before=loose),
        lambda: each(),
        lambda: each(loose, 3),
        lambda: step(loose, loose),
    ],
)
def test_wrong_keywords_are_refused_on_their_line(decorate):
    """What a decorator does not have is Python's own `TypeError`, at once."""
    with pytest.raises(TypeError, match="argument") as caught:
        decorate()

    assert caught.traceback[-1].lineno == decorate.__code__.co_firstlineno - 1
    assert not isinstance(caught.value, FlowdecoError)


def test_declaration_given_to_a_decorator():
    """`@step(build)` says at once that `after=` is missing."""
    with pytest.raises(TypeError, match=r"@step was given a; write @step\(after=a\)"):

        class Wrong(Flow):
            @step
            async def a(self): ...

            @step(a)
            async def b(self): ...


def test_declarations_are_not_called():
    """A declaration, or its job, that is called says what to write instead."""

    class Calling(Flow):
        @step
        async def a(self): ...

        @step
        async def b(self):
            await self.a()

    flow = Calling()
    perform(flow)

    with pytest.raises(TypeError, match=r"come after=a to get its result, or call .*\.a\.body"):
        Base.a()
    with pytest.raises(TypeError, match=r"come after=a to get its result, or call .*\.a\.body"):
        flow.b.result()


def test_declarations_in_a_class_that_is_no_flow():
    """An instance of such a class says what it lacks."""

    class NoFlow:
        @step
        async def a(self): ...

    assert isinstance(NoFlow.a, Step)
    with pytest.raises(TypeError, match=r"a is a step, and NoFlow is no flow; write .*\(Flow\)"):
        _ = NoFlow().a


def test_later_names_are_unknown():
    """`after=` on what is declared further down is Python's own `NameError`."""
    with pytest.raises(NameError, match="'later' is not defined"):

        class Early(Flow):
            @step(after=later)  # noqa: F821
            async def first(self): ...

            @step
            async def later(self): ...


def test_a_failed_class_leaves_its_bases_as_they_were():
    """What a broken subclass registers and chains has no effect on others."""
    before = graph_of(Base), Base.__flow_definition__.hooks
    with pytest.raises(DefinitionError):

        class Broken(Base):
            @Base.b.shutdown
            async def close_b(self, x): ...

            @step
            async def run(self): ...

            Base.a >> run >> Base.b

    class Fine(Base):
        pass

    assert (graph_of(Base), Base.__flow_definition__.hooks) == before
    assert (graph_of(Fine), Fine.__flow_definition__.hooks) == before
