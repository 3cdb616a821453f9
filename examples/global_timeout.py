"""A global timeout: the run ends in time, and its report tells how far it came.

Prints:

    load: rolled back
    'Nightly' timed out after 0.2 s
    check: done
    load: cancelled
    index: idle
    check has found 3 files
"""

import asyncio

from flowdeco import Flow, State, step


class Nightly(Flow, timeout=0.2):
    @step
    async def check(self) -> int:
        return 3

    @step(after=check)
    async def load(self, files: int) -> int:
        try:
            await asyncio.sleep(3600)
        finally:
            # What runs at the deadline is cancelled, and has `grace` seconds to clean up.
            print("load: rolled back")
        return files

    @step(after=load)
    async def index(self) -> None:
        print("never reached")


def main() -> None:
    nightly = Nightly()
    report = nightly.run()
    if not report:
        print(report.reason)
    for record in report.jobs:
        print(f"{record.path}: {record.state.value}")

    # What was done before the deadline is not lost.
    if nightly.check.state is State.DONE:
        print(f"check has found {nightly.check.result()} files")


if __name__ == "__main__":
    main()
