"""What a situation is: the same trouble written three times, and what must be seen after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

SUCCEEDED, FAILED, CANCELLED, REFUSED, EXIT = "succeeded", "failed", "cancelled", "refused", "exit"
"""How an attempt may end: see `Situation.ends`."""


class Situation:
    """One trouble. The first line of the docstring of a subclass is what the table says of it.

    A contender is a method that returns whether the run has succeeded, or raises. An `async` one is
    part of a program that goes on: control must come back from it, and no task may be left. Any
    other is a program of its own: its process must end. Or it is a string, which says why the
    contender has no means to express the situation.
    """

    id: str
    """The line of the list of situations that the tests cite, and which variant of it."""

    rules: tuple[int, ...] = ()
    """The rules of a run that are at stake."""

    ends: str = SUCCEEDED
    """What is true at the end.

    SUCCEEDED, FAILED: what the contender says of the run; to raise one of `raises` is to say that
    it has failed, and to raise one of `tells` is fine in both. CANCELLED: `CancelledError` leaves.
    REFUSED: an error, before any body has started. EXIT: the process ends with one of `exits`.
    """

    exits: tuple[int, ...] = ()
    """The exit codes that are fine; -2 is what Python itself makes of a `KeyboardInterrupt`."""

    does: tuple[str, ...] = ()
    """Notes that must be there: what had to run."""

    cleans: tuple[str, ...] = ()
    """Notes that must be there once: the hooks."""

    cuts_short: bool = False
    """Whether clean-up may be cut short; else each `NAME started` must have its `NAME cleaned up`.
    """

    tells: tuple[str, ...] = ()
    """What the caller must be able to find out: names of exception classes, or of stuck jobs."""

    raises: tuple[str, ...] = ()
    """Names of exception classes that may be raised to say that the run has failed."""

    leaves: int = 0
    """How many tasks nobody could end: those that ignore their cancellation."""

    at_every_turn: bool = False
    """Whether it is tried once for each turn of the loop, and cancelled in that turn."""

    scheduler = None
    """What a contender may set: its jobs are asked for their exceptions after the attempt."""

    flowdeco: object
    asynciojobs: object
    taskgroup: object

    def afterwards(self) -> None:
        """Look at what the attempt has left, and `accuse`."""

    @classmethod
    def title(cls) -> str:
        """What the table says of it."""
        return (cls.__doc__ or "").splitlines()[0].rstrip(".")


class Notes:
    """What was seen in an attempt: line by line in a file, so that it survives the process."""

    def __init__(self, path: Path | None = None) -> None:
        self.lines: list[str] = []
        self.path = path

    def write(self, kind: str, text: str) -> None:
        """Keep a line."""
        self.lines.append(f"{kind}\t{text}")
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"{kind}\t{text}\n")

    def of(self, kind: str) -> Iterator[str]:
        """The texts of one kind."""
        for line in self.lines:
            its_kind, _, text = line.partition("\t")
            if its_kind == kind:
                yield text


NOTES = Notes()
"""Those of this process."""


def note(text: str) -> None:
    """Keep that something happened: a body ran, a hook was called."""
    NOTES.write("note", text)


def names_in(error: BaseException) -> set[str]:
    """The classes of the exceptions in a group, of any depth; that of another exception."""
    if isinstance(error, BaseExceptionGroup):
        return set().union(*map(names_in, error.exceptions))
    return {type(error).__name__}


def tell(problem: BaseException | str) -> None:
    """Keep what the caller could find out: an exception, with those in it, or the name of a job."""
    for name in {problem} if isinstance(problem, str) else names_in(problem):
        NOTES.write("told", name)


def accuse(word: str, what: str) -> None:
    """Keep that something is not as it must be."""
    NOTES.write("accused", f"{word}: {what}")
