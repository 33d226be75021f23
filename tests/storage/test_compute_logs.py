"""Compute logs: where they are and how they are read while they grow."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.core.errors import UserError
from runyard.storage.compute_logs import LocalComputeLogs


def test_the_files_of_a_run(tmp_path: Path) -> None:
    logs = LocalComputeLogs(str(tmp_path))
    assert logs.paths("r1") == []
    logs.make_directory("r1")
    for step in ("b", None, "a[1]"):
        logs.path("r1", "err", step).touch()
    assert [found.step_key for found in logs.paths("r1")] == [None, "a[1]", "b"]
    assert logs.paths("r1")[1].out == tmp_path / "r1" / "a[1].out"
    logs.delete("r1")
    logs.delete("r1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("run_id", ["..", "a/b", "", ".", "a\0"])
def test_a_run_id_leads_nowhere_else(tmp_path: Path, run_id: str) -> None:
    with pytest.raises(UserError, match="is no run id"):
        LocalComputeLogs(str(tmp_path)).path(run_id, "out")


def test_a_step_key_of_any_length_has_files(tmp_path: Path) -> None:
    logs = LocalComputeLogs(str(tmp_path))
    logs.make_directory("r")
    keys = ["é" * 300, "é" * 301, "x" * 255, "x" * 300]
    for key in keys:
        logs.path("r", "out", key).write_text(key)
    assert [logs.path("r", "out", key).read_text() for key in keys] == keys


@given(steps=st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20), unique=True))
def test_step_keys_have_files_of_their_own(steps: list[str]) -> None:
    logs = LocalComputeLogs("/base")
    paths = {logs.path("r", "out", step) for step in (*steps, None)}
    assert len(paths) == len(steps) + 1
    assert {path.parent for path in paths} == {Path("/base/r")}
