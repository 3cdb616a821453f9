"""What Python's own tools make of a flow and its declarations, and the moment a mistake shows."""

import abc
import copy
import dataclasses
import doctest
import inspect
import logging
import pickle
import pydoc
import sys
import traceback
from collections.abc import AsyncIterator

import attrs
import pytest
from actors import perform, states

from flowdeco import Flow, Job, each, service, step, subflow
from flowdeco.errors import BusyError, DefinitionError

# Abstract steps


class Abstract(Flow, abc.ABC, critical=True):
    """A flow that leaves four things to its subclasses."""

    @step
    @abc.abstractmethod
    async def fetch(self): ...

    @service
    @abc.abstractmethod
    def database(self) -> AsyncIterator[str]: ...

    @each(fetch)
    @abc.abstractmethod
    async def double(self, item): ...

    @subflow
    @abc.abstractmethod
    def part(self): ...


class WithoutABC(Flow, critical=True):
    """The same without `abc.ABC`, which plain Python would let pass."""

    @step
    @abc.abstractmethod
    async def fetch(self): ...

    @service(timeout=3)
    @abc.abstractmethod
    async def database(self) -> AsyncIterator[str]: ...

    @each(fetch)
    @abc.abstractmethod
    async def double(self, item): ...

    @subflow
    @abc.abstractmethod
    def part(self): ...


def written(base):
    """A subclass in which all of it is there."""

    class Written(base):
        @step
        async def fetch(self):
            return [1, 2]

        @service
        async def database(self):
            yield "dsn"

        @each(fetch)
        async def double(self, item):
            return item * 2

        @subflow
        def part(self):
            return Flow()

    return Written


@pytest.mark.parametrize("base", [Abstract, WithoutABC])
def test_a_flow_with_an_abstract_step_cannot_be_made(base):
    """It is Python's own `TypeError`, with the names; a subclass that has them all can be made."""

    class Forgot(base):
        @step
        async def fetch(self):
            return [1, 2]

    assert inspect.isabstract(base)
    assert base.__abstractmethods__ == {"fetch", "database", "double", "part"}
    assert Forgot.__abstractmethods__ == {"database", "double", "part"}
    with pytest.raises(TypeError, match=r"abstract class Forgot .*'?database'?, '?double'?"):
        Forgot()
    flow = written(base)()
    assert not inspect.isabstract(type(flow))
    assert perform(flow)
    assert flow.double.result() == [2, 4]


def test_a_step_can_be_made_abstract_again():
    """By a subclass of one that had it."""

    class Again(written(WithoutABC)):
        @step
        @abc.abstractmethod
        async def fetch(self): ...

    with pytest.raises(TypeError, match="abstract class Again"):
        Again()


def test_abstract_methods_that_are_no_steps_are_as_elsewhere():
    """With `abc.ABC` they count, without it they do not."""

    class Plain(Flow):
        @abc.abstractmethod
        def helper(self): ...

    class WithABC(Plain, abc.ABC):
        @step
        @abc.abstractmethod
        async def fetch(self): ...

    Plain()
    with pytest.raises(TypeError, match="abstract class WithABC"):
        WithABC()


def test_abstract_over_the_decorator():
    """The other order means the same."""

    class Other(Flow):
        @abc.abstractmethod
        @step
        async def fetch(self): ...

    with pytest.raises(TypeError, match="abstract class Other"):
        Other()


def test_flows_can_still_be_copied_and_pickled():
    """Though a flow is looked at when it is made."""
    flow = Documented(host="us")

    assert copy.copy(flow).host == copy.deepcopy(flow).host == "us"
    assert pickle.loads(pickle.dumps(flow)).host == "us"


def test_a_base_may_make_the_instance():
    """Its `__new__` gets what was given."""

    class Counted:
        def __new__(cls, *args, **keywords):
            made = super().__new__(cls)
            made.given = keywords
            return made

    class Deploy(Flow, Counted):
        host: str

    assert Deploy(host="us").given == {"host": "us"}


# Names, docstrings, signatures


class Documented(Flow):
    """Brings a version to a host."""

    host: str = "eu"

    @step
    async def build(self) -> str:
        """Make the wheel.

        >>> 1 + 1
        3
        """
        return "x.whl"

    @each(build)
    def upload(self, wheel: str) -> int:
        """Upload it.

        >>> 1 + 1
        2
        """
        return len(wheel)

    @service
    async def database(self) -> AsyncIterator[str]:
        """Start the database."""
        yield "dsn"

    @subflow
    def part(self) -> Flow:
        """Make the part.

        >>> 2 + 2
        4
        """
        return Flow()

    @step
    def bare(self): ...


def test_a_declaration_looks_like_its_method():
    """Its names, its module, its docstring, its signature."""
    build = Documented.build

    assert build.__name__ == "build"
    assert build.__qualname__ == "Documented.build"
    assert build.__module__ == __name__
    assert build.__doc__.startswith("Make the wheel.")
    assert build.__wrapped__ is build.method
    assert str(inspect.signature(build)) == "(self) -> str"
    assert str(inspect.signature(Documented.upload)) == "(self, wheel: str) -> int"
    assert inspect.getdoc(build).startswith("Make the wheel.")
    assert inspect.getsource(build).lstrip().startswith("@step")
    assert Documented.bare.__doc__ is None
    assert inspect.isroutine(build)


def test_a_signature_of_a_flow_is_that_of_its_fields():
    """As the type checkers have it."""
    shown = str(inspect.signature(Documented))
    assert shown.replace("'str'", "str") == "(*, host: str = 'eu') -> None"  # text, where lazy


def test_help_shows_declarations_as_methods():
    """With signature and docstring."""
    shown = pydoc.render_doc(Documented, renderer=pydoc.plaintext)
    methods = shown.partition("Methods defined here")[2]

    for line in ("build(self) -> str", "Make the wheel.", "upload(self, wheel: str) -> int"):
        assert line in methods
    assert "Start the database." in methods
    assert "Make the part." in methods


def test_doctests_in_methods_are_found():
    """They are run as those of other methods."""
    found = doctest.DocTestFinder().find(Documented, "Documented", globs={})
    with_examples = {test.name: test for test in found if test.examples}
    assert set(with_examples) == {"Documented.build", "Documented.upload", "Documented.part"}
    runner = doctest.DocTestRunner(verbose=False)

    results = {
        name: runner.run(test, out=lambda _: None).failed for name, test in with_examples.items()
    }

    assert results == {"Documented.build": 1, "Documented.upload": 0, "Documented.part": 0}


def test_doctests_of_a_module_are_found():
    """By the module, as pytest and `python -m doctest` look for them."""
    found = {test.name for test in doctest.DocTestFinder().find(sys.modules[__name__])}

    assert f"{__name__}.Documented.build" in found
    assert f"{__name__}.Documented.part" in found


def test_a_declaration_of_an_object_has_what_the_object_has():
    """And no docstring of the library."""

    class Upload:
        """Uploads."""

        def __call__(self, flow): ...

    class Deploy(Flow):
        upload = step(Upload())

    assert Deploy.upload.__doc__ == "Uploads."
    assert Deploy.upload.__name__ == "upload"
    assert Deploy.upload.__qualname__.endswith("Deploy.upload")


# When a mistake shows


def test_a_dataclass_over_a_flow_is_refused_at_its_first_use():
    """Python calls nobody before."""

    @dataclasses.dataclass
    class Twice(Flow):
        n: int = 1

    with pytest.raises(DefinitionError, match=r"@dataclass stands over a flow.*drop it"):
        Twice()
    with pytest.raises(DefinitionError, match="@dataclass stands over a flow"):
        Twice(n=2)


def test_a_dataclass_without_fields_may_be_a_base():
    """Class variables are no fields."""

    @dataclasses.dataclass(eq=False)
    class Mixin:
        def double(self, n):
            return n * 2

    class Deploy(Mixin, Flow, critical=True):
        n: int = 2

        @step
        async def build(self):
            return self.double(self.n)

    deploy = Deploy(n=3)
    assert perform(deploy)
    assert deploy.build.result() == 6


@pytest.mark.parametrize("decorate", [dataclasses.dataclass, attrs.define])
def test_flows_compare_by_identity_whatever_their_mixins(decorate):
    """One that was made by `@dataclass` would make all of them equal, and not hashable."""

    @decorate
    class Mixin:
        def help(self): ...

    class Deploy(Mixin, Flow):
        n: int = 1

    class Own(Deploy):
        def __eq__(self, other):
            return True

        __hash__ = Flow.__hash__

    flow = Deploy()
    assert flow != Deploy()
    assert {flow: 1}[flow] == 1
    assert Own() == flow


def test_a_model_of_pydantic_as_a_base_is_refused():
    """Its fields are no arguments of the flow."""
    pydantic = pytest.importorskip("pydantic")

    class Model(pydantic.BaseModel):
        n: int = 1

    with pytest.raises(DefinitionError, match=r"its base Model is a pydantic model .*\(n\)"):

        class Deploy(Model, Flow): ...


def test_a_field_of_a_flow_may_hold_settings():
    """That is what the error on such a base says to write."""

    @dataclasses.dataclass
    class Settings:
        url: str

    class Fetch(Flow, critical=True):
        settings: Settings
        tries: int = attrs.field(default=3)

        @step
        async def get(self):
            return self.settings.url

    fetch = Fetch(settings=Settings("http://x"))
    assert perform(fetch)


def test_the_traceback_of_a_definition_error_is_the_users():
    """No frame of the library is in it."""
    with pytest.raises(DefinitionError) as caught:

        class Broken(Flow):
            @step
            async def run(self): ...

    assert [entry.filename for entry in traceback.extract_tb(caught.tb)] == [__file__]

    class Tagged(Flow):
        def __init_subclass__(cls, **keywords):
            super().__init_subclass__(**keywords)

    with pytest.raises(DefinitionError) as own:

        class Below(Tagged):
            @step
            async def run(self): ...

    assert [entry.name for entry in traceback.extract_tb(own.tb)][1:] == ["__init_subclass__"]
    assert {entry.filename for entry in traceback.extract_tb(own.tb)} == {__file__}
    with pytest.raises(ValueError, match="timeout must be") as limits:

        class Late(Flow, timeout=-1): ...

    assert [entry.filename for entry in traceback.extract_tb(limits.tb)] == [__file__]


# Options of decorators


@pytest.mark.parametrize(
    ("decorate", "message"),
    [
        (lambda: step(aftr=3), r"step\(\) .* argument 'aftr'; did you mean after=\? @step takes"),
        (lambda: step(retries=3), r"argument 'retries'; did you mean retry=Retry\(on=...\)\? "),
        (lambda: service(windw=3), "argument 'windw'"),
        (lambda: subflow(window=3), "argument 'window'; @subflow takes after=, critical="),
        (
            lambda: each(3, timout=3),
            "'timout'; did you mean timeout=\\? @each takes after=, return_",
        ),
    ],
)
def test_an_unknown_option_says_which_ones_there_are(decorate, message):
    """It is Python's own error, at once, on the line of the user."""
    with pytest.raises(TypeError, match=message) as caught:
        decorate()

    assert caught.traceback[-1].path.name == "test_declaring.py"


def test_other_errors_of_decorators_are_pythons():
    """As that of an argument that is missing."""
    with pytest.raises(TypeError, match=r"each\(\) missing 1 required positional argument: 'over'"):
        each()
    assert str(inspect.signature(step)).startswith("(method: 'Any' = None, /, *, after")
    assert step.__doc__.startswith("Declare a step")


# What is fine


def test_first_parameters_of_other_names_where_nothing_is_taken():
    """Without values there is no doubt; and what begins with an underscore is not used."""

    class Deploy(Flow):
        @step
        async def a(this): ...  # noqa: N805

        @step(after=[a])
        async def b(flow): ...  # noqa: N805

        @step(after=a)
        async def c(_, value): ...  # noqa: N805

        @step(after=a)
        async def d(_self): ...  # noqa: N805

    assert perform(Deploy())


def test_parameters_of_any_names():
    """Only those of the prerequisites must be in their order."""

    class Deploy(Flow, critical=True):
        @step
        async def a(self):
            return 1

        @step
        async def b(self):
            return 2

        @step(after=(a, b))
        async def one(self, a, b):
            return a, b

        @step(after=(a, b))
        async def two(self, x, b):
            return x, b

        @step(after=(a, b))
        async def three(self, x, y):
            return x, y

        @step(after=(a, a))
        async def four(self, a, other):
            return a, other

    deploy = Deploy()
    assert perform(deploy)
    assert [deploy.one.result(), deploy.four.result()] == [(1, 2), (1, 1)]


def test_services_that_do_yield_or_say_that_they_do_not():
    """Whatever they are annotated as."""

    class Deploy(Flow):
        @service
        async def a(self) -> AsyncIterator[str]:
            yield "a"

        @service
        async def b(self) -> None: ...

        @service
        async def c(self) -> "IteratorOfMine":  # noqa: F821
            ...

        @step
        async def d(self): ...

    assert perform(Deploy())


# Chains


class Chained(Flow):
    """Two steps in no order."""

    @step
    async def a(self): ...

    @step
    async def b(self): ...


def test_an_unnamed_chain_of_inherited_steps_that_requires_a_new_one():
    """The new one, which is being declared, lets it count."""

    class Sub(Chained):
        @step
        async def c(self): ...

        (Chained.a >> Chained.b).requires(c)

    definition = Sub.__flow_definition__
    assert dict(definition.edges) == {"a": ("c",), "b": ("a",), "c": ()}


# Runs


@pytest.mark.parametrize("how", ["run", "co_run", "subflow"])
def test_a_flow_without_jobs_is_warned_of(how, caplog):
    """For a method has probably lost its decorator."""

    class Empty(Flow):
        async def build(self): ...

    class Whole(Flow, critical=True):
        @subflow
        def part(self):
            return Empty()

        @step
        async def awaits(self):
            return await Empty().co_run()

    flow = {"run": Empty(), "co_run": Whole(), "subflow": Whole()}[how]
    with caplog.at_level(logging.WARNING, "flowdeco"):
        assert perform(flow)

    assert "the flow Empty declares no job" in caplog.text
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_a_flow_with_jobs_is_not_warned_of(caplog):
    """Be they added later."""
    flow = Flow()

    async def work(): ...

    flow.scheduler.add(Job(work))
    assert perform(flow)
    assert perform(Chained())
    assert "declares no job" not in caplog.text


# A flow inside of itself


class Tree(Flow, grace=0.1):
    """Its subflow is what it is given."""

    make: object = None

    @subflow
    def inner(self):
        return self.make(self)

    @step
    async def work(self):
        return "worked"


@pytest.mark.parametrize("how", ["itself", "in a list", "the one around", "two around"])
def test_a_flow_is_not_inside_of_itself(how, capsys):
    """It is an error of that job, the run goes on, and all that shows the flow ends."""
    outer = Tree(make=lambda flow: flow)
    failing = outer
    if how == "in a list":
        outer = failing = Tree(make=lambda flow: [Tree(make=lambda _: []), flow])
    if how == "the one around":
        failing = Tree(make=lambda _: outer)
        outer = Tree(make=lambda _: failing)
    if how == "two around":
        failing = Tree(make=lambda _: outer)
        middle = Tree(make=lambda _: failing)
        outer = Tree(make=lambda _: middle)

    assert perform(outer, timeout=5)

    error = failing.scheduler.find("inner").raised_exception()
    assert isinstance(error, BusyError)
    assert "'inner' returned the flow 'Tree', which is running already" in str(error)
    assert states(failing.work) == ["DONE"]
    shown = [outer.to_dot(), str(outer.scheduler.report)]
    outer.list()
    outer.debrief()
    with pytest.raises(LookupError, match="no job is called 'nope'"):
        outer.scheduler.find("nope")
    assert all(shown)


def test_flows_that_ran_one_in_the_other_by_turns(capsys):
    """What is left of an earlier run is no circle to be lost in."""
    first = Tree(make=lambda _: second)
    second = Tree(make=lambda _: [])
    assert perform(first)
    second.make = lambda _: first
    first.make = lambda _: []
    assert perform(second)
    assert second.scheduler.find("inner").state.name == "DONE"

    for flow in (first, second):
        flow.list()
        assert flow.to_dot()
        with pytest.raises(LookupError):
            flow.scheduler.find("nope")
