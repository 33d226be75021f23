"""Properties over every key: misspelt, of a wrong type, from a variable, and arbitrary nonsense."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from runyard.core.errors import ConfigError
from runyard.settings.instance import InstanceSettings
from runyard.settings.loading import load_settings
from runyard.settings.schema import INSTANCE

#: Nearly every key of the file, in two documents because some exclude each other.
FULL: list[dict[str, Any]] = [
    {
        "storage": {
            "postgres": {
                "postgres_db": {"username": "u", "password": "p", "hostname": "h", "db_name": "d", "port": 1},
                "should_autocreate_tables": True,
            }
        },
        "run_queue": {
            "max_concurrent_runs": 3,
            "tag_concurrency_limits": [
                {"key": "a", "limit": 1, "value": "x"},
                {"key": "a", "limit": 2, "value": {"applyLimitPerUniqueValue": True}},
            ],
            "dequeue_interval_seconds": 5,
            "dequeue_use_threads": True,
            "dequeue_num_workers": 2,
            "max_user_code_failure_retries": 1,
            "user_code_failure_retry_delay": 9,
            "block_op_concurrency_limited_runs": {"enabled": True, "op_concurrency_slot_buffer": 1},
        },
        "run_monitoring": {
            "enabled": True,
            "start_timeout_seconds": 1,
            "cancel_timeout_seconds": 2,
            "max_runtime_seconds": 3,
            "max_resume_run_attempts": 4,
            "poll_interval_seconds": 5,
            "cancellation_thread_poll_interval_seconds": 6,
            "free_slots_after_run_end_seconds": 7,
        },
        "run_retries": {"enabled": True, "max_retries": 1, "retry_on_asset_or_op_failure": True},
        "schedules": {"use_threads": True, "num_workers": 1, "num_submit_workers": 2},
        "sensors": {"use_threads": True, "num_workers": 1, "num_submit_workers": 2},
        "backfills": {"use_threads": True, "num_workers": 1, "num_submit_workers": 2},
        "code_servers": {"local_startup_timeout": 1, "reload_timeout": 2},
        "retention": {
            "schedule": {"purge_after_days": 1},
            "sensor": {"purge_after_days": {"skipped": 1, "failure": 2}},
        },
        "auto_materialize": {"enabled": True, "minimum_interval_seconds": 3, "max_tick_retries": 2},
        "freshness": {"enabled": True},
        "python_logs": {"managed_python_loggers": ["a"], "python_log_level": "INFO"},
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},
    },
    {
        "storage": {"sqlite": {"base_dir": "/data"}},
        "concurrency": {
            "runs": {
                "max_concurrent_runs": 1,
                "tag_concurrency_limits": [{"key": "a", "limit": 1}],
                "job_limits": [{"job": "load", "limit": 1}, {"applyLimitPerUniqueValue": True, "limit": 2}],
                "location_limits": [{"location": "etl", "limit": 1}],
                "rate_limits": [
                    {"key": "team", "value": "docs", "limit": 1, "per_seconds": 60},
                    {"job": "load", "limit": 1, "per_seconds": 0.5},
                    {"location": {"applyLimitPerUniqueValue": True}, "limit": 1, "per_seconds": 1},
                ],
                "fair_share": {"key": "team", "weights": {"docs": 2}, "default_weight": 1},
                "overlap": [
                    {"job": "load", "policy": "allow", "max_queued": 3},
                    {"job": "sync", "location": "etl", "policy": "skip"},
                ],
            },
            "pools": {"default_limit": 1, "granularity": "op", "op_granularity_run_buffer": 0, "limits": {"db": 3}},
        },
        "scheduler": {
            "module": "dagster.core.scheduler",
            "class": "DagsterDaemonScheduler",
            "config": {"max_catchup_runs": 1, "max_tick_retries": 2},
        },
        "compute_logs": {"module": "dagster", "class": "LocalComputeLogManager", "config": {"base_dir": "/logs"}},
    },
]

Steps = tuple[Any, ...]


def read(document: Any, env: dict[str, str] | None = None) -> InstanceSettings:
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "runyard.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
        return load_settings(home, env=env or {})


def refusal(document: Any) -> str | None:
    """The error's text; None when the document is read."""
    try:
        read(document)
    except ConfigError as error:
        return str(error)
    return None


def places(value: Any, at: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """Every place of a document with what stands there, the root left out."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in items:
        yield (*at, key), below
        yield from places(below, (*at, key))


def written(at: Steps) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in at).lstrip(".")


def parent(document: Any, at: Steps) -> Any:
    for step in at[:-1]:
        document = document[step]
    return document


#: Below these, names are the user's own.
OWN_NAMES = ("weights", "limits")
KEYS = [
    (n, at)
    for n, document in enumerate(FULL)
    for at, _ in places(document)
    if isinstance(at[-1], str) and at[-2:-1] not in [(name,) for name in OWN_NAMES]
]
LEAVES = [
    (n, at) for n, document in enumerate(FULL) for at, value in places(document) if not isinstance(value, (dict, list))
]


def test_the_full_documents_are_read() -> None:
    for document in FULL:
        read(document)
    covered = {key for document in FULL for key in document}
    assert covered <= set(INSTANCE.fields)


@pytest.mark.parametrize(("n", "at"), KEYS, ids=lambda value: written(value) if isinstance(value, tuple) else None)
def test_a_misspelt_key_is_named_with_its_path_and_the_nearest(n: int, at: Steps) -> None:
    document = copy.deepcopy(FULL[n])
    holder, key = parent(document, at), at[-1]
    misspelt = key[:-1] + "x" + key[-1]
    items = [(misspelt if name == key else name, value) for name, value in holder.items()]
    holder.clear()
    holder.update(items)
    with pytest.raises(ConfigError) as caught:
        read(document)
    assert f"{written((*at[:-1], misspelt))}: unknown key." in str(caught.value)
    assert key in str(caught.value).split("unknown key.")[1]
    line = 1 + yaml.safe_dump(document, sort_keys=False).split(f"{misspelt}:")[0].count("\n")
    assert f"runyard.yaml:{line}: " in str(caught.value)


@pytest.mark.parametrize(("n", "at"), LEAVES, ids=lambda value: written(value) if isinstance(value, tuple) else None)
@pytest.mark.parametrize("wrong", [[], {"a": 1}, None, [1], {"env": 5}, {"env": "UNSET"}], ids=repr)
def test_a_wrong_type_is_named_with_its_path(n: int, at: Steps, wrong: Any) -> None:
    document = copy.deepcopy(FULL[n])
    parent(document, at)[at[-1]] = wrong
    told = refusal(document)
    assert written(at) in told if told else wrong is None


@pytest.mark.parametrize(("n", "at"), LEAVES, ids=lambda value: written(value) if isinstance(value, tuple) else None)
def test_a_value_may_come_from_a_variable(n: int, at: Steps) -> None:
    document = copy.deepcopy(FULL[n])
    value = parent(document, at)[at[-1]]
    parent(document, at)[at[-1]] = {"env": "THE_VALUE"}
    read(document, env={"THE_VALUE": str(value).lower() if isinstance(value, bool) else str(value)})


@pytest.mark.parametrize("text", ["", "ten", "1.5", "0x", "1e3"])
def test_a_variable_that_holds_no_integer_is_told(text: str) -> None:
    with pytest.raises(ConfigError, match="the environment variable N does not hold an integer of at least -1"):
        read({"run_queue": {"max_concurrent_runs": {"env": "N"}}}, env={"N": text})


ALL_KEYS = sorted({step for _, at in KEYS for step in at if isinstance(step, str)})
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(st.sampled_from(ALL_KEYS) | st.text(max_size=5), below, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(sorted(INSTANCE.fields)), VALUES, max_size=4))
@settings(max_examples=150, deadline=None)
def test_whatever_is_written_is_read_or_refused_with_its_place(document: dict[str, Any]) -> None:
    told = refusal(document)
    assert told is None or ("runyard.yaml" in told and "\n" not in told)


@given(st.text(max_size=60))
@settings(max_examples=100, deadline=None)
def test_whatever_text_is_read_or_refused(text: str) -> None:
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "runyard.yaml").write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
        with suppress(ConfigError):
            load_settings(home, env={})
