"""Following the instance file: once for each change, again when a change could not be taken over."""

from __future__ import annotations

from pathlib import Path

import pytest

from runyard.core.clock import ManualClock
from runyard.core.errors import StorageUnavailable
from runyard.service.instance_file import InstanceFile
from runyard.settings.instance import InstanceSettings
from runyard.settings.loading import load_settings


class Followed:
    """A watch of a home's file that steps when the test says so; ``away``: storage refuses what is taken over."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.applied: list[InstanceSettings] = []
        self.sections: list[tuple[str, ...]] = []
        self.away = False
        self.moved = 0
        self.watch = InstanceFile(
            load_settings(str(home), env={}),
            env={"LIMIT": "4"},
            apply=self._apply,
            on_state=self._on_state,
            on_taken_over=self.sections.append,
            clock=ManualClock(),
        )

    def write(self, text: str) -> None:
        (self.home / "new").write_text(text)
        (self.home / "new").rename(self.home / "runyard.yaml")
        self.watch.step()

    def _apply(self, settings: InstanceSettings) -> None:
        if self.away:
            raise StorageUnavailable("gone")
        self.applied.append(settings)

    def _on_state(self) -> None:
        self.moved += 1


@pytest.fixture
def followed(tmp_path: Path) -> Followed:
    return Followed(tmp_path)


def limit(settings: InstanceSettings) -> int:
    return settings.queue.rules.max_concurrent_runs


def test_a_file_that_does_not_change_is_taken_over_once(followed: Followed) -> None:
    followed.watch.step()
    assert followed.applied == []
    followed.write("concurrency: {runs: {max_concurrent_runs: {env: LIMIT}}}")
    followed.watch.step()
    assert [limit(settings) for settings in followed.applied] == [4]
    assert followed.sections == [("concurrency",)]


def test_an_edit_between_the_start_and_the_first_look_counts(tmp_path: Path) -> None:
    followed = Followed(tmp_path)
    followed.write("concurrency: {runs: {max_concurrent_runs: 2}}")
    assert [limit(settings) for settings in followed.applied] == [2]


def test_what_could_not_be_taken_over_is_tried_again(followed: Followed) -> None:
    followed.away = True
    followed.write("concurrency: {runs: {max_concurrent_runs: 2}}")
    assert followed.applied == []
    assert followed.sections == []
    followed.away = False
    followed.watch.step()
    assert [limit(settings) for settings in followed.applied] == [2]


def test_a_broken_file_is_a_state_until_it_is_mended(followed: Followed) -> None:
    followed.watch.step()
    followed.write("run_monitoring: {enabled: true}")
    followed.write("no: such key")
    assert "runyard.yaml:1: no: unknown key" in str(followed.watch.state.problem)
    # What needed a restart before needs one still.
    assert followed.watch.state.restart == ("run_monitoring.enabled",)
    followed.write("")
    assert (followed.watch.state.problem, followed.watch.state.restart) == (None, ())
    assert followed.moved == 3
    assert followed.sections == []
