"""`job.cancel()`: what somebody no longer wants ends, and has failed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from flowdeco.jobs.abstract_job import AbstractJob
from flowdeco.jobs.outcome import State

from .executing_run import ExecutingRun
from .execution import Execution
from .reason import Reason

__all__ = ["cancel_job", "cancel_run"]


def cancel_job(run: ExecutingRun, job: AbstractJob[object], error: BaseException) -> bool:
    """Cancel a job of a run, in the next turn of its loop; from any thread.

    Args:
        run: the run.
        job: the job.
        error: what it has failed with then.

    Returns:
        Whether there is anything to cancel.
    """
    if job.state not in (State.SCHEDULED, State.RUNNING):
        return False
    return _soon(run, lambda: _cancel(run, job, error))


def cancel_run(run: ExecutingRun, error: BaseException, said: str) -> bool:
    """Cancel a run, in the next turn of its loop; from any thread.

    Args:
        run: the run.
        error: the exception of the reason.
        said: the text of the reason.
    """
    return _soon(run, lambda: run.fail(Reason.cancelled(error, said)))


def _soon(run: ExecutingRun, callback: Callable[[], object]) -> bool:
    # Not at once: a body that cancels its own job may be in its first step, without a task yet.
    loop = run.session.loop
    try:
        is_here = asyncio.get_running_loop() is loop
    except RuntimeError:
        is_here = False
    try:
        (loop.call_soon if is_here else loop.call_soon_threadsafe)(callback)
    except RuntimeError:
        return False  # the loop is closed
    return True


def _cancel(run: ExecutingRun, job: AbstractJob[object], error: BaseException) -> None:
    execution = _execution_of(run, job)
    if execution is None or execution.stopping or not run.is_open:
        return  # it has ended meanwhile, or is about to
    if execution.outcome.state is State.SCHEDULED and execution.task is None:
        execution.own_context().run(_refuse, run, execution, error)
    else:
        run.verdicts[execution] = error
        run.ending.drain_alone(execution)


def _execution_of(run: ExecutingRun, job: AbstractJob[object]) -> Execution | None:
    for one in run.progress.executions:
        if one is not None and one.job is job:
            return cast("Execution", one)
    found: Execution | None = run.queue.take_out(job)
    return found


def _refuse(run: ExecutingRun, execution: Execution, error: BaseException) -> None:
    """Let a job fail that has not started, and is to wait no longer."""
    run.queue.take_out(execution.job)  # it may have the slot that it has waited for
    for window in (*run.slots, run.session.thread_slots):
        window.dismiss(lambda one: one is execution)
    execution.outcome.ended_at = run.clock() - run.zero
    execution.fail(error)
    run.job_ended(execution)
