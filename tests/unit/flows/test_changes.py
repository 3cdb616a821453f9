"""What is put in place of a step, after its class was made, is never ignored."""

from unittest import mock

import pytest
from actors import perform

from flowdeco import Flow, each, service, step, subflow
from flowdeco.errors import DefinitionError, FlowdecoError, ReplacedError


def make():
    """A flow class of its own for each test, for they change it."""

    class Deploy(Flow, critical=True):
        host: str = "eu"

        @step
        async def upload(self):
            return "real"

        @step(after=upload)
        async def announce(self, what):
            return what

        again = upload

        @upload.shutdown
        async def close_upload(self): ...

    return Deploy


async def fake(self):
    return "fake"


USES = {
    "run": lambda flow: flow.run(),
    "co_run": lambda flow: flow.co_run().send(None),
    "list": lambda flow: flow.list(),
    "debrief": lambda flow: flow.debrief(),
    "to_dot": lambda flow: flow.to_dot(),
    "scheduler": lambda flow: flow.scheduler,
    "a job": lambda flow: flow.announce,
}
REPLACEMENTS = {
    "a function": lambda: fake,
    "a step": lambda: step(fake),
    "a service": lambda: service(fake),
    "a mock": mock.MagicMock,
    "an async mock": mock.AsyncMock,
    "a mock like it": lambda: mock.create_autospec(Flow, instance=True),
    "None": lambda: None,
}


# On the class


@pytest.mark.parametrize("was_used", [False, True])
@pytest.mark.parametrize("use", USES)
def test_a_class_attribute_that_is_no_longer_the_step_is_an_error_at_the_next_use(use, was_used):
    """Whatever that use is; and when the step is back, everything works."""
    flow_class = make()
    flow = flow_class()
    if was_used:
        perform(flow)

    with (
        mock.patch.object(flow_class, "upload", fake),
        pytest.raises(ReplacedError, match=r"Deploy\.upload \(.*test_changes\.py:\d+\): .*fake"),
    ):
        USES[use](flow)

    assert perform(flow)
    assert flow.announce.result() == "real"


@pytest.mark.parametrize("replacement", REPLACEMENTS)
def test_whatever_is_put_in_its_place_is_an_error(replacement):
    """Another declaration as well, which no run would know."""
    flow_class = make()
    with mock.patch.object(flow_class, "upload", REPLACEMENTS[replacement]()):
        with pytest.raises(ReplacedError, match=r"redefine upload in a subclass") as caught:
            flow_class().run()

        assert "class OtherDeploy(Deploy)" in caught.value.problems[0]
        assert isinstance(caught.value, FlowdecoError)
        assert isinstance(caught.value, DefinitionError)


def test_the_advice_works():
    """An override for one run, or a redefinition in a subclass, is what a run calls."""
    flow_class = make()

    async def fake(self):
        return "fake"

    flow = flow_class()
    overrides = [flow_class.upload.replaced_by(fake)]
    assert flow.run(overrides=overrides)
    assert flow.announce.result() == "fake"

    class OtherDeploy(flow_class):
        @step
        async def upload(self):
            return "other"

    flow = OtherDeploy()
    assert perform(flow)
    assert flow.announce.result() == "other"


def test_a_base_that_is_changed_is_an_error_for_what_derives_from_it():
    """Be it the declaring class, or the subclass alone."""
    flow_class = make()

    class Sub(flow_class):
        pass

    with (
        mock.patch.object(flow_class, "upload", fake),
        pytest.raises(ReplacedError, match="upload"),
    ):
        Sub().run()
    with mock.patch.object(Sub, "upload", fake):
        with pytest.raises(ReplacedError, match=r"Sub\.upload"):
            Sub().run()
        assert perform(flow_class())
    assert perform(Sub())


def test_pytest_patches_are_seen(monkeypatch):
    """By monkeypatch, which puts back what it found."""
    flow_class = make()
    with monkeypatch.context() as patch:
        patch.setattr(flow_class, "upload", fake)
        with pytest.raises(ReplacedError):
            flow_class().run()

    assert perform(flow_class())


@pytest.mark.parametrize("kind", ["step", "of another flow"])
def test_a_declaration_that_is_added_is_an_error(kind):
    """No run would know it; and the attribute is not there, as `hasattr` has it."""
    flow_class, other = make(), make()
    flow_class.extra = step(fake) if kind == "step" else other.upload
    flow = flow_class()

    with pytest.raises(ReplacedError, match=r"Deploy\.extra .*: this step was added after"):
        flow.run()
    assert not hasattr(flow, "extra")

    del flow_class.extra
    assert perform(flow)


def test_a_second_name_of_a_step_is_no_change():
    """It leads to the same job, as it does in the body of the class."""
    flow_class = make()
    flow_class.more = flow_class.upload
    flow = flow_class()

    assert perform(flow)
    assert flow.more is flow.upload is flow.again


def test_a_step_that_is_deleted_is_an_error():
    """As a run would call it all the same."""
    flow_class = make()
    del flow_class.upload

    with pytest.raises(ReplacedError, match=r"Deploy\.upload .*: this step was deleted"):
        flow_class().run()


def test_a_declaration_over_a_mixin_that_is_no_flow_is_seen():
    """Wherever in the bases it is added."""

    class Mixin:
        pass

    class Deploy(Mixin, make()):
        pass

    Mixin.extra = step(fake)
    with pytest.raises(ReplacedError, match=r"Deploy\.extra"):
        Deploy().run()


def test_a_flow_that_is_run_within_another_is_looked_at_as_well():
    """By `@subflow`."""
    flow_class = make()

    class Whole(Flow):
        @subflow
        def part(self):
            return flow_class()

    whole = Whole()
    with mock.patch.object(flow_class, "upload", fake):
        perform(whole)

    assert isinstance(whole.scheduler.find("part").raised_exception(), ReplacedError)


def test_what_else_a_class_has_may_be_changed():
    """Plain methods, hooks and attributes are found when they are called."""
    flow_class = make()
    calls = []

    async def close(self):
        calls.append(self.host)

    with (
        mock.patch.object(flow_class, "close_upload", close),
        mock.patch.object(flow_class, "run", None),
    ):
        flow_class.note = "a note"
        flow_class().scheduler.orchestrate()

    assert calls == ["eu"]


def test_a_subclass_of_a_changed_flow_is_refused():
    """As it would be if the base had been written like this."""
    flow_class = make()
    with (
        mock.patch.object(flow_class, "upload", fake),
        pytest.raises(DefinitionError, match="would hide the step upload"),
    ):

        class Sub(flow_class):
            pass


def test_what_a_flow_makes_up_itself_hides_no_error():
    """A `__getattr__` is not asked for what is refused."""

    class Deploy(make()):
        def __getattr__(self, name):
            raise AttributeError(name)

    flow = Deploy()
    with mock.patch.object(Deploy, "upload", fake):
        for use in ("run", "co_run", "list", "debrief", "to_dot"):
            with pytest.raises(ReplacedError):
                USES[use](flow)


def test_lazy_objects_of_a_class_are_not_loaded():
    """Each use of a flow looks at the class, and not into what else it has."""
    loaded = []

    class Lazy:
        @property
        def __class__(self):
            loaded.append(self)
            return int

    flow_class = make()
    flow_class.settings = Lazy()

    assert perform(flow_class())
    with (
        mock.patch.object(flow_class, "upload", Lazy()),
        pytest.raises(ReplacedError, match="a Lazy was put in place of this step"),
    ):
        flow_class().run()
    assert loaded == []


# On an instance


def test_a_step_of_an_instance_cannot_be_assigned():
    """It is the job; the error says how to have another body, and where to keep a value."""
    flow = make()()

    with pytest.raises(AttributeError, match=r"upload is a step of Deploy, .* in a subclass"):
        flow.upload = fake
    with pytest.raises(AttributeError, match="deleted"):
        del flow.upload
    with pytest.raises(AttributeError), mock.patch.object(flow, "upload", fake):
        pass
    with pytest.raises(AttributeError):
        flow.again = fake

    assert perform(flow)
    assert flow.announce.result() == "real"


def test_no_kind_of_declaration_can_be_assigned():
    """Services, fan-outs and subflows as well."""

    class Whole(Flow):
        @step
        async def items(self): ...

        @each(items)
        async def ping(self, item): ...

        @service
        async def serve(self): ...

        @subflow
        def part(self): ...

    for name, kind in {"ping": "each", "serve": "service", "part": "subflow"}.items():
        with pytest.raises(AttributeError, match=f"{name} is a {kind} of Whole"):
            setattr(Whole(), name, 1)


def test_a_body_that_assigns_its_own_name_has_failed():
    """It returns the value instead."""

    class Total(Flow):
        @step
        async def total(self):
            self.total = 42

    flow = Total()
    perform(flow)
    with pytest.raises(AttributeError, match="what a body wants to keep, it returns"):
        flow.total.result()


def test_what_is_in_the_dictionary_of_an_instance_hides_no_step():
    """A step cannot be shadowed behind its back either."""
    flow = make()()
    vars(flow)["upload"] = fake

    assert perform(flow)
    assert flow.upload.result() == "real"


def test_fields_and_other_attributes_can_be_assigned():
    """As those of any object."""
    flow = make()()
    flow.host = "us"
    flow.note = "a note"
    del flow.note

    assert flow.host == "us"
