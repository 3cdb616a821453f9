"""`>>` is typed by what the chain is made of, and is never Any."""

from collections.abc import AsyncIterator
from typing import assert_type

from flowdeco import (
    AbstractJob,
    Chain,
    Flow,
    Job,
    PrintJob,
    Scheduler,
    each,
    service,
    step,
    subflow,
)
from flowdeco.flows.declaration import Declaration

Declarations = Chain[Declaration[object]]
Jobs = Chain[AbstractJob[object]]


class Inner(Flow):
    @step
    async def inside(self) -> None:
        pass


class Declared(Flow):
    """In a class: declarations of any kind, with any result."""

    @step
    async def a(self) -> int:
        return 1

    @step
    async def b(self) -> str:
        return ""

    @step
    def c(self) -> bytes:
        return b""

    @service
    async def database(self) -> AsyncIterator[str]:
        yield ""

    @step
    async def numbers(self) -> list[int]:
        return []

    @each(numbers)
    async def e(self, number: int) -> float:
        return number

    @subflow
    def inner(self) -> Inner:
        return Inner()

    two = a >> b
    long = a >> b >> c
    before_list = a >> [b, c]
    before_tuple = database >> (a, b)
    after_list = [a, b] >> c
    after_tuple = (a, b) >> c
    all_kinds = numbers >> database >> [a, e] >> inner >> (b, c)
    of_chains = (numbers >> a) >> (b >> c)
    of_list_of_chains = [a >> b, e] >> c
    before_list_of_chains = numbers >> [a >> b, c]
    empty = a >> [] >> b
    lists = Chain([numbers, a]) >> [b, c]
    order = (a >> b).requires(database)


def declarations() -> None:
    assert_type(Declared.two, Declarations)
    assert_type(Declared.long, Declarations)
    assert_type(Declared.before_list, Declarations)
    assert_type(Declared.before_tuple, Declarations)
    assert_type(Declared.after_list, Declarations)
    assert_type(Declared.after_tuple, Declarations)
    assert_type(Declared.all_kinds, Declarations)
    assert_type(Declared.of_chains, Declarations)
    assert_type(Declared.of_list_of_chains, Declarations)
    assert_type(Declared.before_list_of_chains, Declarations)
    assert_type(Declared.empty, Declarations)
    assert_type(Declared.lists, Declarations)
    assert_type(Declared.order, Declarations)
    assert_type(Declared.a >> Declared.b, Declarations)
    for member in Declared.long:
        assert_type(member, Declaration[object])


async def number() -> int:
    return 1


async def text() -> str:
    return ""


class Own(AbstractJob):
    async def co_run(self) -> None:
        pass


def jobs(flow: Declared) -> None:
    one, two, own, printed = Job(number), Job(text), Own(), PrintJob("hello")
    inner = Scheduler(label="inner")

    assert_type(one >> two, Jobs)
    assert_type(one >> two >> own >> printed >> inner, Jobs)
    assert_type(one >> [two, own], Jobs)
    assert_type(one >> (two, inner), Jobs)
    assert_type([one, two] >> own, Jobs)
    assert_type((one, inner) >> own, Jobs)
    assert_type((one >> two) >> (own >> printed), Jobs)
    assert_type([one >> two, own] >> printed, Jobs)
    assert_type(printed >> [one >> two, own], Jobs)
    assert_type(inner >> inner, Jobs)
    assert_type(one >> [], Jobs)
    assert_type(Chain(one, [two, own]), Jobs)
    assert_type(Chain([one, two]) >> [own, printed], Jobs)
    # The steps of a flow are jobs.
    assert_type(flow.a >> flow.b, Jobs)
    assert_type(flow.a >> [one, flow.database] >> flow.e, Jobs)
    for member in one >> two:
        assert_type(member, AbstractJob[object])


def chains_are_used(flow: Declared) -> None:
    one, two, three = Job(number), Job(text), Own()
    chain: Chain[AbstractJob[object]] = one >> two
    assert_type(chain, Jobs)
    assert_type(chain.requires(three), Jobs)
    assert_type(chain.requires(three, None, [one, two], {one}, (two, three >> one)), Jobs)
    assert_type(three.requires(chain), Own)
    assert_type(three.requires(one, None, [two, (one, {two})], chain, remove=True), Own)
    assert_type(one.requires(), Job[int])
    assert_type(Scheduler(chain, three), Scheduler)
    assert_type(Scheduler().add(chain), Jobs)
    assert_type(Scheduler().update([chain, three]), Scheduler)
    assert_type(flow.scheduler.add(one), Job[int])
