"""A web server, steps that depend on what it serves, and a monitor: the main example.

A real server, `python -m http.server`, serves the source of Python's standard library. It is
ready when it answers, and stopped when the last step is done. One step asks for a page that does
not exist: it fails without harm, and the step that takes its value is skipped.

Prints:

    the longest module is graphlib, with 250 lines
    the monitor has seen the server answer every time

    01 ⚠ ☉ ↺ ∞ <Job `server`>
    02   ☉ ↺ ∞ <Job `monitor`> - requires {01}
    03 ⚠ ☉ ☓   <Job `modules`>[[ -> ['colorsys', 'graphlib', 'sched', 'this']]] - requires {01}
    04 ⚠ ☉ ☓   <Job `lengths`>[[ -> [166, 250, 167, 28]]] - requires {01, 03}
    05 ⚠ ☉ ☓   <Job `longest`>[[ -> ('graphlib', 250)]] - requires {03, 04}
    06   ★ ☓   <Job `gone`>!! exception => HTTPError:HTTP Error 404: File not found!! - requires {01}
    07     ⚐   <Job `size_of_gone`> - requires {06} SKIPPED

    ...
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import sysconfig
import urllib.error
import urllib.request
from collections.abc import AsyncIterator

import attrs

from flowdeco import Flow, service, step

WANTED = ("colorsys", "graphlib", "sched", "this")


async def fetch(url: str) -> str:
    """Get a page, in a thread, as urllib knows nothing of asyncio."""

    def get() -> str:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return str(response.read().decode())
        except urllib.error.HTTPError as error:
            error.close()
            raise

    return await asyncio.to_thread(get)


async def answers(url: str) -> bool:
    """Tell whether something is served there."""
    try:
        await fetch(url)
    except urllib.error.URLError:
        return False
    return True


class Survey(Flow, critical=True):
    """Measure modules of the standard library, as a web server shows them."""

    directory: str = sysconfig.get_path("stdlib")
    heartbeats: list[bool] = attrs.field(factory=list, init=False, repr=False)

    @service
    async def server(self) -> AsyncIterator[str]:
        arguments = ("-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", self.directory)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-u",
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            assert process.stdout is not None
            # Serving HTTP on 127.0.0.1 port 40123 (http://127.0.0.1:40123/) ...
            greeting = (await process.stdout.readline()).decode()
            url = greeting.partition("(")[2].partition(")")[0]
            while not await answers(f"{url}this.py"):
                await asyncio.sleep(0.05)
            yield url
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()

    @service(after=server, critical=False)
    async def monitor(self, url: str) -> None:
        while True:
            self.heartbeats.append(await answers(f"{url}this.py"))
            await asyncio.sleep(0.01)

    @step(after=server)
    async def modules(self, url: str) -> list[str]:
        listing = await fetch(url)
        return [name for name in WANTED if f">{name}.py<" in listing]

    @step(after=(server, modules))
    async def lengths(self, url: str, modules: list[str]) -> list[int]:
        pages = await asyncio.gather(*(fetch(f"{url}{name}.py") for name in modules))
        return [len(page.splitlines()) for page in pages]

    @step(after=(modules, lengths))
    async def longest(self, modules: list[str], lengths: list[int]) -> tuple[str, int]:
        length, name = max(zip(lengths, modules, strict=True))
        return name, length

    @step(after=server, critical=False)
    async def gone(self, url: str) -> str:
        return await fetch(f"{url}no_such_module.py")

    @step(after=gone, critical=False)
    async def size_of_gone(self, page: str) -> int:
        return len(page)


def main() -> int:
    survey = Survey()
    report = survey.run(timeout=60)
    if report.ok:
        name, length = survey.longest.result()
        print(f"the longest module is {name}, with {length} lines")
        if all(survey.heartbeats):
            print("the monitor has seen the server answer every time")
    print()
    survey.list()
    print()
    print(report)
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
