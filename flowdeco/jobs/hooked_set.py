"""Sets of jobs whose shutdown hooks are called once a run (rule 10)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from flowdeco.base.text import path_within

from .abstract_job import AbstractJob
from .job import Job
from .limited_set import LimitedJobSet

__all__ = ["DueHook", "HookedJobSet"]

DueHook = tuple[AbstractJob[object], str]
"""A job whose `co_shutdown` is to be called, and its path."""


class HookedJobSet(LimitedJobSet):
    """A set of jobs, which knows whose `co_shutdown` is still to be called."""

    __flow_shutdown_ok__: bool | None = None
    """Whether all hooks of this run have ended well; None as long as they are not called."""
    __flow_unhooked__: Collection[AbstractJob[object]] = ()
    """The jobs whose hooks are not called, as nothing of theirs has run."""

    def __flow_hooks__(self, around: str) -> Iterable[DueHook]:
        return self.__flow_hooks_at__(path_within(around, self.name))

    def __flow_hooks_at__(self, path: str) -> Iterable[DueHook]:
        if type(self).co_shutdown is not self.__flow_inherited_shutdown__():
            return ((self, path),)
        if self.__flow_shutdown_ok__ is not None:
            return ()
        return self.__flow_own_hooks__(path)

    def __flow_inherited_shutdown__(self) -> object:
        """The `co_shutdown` of the library's class, which calls those of the jobs."""
        return AbstractJob.co_shutdown

    def __flow_own_hooks__(self, path: str) -> Iterator[DueHook]:
        """The hooks of its jobs, which are the caller's to call from now on."""
        self.__flow_shutdown_ok__ = True
        unhooked = self.__flow_unhooked__
        hooked = [
            job
            for job in self.__flow_jobs__
            if (type(job) is not Job or job.shutdown is not None) and job not in unhooked
        ]
        return (due for job in hooked for due in job.__flow_hooks__(path))
