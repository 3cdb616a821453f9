"""The net under the guard of a job: whatever interrupts its bookkeeping, the job ends (rule 9).

Nothing there is expected to raise, but there may be no memory or no stack left, or a signal may
come. All that runs keep about their jobs follows from what the jobs have come to, and from who is
at work. So it is derived anew, for all runs at once, in a turn of the loop of its own, where the
stack is low.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flowdeco.base import log
from flowdeco.base.exceptions import is_exit
from flowdeco.base.text import class_name, line
from flowdeco.jobs.outcome import State

from .reason import Reason

if TYPE_CHECKING:
    from .execution import Execution
    from .run import Run

__all__ = ["finish", "rebuild", "tell"]

_UNENDED = (State.IDLE, State.SCHEDULED, State.RUNNING)


def finish(execution: Execution, fault: BaseException, error: BaseException | None) -> None:
    """Finish what the end of a job has to bring about.

    Args:
        execution: the job; its body has ended, or could not be started.
        fault: what has interrupted that.
        error: what its body has raised.
    """
    run, outcome = execution.run, execution.outcome
    if outcome.state in _UNENDED:
        outcome.ended_at = run.clock() - run.zero
        if error is None:
            execution.fail(fault)
        else:
            execution.note_error(error)
    elif outcome.state is State.SKIPPED and outcome.exception is not None:
        run.note_skip(execution, outcome.exception)
    elif outcome.exception is not None:
        run.note_failure(execution, outcome.exception)
    run.let_go(execution)
    run.note_last_end()
    run.note_end(execution)


def tell(outermost: Run, fault: BaseException, execution: Execution | None) -> None:
    """Write to the log what was raised, where that is not the failure of a job."""
    what = "the start of jobs" if execution is None else f"the end of {execution.name}"
    text = f"{what} was interrupted by {class_name(fault)}: {line(fault)}"
    outermost.say(log.WARNING, text, "" if execution is None else execution.path, fault)


def rebuild(outermost: Run, fault: BaseException) -> tuple[deque[Run], deque[Execution]]:
    """Derive anew what runs keep about their jobs.

    Args:
        outermost: the run; those within it are seen to as well.
        fault: what has made this necessary.

    Returns:
        The runs, one entry for each job that is to start, and the jobs that wait for a place.
    """
    ready: deque[Run] = deque()
    waiting: deque[Execution] = deque()
    if is_exit(fault):
        outermost.fail(Reason.exit(fault))
    for run in _with_inner(outermost):
        _count(run)
        ready.extend([run] * len(run.ready))
        waiting.extend(
            execution
            for execution in run.executions
            if execution is not None
            and execution.task is None
            and execution.outcome.state is State.SCHEDULED
        )
        run.wake()
    return ready, waiting


def _with_inner(outermost: Run) -> Iterator[Run]:
    found = [outermost]
    while found:
        run = found.pop()
        yield run
        found.extend(run.inner)


def _count(run: Run) -> None:
    """Count what each job waits for, and what the run does; find out what is to start."""
    waiting = [0] * len(run.jobs)
    for number, successors in enumerate(run.successors):
        if successors is not None and not _has_come(run, number):
            for successor in successors:
                waiting[successor] += 1
    to_start: deque[int] = deque()
    for number, outcome in enumerate(run.outcomes):
        if outcome.state not in (State.IDLE, State.SCHEDULED) or run.executions[number] is not None:
            continue
        starts = not waiting[number] and not run.closed
        outcome.state = State.SCHEDULED if starts else State.IDLE
        if starts:
            to_start.append(number)
    run.take_stock(waiting, to_start)


def _has_come(run: Run, number: int) -> bool:
    """Whether a job has ended, or as a service come up: what requires it no longer waits."""
    execution = run.executions[number]
    if execution is not None and execution.is_up:
        return True
    return run.outcomes[number].state not in _UNENDED
