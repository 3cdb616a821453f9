"""Chains: `a >> b` reads as "a, then b", and a list is what runs at the same time.

Prints:

    log in
    fetch home
    fetch news
    add up
    open the archive
    store
    log out
    01   ☉ ☓   <PrintJob `log in`>[[ -> None]]
    02   ☉ ☓   <PrintJob `fetch home`>[[ -> None]] - requires {01}
    03   ☉ ☓   <PrintJob `fetch news`>[[ -> None]] - requires {01}
    04   ☉ ☓   <PrintJob `add up`>[[ -> None]] - requires {02, 03}
    05   ☉ ☓   <PrintJob `open the archive`>[[ -> None]] - requires {04}
    06   ☉ ☓   <PrintJob `store`>[[ -> None]] - requires {05}
    07   ☉ ☓   <PrintJob `log out`>[[ -> None]] - requires {06}
"""

from flowdeco import PrintJob, Scheduler


def main() -> None:
    login = PrintJob("log in", sleep=0.01)
    home = PrintJob("fetch home", sleep=0.01)
    news = PrintJob("fetch news", sleep=0.01)
    total = PrintJob("add up")

    # What `>>` gives is a chain, which can be named ...
    reading = login >> [home, news] >> total
    archiving = PrintJob("open the archive", sleep=0.01) >> PrintJob("store")

    # ... chained in its turn, required by its end, and added to a scheduler as one thing.
    archiving.requires(reading)
    logout = PrintJob("log out", required=archiving)

    scheduler = Scheduler(reading, archiving, logout)
    scheduler.orchestrate(timeout=10)
    scheduler.list()


if __name__ == "__main__":
    main()
