"""Rule 20: Success."""

from actors import Diary, fails, quick, sleeps, virtually

from flowdeco import Job, Scheduler


def test_rule_20_success_needs_no_success_of_what_is_not_critical():
    """Failures of other jobs change no verdict."""
    assert virtually(Scheduler(Job(fails()), Job(fails(), forever=True), Job(quick))) is True


def test_rule_20_an_error_in_the_teardown_of_a_critical_service_is_a_critical_failure():
    """V05: after all steps have ended well."""
    diary = Diary()
    server = Job(diary.service("s", error=ValueError("teardown")), forever=True, critical=True)
    scheduler = Scheduler(server, Job(sleeps(1)))

    assert virtually(scheduler) is False
    assert scheduler.failed_critical()

    harmless = Job(diary.service("s", error=ValueError("teardown")), forever=True)
    assert virtually(Scheduler(harmless, Job(sleeps(1)))) is True


def test_rule_20_a_critical_service_that_fails_with_the_last_step_wins():
    """V04: in the same turn."""
    scheduler = Scheduler(Job(fails(1), forever=True, critical=True), Job(sleeps(1)))
    assert virtually(scheduler) is False
    assert scheduler.failed_critical()


def test_rule_20_an_empty_run_succeeds():
    """G10 G11: also nested, and required by a step."""
    assert virtually(Scheduler()) is True
    empty = Scheduler()
    assert virtually(Scheduler(empty, Job(quick, required=empty))) is True
