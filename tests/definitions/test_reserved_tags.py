"""Which tags under ``dagster/`` a definition may set: all that a run is steered by, none that Runyard writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import runyard as dg
from runyard.core.errors import InvalidDefinition
from runyard.core.tag_owners import STEERING, TagSetter, mistyped, refusal

WRITTEN = [
    *(f"dagster/{name}" for name in ("run_key", "parent_run_id", "root_run_id", "retry_number", "will_retry", "tick")),
    *(f"dagster/{name}" for name in ("code_location", "schedule_name", "sensor_name", "is_resume_retry")),
    *("dagster/step_selection", "dagster/auto_retry_run_id", ".dagster/scheduled_execution_time"),
]
#: What code that was written for the field has on jobs and ops.
LABELS = ["dagster/concurrency_key", "dagster/compute_kind", "dagster/kind/dbt", "dagster/image", "dagster/partition"]


@dg.op
def work() -> None: ...


@dg.job
def main() -> None:
    work()


def _schedule(tags: dict[str, str]) -> Any:
    return dg.ScheduleDefinition(job=main, cron_schedule="@daily", tags=tags)


def _decorated_schedule(tags: dict[str, str]) -> Any:
    return dg.schedule("@daily", name="s", job=main, tags=tags)(lambda: None)


def _sensor(tags: dict[str, str]) -> Any:
    return dg.sensor(name="s", job=main, tags=tags)(lambda: None)


def _job(tags: dict[str, str]) -> Any:
    return dg.job(name="j", tags=tags)(lambda: None)


def _run_tags(tags: dict[str, str]) -> Any:
    return dg.job(name="j", run_tags=tags)(lambda: None)


def _graph(tags: dict[str, str]) -> Any:
    return dg.graph(name="g")(lambda: None).to_job(tags=tags)


def _op(tags: dict[str, str]) -> Any:
    return dg.op(name="o", tags=tags)(lambda: None)


def _step(tags: dict[str, str]) -> Any:
    return work.tag(tags)


SCHEDULES = [_schedule, _decorated_schedule]
DEFINITIONS = [_sensor, _job, _run_tags, _graph]
STEPS = [_op, _step]
EVERY = [*SCHEDULES, *DEFINITIONS, *STEPS]
Make = Callable[[dict[str, str]], Any]


@pytest.mark.parametrize("make", [*SCHEDULES, *DEFINITIONS])
@pytest.mark.parametrize("key", WRITTEN)
def test_what_runyard_writes_is_refused_with_the_list(make: Make, key: str) -> None:
    with pytest.raises(InvalidDefinition, match="Runyard writes this tag itself") as caught:
        make({key: "x"})
    assert f"'{key}'" in str(caught.value)
    assert "dagster/max_retries, dagster/max_runtime, " in str(caught.value)


@pytest.mark.parametrize("make", EVERY)
@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("dagster/prioritty", "dagster/priority"),
        ("dagster/max_retry", "dagster/max_retries"),
        ("dagster/maxruntime", "dagster/max_runtime"),
        ("dagster/retry_stratgy", "dagster/retry_strategy"),
        ("runyard/slot", "runyard/slots"),
    ],
)
def test_a_typing_error_is_refused_with_the_nearest(make: Make, key: str, meant: str) -> None:
    with pytest.raises(InvalidDefinition, match=f"Did you mean '{meant}'") as caught:
        make({key: "1"})
    assert f"'{key}'" in str(caught.value)


@pytest.mark.parametrize("make", EVERY)
@pytest.mark.parametrize("key", sorted(STEERING))
def test_what_steers_a_run_is_taken(make: Make, key: str) -> None:
    make({key: "1", "team": "docs", "dagster-k8s/config": "{}", "Dagster/x": "1", "dagster": "y"})


@pytest.mark.parametrize("key", LABELS)
def test_labels_of_the_field_are_for_jobs_and_ops_and_not_for_schedules(key: str) -> None:
    for make in (*DEFINITIONS, *STEPS):
        make({key: "x"})
    for make in SCHEDULES:
        with pytest.raises(InvalidDefinition, match=key):
            make({key: "x"})


def test_a_label_that_nothing_is_near_stays_on_jobs() -> None:
    _job({"dagster/owner_of_this": "x", "dagster/run_id": "y"})
    assert mistyped("dagster/owner_of_this") is None


def test_each_setter_names_itself() -> None:
    told = {setter: refusal(setter, "dagster/prioritty") or "" for setter in TagSetter}
    assert all(f" {setter.value} may set under" in text for setter, text in told.items())


def test_a_job_inside_of_another_process_takes_what_it_likes() -> None:
    """Nothing is stored: a test hands over the tags that a run would have."""
    assert main.execute_in_process(tags={"dagster/parent_run_id": "x"}).success
