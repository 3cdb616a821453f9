"""What a process prints that no test minds: slowness in debug mode, and that jobs have failed."""

import re

SLOW = re.compile(
    r"^(?:Executing <.*> took [\d.]+ seconds|'.*' blocked the loop for [\d.]+ s, at .*)\n?",
    re.MULTILINE,
)
"""A line of asyncio, or one of flowdeco."""


FAILED = re.compile(r"^'.*' failed(?: with| after \d\S* s)?\b.*\n?", re.MULTILINE)
"""A line of the log of flowdeco, which a program without any configuration shows."""


def without_failures(printed: str) -> str:
    """What else a process has printed whose jobs were to fail, slowness left out as well."""
    return FAILED.sub("", without_slowness(printed))


def without_slowness(printed: str) -> str:
    """What else a process has printed."""
    return SLOW.sub("", printed)
