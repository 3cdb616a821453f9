"""Plain bodies: what may be one, and that it does not return something to be awaited."""

import asyncio
import functools
import inspect
import types
import warnings
from unittest import mock

import attrs
import pytest
import typing_extensions
from actors import perform, states

from flowdeco import Flow, Job, current_job, each, service, step, subflow
from flowdeco.errors import DefinitionError
from flowdeco.jobs.plain import call_plainly, discard


def traced(function):
    """Decorate as many decorators do: with a plain wrapper, be the function async or not."""

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


class Wrapped:
    """A wrapper that is an object."""

    def __init__(self, function):
        functools.update_wrapper(self, function)
        self.function = function

    def __call__(self, *args):
        return self.function(*args)


class Awaitable:
    """An awaitable of somebody's own, which holds a coroutine that it has made."""

    def __init__(self):
        self.coroutine = asyncio.sleep(0)

    def __await__(self):
        return self.coroutine.__await__()


class Coroutinish:
    """What Cython and some libraries make: a coroutine by its methods."""

    closed = False

    def __await__(self):
        return self

    def send(self, value): ...

    def throw(self, *error): ...

    def close(self):
        type(self).closed = True


async def hello():
    return "hello"


@types.coroutine
def older():
    yield


AWAITABLES = {
    "coroutine": lambda self: hello(),
    "generator": lambda self: older(),
    "an awaitable of its own": lambda self: Awaitable(),
    "a coroutine by its methods": lambda self: Coroutinish(),
}


@pytest.mark.parametrize("name", AWAITABLES)
def test_an_awaitable_from_a_plain_body_is_a_failure(name):
    """Nothing would await it: it is closed, and the job fails with what to write."""

    class Shop(Flow, critical=True):
        @step
        def pay(self):
            return AWAITABLES[name](self)

        @step(after=pay)
        async def ship(self, amount): ...

    shop = Shop()

    assert not perform(shop)
    assert states(*shop.scheduler) == ["FAILED", "IDLE"]
    with pytest.raises(TypeError, match=r"'pay' .* returned .* `async def`.* awaits"):
        shop.pay.result()


@pytest.mark.parametrize("decorate", [traced, Wrapped, functools.cache])
def test_a_plain_wrapper_round_an_async_method_is_a_failure(decorate):
    """Whatever kind of wrapper it is; the coroutine is named."""

    class Shop(Flow):
        @step
        @decorate
        async def pay(self):
            return 5

    shop = Shop()

    perform(shop)
    with pytest.raises(TypeError, match="returned the coroutine pay, which nothing awaits"):
        shop.pay.result()


def test_an_item_that_returns_an_awaitable_is_a_failure():
    """As of a step, with the name of the item."""

    class Ping(Flow):
        @step
        async def hosts(self):
            return ["eu", "us"]

        @each(hosts)
        @traced
        async def ping(self, host): ...

    ping = Ping()

    perform(ping)
    errors = ping.ping.raised_exception().exceptions
    assert ["'ping[0]'" in str(errors[0]), "'ping[1]'" in str(errors[1])] == [True, True]


def test_a_task_that_a_plain_body_returns_is_cancelled():
    """It belongs to a loop, and is cancelled there."""
    tasks = []

    class Shop(Flow):
        @step
        async def loop(self):
            return asyncio.get_running_loop()

        @step(after=loop)
        def start(self, loop):
            made = asyncio.run_coroutine_threadsafe(self.make(), loop)
            tasks.append(made.result(1))
            return tasks[0]

        async def make(self):
            return asyncio.ensure_future(asyncio.sleep(3600))

    shop = Shop()

    shop.run(timeout=5)
    assert isinstance(shop.start.raised_exception(), TypeError)
    assert tasks[0].cancelled()


def test_a_coroutine_that_somebody_runs_already_is_left_alone():
    """Only what has not started is closed."""
    started = []

    class Shop(Flow):
        @step
        async def loop(self):
            return asyncio.get_running_loop()

        @step(after=loop)
        def start(self, loop):
            coroutine = self.work()
            started.append(asyncio.run_coroutine_threadsafe(coroutine, loop))
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(1)
            return coroutine

        @step(after=start)
        async def never(self, value): ...

        @step(after=[start])
        async def after(self):
            return await asyncio.wrap_future(started[0])

        async def work(self):
            await asyncio.sleep(0.05)
            return "worked"

    shop = Shop()

    shop.run(timeout=5)
    assert isinstance(shop.start.raised_exception(), TypeError)
    assert shop.after.result() == "worked"


def test_a_wrapper_that_really_is_plain_is_good():
    """One that drives the async method itself returns a value, which is the result."""

    def to_sync(function):
        @functools.wraps(function)
        def wrapper(*args):
            return asyncio.run(function(*args))

        return wrapper

    class Shop(Flow, critical=True):
        @step
        @to_sync
        async def pay(self):
            return 5

    shop = Shop()

    assert perform(shop)
    assert shop.pay.result() == 5


def marked_by_inspect(function):
    """Mark a plain wrapper as giving a coroutine, as libraries do since Python 3.12."""
    return inspect.markcoroutinefunction(traced(function))


def marked_by_asyncio(function):
    """Mark it as they did before, and as `unittest.mock` still does."""
    wrapper = traced(function)
    wrapper._is_coroutine = asyncio.coroutines._is_coroutine
    return wrapper


MARKS = {
    "@deprecated": typing_extensions.deprecated("use another", category=None),
    **({"inspect": marked_by_inspect} if hasattr(inspect, "markcoroutinefunction") else {}),
    **({"asyncio": marked_by_asyncio} if hasattr(asyncio.coroutines, "_is_coroutine") else {}),
}


@pytest.mark.parametrize("mark", MARKS)
def test_a_plain_wrapper_that_is_marked_as_async_is_awaited(mark):
    """It gives a coroutine and says so, and is a body wherever an async method is one."""
    decorate = MARKS[mark]
    closed = []

    class Shop(Flow, critical=True):
        @service
        @decorate
        async def watch(self) -> None:
            await asyncio.sleep(3600)

        @step(after=[watch])
        @decorate
        async def orders(self) -> list[int]:
            return [1, 2]

        @each(orders)
        @decorate
        async def pay(self, order: int) -> int:
            return order * 5

        @pay.shutdown
        @decorate
        async def close(self) -> None:
            closed.append(True)

    shop = Shop()

    assert perform(shop)
    assert shop.pay.result() == [5, 10]
    assert closed == [True]


def test_a_specified_mock_is_awaited():
    """What `create_autospec` makes of an async method is a plain function with a mark."""

    async def pay(self, order: int) -> int:
        return order

    class Shop(Flow, critical=True):
        @step
        async def order(self) -> int:
            return 1

        paid = step(after=order)(mock.create_autospec(pay, return_value=5))

    shop = Shop()

    assert perform(shop)
    assert shop.paid.result() == 5


# Values that must not be touched


class Proxy:
    """A lazy proxy, as several libraries make them: any look at it loads it."""

    loaded = 0

    def __getattribute__(self, name):
        type(self).loaded += 1
        raise RuntimeError("loaded")

    @property
    def __class__(self):
        type(self).loaded += 1
        raise RuntimeError("loaded")

    def __await__(self):
        raise RuntimeError("loaded")

    def __eq__(self, other):
        raise RuntimeError("loaded")

    __hash__ = None


def loads():
    raise RuntimeError("loaded")


def made_by(module, make):
    return lambda: make(pytest.importorskip(module))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(Proxy, id="own"),
        pytest.param(
            made_by("werkzeug.local", lambda module: module.LocalProxy(loads)), id="werkzeug"
        ),
        pytest.param(
            made_by("django.utils.functional", lambda module: module.SimpleLazyObject(loads)),
            id="django",
        ),
        pytest.param(
            made_by("lazy_object_proxy", lambda module: module.Proxy(loads)),
            id="lazy_object_proxy",
        ),
        pytest.param(
            made_by("wrapt", lambda module: module.LazyObjectProxy(loads)), id="wrapt, lazy"
        ),
        pytest.param(made_by("wrapt", lambda module: module.ObjectProxy(hello)), id="wrapt"),
    ],
)
def test_a_lazy_value_is_passed_on_unloaded(make):
    """It is a value, though its type may have an `__await__`, and nobody looks into it."""
    value = make()

    assert call_plainly("request", lambda flow: value, None) is value
    discard(value)
    assert Proxy.loaded == 0


@pytest.mark.parametrize("value", [hello, Job(hello), [], (one for one in "ab"), Flow, Awaitable])
def test_what_is_no_awaitable_is_a_value(value):
    """Functions, jobs, generators, classes of awaitables: nobody awaits these."""

    class Shop(Flow, critical=True):
        @step
        def make(self):
            return value

    shop = Shop()

    assert perform(shop)
    assert shop.make.result() is value


# Callable objects


class Upload:
    """A body that is an instance."""

    def __call__(self, flow, wheel):
        return f"{current_job().name}: {wheel} to {flow.host}"


class Fetch:
    """A body that is an instance, and async."""

    async def __call__(self, flow):
        return f"from {flow.host}"


def upload(flow, wheel, *, to):
    return f"{wheel} to {to}"


class Helper:
    """Its bound method is a body."""

    def check(self, flow):
        return (self, flow)


helper = Helper()


def test_callable_objects_are_called_with_the_flow():
    """Nothing is bound to them: the flow is the first argument, and the values follow."""

    class Deploy(Flow, critical=True):
        host: str = "eu"
        fetch = step(Fetch())
        partial_fetch = step(functools.partial(Fetch()))
        up = step(after=fetch)(Upload())
        partial = step(after=fetch)(functools.partial(upload, to="us"))
        check = step(helper.check)

    deploy = Deploy()

    assert perform(deploy)
    assert deploy.fetch.result() == "from eu" == deploy.partial_fetch.result()
    assert deploy.up.result() == "up: from eu to eu"
    assert deploy.partial.result() == "from eu to us"
    assert deploy.check.result() == (helper, deploy)


def test_callable_objects_take_items():
    """Below `@each` as well."""

    class Deploy(Flow, critical=True):
        host: str = "eu"

        @step
        async def wheels(self):
            return ["a", "b"]

        up = each(wheels)(Upload())

    deploy = Deploy()

    assert perform(deploy)
    assert deploy.up.result() == ["up[0]: a to eu", "up[1]: b to eu"]


class Anything:
    """A decorator that is an object, and does not tell what it takes, as asgiref's are."""

    def __init__(self, function):
        self.function = function

    def __call__(self, *args, **kwargs):
        return asyncio.run(self.function(*args, **kwargs))

    def __get__(self, instance, owner):
        return functools.partial(self, instance)


def test_a_callable_that_takes_anything_gets_the_flow_and_all_values():
    """It is no method that forgot its self; where it is to get none, `after=` is a list."""

    class Deploy(Flow, critical=True):
        @step
        @Anything
        async def build(self):
            return "wheel"

        @step(after=(build, build))
        @Anything
        async def upload(self, wheel, other):
            return type(self).__name__, wheel, other

        @step(after=[build])
        @Anything
        async def note(self):
            return "noted"

        @each(build)
        @Anything
        async def letters(self, letter):
            return letter

    deploy = Deploy()

    assert perform(deploy)
    assert deploy.upload.result() == ("Deploy", "wheel", "wheel")
    assert deploy.note.result() == "noted"
    assert deploy.letters.result() == [*"wheel"]


class NoSignature:
    """A callable whose parameters cannot be found out."""

    __signature__ = property(lambda self: None)
    __call__ = max


class Nothing:
    """A callable that takes nothing."""

    def __call__(self): ...


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (Upload, "stands on the class Upload"),
        (functools.partial(Upload), "partial.* which is no function"),
        (functools.partial(print, 1), "partial.* which is no function"),
        ([].append, "which is no function"),
        (str.upper, "which is no function"),
        (step(), "which is no function"),
        (Job(hello), "which is no function"),
        (Nothing(), "called with the flow as its first argument, .* write `def a\\(self\\)`"),
        (
            Upload(),
            "takes 1 value \\(wheel\\) and without `after=` gets 0; write `def a\\(self\\)`",
        ),
        (NoSignature(), "does not say what it takes"),
    ],
)
def test_what_is_called_and_is_no_body(method, message):
    """Classes, builtins, declarations and jobs, and objects that cannot take the flow."""
    with pytest.raises(DefinitionError, match=message):

        class Deploy(Flow):
            a = step(method)


def test_services_and_subflows_are_methods():
    """Only below `@step` and `@each` a body may be an object."""
    with pytest.raises(DefinitionError, match="2 mistakes"):

        class Deploy(Flow):
            a = service(Fetch())
            b = subflow(Fetch())


def test_fields_of_callables_stay_their_own():
    """An attrs class with `__call__` is a body like any other."""

    @attrs.define
    class Adds:
        number: int

        def __call__(self, flow):
            return self.number + 1

    class Sums(Flow, critical=True):
        one = step(Adds(1))
        two = step(Adds(2))

    sums = Sums()

    assert perform(sums)
    assert (sums.one.result(), sums.two.result()) == (2, 3)
    assert list(inspect.signature(Sums.one).parameters) == ["flow"]


def test_nothing_is_said_of_what_was_never_awaited():
    """A subflow that returns a coroutine leaves no warning behind."""

    class Deploy(Flow):
        @subflow
        def parts(self):
            return [hello(), Awaitable()]

    deploy = Deploy()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        perform(deploy)

    assert isinstance(deploy.scheduler.find("parts").raised_exception(), TypeError)
    assert caught == []


class Unaskable(type):
    """A class that cannot be asked for anything, as those of some proxies."""

    def __getattribute__(cls, name):
        raise LookupError(name)


def test_a_value_whose_class_cannot_be_asked_is_passed_on():
    """Rule 9: it is a value, whatever its class does."""
    value = object.__new__(Unaskable("Value", (), {}))

    assert call_plainly("job", lambda: value) is value
