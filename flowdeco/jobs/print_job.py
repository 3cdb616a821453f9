"""Jobs that print."""

from __future__ import annotations

import asyncio

from flowdeco.base.text import line

from .abstract_job import UNNAMED, AbstractJob, RequirementSet

__all__ = ["PrintJob"]


class PrintJob(AbstractJob[None]):
    """A job that prints its messages when its turn comes.

    Args:
        messages: what to print, separated by a space, as `print` does.
        sleep: the seconds to wait after that, before the job is done.
        banner: a line to print before the messages.

    The others are those of `AbstractJob`.
    """

    def __init__(
        self,
        *messages: object,
        sleep: float | None = None,
        banner: str | None = None,
        label: str | None = None,
        critical: bool | None = None,
        forever: bool = False,
        timeout: float | None = None,
        required: RequirementSet = None,
    ) -> None:
        super().__init__(
            label=label, critical=critical, forever=forever, timeout=timeout, required=required
        )
        self.messages = messages
        self.sleep = sleep
        self.banner = banner

    async def co_run(self) -> None:
        """Print, then sleep."""
        if self.banner is not None:
            print(self.banner)
        print(*self.messages)
        if self.sleep is not None:
            await asyncio.sleep(self.sleep)

    def __flow_own_timeout__(self) -> float | None:
        return self.timeout if type(self) is PrintJob else self.__flow_timeout__

    def default_label(self) -> str:
        """Return the messages."""
        return " ".join(line(message) for message in self.messages) or UNNAMED
