"""Fan-out gives a list, a subflow gives its flow or flows."""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Never, assert_type

from flowdeco import Each, Flow, Job, Subflow, each, service, step, subflow


class Ping(Flow):
    @step
    async def hosts(self) -> list[str]:
        return []

    @step
    async def ports(self) -> tuple[int, ...]:
        return ()

    @step
    async def names(self) -> Mapping[str, int]:
        return {}

    @step
    def lazily(self) -> Iterable[bytes]:
        return []

    @step
    async def text(self) -> str:
        return "abc"

    @service
    async def pool(self) -> AsyncIterator[set[int]]:
        yield set()

    @each(hosts)
    async def ping(self, host: str) -> float:
        return 1.0

    @each(ports, window=3, critical=False, timeout=1.5, label="scan")
    async def scan(self, port: int) -> bool:
        return True

    @each(names)
    async def keys(self, name: str) -> None:
        pass

    @each(lazily)
    def plainly(self, line: bytes) -> int:
        return len(line)

    @each(over=text)
    async def letters(self, letter: str) -> str:
        return letter

    @each(pool)
    async def of_service(self, number: int) -> str:
        return str(number)

    @each(hosts)
    async def wider(self, anything: object) -> list[str]:
        return []

    @each(ping)
    async def of_each(self, seconds: float) -> int:
        return int(seconds)

    @each(hosts, after=text)
    async def with_value(self, host: str, text: str) -> int:
        return len(host + text)

    @each(hosts, after=(text, pool), window=2)
    async def with_two(self, host: str, text: str, pool: set[int]) -> bool:
        return len(host) in pool

    @each(hosts, after=(text, pool, ports, lazily, names), timeout=3)
    def with_five(self, host: str, a: str, b: object, c: object, d: object, e: object) -> bytes:
        return b""

    @each(hosts, after=(text, pool, ports, lazily, names, text))
    async def with_many(
        self, host: str, a: str, b: object, c: object, d: object, e: object, f: str
    ) -> float:
        return 1.0

    @each(hosts, after=(text, pool))
    async def item_alone(self, host: str) -> str:
        return host

    @each(hosts, after=[text, pool])
    async def ordered(self, host: str) -> str:
        return host

    @step(after=(ping, scan, plainly))
    async def total(self, pings: list[float], opened: list[bool], sizes: Sequence[int]) -> int:
        return sum(sizes)

    @step(after=ping)
    async def afterwards(self) -> None:
        pass


def fan_out(flow: Ping) -> None:
    assert_type(flow.ping, Job[list[float]])
    assert_type(flow.ping.result(), list[float])
    assert_type(flow.scan.result(), list[bool])
    assert_type(flow.keys, Job[list[None]])
    assert_type(flow.plainly.result(), list[int])
    assert_type(flow.letters.result(), list[str])
    assert_type(flow.of_service.result(), list[str])
    assert_type(flow.wider.result(), list[list[str]])
    assert_type(flow.of_each.result(), list[int])
    assert_type(flow.total.result(), int)
    assert_type(flow.with_value.result(), list[int])
    assert_type(flow.with_two.result(), list[bool])
    assert_type(flow.with_five.result(), list[bytes])
    assert_type(flow.with_many.result(), list[float])
    assert_type(flow.item_alone.result(), list[str])
    assert_type(flow.ordered.result(), list[str])
    assert_type(Ping.ping, Each[float, Callable[[Never, str], Coroutine[object, Never, float]]])
    plainly: Each[float] = Ping.ping
    assert_type(plainly.name, str)


async def bodies_of_fan_out(flow: Ping) -> None:
    assert_type(await Ping.ping.body(flow, "host"), float)
    assert_type(Ping.plainly.body(flow, b"x"), int)
    assert_type(await Ping.with_two.body(flow, "host", "text", set()), bool)


class Host(Flow):
    name: str

    @step
    async def up(self) -> int:
        return 1


class Cluster(Flow):
    @step
    async def names(self) -> list[str]:
        return []

    @subflow
    def one(self) -> Host:
        return Host(name="one")

    @subflow(critical=False, timeout=3, label="two")
    def optioned(self) -> Host:
        return Host(name="two")

    @subflow(after=names)
    def several(self, names: list[str]) -> list[Host]:
        return [Host(name=name) for name in names]

    @subflow(after=(names, one))
    def mixed(self, names: list[str], host: Host) -> list[Host | Ping]:
        return [host, Ping()]

    @subflow(after=[names])
    def ordered(self) -> list[Flow]:
        return []

    @subflow(after=names)
    def without_values(self) -> Ping:
        return Ping()

    @subflow(after=(names, one, several, mixed, ordered, without_values))
    def after_many(self, a: object, b: Host, c: object, d: object, e: object, f: object) -> Host:
        return b

    @subflow
    def restart(self) -> Ping | None:
        return None

    @subflow(after=names)
    def some(self, names: list[str]) -> list[Host] | None:
        return [Host(name=name) for name in names] or None

    @step(after=(restart, some))
    async def look(self, restart: Ping | None, some: list[Host] | None) -> bool:
        return restart is None and some is None

    @step(after=(one, several))
    async def check(self, host: Host, hosts: list[Host]) -> int:
        return host.up.result() + len(hosts)

    @each(several)
    async def per_host(self, host: Host) -> int:
        return host.up.result()


def subflows(flow: Cluster) -> None:
    assert_type(flow.one, Host)
    assert_type(flow.one.up.result(), int)
    assert_type(flow.optioned.name, str)
    assert_type(flow.several, list[Host])
    assert_type(flow.several[0].up, Job[int])
    assert_type(flow.mixed, list[Host | Ping])
    assert_type(flow.ordered, list[Flow])
    assert_type(flow.without_values.ping.result(), list[float])
    assert_type(flow.after_many, Host)
    assert_type(flow.restart, Ping | None)
    assert_type(flow.some, list[Host] | None)
    assert_type(flow.check.result(), int)
    assert_type(flow.per_host.result(), list[int])
    assert_type(Cluster.one, Subflow[Host, Callable[[Never], Host]])
    plainly: Subflow[Host] = Cluster.one
    assert_type(plainly.name, str)


def bodies_of_subflows(flow: Cluster) -> None:
    assert_type(Cluster.one.body(flow), Host)
    assert_type(Cluster.several.body(flow, ["a"]), list[Host])
