"""Jobs with requirements: pages are fetched after the login, and added up when both are there.

Prints:

    logging in
    asking for home
    asking for news
    8 letters in all
    01   ☉ ☓   <Job `log_in`>[[ -> None]]
    02   ☉ ☓   <Job `home`>[[ -> 4]] - requires {01}
    03   ☉ ☓   <Job `news`>[[ -> 4]] - requires {01}
    04   ☉ ☓   <Job `add_up`>[[ -> 8]] - requires {02, 03}
"""

import asyncio

from flowdeco import Job, Scheduler


async def log_in() -> None:
    print("logging in")
    await asyncio.sleep(0.01)


async def fetch(page: str) -> int:
    print(f"asking for {page}")
    await asyncio.sleep(0.01)
    return len(page)


def main() -> None:
    # Made of a function, a job can run again and again; made of a coroutine, once.
    login = Job(log_in)
    home = Job(fetch("home"), label="home", required=login)
    news = Job(fetch("news"), label="news", required=login)

    async def add_up() -> int:
        # Their results are there, because this job requires them.
        return home.result() + news.result()

    total = Job(add_up)
    total.requires(home, news)

    scheduler = Scheduler(login, home, news, total)
    if scheduler.orchestrate(timeout=10):
        print(f"{total.result()} letters in all")
    scheduler.list()


if __name__ == "__main__":
    main()
