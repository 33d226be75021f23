"""The small parts: run input, logs, durations, tables."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runyard.cli.logs import JsonLines, Repeats
from runyard.cli.output import counts, duration, error_text, local_time, print_table
from runyard.cli.run_input import read_config, read_tags
from runyard.cli.terminal import unstyled
from runyard.core.events import ErrorInfo, FoldedFrames
from runyard.core.location import JobInfo, LocationDefinitions

CONFIGS = st.recursive(
    st.integers() | st.text(max_size=3),
    lambda below: st.dictionaries(st.sampled_from("abc"), below, max_size=3),
    max_leaves=8,
).filter(lambda value: isinstance(value, dict))


def flat(value: object, at: tuple[str, ...] = ()) -> dict[tuple[str, ...], object]:
    if not isinstance(value, dict) or not value:
        return {at: value}
    return {path: leaf for key, below in value.items() for path, leaf in flat(below, (*at, key)).items()}


@given(CONFIGS, CONFIGS)
def test_the_earlier_config_file_wins_key_by_key(
    tmp_path_factory: pytest.TempPathFactory, one: dict[str, object], two: dict[str, object]
) -> None:
    directory = tmp_path_factory.mktemp("config")
    first, second = directory / "one.json", directory / "two.yaml"
    first.write_text(json.dumps(one))
    second.write_text(yaml.safe_dump(two))
    merged = read_config([str(first), str(second)], None)
    leaves = flat(merged)
    assert all(leaves[path] == leaf for path, leaf in flat(one).items() if leaf != {})
    assert set(merged) == set(one) | set(two)


def test_run_input_from_json() -> None:
    assert read_tags(None) == {}
    assert read_tags('{"dagster/priority": 5}') == {"dagster/priority": 5}
    assert read_config([], '{"ops": {}}') == {"ops": {}}


def test_an_empty_config_file_is_no_config(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    assert read_config([str(tmp_path / "empty.yaml")], None) == {}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (-1, "0.0 s"),
        (0.34, "0.3 s"),
        (42, "42 s"),
        (59.9, "1 min"),
        (200, "3 min 20 s"),
        (3600 * 5 + 120, "5 h 2 min"),
        (86400 * 3 + 3600 * 4, "3 d 4 h"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_times_of_nothing() -> None:
    assert local_time(None) == "-"


def test_tables_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("A", "LONGER"), [["one", "x"], ["2", "SUCCESS"]], empty="none")
    assert capsys.readouterr().out == "A    LONGER\none  x\n2    SUCCESS\n"
    print_table(("A",), [], empty="none")
    assert capsys.readouterr().out == "none\n"


def test_counts_are_in_words() -> None:
    assert counts(None) == "nothing"
    assert counts(LocationDefinitions(jobs=(JobInfo(name="a"),))) == "1 job, 0 schedules, 0 sensors"


def test_an_error_is_told_cause_first() -> None:
    cause = ErrorInfo("KeyError", "'x'", stack=('  File "a.py", line 1\n',))
    text = error_text(ErrorInfo("ValueError", "bad", stack=('  File "b.py", line 2\n',), cause=cause))
    places = [text.index(part) for part in ("a.py", "KeyError: 'x'", "which led to:", "b.py", "ValueError: bad")]
    assert places == sorted(places)


def test_an_error_has_its_notes_members_and_folded_frames() -> None:
    own = '  File "jobs.py", line 2, in act'
    member = ErrorInfo("KeyError", "'x'", stack=(own,))
    folded = (FoldedFrames(0, ("  File a",)), FoldedFrames(1, ("  File b", "  File c")))
    error = ErrorInfo("Group", "two", (own,), 3, folded=folded, notes=("see the manual",), members=(member,))
    assert unstyled(error_text(error)).splitlines() == [
        "  … 1 library frame",
        own,
        "  … 2 library frames",
        "Group: two",
        "see the manual",
        "  Member 1 of 1:",
        f"    {own}",
        "    KeyError: 'x'",
    ]


def test_json_logs_are_one_object_a_line() -> None:
    with pytest.raises(ValueError, match="two") as caught:
        int("two\nlines")
    error = (caught.type, caught.value, caught.tb)
    record = logging.LogRecord("a.b", logging.ERROR, "f.py", 1, "it %s", ("failed\nbadly",), error)
    line = JsonLines().format(record)
    assert "\n" not in line
    parsed = json.loads(line)
    assert parsed["level"] == "ERROR"
    assert parsed["logger"] == "a.b"
    assert parsed["message"] == "it failed\nbadly"
    assert "ValueError: invalid literal" in parsed["exception"]


def test_a_warning_that_repeats_itself_is_written_once_a_minute() -> None:
    repeats = Repeats()

    def said(text: str, at: float, level: int = logging.WARNING) -> str | None:
        record = logging.LogRecord("runyard.x", level, "x.py", 1, "%s is full", (text,), None)
        record.created = at
        return record.getMessage() if repeats.filter(record) else None

    assert said("disk", 0.0) == "disk is full"
    assert said("disk", 1.0) is None
    assert said("other", 2.0) == "other is full"
    assert said("disk", 59.0) is None
    assert said("disk", 60.0) == "disk is full (2 times since)"
    assert said("disk", 120.0) == "disk is full"
    assert said("hello", 120.0, logging.INFO) == said("hello", 121.0, logging.INFO) == "hello is full"
