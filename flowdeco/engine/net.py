"""The net under the guard of a job: whatever interrupts its bookkeeping, the job ends (rule 9).

Nothing there is expected to raise, but there may be no memory or no stack left, or a signal may
come:

    async def execute(...):       # the guard
        ...
        self.settle(value, error)     <- MemoryError, half way through
    except BaseException as fault:
        queue.mend(fault, ...)        -> a turn of the loop later: Net.mend

Everything that runs keep about their jobs follows from the outcomes, and from the executions at
work. So it is derived anew, for all runs at once, in a turn of its own, where the stack is low.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeGuard

from flowdeco.base import log
from flowdeco.base.exceptions import is_exit
from flowdeco.base.text import class_name, line
from flowdeco.jobs.outcome import State

from .executing_run import ExecutingRun
from .execution import Execution
from .progress import Progress
from .reason import Reason

__all__ = ["Net", "RescuedRun"]

_UNENDED = (State.IDLE, State.SCHEDULED, State.RUNNING)


class RescuedRun(ExecutingRun, Protocol):
    """A run, as its net knows it."""

    progress: Progress[Execution]

    def fail(self, reason: Reason) -> object:
        """End because of this."""

    def runs_within(self) -> Sequence[RescuedRun]:
        """Return the runs that go on in the bodies of its jobs."""
        ...

    def make_ready(self, number: int) -> object:
        """Let a job wait for its start in the ready queue."""

    def look_again(self) -> object:
        """See whether something has come that the run waits for."""


class Net:
    """The net of an outermost run, and of all runs within it.

    Args:
        root: the outermost run.
    """

    def __init__(self, root: RescuedRun) -> None:
        self._root: RescuedRun | None = root

    def close(self) -> None:
        """Forget the runs, which are over."""
        self._root = None

    def mend(
        self, fault: BaseException, execution: Execution | None, error: BaseException | None
    ) -> bool:
        """Finish the bookkeeping that was interrupted, and derive anew what is ready.

        Args:
            fault: the interruption.
            execution: the job that was about to start, or has just ended, if it was one.
            error: what its body has raised.

        Returns:
            Whether the runs go on.
        """
        if execution is not None and not execution.is_at_work():
            finish(execution, fault, error)
        root = self._root
        if root is None:
            return False
        if execution is None or execution.outcome.exception is not fault:
            _log(root, fault, execution)
        if is_exit(fault):
            root.fail(Reason.exit(fault))
        root.queue.clear()
        for run in _with_nested(root):
            for number in run.progress.recount(is_open=run.is_open):
                run.make_ready(number)
            for one in run.progress.executions:
                if _waits_for_slot(one):
                    run.queue.grant(one)
            run.look_again()
        return True


def finish(execution: Execution, fault: BaseException, error: BaseException | None) -> None:
    """Finish the end of a job, whose body has ended or could not be started."""
    run, outcome = execution.run, execution.outcome
    if outcome.state in _UNENDED:
        outcome.ended_at = run.clock() - run.zero
        if error is None:
            execution.fail(fault)
        else:
            execution.note_error(error)
    elif outcome.exception is not None:
        run.job_failed(execution, outcome.exception)
    run.forget(execution)
    run.note_end(execution)


def _waits_for_slot(execution: Execution | None) -> TypeGuard[Execution]:
    return (
        execution is not None
        and execution.task is None
        and execution.outcome.state is State.SCHEDULED
    )


def _with_nested(root: RescuedRun) -> Iterator[RescuedRun]:
    found = [root]
    while found:
        run = found.pop()
        yield run
        found.extend(run.runs_within())


def _log(root: RescuedRun, fault: BaseException, execution: Execution | None) -> None:
    """Write to the log what was raised, where that is not the failure of a job."""
    what = "the start of jobs" if execution is None else f"the end of {execution.name}"
    text = f"{what} was interrupted by {class_name(fault)}: {line(fault)}"
    root.session.say(log.WARNING, text, "" if execution is None else execution.path, fault)
