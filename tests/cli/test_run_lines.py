"""Files with many runs: a bad line is named by its number before any code is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from runyard.cli.run_input import BadInput
from runyard.cli.run_lines import BadLine, read_lines

from .conftest import Cli


def read(path: Path, **defaults):
    given = {"job_name": None, "location": None, "tags": {}} | defaults
    return read_lines(str(path), **given)


def test_a_line_says_what_the_options_do_not(tmp_path: Path) -> None:
    file = tmp_path / "runs.jsonl"
    file.write_text(
        '{"job_name": "a", "tags": {"x": 1}}\n   \n{"location": "shop", "run_config": {"ops": {}}, "tags": null}'
    )
    found = read(file, job_name="b", location="yard", tags={"x": "0", "y": "0"})
    assert [number for number, _ in found] == [1, 3]
    first, second = (request for _, request in found)
    assert (first.job_name, first.location_name, first.tags) == ("a", "yard", {"x": 1, "y": "0"})
    assert (second.job_name, second.location_name, second.run_config) == ("b", "shop", {"ops": {}})


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "this is not JSON"),
        ("[1]", "must be a JSON object"),
        ('{"tags": {}}', "no job_name, and no -j"),
        ('{"job_name": 5}', "'job_name' must be text"),
        ('{"job_name": "a", "tags": []}', "'tags' must be an object"),
        ('{"job_name": "a", "prio": 1}', "there is no 'prio'; a run has job_name, location, tags, run_config"),
        ("[" * 100_000, "this is not JSON"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, says: str) -> None:
    file = tmp_path / "runs.jsonl"
    file.write_text(f'{{"job_name": "a"}}\n{line}\n')
    with pytest.raises(BadLine) as caught:
        read(file)
    assert str(caught.value).startswith(f"{file}:2: ")
    assert says in str(caught.value)


def test_files_that_hold_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match="holds no runs"):
        read(tmp_path / "empty")
    for name in ("binary", "missing"):
        with pytest.raises(BadInput, match="cannot be read"):
            read(tmp_path / name)


@pytest.mark.parametrize(
    "args",
    [
        ("--from", "x", "--wait"),
        ("--from", "x", "--run-id", "y"),
        ("--from", "x", "--config-json", "{}"),
        ("-j", "x", "--key", "k"),
        (),
    ],
)
def test_options_that_do_not_go_together(cli: Cli, args: tuple[str, ...]) -> None:
    assert "Error:" in cli("job", "launch", *args, code=2).stderr
