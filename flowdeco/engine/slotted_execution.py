"""Jobs that have nothing but a body, in a run with a window (rule 6)."""

from __future__ import annotations

from .plain_execution import PlainExecution
from .slots import give_back

__all__ = ["SlottedExecution"]


class SlottedExecution(PlainExecution):
    """A job that has nothing but a body, and needs a slot of each window of its run."""

    __slots__ = ()

    def start(self, now: float) -> None:
        """Make a task of it, or queue for a slot."""
        run = self.run
        run.progress.executions[self.number] = self
        if now < run.starts_until:
            for window in run.slots:
                if not window.take(self):
                    return
        super().start(now)

    def give_slots_back(self) -> None:
        """Give back its slots; the jobs that have waited for them start."""
        give_back(self, self.run.slots, self.run.queue)

    close = give_slots_back
