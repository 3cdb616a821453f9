"""Services: one that yields gives what it yields, any other gives None."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Never, assert_type

from flowdeco import Flow, Job, Service, service, step


class Web(Flow):
    @service
    async def database(self) -> AsyncIterator[str]:
        yield "postgres://"

    @service(timeout=10, critical=True, label="cache")
    async def cache(self) -> AsyncIterator[dict[str, int]]:
        yield {}

    @service
    async def generator(self) -> AsyncGenerator[bytes, None]:
        yield b""

    @service
    async def only_up(self) -> AsyncIterator[None]:
        async with AsyncExitStack():
            yield

    @service
    async def watchdog(self) -> None:
        pass

    @service(critical=False)
    async def not_critical(self) -> None:
        pass

    @service(after=database)
    async def pool(self, dsn: str) -> AsyncIterator[list[str]]:
        yield [dsn]

    @service(after=(database, cache, pool))
    async def server(
        self, dsn: str, cache: dict[str, int], pool: list[str]
    ) -> AsyncIterator[tuple[str, int]]:
        yield "localhost", 80

    @service(after=(database, cache))
    async def coroutine_with_values(self, dsn: str, cache: dict[str, int]) -> None:
        pass

    @service(after=database)
    async def coroutine_ordered(self) -> None:
        pass

    @service(after=[database, watchdog])
    async def ordered(self) -> AsyncIterator[int]:
        yield 1

    @service(after=(database, database, database, database, database, database))
    async def after_many(
        self, a: str, b: str, c: str, d: str, e: str, f: str
    ) -> AsyncIterator[int]:
        yield 1

    @step(after=(database, server))
    async def ask(self, dsn: str, address: tuple[str, int]) -> int:
        return address[1]

    @step(after=(watchdog, ask))
    async def no_value(self, nothing: None, port: int) -> float:
        return port

    @step(after=not_critical)
    async def still_none(self, nothing: None) -> None:
        pass

    @step(after=only_up)
    async def yielded_none(self, nothing: None) -> None:
        pass


def on_a_flow(flow: Web) -> None:
    assert_type(flow.database, Job[str])
    assert_type(flow.database.result(), str)
    assert_type(flow.cache.result(), dict[str, int])
    assert_type(flow.generator.result(), bytes)
    assert_type(flow.only_up, Job[None])
    assert_type(flow.watchdog, Job[None])
    assert_type(flow.not_critical, Job[None])
    assert_type(flow.pool.result(), list[str])
    assert_type(flow.server.result(), tuple[str, int])
    assert_type(flow.coroutine_with_values, Job[None])
    assert_type(flow.coroutine_ordered, Job[None])
    assert_type(flow.ordered.result(), int)
    assert_type(flow.after_many.result(), int)
    assert_type(flow.ask.result(), int)
    assert_type(flow.no_value.result(), float)


def on_the_class() -> None:
    assert_type(Web.database, Service[str, Callable[[Never], AsyncIterator[str]]])
    assert_type(Web.watchdog, Service[None, Callable[[Never], Coroutine[object, Never, None]]])
    plainly: Service[str] = Web.database
    assert_type(plainly.forever, bool)


async def bodies(flow: Web) -> None:
    assert_type(await anext(Web.database.body(flow)), str)
    assert_type(await anext(Web.pool.body(flow, "dsn")), list[str])
    await Web.watchdog.body(flow)
    await Web.coroutine_with_values.body(flow, "dsn", {})


class Hooks(Flow):
    """`@x.shutdown` returns the method as it was."""

    @step
    async def build(self) -> int:
        return 1

    @build.shutdown
    async def close_build(self) -> str:
        return "closed"

    @build.shutdown
    async def close_more(self, force: bool = False) -> None:
        pass


async def hooks_are_methods(flow: Hooks) -> None:
    assert_type(await flow.close_build(), str)
    await flow.close_more(force=True)
