"""Loads to simulate: what a file may say, and where it errs."""

from __future__ import annotations

from pathlib import Path

import pytest

from runyard.core.errors import ConfigError
from runyard.queue.simulation.arrivals import LoadEntry
from runyard.settings.load_file import load_of_file, load_of_list

TEXT = """
- job: nightly
  location: etl
  at: 60
  every: {env: EVERY}
  count: 20
  duration: {median: 300, spread: 1.5}
  priority: -2
  tags: {team: docs}
  pools: {db: 2}
  slots: 3
- {job: adhoc, duration: 5}
"""
ENTRIES = [
    LoadEntry(
        job="nightly",
        location="etl",
        at=60,
        every=0.5,
        count=20,
        median=300,
        spread=1.5,
        priority=-2,
        tags={"team": "docs"},
        pools={"db": 2},
        slots=3,
    ),
    LoadEntry(job="adhoc", median=5),
]


def test_a_load_is_read(tmp_path: Path) -> None:
    file = tmp_path / "load.yaml"
    file.write_text(TEXT)
    assert load_of_file(file, env={"EVERY": "0.5"}) == ENTRIES


def test_a_load_may_be_json(tmp_path: Path) -> None:
    file = tmp_path / "load.json"
    file.write_text('[{"job": "adhoc", "duration": 5}]')
    assert load_of_file(file, env={}) == ENTRIES[1:]
    assert load_of_list([{"job": "adhoc", "duration": 5}], at="load") == ENTRIES[1:]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ":1: load: expected a list of jobs with their durations, got nothing."),
        ("[]", ":1: load: expected a list of jobs with their durations, got nothing."),
        ("job: a", ":1: load: expected a list, got a mapping."),
        ("- {duration: 1}", ":1: load[0].job: missing; it is required."),
        ("- {job: a}", ":1: load[0].duration: missing; it is required."),
        ("- job: a\n  duraton: 1", ":2: load[0].duraton: unknown key. Did you mean 'duration'?"),
        ("- {job: a, duration: -1}", "load[0].duration: expected a number of at least 0 and at most 31622400, got -1"),
        ("- {job: a, duration: {median: 1, spread: 0.5}}", "at least 1 and at most 1000, got 0.5"),
        ("- {job: a, duration: 1.0e+308}", "load[0].duration: expected a number of at least 0 and at most 31622400"),
        ("- {job: a, duration: 1, at: 1.0e+308}", "load[0].at: expected a number of at least 0 and at most 31622400"),
        ("- {job: a, duration: {spread: 2}}", "load[0].duration.median: missing"),
        ("- {job: a, duration: 1, every: 0, count: 2}", "above 0 and at most 31622400, got 0"),
        ("- {job: a, duration: 1, every: 5}", "load[0].every: this needs 'load[0].count': how many come."),
        ("- {job: a, duration: 1, count: 0}", "load[0].count: expected an integer of at least 1, got 0"),
        ("- {job: a, duration: 1, slots: 0}", "load[0].slots: expected an integer from 1 to 1000, got 0"),
        ("- {job: a, duration: 1, tags: {a: 5}}", "load[0].tags.a: expected a string, got 5"),
        ("- {job: a, duration: 1, pools: {db: 0}}", "load[0].pools.db: expected an integer from 1 to 1000, got 0"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "load.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_of_file(file, env={})
    assert told in str(caught.value)
