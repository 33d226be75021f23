from __future__ import annotations

import pytest

from runyard.queue.overlap import cancels, overlap_rule, refusal
from runyard.queue.rules import OverlapPolicy, OverlapRule

RULES = (OverlapRule(job="load", policy="skip"), OverlapRule(job="sync", location="etl", policy="queue_one"))


def test_a_rule_without_a_location_is_for_each() -> None:
    assert overlap_rule(RULES, job_name="load", location_name="anywhere") == RULES[0]
    assert overlap_rule(RULES, job_name="sync", location_name="etl") == RULES[1]
    assert overlap_rule(RULES, job_name="sync", location_name="web") is None


@pytest.mark.parametrize(
    ("policy", "most", "queued", "active", "why"),
    [
        ("allow", None, 99, 99, None),
        ("allow", 2, 1, 9, None),
        ("allow", 2, 2, 0, "2 of it are queued and 2 may be"),
        ("skip", None, 0, 0, None),
        ("skip", None, 0, 1, "a run of it is active"),
        ("skip", None, 1, 0, "a run of it is queued"),
        ("queue_one", None, 0, 1, None),
        ("queue_one", None, 1, 1, "a run of it is queued"),
        ("cancel_old", None, 1, 1, None),
    ],
)
def test_a_new_run_is_refused_as_its_policy_says(
    policy: OverlapPolicy, most: int | None, queued: int, active: int, why: str | None
) -> None:
    rule = OverlapRule(job="load", policy=policy, max_queued=most)
    assert refusal(rule, queued=queued, active=active) == why
    assert cancels(rule) is (policy == "cancel_old")
