"""Steps: their results, and the values that they hand on."""

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from pathlib import Path
from typing import Never, assert_type

from flowdeco import Flow, Job, State, Step, step

Coro = Coroutine[object, Never, int]


class Build(Flow):
    """Steps that take nothing, in all the ways in which a step is written."""

    @step
    async def bare(self) -> int:
        return 1

    @step()
    async def called(self) -> str:
        return "x"

    @step(critical=True, timeout=1.5, label="with options")
    async def optioned(self) -> Path:
        return Path()

    @step(critical=None, timeout=None, label=None, after=None)
    async def unset(self) -> list[int]:
        return []

    @step
    async def nothing(self) -> None:
        pass

    @step
    async def tupled(self) -> tuple[int, str]:
        return 1, "x"

    @step
    async def union(self) -> int | None:
        return None

    @step
    def plain(self) -> float:
        return 1.0

    @step(timeout=30)
    def plain_optioned(self) -> bytes:
        return b""


def on_a_flow_a_step_is_its_job(flow: Build) -> None:
    assert_type(flow.bare, Job[int])
    assert_type(flow.bare.result(), int)
    assert_type(flow.called.result(), str)
    assert_type(flow.optioned.result(), Path)
    assert_type(flow.unset.result(), list[int])
    assert_type(flow.nothing, Job[None])
    assert_type(flow.tupled.result(), tuple[int, str])
    assert_type(flow.union.result(), int | None)
    assert_type(flow.plain.result(), float)
    assert_type(flow.plain_optioned.result(), bytes)

    assert_type(flow.bare.is_done(), bool)
    assert_type(flow.bare.raised_exception(), BaseException | None)
    assert_type(flow.bare.state, State)
    assert_type(flow.bare.duration, float | None)


def on_the_class_it_is_the_declaration() -> None:
    assert_type(Build.bare, Step[int, Callable[[Never], Coro]])
    assert_type(Build.plain, Step[float, Callable[[Never], float]])
    # A user who names the type leaves out the method.
    one: Step[int] = Build.bare
    wider: Step[object] = Build.called
    assert_type(one.name, str)
    assert_type(wider.name, str)


class After(Flow):
    """The values of one to five steps; how each of them is written does not matter."""

    @step
    async def a(self) -> int:
        return 1

    @step
    def b(self) -> str:
        return "b"

    @step
    async def c(self) -> bytes:
        return b"c"

    @step
    def d(self) -> float:
        return 4.0

    @step
    async def e(self) -> Path:
        return Path()

    @step(after=a)
    async def one(self, a: int) -> list[int]:
        return [a]

    @step(after=(a,))
    async def one_in_a_tuple(self, a: int) -> list[int]:
        return [a]

    @step(after=(a, b))
    async def two(self, a: int, b: str) -> tuple[int, str]:
        return a, b

    @step(after=(a, b, c))
    async def three(self, a: int, b: str, c: bytes) -> tuple[int, str, bytes]:
        return a, b, c

    @step(after=(a, b, c, d))
    async def four(self, a: int, b: str, c: bytes, d: float) -> tuple[str, float]:
        return b, d

    @step(after=(a, b, c, d, e), critical=True)
    async def five(self, a: int, b: str, c: bytes, d: float, e: Path) -> tuple[int, Path]:
        return a, e

    @step(after=two)
    async def of_one_that_takes_values(self, pair: tuple[int, str]) -> str:
        return pair[1]

    @step(after=(a, b), timeout=30)
    def plain_two(self, a: int, b: str) -> str:
        return b * a

    @step(after=a)
    def plain_one(self, a: int) -> int:
        return a

    @step(after=(a, b, c, d, e))
    def plain_five(self, a: int, b: str, c: bytes, d: float, e: Path) -> int:
        return a


def results_of_steps_with_values(flow: After) -> None:
    assert_type(flow.one, Job[list[int]])
    assert_type(flow.one_in_a_tuple.result(), list[int])
    assert_type(flow.two.result(), tuple[int, str])
    assert_type(flow.three.result(), tuple[int, str, bytes])
    assert_type(flow.four.result(), tuple[str, float])
    assert_type(flow.five.result(), tuple[int, Path])
    assert_type(flow.of_one_that_takes_values.result(), str)
    assert_type(flow.plain_two.result(), str)
    assert_type(flow.plain_one.result(), int)
    assert_type(flow.plain_five.result(), int)


class Wider(Flow):
    """A parameter may take more than what it is given, under any name."""

    @step
    async def number(self) -> bool:
        return True

    @step
    async def texts(self) -> list[str]:
        return []

    @step(after=(number, texts))
    async def wider(self, anything: object, words: Iterable[str]) -> int | None:
        return len([*words])

    @step(after=number)
    async def base_class(self, number: int | None, /) -> None:
        pass


class OrderingOnly(Flow):
    """A method without parameters takes none of the values; after a list it never gets any."""

    @step
    async def a(self) -> int:
        return 1

    @step
    async def b(self) -> str:
        return ""

    @step(after=a)
    async def after_one(self) -> str:
        return ""

    @step(after=(a, b))
    async def after_two(self) -> bytes:
        return b""

    @step(after=(a, b, a, b))
    async def after_four(self) -> bytes:
        return b""

    @step(after=[a, b])
    async def after_list(self) -> float:
        return 1.0

    @step(after=[])
    async def after_empty_list(self) -> float:
        return 1.0

    @step(after=a)
    def plain_after_one(self) -> str:
        return ""

    @step(after=[a, b])
    def plain_after_list(self) -> int:
        return 1


def results_of_steps_that_only_come_after(flow: OrderingOnly) -> None:
    assert_type(flow.after_one.result(), str)
    assert_type(flow.after_two.result(), bytes)
    assert_type(flow.after_four.result(), bytes)
    assert_type(flow.after_list.result(), float)
    assert_type(flow.after_empty_list.result(), float)
    assert_type(flow.plain_after_one.result(), str)
    assert_type(flow.plain_after_list.result(), int)


class ManyAfter(Flow):
    """Beyond five the values are passed untyped; what the method returns is still known."""

    @step
    async def a(self) -> int:
        return 1

    @step
    async def b(self) -> str:
        return ""

    @step(after=(a, b, a, b, a, b))
    async def six(self, a: int, b: str, c: int, d: str, e: int, f: str) -> float:
        return a / c

    @step(after=(a, b, a, b, a, b, a))
    async def seven(self, a: int, b: str, c: int, d: str, e: int, f: str, g: int) -> Path:
        return Path(b)

    @step(after=(a, b, a, b, a, b))
    async def six_unchecked(self, a: str, b: int, c: str, d: int, e: str, f: int) -> bytes:
        return b""

    @step(after=(a, b, a, b, a, b))
    async def none_of_them(self) -> bytes:
        return b""

    @step(after=(a, b, a, b, a, b))
    def plain_six(self, a: int, b: str, c: int, d: str, e: int, f: str) -> int:
        return a


def results_of_steps_after_more_than_five(flow: ManyAfter) -> None:
    assert_type(flow.six.result(), float)
    assert_type(flow.seven.result(), Path)
    assert_type(flow.six_unchecked.result(), bytes)
    assert_type(flow.none_of_them.result(), bytes)
    assert_type(flow.plain_six.result(), int)


async def bodies(flow: After) -> None:
    """`.body` is the method as it was written, for tests and for overrides."""
    assert_type(await After.a.body(flow), int)
    assert_type(await After.two.body(flow, 1, "x"), tuple[int, str])
    assert_type(await After.five.body(flow, 1, "x", b"", 1.0, Path()), tuple[int, Path])
    assert_type(After.b.body(flow), str)
    assert_type(After.plain_two.body(flow, 1, "x"), str)
    awaitable: Awaitable[list[int]] = After.one.body(flow, 1)
    await awaitable


class Reading(Flow):
    """Inside of a step the others are jobs too."""

    @step
    async def a(self) -> int:
        return 1

    @step(after=[a])
    async def b(self) -> int:
        assert_type(self.a, Job[int])
        return self.a.result() + 1


class Upload:
    """A body that is an object."""

    def __call__(self, flow: Flow, wheel: str) -> int:
        return len(wheel)


class Fetch:
    """One that is async."""

    async def __call__(self, flow: Flow) -> bytes:
        return b""


class Objects(Flow):
    @step
    async def build(self) -> str:
        return "wheel"

    upload = step(after=build)(Upload())
    fetch = step(Fetch())


def objects(flow: Objects) -> None:
    assert_type(flow.upload.result(), int)
    assert_type(flow.fetch.result(), bytes)
    assert_type(Objects.upload.body(flow, "wheel"), int)
