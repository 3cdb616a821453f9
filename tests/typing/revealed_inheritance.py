"""Inherited declarations, overrides, mixins, generic flows."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Generic, TypeVar, assert_type

from typing_extensions import override

from flowdeco import Flow, Job, each, service, step, subflow

T = TypeVar("T")
K = TypeVar("K")


class Base(Flow, critical=True, timeout=60, window=4, grace=2.5, shutdown_timeout=0.5):
    host: str

    @service
    async def database(self) -> AsyncIterator[str]:
        yield "dsn"

    @step
    async def build(self) -> Path:
        return Path()

    @step(after=(build, database))
    async def migrate(self, wheel: Path, dsn: str) -> int:
        return 1


class Child(Base, timeout=None, window=None):
    """What is inherited is named by its class in `after=`, and is typed there."""

    @step(after=Base.build)
    async def publish(self, wheel: Path) -> str:
        return wheel.name

    @step(after=(Base.migrate, publish, Base.database))
    async def announce(self, number: int, name: str, dsn: str) -> bytes:
        return b""

    @each(Base.database)
    async def letters(self, letter: str) -> int:
        return 1

    order = Base.database >> publish


def inherited(flow: Child) -> None:
    assert_type(flow.build, Job[Path])
    assert_type(flow.database.result(), str)
    assert_type(flow.publish.result(), str)
    assert_type(flow.announce.result(), bytes)
    assert_type(flow.letters.result(), list[int])
    base: Base = flow
    assert_type(base.migrate.result(), int)


class Override(Base):
    """A redefined step keeps its parameters and its result, which may be narrower.

    `@override` stands below the decorator: what it returns is no function.
    """

    @step
    @override
    async def build(self) -> Path:
        inherited = await Base.build.body(self)
        assert_type(inherited, Path)
        return inherited / "more"

    @step(after=(build, Base.database))
    @override
    async def migrate(self, wheel: Path, dsn: str) -> bool:
        return await Base.migrate.body(self, wheel, dsn) > 0


class MoreNarrow(Override):
    @step
    async def build(self) -> "Narrow":
        return Narrow()


class Narrow(Path):
    pass


def overridden(flow: Override, more: MoreNarrow) -> None:
    assert_type(flow.build.result(), Path)
    assert_type(flow.migrate.result(), bool)
    assert_type(more.build.result(), Narrow)
    assert_type(more.migrate.result(), bool)


class Left(Base):
    @step(after=Base.build)
    async def left(self) -> int:
        return 1


class Right(Base):
    @step(after=Base.build)
    async def right(self) -> str:
        return ""


class Diamond(Left, Right):
    @step(after=(Left.left, Right.right))
    async def both(self, left: int, right: str) -> tuple[int, str]:
        return left, right


def diamond(flow: Diamond) -> None:
    assert_type(flow.left.result(), int)
    assert_type(flow.both.result(), tuple[int, str])


class Source(Flow, Generic[T]):
    """A generic flow: its results depend on what it is a flow of."""

    default: T

    @step
    async def item(self) -> T:
        return self.default

    @step
    async def items(self) -> list[T]:
        return [self.default]

    @service
    async def stream(self) -> AsyncIterator[T]:
        yield self.default

    @step(after=item)
    async def pair(self, item: T) -> tuple[T, T]:
        return item, item

    @step
    def plain(self) -> T:
        return self.default

    @each(items)
    async def one_by_one(self, item: T) -> set[T]:
        return {item}


class Numbers(Source[int]):
    @step(after=Source[int].item)
    async def double(self, item: int) -> int:
        return item * 2

    @step(after=(Source[int].item, Source[int].pair, Source[int].stream))
    async def add(self, item: int, pair: tuple[int, int], streamed: int) -> int:
        return item + sum(pair) + streamed

    @each(Source[int].items)
    async def texts(self, item: int) -> str:
        return str(item)


class Pairs(Source[tuple[K, int]], Generic[K]):
    @step(after=Source[tuple[K, int]].item)
    async def key(self, item: tuple[K, int]) -> K:
        return item[0]


def generic(numbers: Numbers, texts: Source[str], pairs: Pairs[bytes]) -> None:
    assert_type(numbers.item.result(), int)
    assert_type(numbers.plain.result(), int)
    assert_type(numbers.items.result(), list[int])
    assert_type(numbers.stream.result(), int)
    assert_type(numbers.one_by_one.result(), list[set[int]])
    assert_type(numbers.double.result(), int)
    assert_type(numbers.add.result(), int)
    assert_type(numbers.texts.result(), list[str])
    assert_type(texts.item.result(), str)
    assert_type(texts.pair.result(), tuple[str, str])
    assert_type(pairs.key.result(), bytes)
    assert_type(Source(default="x").item.result(), str)
    assert_type(Numbers(default=1).default, int)


class Wraps(Flow):
    """A subflow that is generic, and a value whose type is one."""

    @subflow
    def numbers(self) -> Numbers:
        return Numbers(default=1)

    @subflow(after=numbers)
    def texts(self, numbers: Numbers) -> list[Source[str]]:
        return [Source(default=str(numbers.item.result()))]

    @step
    async def function(self) -> Callable[[int], str]:
        return str

    @step(after=function)
    async def call(self, function: Callable[[int], str]) -> str:
        return function(3)


def nested_generic(flow: Wraps) -> None:
    assert_type(flow.numbers.double.result(), int)
    assert_type(flow.texts[0].item.result(), str)
    assert_type(flow.function.result(), Callable[[int], str])
