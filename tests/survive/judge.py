"""From what was seen to a word: nothing here knows which contender it was."""

from __future__ import annotations

import dataclasses
from collections import Counter

from survive.situation import CANCELLED, EXIT, FAILED, REFUSED, SUCCEEDED, Notes, Situation

HANGS, CRASHES, LIES, SKIPS, LEAKS = "hangs", "crashes", "lies", "skips clean-up", "leaks"
WORDS = {
    HANGS: "it has not ended after {cap:g} s, and was killed",
    CRASHES: "what leaves is an error of its own making, not one of the situation",
    LIES: "it reports what is not so: a success that was none, an exception or a cancellation "
    "that is nowhere, a job that never ran",
    SKIPS: "a hook or a `finally` was not run to its end, or a hook ran twice",
    LEAKS: "tasks are still there a tenth of a second after it has returned, or the memory of jobs "
    "that have ended",
}
"""What the words of the table mean."""

CAP = 10.0
"""The seconds that an attempt has."""

SETTLE = 0.1
"""The seconds that tasks have to end after a run; none would be needed."""


@dataclasses.dataclass
class Seen:
    """What was seen of an attempt."""

    notes: Notes
    status: int | None
    """The exit code of the process; None: it had to be killed."""

    output: str = ""
    """What it printed."""

    @property
    def ended(self) -> str | None:
        """How the contender has returned control, if it did: `succeeded`, or what it raised."""
        return next(self.notes.of("ended"), None)


def judge(situation: type[Situation], seen: Seen) -> list[tuple[str, str]]:
    """Tell what is wrong, as words with what was seen; nothing if all is as it must be."""
    problems = [tuple(text.split(": ", 1)) for text in seen.notes.of("accused")]
    if seen.status is None:
        last = list(seen.notes.of("note"))[-1:] or ["nothing"]
        return [(HANGS, f"the last that was seen of it: {last[0]}"), *problems]
    problems += _wrong_end(situation, seen)
    counts = Counter(seen.notes.of("note"))
    if situation.ends == REFUSED:
        return problems + [(LIES, f"{body!r} all the same") for body in counts]
    problems += [(LIES, f"nothing of {text!r}") for text in situation.does if not counts[text]]
    problems += _untold(situation, seen)
    problems += _unclean(situation, counts)
    left = list(seen.notes.of("left"))
    if len(left) > situation.leaves:
        problems.append((LEAKS, f"{len(left)} tasks: {', '.join(sorted(left))}"))
    return problems


def _wrong_end(situation: type[Situation], seen: Seen) -> list[tuple[str, str]]:
    """Compare how it ended with how it had to."""
    expected, ended = situation.ends, seen.ended
    if expected == EXIT:
        if ended in (SUCCEEDED, FAILED):
            return [(LIES, f"goes on ({ended}) where the process was told to exit")]
        fine = seen.status in situation.exits
        return [] if fine else [(CRASHES, f"exit code {seen.status}, {ended}")]
    if ended is None:
        return [(CRASHES, f"the process ended by itself with {seen.status}")]
    raised = set(ended.split(", ")) - {SUCCEEDED, FAILED}
    if expected == REFUSED and (raised or ended == FAILED):
        return []
    if expected == CANCELLED:
        return [] if raised == {"CancelledError"} else [(LIES, f"{ended}, though cancelled")]
    own = raised - {*situation.tells, *situation.raises}
    if own:
        return [(CRASHES, f"raised {', '.join(sorted(own))}")]
    if raised.issubset(situation.tells) and raised:
        return []
    says = FAILED if raised else ended
    return [] if expected == says else [(LIES, ended)]


def _untold(situation: type[Situation], seen: Seen) -> list[tuple[str, str]]:
    """Find what nobody is told: neither raised, nor in a job, nor even printed."""
    told = {*seen.notes.of("told"), *(seen.ended or "").split(", ")}
    return [
        (LIES, f"{name} is nowhere")
        for name in situation.tells
        if name not in told and name not in seen.output
    ]


def _unclean(situation: type[Situation], counts: Counter[str]) -> list[tuple[str, str]]:
    """Find clean-up that was not done, if anything has started."""
    if not counts:
        return []
    started = [text.removesuffix(" started") for text in counts if text.endswith(" started")]
    wanted = [*situation.cleans]
    if not situation.cuts_short:
        wanted += [f"{name} cleaned up" for name in started]
    return [
        (SKIPS, f"nothing of {text!r}" if not counts[text] else f"{counts[text]} times {text!r}")
        for text in wanted
        if counts[text] != 1
    ]
