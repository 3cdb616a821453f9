"""The places of a run: how many jobs may run at once (rule 6)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)

__all__ = ["Slots"]


class Slots(Generic[T]):
    """Hand out places, first come first served.

    A place that is given back belongs to who waits longest from that very call on, so that it can
    neither be lost on the way nor be taken by a late comer. Everybody has one place at most:
    taking or giving back twice is as good as once, so that either can be done again where it may
    have been interrupted.

    Args:
        size: how many places there are.
    """

    __slots__ = ("_holders", "_size", "_waiting")

    def __init__(self, size: int) -> None:
        self._size = size
        self._holders: set[T] = set()
        self._waiting: OrderedDict[T, None] = OrderedDict()  # a dict is slow to lose its first key

    def __contains__(self, who: T) -> bool:
        """Whether somebody has a place."""
        return who in self._holders

    def take(self, who: T) -> bool:
        """Take a place, or queue for one; whether there was one."""
        if who in self._holders:
            return True
        if len(self._holders) < self._size:
            self._holders.add(who)
            self._waiting.pop(who, None)
            return True
        self._waiting[who] = None
        return False

    def give_back(self, who: T) -> T | None:
        """Give a place back; return who has it now, having waited for it."""
        if who not in self._holders:
            return None
        self._holders.remove(who)
        if not self._waiting:
            return None
        next_one = next(iter(self._waiting))
        self._holders.add(next_one)
        del self._waiting[next_one]
        return next_one

    def dismiss(self, which: Callable[[T], bool]) -> list[T]:
        """Send away those who wait and are meant; return them."""
        meant = [who for who in self._waiting if which(who)]
        for who in meant:
            del self._waiting[who]
        return meant
