"""A run that takes the place of an active one: the worker's stop is asked for at once."""

from __future__ import annotations

from runyard.core.run import RunStatus
from runyard.operations.submit import SubmitRequest
from runyard.operations.submit_many import submit_many
from runyard.queue.rules import OverlapRule, Rules

from .yard import Yard


def test_whoever_stops_workers_is_woken_when_a_run_may_replace_another(yard: Yard) -> None:
    poked: list[str] = []
    yard.stores.wakeups.listen(poked.append)
    running = yard.started()
    yard.submit()
    assert "cancel" not in poked
    yard.stores.limits.configure(Rules(overlaps=(OverlapRule(job="job", policy="cancel_old"),)))
    yard.submit()
    assert yard.status(running) is RunStatus.CANCELING
    assert poked.count("cancel") == 1
    submit_many(yard.stores, yard.workspace, [SubmitRequest(job_name="job")])
    assert poked.count("cancel") == 2
