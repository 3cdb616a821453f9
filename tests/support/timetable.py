"""When the jobs of a scenario must have started and ended, exactly, as the clock is virtual."""

from __future__ import annotations

import itertools
import math

from factories import NoTaskError
from hostile import is_a

from flowdeco import State
from flowdeco.jobs.threads import MOST_THREADS

__all__ = ["Timetable"]

EPSILON = 1e-9
"""What adding up times may be wrong by."""


def same(one, two):
    """Whether two times are the same."""
    return abs(one - two) < EPSILON


class Timetable:
    """What the bodies of a `World` have noted, beside what the library says and what must be.

    Args:
        world: it has performed its scenario.
    """

    def __init__(self, world):
        self.world = world
        self.specs = world.specs
        self.threads = sum(spec.kind == "plain" for spec in self.specs.values())

    def check(self):
        """Look at all jobs that have begun, items included."""
        for job in self.world.begun:
            self.check_noted(job)
            self.check_timeout(job)
            self.check_attempts(job)
        for job in self.specs:
            self.check_start(job)
        for job in self.world.begun:
            if job not in self.specs:
                self.check_start_of_item(job)

    def check_noted(self, job):
        """Rule 2: the times that a job has are those at which its body began and ended."""
        assert same(job.started_at, self.world.begun[job]), ("started_at", job)
        left_at = self.left_at(job)
        if left_at is not None and self.is_given_up(job):
            assert job.ended_at > left_at - EPSILON, ("ended_at", job)
        elif left_at is not None and job.state in (State.DONE, State.FAILED, State.CANCELLED):
            assert same(job.ended_at, left_at), ("ended_at", job)

    def is_given_up(self, job):
        """Whether a job was stopped when it was to be tried again."""
        return job.state is State.FAILED and job.attempts[-1].ended_at < job.ended_at

    def check_attempts(self, job):
        """Section 3: attempts begin at the exact times, and there are as many as there must be."""
        spec, attempts = self.specs.get(job), job.attempts
        if spec is None or spec.kind != "retries":
            assert len(attempts) == 1, ("attempts", job)
            return
        for number, (before, after) in enumerate(itertools.pairwise(attempts)):
            begins_at = before.ended_at + min(60, spec.ending * 2**number)
            assert same(after.started_at, begins_at), ("not when it could be tried again", job)
        failed = [one for one in attempts if one.exception is not None]
        assert len(attempts) - len(failed) <= 1, ("tried again without a failure", job)
        if self.nothing_stops(job):
            assert len(attempts) == min(spec.count + 1, 3), ("attempts", job)

    def left_at(self, job):
        """When the body was left."""
        return self.world.left_body.get(job, (None,))[0]

    # When a job must start

    def check_start(self, job):
        """Rule 2: it starts when all that it requires have ended or come up, not later."""
        if job.started_at is None:
            return
        level = self.world.level(job)
        since = [self.began(level), *(self.ready_at(before) for before in job.required)]
        if None in since:
            return  # something is stuck, and nobody has noted since when
        if self.may_wait(job):
            assert job.started_at > max(since) - EPSILON, ("too early", job, since)
        else:
            assert same(job.started_at, max(since)), ("not when it could start", job, since)

    def check_start_of_item(self, job):
        """Rule 2: items start with their fan-out, if there is no window."""
        host = self.world.hosts[self.world.level(job)]
        windows = [level.window for level in self.world.around(job)]
        assert job.started_at > host.started_at - EPSILON
        if windows == [None] * len(windows):
            assert same(job.started_at, host.started_at)

    def began(self, level):
        """When the run of a level began."""
        if level is self.world.scheduler:
            return 0.0
        if level in self.world.hosts:
            host = self.world.hosts[level]
            return self.world.begun[host] + self.specs[host].seconds
        return level.started_at

    def ready_at(self, job):
        """When those could start that require this one."""
        if job in self.world.up:
            return self.world.up[job]
        if job.forever and self.specs[job].kind != "server" and job.started_at is not None:
            return job.started_at
        return job.ended_at

    def may_wait(self, job):
        """Whether a job may have to wait for a place."""
        if self.specs[job].kind == "plain" and self.threads > MOST_THREADS:
            return True
        if job in self.world.given:
            return False
        return not job.forever and self.world.level(job).window is not None

    # When it must end

    def check_timeout(self, job):
        """Rule 5: who is over its timeout has failed at that very time, and nobody else has."""
        spec = self.specs.get(job) or self.specs[self.world.hosts[self.world.level(job)]]
        own = spec.timeout is not None and spec.kind not in ("monitor", "runs")
        limit = spec.timeout if own else math.inf
        over_at = self.world.up.get(job, self.left_at(job))
        if over_at is None:
            return
        took = over_at - self.world.begun[job]
        if took < limit - EPSILON:
            _, _, error = self.world.left_body[job]
            timed_out = is_a(job.raised_exception(), TimeoutError) and not self.is_cut(job)
            assert not timed_out or is_a(error, TimeoutError), ("no time is over", job, took)
        elif took > limit + EPSILON and self.nothing_stops(job):
            assert is_a(job.raised_exception(), (TimeoutError, SystemExit)), ("too long", job)
        if took > limit + EPSILON and spec.kind in ("ok", "fails"):
            raise AssertionError("it has had more time than it may take", job, took)

    def is_cut(self, job):
        """Whether the teardown of a service was cut short, which may take time and has."""
        spec = self.world.specs[job]
        cut = "was cut short" in str(job.raised_exception())
        return cut and job.forever and spec.kind == "server" and spec.ending > 0

    def nothing_stops(self, job):
        """Whether nothing has told a job to end before it had ended."""
        world = self.world
        return (
            job in world.scheduler
            and world.report.reason is None
            and not job.forever
            and not world.scenario.murders
            and not is_a(job.raised_exception(), NoTaskError)
        )
