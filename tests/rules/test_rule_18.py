"""Rule 18: Context."""

import contextvars

from actors import virtually

from flowdeco import Job, Scheduler, current_job

tag = contextvars.ContextVar("tag", default="none")


def test_rule_18_each_job_has_a_copy_of_the_context_of_the_run():
    """R23: nothing leaks along the graph or outward; hooks have the run's context."""
    seen = []

    def body(name):
        async def set_and_tell():
            seen.append((name, tag.get()))
            tag.set(name)

        return set_and_tell

    first = Job(body("first"), shutdown=body("hook"))
    second = Job(body("second"), required=first)
    token = tag.set("run")
    try:
        virtually(Scheduler(first, second))
    finally:
        assert tag.get() == "run"
        tag.reset(token)

    assert seen == [("first", "run"), ("second", "run"), ("hook", "run")]


def test_rule_18_current_job_gives_the_job_from_inside():
    """Of nested schedulers the innermost; outside there is none."""
    seen = []

    async def look():
        seen.append(current_job())

    inner, outer = Job(look), Job(look)
    virtually(Scheduler(outer, Scheduler(inner)))

    assert seen == [outer, inner]
    assert current_job() is None
