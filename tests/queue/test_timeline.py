from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.queue.simulation.timeline import Timeline


def _line(*steps: tuple[float, float]) -> Timeline:
    made = Timeline()
    for time, value in steps:
        made.put(time, value)
    return made


def test_a_step_function_is_measured() -> None:
    line = _line((1, 2), (3, 5), (3, 4), (5, 0), (7, 4))
    assert (line.last, line.peak) == (4, 4)
    assert line.total(8) == 2 * 2 + 4 * 2 + 4
    assert line.total(4) == 2 * 2 + 4
    assert line.seconds_at(4, 8) == 2 + 1
    assert line.means(0, 2, 4) == [1, 3, 2, 2]


def test_nothing_is_nothing() -> None:
    line = Timeline()
    assert (line.last, line.peak, line.total(9), line.means(0, 1, 2)) == (0, 0, 0, [0, 0])


@given(
    st.lists(st.tuples(st.floats(0.001, 10), st.integers(0, 9)), max_size=12),
    st.floats(0, 20),
    st.floats(0.1, 7),
    st.integers(1, 9),
)
def test_means_of_buckets_add_up_to_the_total(
    steps: list[tuple[float, int]], start: float, width: float, count: int
) -> None:
    line, now = Timeline(), 0.0
    for wait, value in steps:
        now += wait
        line.put(now, value)
    end = start + width * count
    inside = line.total(end) - line.total(start)
    assert sum(line.means(start, width, count)) * width == pytest.approx(inside, abs=1e-6)
