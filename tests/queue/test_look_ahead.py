"""What is read of the queue only as it is needed gives the forecast that all of it gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from unittest.mock import patch

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from in_memory import forecast_of, in_order, laned
from queue_oracle import Oracle, OracleRun
from test_explain_oracle import oracles, row, state_of

from runyard.core.pools import PoolHolder
from runyard.core.queue import ActiveRun, Launch, QueueHead
from runyard.core.run import Run
from runyard.operations.queue import ahead as queue_ahead
from runyard.operations.queue import feed as queue_feed
from runyard.operations.queue.ahead import LookAhead
from runyard.queue.admission.admission import Admission
from runyard.queue.explanation.explain import head_of
from runyard.queue.explanation.forecast import Forecast, Start
from runyard.queue.explanation.state import QueueState, admission_of
from runyard.queue.rules import Rules


class Rows:
    """``storage.protocols.Queue`` over rows in memory, as far as it is read here."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._heads = [head_of(run) for run in in_order(runs)]

    def lanes(self, *, after: str = "", limit: int | None = None) -> Sequence[str]:
        return sorted({head.lane for head in self._heads if head.lane > after})[:limit]

    def heads(
        self, lanes: Sequence[str], *, per_lane: int = 3, since: Mapping[str, tuple[int, int]] | None = None
    ) -> Sequence[QueueHead]:
        found = []
        for lane in lanes:
            place = (since or {}).get(lane, (-100, 0))
            found += [one for one in self._heads if one.lane == lane and (-one.priority, one.seq) >= place][:per_lane]
        return found

    def in_order(self, after: tuple[int, int] | None, *, limit: int) -> Sequence[QueueHead]:
        behind = (head for head in self._heads if after is None or (-head.priority, head.seq) > after)
        return list(behind)[:limit]

    def active(self) -> Sequence[ActiveRun]:
        return []

    def launches(self, since: float) -> Sequence[Launch]:
        return []

    def holders(self, pools: Sequence[str] | None = None) -> Sequence[PoolHolder]:
        return []


def looking(rows: Sequence[Run], admission: Admission, moved: QueueHead | None = None) -> LookAhead:
    source = Rows(rows)
    return LookAhead(source, source, admission, moved)


def starts(forecast: Forecast) -> list[Start]:
    forecast.reach(1000)
    assert forecast.complete
    return forecast.starts


def looked_ahead(rows: Sequence[Run], state: QueueState, lanes: int, moved: QueueHead | None = None) -> list[Start]:
    with patch.object(queue_ahead, "FEW_LANES", lanes), patch.object(queue_feed, "SLICE", 2):
        admission = admission_of(state)
        return starts(Forecast(admission, state, looking(rows, admission, moved)))


lane_counts = st.sampled_from([0, 1, 3, 50])


@settings(deadline=None, max_examples=80)
@given(oracles(), lane_counts)
def test_reading_as_needed_forecasts_the_same(oracle: Oracle, lanes: int) -> None:
    rows = [laned(row(run), oracle.rules) for run in oracle.queued()]
    state = state_of(oracle)
    assert looked_ahead(rows, state, lanes) == starts(forecast_of(rows, state))


@settings(deadline=None, max_examples=80)
@given(oracles(), lane_counts, st.integers(-2, 3), st.integers(0, 20))
def test_a_run_that_is_moved_is_where_its_priority_puts_it(
    oracle: Oracle, lanes: int, priority: int, which: int
) -> None:
    rows = [laned(row(run), oracle.rules) for run in oracle.queued()]
    state = state_of(oracle)
    if not rows:
        return
    chosen = rows[which % len(rows)]
    changed = msgspec.structs.replace(chosen, priority=priority)
    as_if = [changed if run is chosen else run for run in rows]
    assert looked_ahead(rows, state, lanes, head_of(changed)) == starts(forecast_of(as_if, state))


def test_a_bound_that_is_met_is_told() -> None:
    runs = [OracleRun(f"run-{seq}", "north", 0, seq, {}, "one") for seq in range(1, 11)]
    oracle = Oracle(Rules(max_concurrent_runs=2), runs={run.run_id: run for run in runs})
    state = state_of(oracle)
    rows = [laned(row(run), oracle.rules) for run in runs]
    with patch.multiple(queue_ahead, MOST_IN_ORDER=4, FEW_LANES=0), patch.object(queue_feed, "SLICE", 2):
        admission = admission_of(state)
        forecast = Forecast(admission, state, looking(rows, admission))
        forecast.reach(1000)
    assert [start.head.run_id for start in forecast.starts] == ["run-1", "run-2", "run-3", "run-4"]
    assert not forecast.complete
