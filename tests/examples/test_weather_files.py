"""The example's two configuration files say what its README says."""

from __future__ import annotations

from pathlib import Path

from runyard.locations.workspace_file import read_workspace
from runyard.queue.rules import TagRule
from runyard.settings.loading import load_settings

EXAMPLE = Path(__file__).parents[2] / "examples" / "weather"


def test_the_instance_file_limits_the_database(tmp_path: Path) -> None:
    # Not in the example's own directory: other users can read that, which is pointed out.
    (tmp_path / "runyard.yaml").symlink_to(EXAMPLE / "runyard.yaml")
    settings = load_settings(str(tmp_path), env={})
    assert settings.notices == ()
    assert settings.queue.rules.max_concurrent_runs == 4
    assert settings.queue.rules.tag_rules == (TagRule(key="database", value="weather", limit=2),)


def test_the_workspace_names_one_location() -> None:
    (spec,) = read_workspace(EXAMPLE / "workspace.yaml", env={})
    assert (spec.name, spec.target, spec.working_directory) == ("weather", "weather.definitions", str(EXAMPLE))
