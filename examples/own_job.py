"""A job class of one's own: what it does, what it releases, and what listings say of it.

Prints:

    cities: disconnected
    people: disconnected
    01 ⚠ ☉ ☓   <Copy `cities`>[[ -> 3]]
               3 of 3 rows
    02 ⚠ ★ ☓   <Copy `people`>!! CRIT. EXC. => ValueError:row 2 is empty!! - requires {01}
               1 of 3 rows
    03 ⚠   ⚐   <Copy `visits`> - requires {02}
               0 of 1 rows
"""

import asyncio

from flowdeco import AbstractJob, Scheduler


class Copy(AbstractJob[int]):
    """Copies a table, row by row; the result is how many there were."""

    def __init__(self, table: str, rows: list[str]) -> None:
        super().__init__(label=table, timeout=10)
        self.rows = rows
        self.copied = 0
        self.connected = False

    async def co_run(self) -> int:
        self.connected = True
        self.copied = 0  # a job may run again
        for row in self.rows:
            if not row:
                raise ValueError(f"row {self.copied + 1} is empty")
            await asyncio.sleep(0.001)
            self.copied += 1
        return self.copied

    async def co_shutdown(self) -> None:
        # Called at the end of every run, and for jobs that never started as well.
        if self.connected:
            self.connected = False
            print(f"{self.name}: disconnected")

    def details(self) -> str:
        return f"{self.copied} of {len(self.rows)} rows"


def main() -> None:
    cities = Copy("cities", ["Rome", "Oslo", "Lima"])
    people = Copy("people", ["Ada", "", "Alan"])
    visits = Copy("visits", ["Ada in Rome"])
    scheduler = Scheduler(cities >> people >> visits, jobs_critical=True)

    scheduler.orchestrate()
    scheduler.list(details=True)


if __name__ == "__main__":
    main()
