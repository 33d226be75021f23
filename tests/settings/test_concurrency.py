"""``concurrency:`` as rules: limits of every kind, and what cannot be meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from runyard.core.errors import ConfigError
from runyard.queue.rules import JOB, LOCATION, FairShare, OverlapRule, PoolRules, RateRule, Rules, TagRule
from runyard.settings.limits_file import rules_of_file, rules_of_section

from .conftest import Load

EVERYTHING = """
concurrency:
  runs:
    max_concurrent_runs: {env: RUNS}
    tag_concurrency_limits: [{key: team, limit: 2}]
    job_limits:
      - {job: load, limit: 1}
      - {applyLimitPerUniqueValue: true, limit: 4}
    location_limits:
      - {location: etl, limit: {env: ETL}}
      - {applyLimitPerUniqueValue: true, limit: 9}
    rate_limits:
      - {key: customer, limit: 5, per_seconds: 60}
      - {key: customer, value: acme, limit: 1, per_seconds: 0.5}
      - {key: customer, value: {applyLimitPerUniqueValue: true}, limit: 2, per_seconds: 60}
      - {job: load, limit: 1, per_seconds: 3600}
      - {location: {applyLimitPerUniqueValue: true}, limit: 10, per_seconds: 1}
    fair_share:
      key: team
      weights: {docs: 3, web: {env: WEB}}
      default_weight: 0.5
    overlap:
      - {job: load, policy: skip}
      - {job: sync, location: etl, policy: allow, max_queued: 3}
      - {job: sync, location: web, policy: cancel_old}
  pools:
    default_limit: 3
    granularity: run
    op_granularity_run_buffer: 1
    limits: {db: 2, gpu: 0}
"""
RULES = Rules(
    max_concurrent_runs=7,
    tag_rules=(
        TagRule("team", 2),
        TagRule(JOB, 1, value="load"),
        TagRule(JOB, 4, per_unique_value=True),
        TagRule(LOCATION, 6, value="etl"),
        TagRule(LOCATION, 9, per_unique_value=True),
    ),
    rates=(
        RateRule(key="customer", limit=5, seconds=60),
        RateRule(key="customer", value="acme", limit=1, seconds=0.5),
        RateRule(key="customer", per_unique_value=True, limit=2, seconds=60),
        RateRule(key=JOB, value="load", limit=1, seconds=3600),
        RateRule(key=LOCATION, per_unique_value=True, limit=10, seconds=1),
    ),
    fair_share=FairShare(key="team", weights={"docs": 3, "web": 1.5}, default_weight=0.5),
    overlaps=(
        OverlapRule(job="load", policy="skip"),
        OverlapRule(job="sync", location="etl", max_queued=3),
        OverlapRule(job="sync", location="web", policy="cancel_old"),
    ),
    pools=PoolRules(default_limit=3, granularity="run", run_buffer=1, limits={"db": 2, "gpu": 0}),
)
ENV = {"RUNS": "7", "ETL": "6", "WEB": "1.5"}


def test_every_limit_is_read(load: Load) -> None:
    settings = load(EVERYTHING, env=ENV)
    assert settings.queue.rules == RULES
    assert settings.queue.rules.tracked_keys == ("customer", "team")
    assert settings.notices == ()


def test_without_the_section_nothing_beyond_run_slots_is_limited(load: Load) -> None:
    assert load("").queue.rules == Rules()
    assert load("concurrency:\n  runs:\n  pools:\n").queue.rules == Rules()


def test_the_older_spelling_of_the_default_pool_limit_is_read_and_told(load: Load) -> None:
    settings = load("concurrency: {default_op_concurrency_limit: 4}")
    assert settings.queue.rules.pools == PoolRules(default_limit=4)
    (notice,) = settings.notices
    assert "concurrency.default_op_concurrency_limit: This is the older spelling of" in notice


@pytest.mark.parametrize(
    ("block", "pools"),
    [
        ("{enabled: true}", PoolRules()),
        ("{enabled: false}", PoolRules(block_queue=False)),
        ("{op_concurrency_slot_buffer: 2}", PoolRules(run_buffer=2)),
        ("{enabled: true, op_concurrency_slot_buffer: {env: N}}", PoolRules(run_buffer=4)),
    ],
)
def test_blocking_of_runs_by_pools_is_set_with_the_queue(load: Load, block: str, pools: PoolRules) -> None:
    settings = load(f"run_queue: {{block_op_concurrency_limited_runs: {block}}}", env={"N": "4"})
    assert settings.queue.rules.pools == pools


def test_blocking_and_pools_go_together(load: Load) -> None:
    settings = load(
        """
        run_queue: {block_op_concurrency_limited_runs: {enabled: false}}
        concurrency: {pools: {default_limit: 2}}
        """
    )
    assert settings.queue.rules.pools == PoolRules(default_limit=2, block_queue=False)


def test_the_direct_coordinator_keeps_the_pools_for_steps(load: Load) -> None:
    settings = load(
        """
        run_coordinator: {module: dagster, class: DefaultRunCoordinator}
        concurrency: {pools: {default_limit: 2}}
        """
    )
    assert settings.queue.rules == Rules(pools=PoolRules(default_limit=2))


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("tag_concurrency_limits: [{key: runyard/job, limit: 1}]", r"[0].key: 'runyard/job' is no tag; for limits by"),
        ("job_limits: [{limit: 1}]", "job_limits[0]: give exactly one of job, applyLimitPerUniqueValue."),
        ("job_limits: [{job: a, applyLimitPerUniqueValue: true, limit: 1}]", "not job and applyLimitPerUniqueValue"),
        ("job_limits: [{applyLimitPerUniqueValue: false, limit: 1}]", "write 'max_concurrent_runs' instead"),
        ("job_limits: [{jobb: a, limit: 1}]", "job_limits[0].jobb: unknown key. Did you mean 'job'?"),
        ("job_limits: [{job: a, limit: -1}]", "[0].limit: expected an integer of at least 0, got -1"),
        ("job_limits: [{job: a, limit: 1}, {job: a, limit: 2}]", "[1].job: 'a' has a limit at runyard.yaml:3 already"),
        (
            "location_limits: [{applyLimitPerUniqueValue: true, limit: 1}, {applyLimitPerUniqueValue: true, limit: 1}]",
            "[1].applyLimitPerUniqueValue: each location has a limit at runyard.yaml:3 already",
        ),
        ("location_limits: [{location: a}]", "location_limits[0].limit: missing; it is required."),
        ("rate_limits: [{limit: 1, per_seconds: 1}]", "rate_limits[0]: give exactly one of key, job, location."),
        ("rate_limits: [{key: a, job: b, limit: 1, per_seconds: 1}]", "not key and job"),
        ("rate_limits: [{key: a, limit: 1}]", "rate_limits[0].per_seconds: missing"),
        ("rate_limits: [{key: a, limit: 1, per_seconds: 0}]", "at most 31622400, got 0"),
        ("rate_limits: [{key: a, limit: 1, per_seconds: -5}]", "at most 31622400, got -5"),
        ("rate_limits: [{key: a, limit: 1, per_seconds: .inf}]", "per_seconds: expected a number above 0"),
        (
            "rate_limits: [{key: a, limit: 1, per_seconds: 1.0e+12}]",
            "above 0 and at most 31622400, got 1000000000000.0",
        ),
        (f"rate_limits: [{{key: a, limit: 1, per_seconds: {10**400}}}]", "per_seconds: expected a number above 0"),
        ("rate_limits: [{key: a, limit: 0, per_seconds: 1}]", "limit: expected an integer of at least 1, got 0"),
        ("rate_limits: [{key: runyard/location, limit: 1, per_seconds: 1}]", "'location: …' in rate_limits"),
        (
            "rate_limits: [{job: b, value: c, limit: 1, per_seconds: 1}]",
            "'concurrency.runs.rate_limits[0].value' and 'concurrency.runs.rate_limits[0].job' exclude each other",
        ),
        ("fair_share: {weights: {a: 1}}", "fair_share.key: missing"),
        ("fair_share: {key: a, weights: {b: 0}}", "fair_share.weights.b: expected a number above 0, got 0"),
        (
            f"fair_share: {{key: a, weights: {{{'b' * 129}: 1}}}}",
            "fair_share.weights: 'bbbbbbbbbbbbbbbbbbbb…' is longer",
        ),
        ("fair_share: {key: a, weights: {b: -1}}", "fair_share.weights.b: expected a number above 0, got -1"),
        ("fair_share: {key: a, weights: [1]}", "fair_share.weights: expected a mapping, got a list"),
        ("fair_share: {key: a, default_weight: 0}", "fair_share.default_weight: expected a number above 0"),
        ("fair_share: [{key: a}, {key: b}]", "fair_share: expected a mapping with keys of key, weights, default_weigh"),
        ("overlap: [{policy: skip}]", "overlap[0].job: missing"),
        (
            "overlap: [{job: a, policy: queue_on}]",
            "overlap[0].policy: expected one of allow, skip, queue_one, cancel_o",
        ),
        ("overlap: [{job: a, max_queued: 0}]", "overlap[0].max_queued: expected an integer of at least 1, got 0"),
        ("overlap: [{job: a, policy: skip, max_queued: 2}]", "the policy 'skip' says already how many are queued"),
        ("overlap: [{job: a}, {job: a}]", "overlap[1].job: 'a' has a rule at runyard.yaml:3 already; keep one."),
        ("overlap: [{job: a}, {job: a, location: x}]", "overlap[1].job: 'a' has a rule at runyard.yaml:3 already"),
        ("overlap: [{job: a, location: x}, {job: a, location: x}]", "overlap[1].job: 'a' has a rule at"),
        ("overlap: [{job: a, location: x}, {job: a}]", "overlap[1].job: 'a' has a rule at"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(load: Load, entry: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(f"concurrency:\n  runs:\n    {entry}\n")
    assert told in str(caught.value)
    assert "runyard.yaml:3: " in str(caught.value)


def test_a_second_fair_share_is_refused(load: Load) -> None:
    with pytest.raises(ConfigError, match="'fair_share' is given twice, first in line 3"):
        load("concurrency:\n  runs:\n    fair_share: {key: a}\n    fair_share: {key: b}\n")


@pytest.mark.parametrize(
    ("pools", "told"),
    [
        ("{default_limit: 1001}", "an integer from 0 to 1000, got 1001"),
        ("{granularity: step}", "expected one of op, run, got a string"),
        ("{limits: {db: -1}}", "concurrency.pools.limits.db: expected an integer from 0 to 1000, got -1"),
        (
            "{limits: {a b: 1}}",
            "limits: 'a b' is no name for a pool: it has a blank; write for example 'a_b'",
        ),
        ("{limits: {'db ': 1}}", "concurrency.pools.limits: 'db ' is no name for a pool"),
        ("{limits: {'': 1}}", "concurrency.pools.limits: the name of a pool is not empty."),
        ("{limits: 5}", "concurrency.pools.limits: expected a mapping, got a single value"),
        ("{default_limits: 5}", "unknown key. Did you mean 'default_limit'?"),
    ],
)
def test_pools_that_cannot_be_meant_are_refused(load: Load, pools: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(f"concurrency: {{pools: {pools}}}")
    assert told in str(caught.value)


def test_what_a_limits_file_leaves_out_stays_in_force(tmp_path: Path) -> None:
    file = tmp_path / "what-if.yaml"
    file.write_text("concurrency: {runs: {max_concurrent_runs: 20, job_limits: []}, pools: {limits: {db: 5}}}")
    rules = rules_of_file(file, RULES, env={})
    assert rules.max_concurrent_runs == 20
    assert rules.tag_rules == tuple(rule for rule in RULES.tag_rules if rule.key != JOB)
    assert (rules.rates, rules.fair_share, rules.overlaps) == (RULES.rates, RULES.fair_share, RULES.overlaps)
    assert rules.pools == PoolRules(default_limit=3, granularity="run", run_buffer=1, limits={"db": 5, "gpu": 0})


def test_a_limits_file_can_lift_a_limit(tmp_path: Path) -> None:
    file = tmp_path / "what-if.yaml"
    file.write_text(
        "concurrency: {runs: {fair_share: null, rate_limits: [], overlap: []}, pools: {default_limit: null}}"
    )
    rules = rules_of_file(file, RULES, env={})
    assert (rules.fair_share, rules.rates, rules.overlaps, rules.pools.default_limit) == (None, (), (), None)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "what-if.yaml:1: concurrency: missing; it is required."),
        ("concurency: {}", "what-if.yaml:1: concurency: unknown key. Did you mean 'concurrency'?"),
        (
            "concurrency:\n  runs:\n    max_concurent_runs: 5",
            "what-if.yaml:3: concurrency.runs.max_concurent_runs: unknown key. Did you mean 'max_concurrent_runs'?",
        ),
    ],
)
def test_a_limits_file_is_refused_as_precisely_as_the_instance_file(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "what-if.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        rules_of_file(file, Rules(), env={})
    assert told in str(caught.value)


def test_a_missing_limits_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: the file cannot be read: No such file"):
        rules_of_file(tmp_path / "none.yaml", Rules(), env={})


def test_a_section_as_json_is_read_like_a_file() -> None:
    rules = rules_of_section({"runs": {"max_concurrent_runs": 3}}, RULES, at="limits")
    assert (rules.max_concurrent_runs, rules.tag_rules) == (3, RULES.tag_rules)
    with pytest.raises(ConfigError) as caught:
        rules_of_section({"runs": {"job_limits": [{"job": "a", "limit": "x"}]}}, Rules(), at="limits")
    assert str(caught.value) == "limits.runs.job_limits[0].limit: expected an integer of at least 0, got a string."
