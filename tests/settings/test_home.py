"""Where the home is, and which file in it is read."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest

from runyard.core.errors import ConfigError, HomeNotSet
from runyard.settings.instance import SqliteSettings
from runyard.settings.loading import load_settings


def test_an_empty_home_gives_the_defaults(tmp_path: Path) -> None:
    settings = load_settings(str(tmp_path), env={})
    assert settings.home == str(tmp_path)
    assert settings.file is None
    assert settings.storage == SqliteSettings(path=str(tmp_path / "runyard.db"))
    assert settings.compute_logs_dir == str(tmp_path / "storage")
    assert settings.queue.queued
    assert settings.queue.rules.max_concurrent_runs == 10
    assert not settings.monitoring.enabled
    assert set(settings.why_off) == {"MONITORING"}
    assert settings.notices == ()


def test_the_environment_names_the_home(tmp_path: Path) -> None:
    assert load_settings(None, env={"RUNYARD_HOME": str(tmp_path)}).home == str(tmp_path)
    assert load_settings(None, env={"DAGSTER_HOME": str(tmp_path)}).home == str(tmp_path)
    both = {"RUNYARD_HOME": str(tmp_path), "DAGSTER_HOME": "/nowhere"}
    assert load_settings(None, env=both).home == str(tmp_path)
    assert load_settings(None, env={"RUNYARD_HOME": "", "DAGSTER_HOME": str(tmp_path)}).home == str(tmp_path)


def test_without_a_home_it_is_refused_or_temporary() -> None:
    with pytest.raises(HomeNotSet, match="RUNYARD_HOME is not set"):
        load_settings(None, env={})
    settings = load_settings(None, ephemeral_ok=True, env={})
    try:
        assert settings.ephemeral
        assert Path(settings.home).is_dir()
    finally:
        shutil.rmtree(settings.home)


def test_a_home_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must be an absolute path"):
        load_settings(None, env={"RUNYARD_HOME": "relative/home"})
    with pytest.raises(ConfigError, match="no such directory; make it with"):
        load_settings(str(tmp_path / "missing"), env={})
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="a file, not a directory"):
        load_settings(str(tmp_path / "file"), env={}, ephemeral_ok=True)
    assert load_settings(str(tmp_path / "made" / "here"), ephemeral_ok=True, env={}).home.endswith("made/here")
    assert (tmp_path / "made" / "here").is_dir()


def test_the_fields_file_is_read_when_it_is_what_the_home_holds(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text("run_queue:\n  max_concurrent_runs: 3\n")
    settings = load_settings(str(tmp_path), env={})
    assert settings.file == str(tmp_path / "dagster.yaml")
    assert settings.queue.rules.max_concurrent_runs == 3

    (tmp_path / "runyard.yaml").write_text("run_queue:\n  max_concurrent_runs: 4\n")
    settings = load_settings(str(tmp_path), env={})
    assert settings.queue.rules.max_concurrent_runs == 4
    assert settings.notices == (f"{tmp_path / 'dagster.yaml'} is not read; runyard.yaml is.",)


def test_a_misnamed_file_is_pointed_out(tmp_path: Path) -> None:
    (tmp_path / "runyard.yml").write_text("")
    (notice,) = load_settings(str(tmp_path), env={}).notices
    assert "its name must be runyard.yaml" in notice


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [1, 2\nb: 3\n", r"runyard\.yaml:2:2: malformed YAML: .*expected ',' or '\]'"),
        ("a: b: c\n", r"runyard\.yaml:1:5: malformed YAML: mapping values are not allowed in this context"),
        ("storage:\n\tsqlite: {}\n", r"runyard\.yaml:2:1: malformed YAML: .*cannot start any token"),
        ("telemetry: {}\n---\ntelemetry: {}\n", r"malformed YAML: expected a single document"),
        ("a: &x [*x]\n", r"an anchor contains itself"),
        ("[" * 3000, r"malformed YAML"),
        ("a: \x01\n", r"malformed YAML: .*control characters are not allowed"),
        ("telemetry:\n  enabled: true\n  enabled: false\n", r":3: 'enabled' is given twice, first in line 2"),
        ("? [a]\n: 1\n", r"a key must be plain text"),
        ("- a\n", r"runyard\.yaml:1: expected a mapping"),
        ("just text\n", r"runyard\.yaml:1: expected a mapping .* got a single value"),
    ],
)
def test_malformed_yaml_is_told_in_one_line_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "runyard.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_settings(str(tmp_path), env={})
    assert re.search(told, str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "runyard.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_settings(str(tmp_path), env={})


def test_what_is_there_and_cannot_be_read_does_not_mean_defaults(tmp_path: Path) -> None:
    file = tmp_path / "runyard.yaml"
    file.symlink_to(tmp_path / "gone.yaml")
    with pytest.raises(ConfigError, match=rf"runyard\.yaml: .*a link to {tmp_path}/gone\.yaml, which is not there"):
        load_settings(str(tmp_path), env={})
    file.unlink()
    file.mkdir()
    with pytest.raises(ConfigError, match="it is a directory"):
        load_settings(str(tmp_path), env={})
    file.rmdir()
    os.mkfifo(file)
    with pytest.raises(ConfigError, match="it is a pipe"):
        load_settings(str(tmp_path), env={})
    file.unlink()
    file.symlink_to("/dev/zero")
    with pytest.raises(ConfigError, match="it is a device"):
        load_settings(str(tmp_path), env={})
    file.unlink()
    file.symlink_to("runyard.yaml")
    with pytest.raises(ConfigError, match="symbolic links"):
        load_settings(str(tmp_path), env={})


def test_a_file_is_read_up_to_a_bound(tmp_path: Path) -> None:
    with (tmp_path / "runyard.yaml").open("wb") as file:
        file.truncate(20_000_000)
    with pytest.raises(ConfigError, match="larger than 16,000,000 bytes"):
        load_settings(str(tmp_path), env={})


def test_a_temporary_home_that_cannot_be_made_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with pytest.raises(
        ConfigError, match=r"No temporary home can be made \(No space left on device\): set RUNYARD_HOME"
    ):
        load_settings(None, ephemeral_ok=True, env={})
