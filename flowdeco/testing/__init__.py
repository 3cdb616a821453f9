"""Testing scenarios: a clock that does not wait, and a recorder of what ran.

May import: base, errors, jobs, engine, views, observers, scheduler.
"""

from .recorder import Ran, Recorder
from .virtual_clock import DeadlockError, VirtualClockLoop

__all__ = ["DeadlockError", "Ran", "Recorder", "VirtualClockLoop"]
