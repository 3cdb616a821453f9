"""Nothing depends on evaluating annotations, nor on what is imported for checkers alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, assert_type

from flowdeco import Flow, Job, each, service, step, subflow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from decimal import Decimal


class Postponed(Flow):
    amount: Decimal
    shared: ClassVar[Decimal]

    @step
    async def price(self) -> Decimal:
        return self.amount

    @service
    async def stream(self) -> AsyncIterator[Decimal]:
        yield self.amount

    @step(after=(price, stream))
    async def both(self, price: Decimal, streamed: Decimal) -> list[Decimal]:
        return [price, streamed]

    @each(both)
    async def one_by_one(self, amount: Decimal) -> Later:
        return Later()

    @subflow
    def more(self) -> Postponed:
        return self

    @step(after=[price])
    async def declared_further_down(self) -> Later:
        return Later()


class Later:
    pass


def postponed(flow: Postponed) -> None:
    assert_type(flow.price, Job[Decimal])
    assert_type(flow.stream.result(), Decimal)
    assert_type(flow.both.result(), list[Decimal])
    assert_type(flow.one_by_one.result(), list[Later])
    assert_type(flow.more, Postponed)
    assert_type(flow.declared_further_down.result(), Later)
    assert_type(flow.amount, Decimal)
