"""Failures: one that is not critical is noted and the run goes on, a critical one ends it.

Prints:

    critical job 'upload' failed with ConnectionError
    01 ⚠ ☉ ☓   <Job `build`>[[ -> app-1.0.whl]]
    02   ★ ☓   <Job `spell_check`>!! exception => ValueError:3 typos!! - requires {01}
    03 ⚠ ★ ☓   <Job `upload`>!! CRIT. EXC. => ConnectionError:the index is down!! - requires {02}
    04 ⚠ ☉ ↺   <Job `watch`> - requires {01} CANCELLED
    05 ⚠   ⚐   <Job `announce`> - requires {03}
    failures:
    spell_check, critical=False: ValueError('3 typos')
    upload, critical=True: ConnectionError('the index is down')
    caught: (ConnectionError('the index is down'),)
"""

import asyncio

from flowdeco import Flow, step


class Release(Flow, critical=True):
    @step
    async def build(self) -> str:
        return "app-1.0.whl"

    @step(after=build, critical=False)
    async def spell_check(self) -> None:
        raise ValueError("3 typos")

    # It takes no value of the step that has failed, and so it starts all the same.
    @step(after=spell_check)
    async def upload(self) -> None:
        await asyncio.sleep(0.01)
        raise ConnectionError("the index is down")

    @step(after=build)
    async def watch(self) -> None:
        await asyncio.sleep(3600)

    @step(after=upload)
    async def announce(self) -> None:
        print("never reached")


def main() -> None:
    release = Release()
    report = release.run(timeout=10)

    print(release.scheduler.why())
    release.list()

    print("failures:")
    for failure in report.failures:
        print(f"{failure.path}, critical={failure.critical}: {failure.exception!r}")

    # For programs that would rather have an exception: those of critical steps, as a group.
    try:
        report.raise_for_failure()
    except* ConnectionError as group:
        print(f"caught: {group.exceptions}")


if __name__ == "__main__":
    main()
