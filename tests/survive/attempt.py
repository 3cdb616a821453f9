"""One attempt, in a process of its own: `python -m survive.attempt ID CONTENDER FILE`."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import os
import selectors
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from survive.judge import SETTLE, Seen, judge
from survive.situation import FAILED, NOTES, SUCCEEDED, Notes, Situation, names_in, tell
from survive.situations import SITUATIONS


def attempt(situation: Situation, contender: str) -> None:
    """Do it, and note what is seen."""
    method = getattr(situation, contender)
    if situation.at_every_turn:
        cancel_at_every_turn(situation, method)
    elif inspect.iscoroutinefunction(method):
        with_loop(method)
    else:
        ending(method)
    tell_failures(situation.scheduler)
    situation.afterwards()


def ending(run: Callable[[], object]) -> None:
    """Note how it ends; what asks the process to exit goes on."""
    try:
        NOTES.write("ended", SUCCEEDED if run() else FAILED)
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:
        NOTES.write("ended", ", ".join(sorted(names_in(error))))


def with_loop(method: Callable[[], Awaitable[object]], turn: int | None = None) -> bool:
    """Run it as a part of a program that goes on, and note the tasks that it leaves.

    Returns:
        Whether it was cancelled in that turn of the loop, and not over by then.
    """
    loop = CountingLoop()
    task = loop.create_task(method())
    cancelled = []
    loop.actions[turn] = lambda: cancelled.append(task.cancel())
    ending(lambda: loop.run_until_complete(task))
    if asyncio.all_tasks(loop):
        loop.run_until_complete(asyncio.sleep(SETTLE))
    for left in asyncio.all_tasks(loop):
        NOTES.write("left", left.get_coro().__qualname__)
    return cancelled == [True]


class CountingLoop(asyncio.SelectorEventLoop):
    """A loop that counts its turns, and does something at the beginning of some."""

    def __init__(self) -> None:
        selector = selectors.DefaultSelector()
        select, turns = selector.select, itertools.count(1)

        def counted(timeout: float | None = None) -> list[object]:
            action = self.actions.pop(next(turns), None)
            if action is not None:
                action()
                timeout = 0
            return select(timeout)

        selector.select = counted
        self.actions: dict[int | None, Callable[[], object]] = {}
        super().__init__(selector)


def cancel_at_every_turn(situation: Situation, method: Callable[[], Awaitable[object]]) -> None:
    """Run it as often as it has turns of the loop, cancelled in one of them each time."""
    path, NOTES.path = NOTES.path, None
    accused = Notes(path)
    for turn in itertools.count(1):
        NOTES.lines.clear()
        if not with_loop(method, turn):
            break
        for word, what in judge(type(situation), Seen(NOTES, 0)):
            accused.write("accused", f"{word}: cancelled in turn {turn}: {what}")
    NOTES.lines.clear()
    NOTES.path = path
    NOTES.write("ended", "CancelledError" if turn > 1 else SUCCEEDED)


def tell_failures(scheduler) -> None:
    """Ask the jobs of either library, and the report of the one that has it."""
    if scheduler is None:
        return
    for job in scheduler.iterate_jobs():
        error = job.raised_exception()
        if error is not None:
            tell(error)
    report = getattr(scheduler, "report", None)
    if report is not None:
        for record in report.stuck:
            tell(record.path)
        for error in report.shutdown_errors.values():
            tell(error)


def main(name: str, contender: str, path: str) -> None:
    """Do one attempt; what it leaves behind on the loop is not waited for."""
    NOTES.path = Path(path)
    situation = SITUATIONS[name]()
    try:
        attempt(situation, contender)
    except BaseException:
        tell_failures(situation.scheduler)
        raise
    if inspect.iscoroutinefunction(getattr(situation, contender)):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
