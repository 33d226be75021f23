"""The reason that is shown equals the decision that is made, and the forecast what comes of it, for random states."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st
from in_memory import explained, forecast_of, laned
from queue_oracle import Oracle, OracleRun
from random_rules import LOCATIONS, POOLS, new_runs, rule_sets

from runyard.core.pools import PoolHolder, PoolNeeds
from runyard.core.queue import ActiveRun, Launch
from runyard.core.run import Run, RunStatus
from runyard.core.tags import SLOTS
from runyard.queue.explanation.entries import QueueEntry
from runyard.queue.explanation.explain import explain
from runyard.queue.explanation.state import Availability, QueueState

NOW = 2.0
STATUSES = ("QUEUED", "QUEUED", "QUEUED", "STARTING", "STARTED")
DURATIONS = {"one": 7.25, "two": 11.5}


@st.composite
def oracles(draw: st.DrawFn) -> Oracle:
    capacity = draw(st.just({}) | st.dictionaries(st.sampled_from(LOCATIONS), st.integers(0, 2)))
    closed = draw(st.just(set()) | st.sets(st.sampled_from(LOCATIONS), max_size=1))
    oracle = Oracle(draw(rule_sets), capacity, closed, now=NOW)
    for seq in range(1, draw(st.integers(0, 14)) + 1):
        run = draw(new_runs)(seq)
        run.status = draw(st.sampled_from(STATUSES))
        oracle.runs[run.run_id] = run
        if run.status != "QUEUED":
            since = NOW - draw(st.sampled_from([0.5, 3.0, 4.5, 9.0, 30.0])) - seq / 64
            oracle.launches.append((since, run))
            run.started_at = since if run.status == "STARTED" else None
            for pool in draw(st.just(set()) | st.sets(st.sampled_from(POOLS))):
                oracle.holders.setdefault(pool, []).append((run.run_id, 1))
    return oracle


def row(run: OracleRun) -> Run:
    return Run(
        run_id=run.run_id,
        job_name=run.job,
        location_name=run.location,
        status=RunStatus.QUEUED,
        priority=run.priority,
        tags={**run.tags, SLOTS: str(run.weight)},
        pools=PoolNeeds(all=run.pools, roots=run.roots),
        queue_seq=run.seq,
        created_at=0.0,
        queued_at=0.0,
    )


def state_of(oracle: Oracle) -> QueueState:
    since = {run.run_id: at for at, run in oracle.launches}
    lanes = {run.run_id: laned(row(run), oracle.rules).lane or "" for run in oracle.runs.values()}
    return QueueState(
        now=NOW,
        rules=oracle.rules,
        active=tuple(
            ActiveRun(run.run_id, lanes[run.run_id], RunStatus(run.status), since[run.run_id], run.started_at)
            for run in oracle.active()
        ),
        holders=tuple(
            PoolHolder(pool, run_id, "step", 1, slots, NOW - 1)
            for pool, held in oracle.holders.items()
            for run_id, slots in held
        ),
        launches=tuple(
            Launch(run.run_id, lanes[run.run_id], at)
            for at, run in sorted(oracle.launches, key=lambda launch: launch[0])
        ),
        locations={
            location: Availability(
                why_closed="is closed" if location in oracle.paused else None, capacity=oracle.capacity.get(location)
            )
            for location in LOCATIONS
        },
        durations=DURATIONS,
    )


def entries(oracle: Oracle) -> list[QueueEntry]:
    return explained([row(run) for run in oracle.queued()], state_of(oracle))


def named(entry: QueueEntry, run: OracleRun, oracle: Oracle) -> str:
    """The reason's rule as the oracle calls it."""
    reason = entry.reason
    if reason.pause is not None:
        return f"pause {reason.pause.subject}"
    if reason.kind == "pool" and oracle.rules.pools.granularity == "op":
        assert str(reason.rule).removeprefix("pool ") in run.roots
        return f"pools {sorted(run.roots)}"
    prefix = {"location_unavailable": "location ", "rate_limit": "rate "}.get(reason.kind, "")
    return f"{prefix}{reason.rule}"


def in_turn(oracle: Oracle) -> Iterator[OracleRun]:
    """Queued runs as it is their turn: under a fair share, those that start of a priority before all others of it."""
    for run in oracle.queued():
        while oracle.rules.fair_share and (best := oracle.next()) and best.priority >= run.priority:
            yield best
            oracle.start(best)
        if run.status == "QUEUED":
            yield run
            if not oracle.obstacles(run):
                oracle.start(run)


@settings(deadline=None, max_examples=200)
@given(oracles())
def test_the_reason_shown_is_the_decision_made(oracle: Oracle) -> None:
    shown = {entry.run_id: entry for entry in entries(oracle)}
    holders = {run.run_id for run in oracle.active()} | {run.run_id for _, run in oracle.launches}
    assert set(shown) == {run.run_id for run in oracle.queued()}
    for run in in_turn(oracle):
        reason = shown[run.run_id].reason
        obstacles = oracle.obstacles(run)
        if obstacles:
            assert named(shown[run.run_id], run, oracle) in obstacles
            assert set(reason.holders) <= holders
        else:
            assert (reason.kind, reason.rule) == ("next", None)


@settings(deadline=None, max_examples=80)
@given(oracles())
def test_one_run_is_told_the_same_as_in_the_whole_list(oracle: Oracle) -> None:
    whole = {entry.run_id: entry for entry in entries(oracle)}
    rows = [laned(row(run), oracle.rules) for run in oracle.queued()]
    state = state_of(oracle)
    for number, run in enumerate(rows, start=1):
        (alone,) = explain([run], forecast_of(rows, state), state, positions={run.run_id: number})
        assert alone == whole[run.run_id]


@settings(deadline=None, max_examples=80)
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


def passing(oracle: Oracle) -> list[tuple[str, float]]:
    """What starts when, if runs last as long as runs of their job do: by brute force on a virtual clock."""
    found: list[tuple[str, float]] = []
    ends = [
        (max(NOW, at + DURATIONS[run.job]), 0, run.run_id) for at, run in oracle.launches if run.run_id in oracle.runs
    ]

    def launch() -> None:
        for run_id in oracle.launch():
            found.append((run_id, oracle.now))
            ends.append((oracle.now + DURATIONS[oracle.runs[run_id].job], len(found), run_id))

    launch()
    oracle.capacity.clear()
    launch()
    while ends or events(oracle):
        event, end = min(events(oracle), default=None), min(ends, default=None)
        if event is not None and (end is None or event <= end[0]):
            oracle.now = event
        elif end is not None:
            ends.remove(end)
            oracle.now = end[0]
            del oracle.runs[end[2]]
            for pool, held in oracle.holders.items():
                oracle.holders[pool] = [holder for holder in held if holder[0] != end[2]]
        launch()
    return found


def events(oracle: Oracle) -> list[float]:
    """When launches count no more, pauses lapse and runs count as begun."""
    moments = [at + rate.seconds for rate in oracle.rules.rates for at, _ in oracle.launches]
    moments += [pause.until for pause in oracle.rules.pauses if pause.until is not None]
    moments += [run.started_at + 5 for run in oracle.active() if run.status == "STARTED" and run.started_at]
    return [moment for moment in moments if moment > oracle.now]


@settings(deadline=None, max_examples=200)
@given(oracles())
def test_the_forecast_is_what_comes_when_runs_last_as_long_as_expected(oracle: Oracle) -> None:
    listed = entries(oracle)
    expected = passing(oracle)
    forecast = [(entry.run_id, entry.estimated_start) for entry in listed if entry.forecast_position]
    assert forecast == expected


@settings(deadline=None, max_examples=60)
@given(oracles())
def test_what_is_never_forecast_needs_somebody(oracle: Oracle) -> None:
    for entry in entries(oracle):
        if entry.reason.needs_action:
            assert entry.forecast_position is None
