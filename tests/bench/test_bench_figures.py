"""How values become the table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bench.figures import FIGURES, Figure, number, p95, percentile, ratio
from bench.ours import _seconds

from bench import report


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(n) for n in range(1, 21)]
    assert p95(values) == 19
    assert percentile([3.0], 0.95) == 3.0
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_numbers_keep_three_figures() -> None:
    assert [number(value) for value in (0.01234, 0.5678, 1.5, 12.34, 490.3, 26.0, 0.0)] == [
        "0.0123",
        "0.568",
        "1.50",
        "12.3",
        "490",
        "26",
        "0",
    ]


def test_ratio_says_how_many_times_better() -> None:
    less, more = Figure("a", "", "s"), Figure("b", "", "runs/s", more_is_better=True)
    assert ratio(less, 0.1, 2.0) == pytest.approx(20)
    assert ratio(more, 100, 0.5) == pytest.approx(200)
    assert ratio(less, 0.0, 2.0) is None


def test_table_leaves_a_gap_for_a_contender_that_was_not_measured() -> None:
    text = report.table(
        {"import": {"runyard": [0.1, 0.3, 0.2]}, "version": {"runyard": [1.0], "dagster": [2.0]}},
        ("runyard", "dagster"),
    )
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    assert rows[2] == ["`import` of the definitions API", "0.200 s", "-", ""]
    assert rows[3] == ["command `--version`", "1 s", "2 s", "2 x"]
    assert len({len(line) for line in text.splitlines()}) == 1


def test_every_figure_has_a_name_of_its_own() -> None:
    names = [figure.name for figure in FIGURES]
    assert len(set(names)) == len(names)


def test_json_holds_raw_values_and_figures(tmp_path: Path) -> None:
    file = report.write(tmp_path / "results", "now", {"at": "then"}, {"import": {"runyard": [0.1, 0.3, 0.2]}})
    document = json.loads(file.read_text(encoding="utf-8"))
    assert document["figures"] == {"import_median": {"runyard": 0.2}}
    assert document["values"]["import"]["runyard"] == [0.1, 0.3, 0.2]
    assert document["at"] == "then"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1970-01-01T00:00:01Z", 1.0), ("1970-01-01T00:00:01.25+00:00", 1.25), ("1970-01-01T00:01:00.123456Z", 60.123456)],
)
def test_times_are_read_to_the_microsecond(text: str, seconds: float) -> None:
    assert _seconds(text) == pytest.approx(seconds)
