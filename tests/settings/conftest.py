from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from runyard.settings.instance import InstanceSettings
from runyard.settings.loading import load_settings

Load = Callable[..., InstanceSettings]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Write an instance file and load it."""

    def write_and_load(
        text: str, *, name: str = "runyard.yaml", env: Mapping[str, str] | None = None
    ) -> InstanceSettings:
        (tmp_path / name).write_text(textwrap.dedent(text))
        return load_settings(str(tmp_path), env=env or {})

    return write_and_load
