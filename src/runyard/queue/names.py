"""What people call tags, jobs and locations where rules count them."""

from __future__ import annotations

from ..core.tag_text import spell_key
from .rules import BUILT_IN


def shown_key(key: str) -> str:
    """``team``; ``job`` and ``location`` for what every run has without a tag."""
    return key.removeprefix("runyard/") if key in BUILT_IN else spell_key(key)


def shown_tag(key: str, value: str) -> str:
    """``team=docs``, ``job=etl``."""
    return f"{shown_key(key)}={value}"
