"""Jobs in parallel: three pages are fetched at the same time, and read afterwards.

Prints:

    asking for home
    asking for news
    asking for about
    home is here
    news is here
    about is here
    all went well: True
    home has 4 letters
    news has 4 letters
    about has 5 letters
    01   ☉ ☓   <Job `home`>[[ -> 4]]
    02   ☉ ☓   <Job `news`>[[ -> 4]]
    03   ☉ ☓   <Job `about`>[[ -> 5]]
"""

import asyncio

from flowdeco import Job, Scheduler


async def fetch(page: str) -> int:
    print(f"asking for {page}")
    await asyncio.sleep(0.02)
    print(f"{page} is here")
    return len(page)


def main() -> None:
    jobs = [Job(fetch(page), label=page) for page in ("home", "news", "about")]
    scheduler = Scheduler(*jobs)

    # A failure would not raise here: it waits in the job, whose result() raises it.
    ok = scheduler.orchestrate(timeout=10)
    print(f"all went well: {ok}")

    for job in jobs:
        print(f"{job.name} has {job.result()} letters")
    scheduler.list()


if __name__ == "__main__":
    main()
