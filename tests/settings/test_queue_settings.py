"""The run queue's limits, in each of the places where files have them."""

from __future__ import annotations

import pytest

from runyard.core.errors import ConfigError
from runyard.queue.rules import PoolRules, TagRule
from runyard.settings.instance import WhyOff

from .conftest import Load

LIMITS = """
      max_concurrent_runs: 7
      tag_concurrency_limits:
        - key: team
          limit: 2
        - {key: team, value: docs, limit: 1}
        - key: customer
          value: {applyLimitPerUniqueValue: true}
          limit: 3
        - key: database
          value: {applyLimitPerUniqueValue: false}
          limit: 0
"""
RULES = (
    TagRule("team", 2),
    TagRule("team", 1, value="docs"),
    TagRule("customer", 3, per_unique_value=True),
    TagRule("database", 0),
)


@pytest.mark.parametrize(
    "text",
    [
        f"run_queue:{LIMITS}",
        f"concurrency:\n  runs:{LIMITS}",
        f"run_coordinator:\n  module: dagster\n  class: QueuedRunCoordinator\n  config:{LIMITS}",
        f"run_coordinator:\n  module: runyard\n  class: QueuedRunCoordinator\n  config:{LIMITS}",
        f"run_coordinator:\n  module: dagster.core.run_coordinator\n  class: QueuedRunCoordinator\n  config:{LIMITS}",
        (
            "run_coordinator:\n  module: dagster._core.run_coordinator.queued_run_coordinator\n"
            f"  class: QueuedRunCoordinator\n  config:{LIMITS}"
        ),
    ],
)
def test_limits_are_the_same_wherever_they_are_written(load: Load, text: str) -> None:
    queue = load(text).queue
    assert queue.queued
    assert queue.rules.max_concurrent_runs == 7
    assert queue.rules.tag_rules == RULES


def test_the_other_keys_of_the_queue(load: Load) -> None:
    settings = load(
        """
        run_queue:
          dequeue_interval_seconds: 2
          dequeue_use_threads: true
          dequeue_num_workers: 4
          max_user_code_failure_retries: 3
          user_code_failure_retry_delay: 10
          block_op_concurrency_limited_runs: {enabled: true, op_concurrency_slot_buffer: 2}
        """
    )
    assert settings.queue.dequeue_interval_seconds == 2.0
    assert settings.queue.max_user_code_failure_retries == 3
    assert settings.queue.user_code_failure_retry_delay == 10.0
    assert settings.queue.rules.pools == PoolRules(run_buffer=2, block_queue=True)
    told = [notice for notice in settings.notices if "dequeue_" in notice]
    assert len(told) == 2
    assert "runyard.yaml:4: run_queue.dequeue_use_threads: " in told[0]


@pytest.mark.parametrize("limit", [-1, 0, 1, 10_000])
def test_a_limit_may_be_none_nothing_or_any_number(load: Load, limit: int) -> None:
    assert load(f"run_queue: {{max_concurrent_runs: {limit}}}").queue.rules.max_concurrent_runs == limit


def test_a_limit_below_minus_one_is_refused(load: Load) -> None:
    with pytest.raises(
        ConfigError, match=r":1: run_queue.max_concurrent_runs: expected an integer of at least -1, got -2"
    ):
        load("run_queue: {max_concurrent_runs: -2}")


def test_a_tag_limit_needs_its_limit_and_key(load: Load) -> None:
    with pytest.raises(ConfigError, match=r"run_queue\.tag_concurrency_limits\[0\]\.limit: missing"):
        load("run_queue: {tag_concurrency_limits: [{key: team}]}")
    with pytest.raises(ConfigError, match=r"tag_concurrency_limits\[1\]\.key: missing"):
        load("run_queue: {tag_concurrency_limits: [{key: a, limit: 1}, {limit: 1}]}")
    with pytest.raises(ConfigError, match=r"\[0\]\.value: expected a string, got 5"):
        load("run_queue: {tag_concurrency_limits: [{key: a, value: 5, limit: 1}]}")
    with pytest.raises(
        ConfigError, match=r"\[0\]\.value\.applyLimitPerUniqueVal: unknown key. Did you mean 'applyLimitPerUni"
    ):
        load("run_queue: {tag_concurrency_limits: [{key: a, value: {applyLimitPerUniqueVal: true}, limit: 1}]}")


def test_the_direct_coordinator_turns_the_queue_off_and_says_where(load: Load) -> None:
    settings = load(
        """
        telemetry: {enabled: false}
        run_coordinator:
          module: dagster.core.run_coordinator
          class: DefaultRunCoordinator
        """
    )
    assert not settings.queue.queued
    off = settings.why_off["QUEUED_RUN_COORDINATOR"]
    assert off == WhyOff("run_coordinator.class: DefaultRunCoordinator", "runyard.yaml:5")


def test_limits_beside_the_direct_coordinator_are_pointed_out(load: Load) -> None:
    settings = load(
        """
        run_coordinator: {module: dagster, class: DefaultRunCoordinator}
        concurrency: {runs: {max_concurrent_runs: 2}}
        """
    )
    assert any("DefaultRunCoordinator starts every run at once" in notice for notice in settings.notices)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "run_queue: {}\nrun_coordinator: {module: dagster, class: QueuedRunCoordinator}\n",
            ":2: 'run_queue' and 'run_coordinator' exclude each other",
        ),
        (
            "concurrency:\n  runs: {max_concurrent_runs: 1}\nrun_queue:\n  max_concurrent_runs: 1\n",
            ":4: run_queue.max_concurrent_runs: this and 'concurrency.runs' exclude each other",
        ),
        (
            "concurrency:\n  pools: {default_limit: 1}\nrun_queue:\n  tag_concurrency_limits: []\n",
            ":4: run_queue.tag_concurrency_limits: this and 'concurrency.pools' exclude each other",
        ),
        (
            (
                "concurrency: {pools: {}}\nrun_coordinator:\n  module: dagster\n  class: QueuedRunCoordinator\n"
                "  config:\n    block_op_concurrency_limited_runs:\n      op_concurrency_slot_buffer: 1\n"
            ),
            ":7: run_coordinator.config.block_op_concurrency_limited_runs.op_concurrency_slot_buffer: this and",
        ),
        (
            "concurrency:\n  pools: {}\n  default_op_concurrency_limit: 1\n",
            ":3: 'concurrency.pools' and 'concurrency.default_op_concurrency_limit' exclude each other",
        ),
        (
            "run_queue:\n  block_op_concurrency_limited_runs: {enabled: false, op_concurrency_slot_buffer: 1}\n",
            "op_concurrency_slot_buffer: this needs 'run_queue.block_op_concurrency_limited_runs.enabled: true'",
        ),
    ],
)
def test_what_excludes_each_other_is_refused_with_both_keys(load: Load, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert told in str(caught.value)


def test_keys_beside_concurrency_that_do_not_clash_are_fine(load: Load) -> None:
    settings = load("concurrency: {runs: {max_concurrent_runs: 2}}\nrun_queue: {dequeue_interval_seconds: 1}\n")
    assert settings.queue.rules.max_concurrent_runs == 2
    assert settings.queue.dequeue_interval_seconds == 1.0
