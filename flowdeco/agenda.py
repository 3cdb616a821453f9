"""The agenda of a run: the jobs that are ready, in order, and the places that they need."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from .activity import Activity
from .outcome import State
from .threads import MOST_THREADS
from .window import Window

__all__ = ["Agenda"]


class Agenda:
    """What may start next (rules 2 and 6).

    Args:
        window: how many jobs run at once; None is no limit.
        outer: the agenda of the enclosing run, if any: there are places in threads for all of
            them together.
        shares_places: whether jobs take places of the enclosing run as well.
    """

    __slots__ = ("_ready", "_threads", "_windows", "closed")

    def __init__(
        self, window: int | None, outer: Agenda | None, *, shares_places: bool = False
    ) -> None:
        self._ready: deque[Activity] = deque()
        self._windows: Sequence[Window[Activity]] = () if window is None else (Window(window),)
        if outer is not None and shares_places:
            self._windows = (*self._windows, *outer._windows)
        self._threads: Window[Activity] = Window(MOST_THREADS) if outer is None else outer._threads
        self.closed = False
        """Whether nothing starts any more."""

    def enlist(self, activity: Activity) -> None:
        """Note which places a job needs."""
        if self._windows and activity.job._takes_place():
            activity.windows = self._windows
        if activity.job._takes_thread():
            activity.windows = (*activity.windows, self._threads)

    def add(self, ready: Iterable[Activity]) -> None:
        """Take in jobs that are ready."""
        if not self.closed:
            self._ready.extend(ready)

    def pop(self) -> Activity | None:
        """Return the one whose turn it is."""
        return self._ready.popleft() if self._ready else None

    def admit(self, activity: Activity) -> bool:
        """Take the places that it still needs, or let it queue for the first that is not free."""
        for window in activity.windows[activity.places :]:
            if not window.take(activity):
                activity.outcome.state = State.SCHEDULED
                return False
            activity.places += 1
        return True

    def give_back(self, activity: Activity) -> None:
        """Give back the places of a job; who waits for one has it from now on."""
        given_back = activity.windows[: activity.places]
        activity.places = 0
        for window in given_back:
            next_one = window.give_back()
            if next_one is not None:
                # It may belong to another run, which shares these places.
                next_one.places += 1
                next_one.run.agenda.add((next_one,))
                next_one.run.advance()

    def close(self) -> None:
        """Let nothing start any more; who was ready, or waits for a place, is idle again."""
        self.closed = True
        waiting = list(self._ready)
        self._ready.clear()
        for window in dict.fromkeys((*self._windows, self._threads)):
            waiting += window.dismiss(lambda activity: activity.run.agenda is self)
        for activity in waiting:
            activity.outcome.state = State.IDLE
            self.give_back(activity)
