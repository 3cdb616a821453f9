"""Sets of jobs with the limits of their runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from flowdeco.base.limits import Limits, check_bound, check_flag, check_seconds, check_window

from .job_set import JobSet

__all__ = ["LimitedJobSet"]

_CHECKS: Final[dict[str, Callable[[object, str], None]]] = {
    "critical": check_flag,
    "grace": check_bound,
    "jobs_critical": check_flag,
    "shutdown_timeout": check_bound,
    "timeout": check_seconds,
    "window": check_window,
}
"""What each attribute may be set to; a run takes the limits as they are when it begins."""


class LimitedJobSet(JobSet):
    """A set of jobs with what bounds a run of it.

    Args:
        window: how many of its jobs run at once; None is no limit.
        grace: the seconds that running jobs have to end when the run does.
        shutdown_timeout: the seconds that shutdown hooks have after that.

    The others are those of `JobSet`.

    Raises:
        TypeError: an argument is of a wrong type.
        ValueError: a number is out of range.
    """

    def __init__(
        self, *, window: int | None, grace: float, shutdown_timeout: float, **options: Any
    ) -> None:
        super().__init__(**options)
        self.window = window
        self.grace = grace
        self.shutdown_timeout = shutdown_timeout

    if not TYPE_CHECKING:  # for checkers, there are the attributes alone

        def __setattr__(self, name: str, value: object) -> None:
            check = _CHECKS.get(name)
            if check is not None:
                check(value, name)
            super().__setattr__(name, value)

    @property
    def limits(self) -> Limits:
        """What bounds a run: the numbers given, or set since."""
        return Limits(self.timeout, self.window, self.grace, self.shutdown_timeout)
