"""The slots of a run: how many jobs may run at once (rule 6)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, Protocol, TypeVar

T = TypeVar("T", bound=Hashable)
U = TypeVar("U", contravariant=True)

__all__ = ["Slots", "give_back"]


class Slots(Generic[T]):
    """A number of slots, handed out first come, first served.

    A slot that is given back belongs to the one that has waited longest from that very call on, so
    that it can neither be lost on the way nor be taken by a late comer. Each holder has one slot
    at most: taking or giving back twice is as good as once, so that either can be repeated after
    an interruption.

    Args:
        size: the number of slots.
    """

    __slots__ = ("_holders", "_size", "_waiting")

    def __init__(self, size: int) -> None:
        self._size = size
        self._holders: set[T] = set()
        self._waiting: OrderedDict[T, None] = OrderedDict()  # a dict is slow to lose its first key

    def __contains__(self, holder: T) -> bool:
        """Whether this one has a slot."""
        return holder in self._holders

    def take(self, holder: T) -> bool:
        """Take a slot, or queue for one; return whether there was one."""
        if holder in self._holders:
            return True
        if len(self._holders) < self._size:
            self._holders.add(holder)
            self._waiting.pop(holder, None)
            return True
        self._waiting[holder] = None
        return False

    def give_back(self, holder: T) -> T | None:
        """Give a slot back; return its new holder, which has waited for it."""
        if holder not in self._holders:
            return None
        self._holders.remove(holder)
        if not self._waiting:
            return None
        next_one = next(iter(self._waiting))
        self._holders.add(next_one)
        del self._waiting[next_one]
        return next_one

    def dismiss(self, is_meant: Callable[[T], bool]) -> list[T]:
        """Remove from the queue all that are meant; return them."""
        meant = [one for one in self._waiting if is_meant(one)]
        for one in meant:
            del self._waiting[one]
        return meant


class Grants(Protocol[U]):
    """Who starts what has a slot now: a ready queue."""

    def grant(self, holder: U, /) -> object:
        """Take in who has waited for a slot and has it now."""


def give_back(holder: T, windows: Iterable[Slots[T]], queue: Grants[T]) -> None:
    """Give back the slots of all windows; those who have waited for them start."""
    for window in windows:
        next_one = window.give_back(holder)
        if next_one is not None:
            # It may belong to another run, which shares these slots.
            queue.grant(next_one)
