"""What debug mode logs on a busy machine: that the loop was held, by the machine and by no body."""

import re

SLOW = re.compile(
    r"^(?:Executing <.*> took [\d.]+ seconds|'.*' blocked the loop for [\d.]+ s, at .*)\n?",
    re.MULTILINE,
)
"""A line of asyncio, or one of flowdeco."""


def without_slowness(printed: str) -> str:
    """What else a process has printed."""
    return SLOW.sub("", printed)
