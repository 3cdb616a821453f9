"""The phases of a run."""

from __future__ import annotations

import enum

__all__ = ["Phase"]


class Phase(enum.IntEnum):
    """Where a run stands. It moves on to the next phase, and from any to the last.

    OPEN --> CLOSED --> STOPPING_STEPS --> STOPPING_SERVICES --> HOOKS --> OVER
      |         |             |                    |               |        ^
      +---------+-------------+--------------------+---------------+--------+
        the coroutine of the run is closed by force; and an enclosing run that cuts
        this one short calls its hooks
    """

    OPEN = 0
    """Jobs start when all that they require has ended."""
    CLOSED = 1
    """Nothing starts any more: the last step has ended, the run has failed, or one around it."""
    STOPPING_STEPS = 2
    """The steps still at work are stopped, within the grace."""
    STOPPING_SERVICES = 3
    """The services are stopped, each after all services that come after it."""
    HOOKS = 4
    """The shutdown hooks are called."""
    OVER = 5
    """All is over; what is left is the record."""

    def follows(self, phase: Phase) -> bool:
        """Tell whether a run may move to this phase from another one."""
        return self == phase + 1 or (self is Phase.OVER and phase is not Phase.OVER)
