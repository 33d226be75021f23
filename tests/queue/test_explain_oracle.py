"""The reason that is shown equals the decision that is made, for every queued run of random states."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from queue_oracle import Oracle, OracleRun

from runyard.core.queue import ActiveRun
from runyard.core.run import Run, RunStatus
from runyard.queue.explain import QueueEntry, explain, limits_in_use
from runyard.queue.lanes import lane_key
from runyard.queue.rules import Rules, TagRule

KEYS = ("team", "customer")
VALUES = ("a", "b")
LOCATIONS = ("north", "south")
NOW = 1_000.0

tag_rules = st.one_of(
    st.builds(TagRule, st.sampled_from(KEYS), st.integers(0, 2)),
    st.builds(TagRule, st.sampled_from(KEYS), st.integers(0, 2), st.sampled_from(VALUES)),
    st.builds(TagRule, st.sampled_from(KEYS), st.integers(0, 2), st.none(), st.just(True)),
)
rule_sets = st.builds(
    Rules, max_concurrent_runs=st.sampled_from([-1, 0, 1, 2, 4]), tag_rules=st.lists(tag_rules, max_size=3).map(tuple)
)


@st.composite
def oracles(draw: st.DrawFn) -> Oracle:
    capacity = draw(st.dictionaries(st.sampled_from(LOCATIONS), st.integers(0, 2)))
    oracle = Oracle(draw(rule_sets), capacity, draw(st.sets(st.sampled_from(LOCATIONS), max_size=1)))
    for seq in range(draw(st.integers(0, 12))):
        oracle.runs[f"run-{seq}"] = OracleRun(
            f"run-{seq}",
            draw(st.sampled_from(LOCATIONS)),
            draw(st.integers(-1, 1)),
            seq,
            draw(st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES))),
            draw(st.sampled_from(["one", "two"])),
            draw(st.sampled_from(["QUEUED", "QUEUED", "QUEUED", "STARTING", "STARTED"])),
        )
    return oracle


def row(run: OracleRun) -> Run:
    return Run(
        run_id=run.run_id,
        job_name=run.job,
        location_name=run.location,
        status=RunStatus.QUEUED,
        priority=run.priority,
        tags=run.tags,
        queue_seq=run.seq,
        created_at=0.0,
        queued_at=0.0,
    )


def active(oracle: Oracle) -> list[ActiveRun]:
    return [
        ActiveRun(
            run.run_id,
            lane_key(oracle.rules.tracked_keys, location_name=run.location, job_name=run.job, tags=run.tags, pools=()),
            RunStatus(run.status),
            float(run.seq),
        )
        for run in oracle.active()
    ]


def entries(oracle: Oracle, durations: dict[str, float] | None = None) -> list[QueueEntry]:
    return explain(
        [row(run) for run in oracle.queued()],
        active(oracle),
        oracle.rules,
        capacity=oracle.capacity,
        paused=dict.fromkeys(oracle.paused, NOW + 10),
        unavailable={},
        daemon_alive=True,
        now=NOW,
        durations=durations or {},
    )


def named(entry: QueueEntry) -> str:
    location = entry.reason.kind == "location_unavailable"
    return f"location {entry.reason.rule}" if location else str(entry.reason.rule)


@settings(deadline=None, max_examples=400)
@given(oracles())
def test_the_reason_shown_is_the_decision_made(oracle: Oracle) -> None:
    shown = {entry.run_id: entry for entry in entries(oracle)}
    holders = {run.run_id for run in oracle.active()}
    assert set(shown) == {run.run_id for run in oracle.queued()}
    for run in oracle.queued():
        reason = shown[run.run_id].reason
        obstacles = oracle.obstacles(run)
        if obstacles:
            assert named(shown[run.run_id]) in obstacles
            assert set(reason.holders) <= holders
        else:
            assert (reason.kind, reason.rule) == ("next", None)
            run.status = "STARTING"


@settings(deadline=None, max_examples=200)
@given(oracles())
def test_positions_are_ranks_and_the_forecast_starts_with_what_launches_now(oracle: Oracle) -> None:
    listed = entries(oracle)
    order = [run.run_id for run in oracle.queued()]
    assert {entry.run_id: entry.position for entry in listed} == {
        run_id: rank for rank, run_id in enumerate(order, start=1)
    }
    forecast = [entry for entry in listed if entry.forecast_position is not None]
    assert [entry.forecast_position for entry in forecast] == list(range(1, len(forecast) + 1))
    assert listed[: len(forecast)] == forecast
    launched = oracle.launch()
    assert [entry.run_id for entry in forecast][: len(launched)] == launched
    assert all(entry.estimated_start == NOW for entry in forecast[: len(launched)])


@settings(deadline=None, max_examples=200)
@given(oracles())
def test_what_is_never_forecast_cannot_start_even_when_all_else_has_ended(oracle: Oracle) -> None:
    never = {entry.run_id for entry in entries(oracle) if entry.forecast_position is None}
    oracle.capacity.clear()
    for run in oracle.active():
        del oracle.runs[run.run_id]
    for run in oracle.queued():
        assert bool(oracle.obstacles(run)) == (run.run_id in never)


@settings(deadline=None, max_examples=200)
@given(oracles(), st.fixed_dictionaries({"one": st.integers(1, 50), "two": st.integers(1, 50)}))
def test_estimates_follow_the_forecast(oracle: Oracle, durations: dict[str, float]) -> None:
    starts = [entry.estimated_start for entry in entries(oracle, durations) if entry.forecast_position]
    assert None not in starts
    assert starts == sorted(starts)


@settings(deadline=None, max_examples=200)
@given(oracles())
def test_limits_in_use_count_holders(oracle: Oracle) -> None:
    uses = limits_in_use(active(oracle), [row(run) for run in oracle.queued()], oracle.rules)
    for use in uses:
        key, _, value = use.rule.partition("=")
        holding = [
            run.run_id
            for run in oracle.active()
            if use.rule == "max_concurrent_runs" or (run.tags.get(key) == value if value else key in run.tags)
        ]
        assert list(use.holders) == holding
        assert use.used == len(holding)
    assert sum(use.waiting for use in uses) <= len(oracle.queued())
