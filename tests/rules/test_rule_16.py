"""Rule 16: Deterministic."""

from actors import Diary, virtually

from flowdeco import Job, Scheduler


def test_rule_16_the_same_graph_has_the_same_order_of_starts():
    """Requirements given as sets decide nothing (G27)."""

    def run():
        diary = Diary()
        jobs = [Job(diary.step(str(i), i % 3)) for i in range(30)]
        for i, job in enumerate(jobs):
            job.requires({jobs[j] for j in range(i) if (i * 7 + j) % 5 == 0})
        virtually(Scheduler(*jobs, window=4))
        return diary.lines

    assert run() == run()
