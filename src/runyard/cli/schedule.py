"""``runyard schedule``."""

from __future__ import annotations

from .instigators import instigator_group

schedule = instigator_group("schedule")
