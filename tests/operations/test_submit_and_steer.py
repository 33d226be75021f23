"""Operations against real SQLite storage: each refusal says why, and leaves nothing half-written."""

from __future__ import annotations

import pytest

from daemons.fakes import definitions
from runyard.core.errors import (
    InvalidRunConfig,
    InvalidTag,
    LocationUnavailable,
    NeverAdmissible,
    NotFound,
    RunNotFound,
    UserError,
    WrongState,
)
from runyard.core.events import ErrorInfo
from runyard.core.launch import RunEnd, WorkerReport
from runyard.core.location import JobInfo, LocationDefinitions, LocationRecord, LocationState
from runyard.core.policies import RunPolicies
from runyard.core.policy_tags import TagsInForce
from runyard.core.run import RunFailure, RunStatus
from runyard.operations.cancel import cancel
from runyard.operations.queue.limits_view import limits
from runyard.operations.queue.steering import hold, release, set_priority
from runyard.operations.queue.view import entries, entry
from runyard.operations.submit import SubmitRequest, submit
from runyard.operations.submit_many import submit_many
from runyard.queue.rules import Rules, TagRule
from runyard.service.host_supervisor import INTERVAL, WORKER_GRACE
from runyard.storage.protocols import RunsFilter

from .yard import Yard


@pytest.mark.parametrize(
    ("fields", "error", "says"),
    [
        ({"job_name": "jop"}, NotFound, "Did you mean 'job'?"),
        ({"location_name": "yarn"}, NotFound, "Did you mean 'yard'?"),
        ({"tags": {"a": object()}}, InvalidTag, "Tag 'a'"),
        ({"tags": {"a": "\0"}}, InvalidTag, "NUL"),
        ({"tags": {"dagster/priority": "soon"}}, InvalidTag, "'soon' is not a whole number"),
        ({"tags": {"dagster/priority": 2**40}}, InvalidTag, "outside"),
        ({"tags": {"runyard/slots": "many"}}, InvalidTag, "'many' is not a whole number"),
        ({"tags": {"runyard/slots": 0}}, InvalidTag, "outside 1 to 1000"),
        ({"tags": {"runyard/slots": 11}}, NeverAdmissible, "takes 11 slots of max_concurrent_runs, whose limit is 10"),
        ({"tags": {"dagster/max_runtime": "soon"}}, InvalidTag, "'soon' is no number of seconds"),
        ({"tags": {"dagster/max_runtime_seconds": "nan"}}, InvalidTag, "'nan' is no number of seconds"),
        ({"tags": {"dagster/max_retries": 1.5}}, InvalidTag, "'1.5' is no whole number"),
        ({"tags": {"dagster/retry_strategy": "all"}}, InvalidTag, "neither FROM_FAILURE nor ALL_STEPS"),
        ({"tags": {"dagster/retry_on_asset_or_op_failure": 1}}, InvalidTag, "neither 'true' nor 'false'"),
        *(
            ({"tags": {f"dagster/{name}": "x"}}, InvalidTag, f"Tag 'dagster/{name}': Runyard writes this tag itself")
            for name in ("parent_run_id", "retry_number", "code_location", "run_key", "schedule_name", "tick")
        ),
        ({"tags": {".dagster/grpc_info": "x"}}, InvalidTag, "Runyard writes this tag itself"),
        ({"tags": {"dagster/prioritty": 1}}, InvalidTag, "Did you mean 'dagster/priority'? A person may set under"),
        ({"tags": {"dagster/owner": 1}}, InvalidTag, "dagster/max_retries, dagster/max_runtime, "),
        ({"tags": {"runyard/job": "x"}}, InvalidTag, "'runyard/': runyard/slots."),
        ({"run_config": {"x": float("nan")}}, InvalidRunConfig, "x: nan"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_and_nothing_is_written(yard: Yard, fields, error, says) -> None:
    with pytest.raises(error, match=r"\S") as caught:
        yard.submit(**fields)
    assert says in str(caught.value)
    assert yard.stores.runs.count(RunsFilter()) == 0


def test_tags_for_what_is_off_are_told_of_on_the_run(yard: Yard) -> None:
    tags = {"dagster/max_runtime": 60, "dagster/max_retries": 2, "dagster/retry_strategy": "ALL_STEPS"}
    for in_force, told in ((TagsInForce(), 0), (TagsInForce(monitoring=False, retries=False), 2)):
        request = SubmitRequest(job_name="job", tags=tags)
        run = submit(yard.stores, yard.workspace, request, clock=yard.clock, in_force=in_force)
        (many,) = submit_many(yard.stores, yard.workspace, [request], in_force=in_force)
        for run_id in (run.run_id, many):
            events = [stored.event for stored in yard.stores.events.of_run(run_id)]
            assert len([event for event in events if event.level == "WARNING"]) == told


def test_bad_tags_of_the_job_itself_are_warnings_of_its_runs(yard: Yard) -> None:
    """They are code's: a person who launches the job did not write them."""
    tags = {"dagster/priority": str(2**40), "runyard/slots": "many", "dagster/max_retries": "x"}
    yard.location.definitions = LocationDefinitions(jobs=(JobInfo(name="job", tags=tags),))
    yard.stores.locations.publish(yard.location.record())
    run = yard.submit()
    assert run.priority == 2**31 - 1
    told = [e.event.message for e in yard.stores.events.of_run(run.run_id) if e.event.level == "WARNING"]
    assert [text.partition("'")[2].partition("'")[0] for text in told] == list(tags)
    assert yard.submit(tags={"dagster/priority": "7"}).priority == 7


def test_run_config_that_the_job_refuses_is_refused(yard: Yard) -> None:
    yard.location.issues = [("ops.x.config.n", "takes a whole number")]
    with pytest.raises(InvalidRunConfig, match=r"ops\.x\.config\.n: takes a whole number"):
        yard.submit()
    assert yard.stores.runs.count(RunsFilter()) == 0


def test_a_location_that_does_not_load_says_why(yard: Yard) -> None:
    broken = LocationRecord(name="broken", state=LocationState.ERROR, error=ErrorInfo("ImportError", "no pyart"))
    yard.stores.locations.publish(broken)
    with pytest.raises(LocationUnavailable, match="ImportError: no pyart"):
        yard.submit(location_name="broken")


def test_a_job_of_two_locations_needs_the_location(yard: Yard) -> None:
    yard.stores.locations.publish(
        LocationRecord(name="second", state=LocationState.LOADED, definitions=definitions("job"))
    )
    with pytest.raises(UserError, match="second, yard"):
        yard.submit()
    assert yard.submit(location_name="yard").status is RunStatus.QUEUED


def test_the_same_idempotency_key_gives_the_same_run(yard: Yard) -> None:
    first = yard.submit(idempotency_key="k")
    assert yard.submit(idempotency_key="k").run_id == first.run_id
    assert yard.stores.runs.count(RunsFilter()) == 1


def test_the_direct_coordinator_launches_at_once(yard: Yard) -> None:
    run = yard.submit(queued=False)
    assert run.status is RunStatus.STARTING
    assert [spec.run_id for spec in yard.location.launched] == [run.run_id]


def test_the_direct_coordinator_fails_what_it_cannot_launch(yard: Yard) -> None:
    yard.location.launch_error = "no memory"
    run = yard.submit(queued=False)
    assert (run.status, run.failure.message) == (RunStatus.FAILURE, "no memory")


def test_cancel_by_prefix_and_again(yard: Yard) -> None:
    run = yard.submit()
    for _ in range(2):
        assert cancel(yard.stores, run.run_id[:8], by="me", clock=yard.clock).status is RunStatus.CANCELED
    with pytest.raises(RunNotFound):
        cancel(yard.stores, "abc", by="me", clock=yard.clock)


def test_cancelling_what_failed_is_refused(yard: Yard) -> None:
    yard.location.launch_error = "no"
    run = yard.submit(queued=False)
    with pytest.raises(WrongState, match="FAILURE"):
        cancel(yard.stores, run.run_id, by="me", clock=yard.clock)


def test_cancelling_what_is_retried_names_the_retry(yard: Yard) -> None:
    yard.stores.policies.configure(RunPolicies(retries_enabled=True, max_retries=1))
    run = yard.started()
    end = RunEnd(status=RunStatus.FAILURE, failure=RunFailure("ValueError", "no"))
    yard.stores.runs.report([WorkerReport(run_id=run.run_id, attempt=1, end=end, timestamp=yard.clock.now())])
    (retry,) = yard.stores.queue.queued(limit=2)
    with pytest.raises(WrongState, match=f"FAILURE. Its retry is run {retry.run_id[:8]}: cancel that one."):
        cancel(yard.stores, run.run_id, by="ops", clock=yard.clock)


def test_cancelling_a_running_one_signals_its_worker_once(yard: Yard) -> None:
    run = yard.started()
    canceler = yard.canceler()
    assert cancel(yard.stores, run.run_id, by="me", clock=yard.clock).status is RunStatus.CANCELING
    canceler.look()
    canceler.look()
    assert yard.location.terminated == [(run.run_id, False)]


def test_a_canceling_run_without_a_worker_is_ended(yard: Yard) -> None:
    run = yard.started()
    yard.location.has_workers = False
    cancel(yard.stores, run.run_id, by="me", clock=yard.clock)
    yard.canceler().look()
    assert yard.status(run) is RunStatus.CANCELED


def test_a_worker_on_another_machine_is_left_to_the_control_there(yard: Yard) -> None:
    run = yard.started()
    yard.register_host()
    yard.location.has_workers = False
    cancel(yard.stores, run.run_id, by="me", clock=yard.clock)
    yard.canceler().look()
    assert yard.status(run) is RunStatus.CANCELING


def test_a_canceled_launch_whose_location_left_is_ended(yard: Yard) -> None:
    run = yard.submit(queued=False)
    assert yard.status(run) is RunStatus.STARTING
    cancel(yard.stores, run.run_id, by="me", clock=yard.clock)
    yard.workspace.locations.clear()
    yard.canceler().look()
    assert yard.status(run) is RunStatus.CANCELED


def test_steering_a_queued_run(yard: Yard) -> None:
    run = yard.submit()
    assert set_priority(yard.stores, run.run_id, "7", by="me", clock=yard.clock).priority == 7
    assert hold(yard.stores, run.run_id, by="me", reason="wait", clock=yard.clock).held
    assert not release(yard.stores, run.run_id, by="me", clock=yard.clock).held
    with pytest.raises(InvalidTag, match="not a whole number"):
        set_priority(yard.stores, run.run_id, "7.5", by="me", clock=yard.clock)
    cancel(yard.stores, run.run_id, by="me", clock=yard.clock)
    with pytest.raises(WrongState, match="CANCELED"):
        hold(yard.stores, run.run_id, by="me", clock=yard.clock)


def test_the_view_names_the_rule_and_its_holder(yard: Yard) -> None:
    yard.stores.limits.configure(Rules(max_concurrent_runs=5, tag_rules=(TagRule(key="team", limit=1),)))
    holder = yard.submit(tags={"team": "docs"}, queued=False)
    waiting, free = yard.submit(tags={"team": "docs"}), yard.submit()
    found = entry(yard.stores, waiting.run_id, clock=yard.clock)
    assert found is not None
    assert (found.reason.kind, found.reason.limit, found.reason.holders) == ("tag_limit", 1, (holder.run_id,))
    assert [e.run_id for e in entries(yard.stores, clock=yard.clock)] == [free.run_id, waiting.run_id]
    used = {use.rule: use.used for use in limits(yard.stores, clock=yard.clock)}
    assert used == {"max_concurrent_runs": 1, "team": 1}


def test_a_host_lost_for_good_fails_its_runs_on_any_machine(yard: Yard) -> None:
    run = yard.started()
    yard.register_host()
    supervisor = yard.supervisor()
    assert yard.look_on(supervisor, 10 + WORKER_GRACE - INTERVAL) == 0, "its workers may still find another host"
    assert yard.look_on(supervisor, 2 * INTERVAL) == 1
    ended = yard.stores.runs.get(run.run_id)
    assert (ended.status, ended.failure.error_class) == (RunStatus.FAILURE, "HostLost")
    assert list(yard.stores.hosts.all()) == []


def test_hosts_that_could_not_renew_while_storage_was_away_keep_their_runs(yard: Yard) -> None:
    run = yard.started()
    yard.register_host()
    supervisor = yard.supervisor()
    yard.look_on(supervisor, 15)
    yard.clock.advance(600)
    assert supervisor.look() == 0, "the first look comes before the hosts have had their turn"
    assert yard.stores.hosts.renew("h", seconds=1000)
    assert yard.look_on(supervisor, 2 * WORKER_GRACE) == 0
    assert yard.status(run) is RunStatus.STARTED


def test_a_run_whose_host_is_not_registered_is_ended(yard: Yard) -> None:
    run = yard.started()
    supervisor = yard.supervisor()
    assert supervisor.look() == 0
    assert yard.look_on(supervisor, WORKER_GRACE) == 1
    assert yard.status(run) is RunStatus.FAILURE
