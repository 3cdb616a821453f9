"""The places of a run: how many jobs may run at once (rule 6)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

__all__ = ["Window"]


class Window(Generic[T]):
    """Hand out places, first come first served.

    A place that is given back belongs to who waits longest from that very call on, so that it can
    neither be lost on the way nor be taken by a late comer.

    Args:
        size: how many places there are.
    """

    __slots__ = ("_free", "_waiting")

    def __init__(self, size: int) -> None:
        self._free = size
        self._waiting: deque[T] = deque()

    def take(self, who: T) -> bool:
        """Take a place, or queue for one; whether there was one."""
        if self._free:
            self._free -= 1
            return True
        self._waiting.append(who)
        return False

    def give_back(self) -> T | None:
        """Give a place back; return who has it now, having waited for it."""
        if self._waiting:
            return self._waiting.popleft()
        self._free += 1
        return None

    def dismiss(self, which: Callable[[T], bool]) -> list[T]:
        """Send away those who wait and are meant; return them."""
        meant = [who for who in self._waiting if which(who)]
        if meant:
            self._waiting = deque(who for who in self._waiting if not which(who))
        return meant
