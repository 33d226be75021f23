"""What relative paths in the environment mean to processes that start in another directory."""

from __future__ import annotations

import os

import pytest

from runyard.locations.environment import callers_environment, inherited_environment


@pytest.mark.parametrize(
    ("value", "absolute"),
    [
        ("src", "/srv/src"),
        ("src:lib", "/srv/src:/srv/lib"),
        ("/abs:src", "/abs:/srv/src"),
        (":src", "/srv:/srv/src"),
        ("src::/abs", "/srv/src:/srv:/abs"),
        ("src:", "/srv/src:/srv"),
        (".", "/srv"),
        ("../lib", "/lib"),
        ("", ""),
    ],
)
def test_relative_and_empty_entries_count_from_the_callers_directory(value: str, absolute: str) -> None:
    env = inherited_environment({"PYTHONPATH": value, "PATH": value, "OTHER": value}, "/srv")
    assert env == {"PYTHONPATH": absolute, "PATH": absolute, "OTHER": value}


def test_variables_with_one_path() -> None:
    env = {"VIRTUAL_ENV": ".venv", "TMPDIR": "/var", "PYTHONHOME": ""}
    assert inherited_environment(env, "/srv") == {"VIRTUAL_ENV": "/srv/.venv", "TMPDIR": "/var", "PYTHONHOME": ""}


def test_a_directory_that_is_gone_leaves_the_environment_as_it_is(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> str:
        raise FileNotFoundError

    monkeypatch.setenv("PYTHONPATH", "src")
    monkeypatch.setattr(os, "getcwd", gone)
    assert callers_environment()["PYTHONPATH"] == "src"
