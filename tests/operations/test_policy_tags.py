"""What tags for run time and retries may say, and the warnings when they say nothing or change nothing."""

from __future__ import annotations

import pytest

from runyard.core.errors import InvalidTag
from runyard.core.policy_tags import (
    RetryStrategy,
    TagsInForce,
    bad_policy_tags,
    check_policy_tags,
    idle_policy_tags,
    max_retries,
    max_runtime,
    retry_on_step_failure,
    retry_strategy,
)

NOTHING = TagsInForce(monitoring=False, retries=False)


def test_good_values() -> None:
    assert max_runtime({"dagster/max_runtime": " 1.5 "}) == 1.5
    assert max_runtime({"dagster/max_runtime_seconds": "60"}) == 60
    assert max_runtime({"dagster/max_runtime": "0", "dagster/max_runtime_seconds": "60"}) == 0
    assert max_retries({"dagster/max_retries": "3"}) == 3
    assert retry_strategy({"dagster/retry_strategy": "ALL_STEPS"}) is RetryStrategy.ALL_STEPS
    assert retry_on_step_failure({"dagster/retry_on_asset_or_op_failure": "False"}) is False
    for read in (max_runtime, max_retries, retry_strategy, retry_on_step_failure):
        assert read({"team": "docs"}) is None


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("max_runtime", "soon", "'soon' is no number of seconds; write for example '3600'"),
        ("max_runtime", "nan", "'nan' is no number of seconds"),
        ("max_runtime", "1e999", "is no number of seconds"),
        ("max_runtime", "-1", "is no number of seconds"),
        ("max_runtime_seconds", "", "Tag 'dagster/max_runtime_seconds': '' is no number of seconds"),
        ("max_retries", "1.5", "'1.5' is no whole number of at least 0; write for example '3'"),
        ("max_retries", "-1", "is no whole number of at least 0"),
        ("max_retries", "9" * 5000, "is no whole number of at least 0"),
        ("retry_strategy", "all_step", "is neither FROM_FAILURE nor ALL_STEPS. Did you mean 'ALL_STEPS'?"),
        ("retry_on_asset_or_op_failure", "maybe", "'maybe' is neither 'true' nor 'false'"),
    ],
)
def test_values_that_mean_nothing(key: str, value: str, told: str) -> None:
    tags = {f"dagster/{key}": value}
    with pytest.raises(InvalidTag) as caught:
        check_policy_tags(tags)
    assert told in str(caught.value)
    (warning,) = bad_policy_tags(tags)
    assert told in warning
    assert not list(idle_policy_tags(tags, NOTHING))


def test_what_counts_instead_is_told() -> None:
    assert bad_policy_tags({"dagster/max_retries": "x"})[0].endswith("write for example '3'. The run is not retried.")
    assert bad_policy_tags({"dagster/retry_strategy": "x"})[0].endswith("FROM_FAILURE counts.")


def test_tags_for_what_is_off() -> None:
    tags = {"dagster/max_runtime_seconds": "60", "dagster/max_retries": "2"}
    assert list(idle_policy_tags(tags, TagsInForce())) == []
    runtime, retries = idle_policy_tags(tags, NOTHING)
    assert runtime.startswith("Tag 'dagster/max_runtime_seconds' has no effect: run monitoring is off; turn it on")
    assert runtime.endswith("with 'run_monitoring: {enabled: true}' in the instance file.")
    assert retries.startswith("Tag 'dagster/max_retries' has no effect: run retries are off; turn them on")
    assert retries.endswith("with 'run_retries: {enabled: true}' in the instance file.")
    assert list(idle_policy_tags(dict.fromkeys(tags, "0"), NOTHING)) == []
