"""Pauses as people ask for them."""

from __future__ import annotations

from ..core.bounds import NAME, REASON, TAG_VALUE, check_text
from ..core.errors import InvalidPause
from ..core.tag_text import spell_tag
from .rules import Pause, PauseScope


def pause_name(scope: PauseScope, name: str = "", value: str = "") -> str:
    """What is paused, for people: ``queue``, ``team=docs``, ``pool db``, ``location yard``."""
    return {"queue": "queue", "tag": spell_tag(name, value)}.get(scope, f"{scope} {name}")


def check_pause(pause: Pause) -> None:
    """Raise InvalidPause when it names nothing or too much, or ends before it begins; TooLarge for long texts."""
    check_text("The name of what is paused", pause.name, NAME)
    check_text("A tag's value", pause.value, TAG_VALUE)
    check_text("A reason", pause.reason, REASON)
    _check_subject(pause.scope, pause.name, pause.value)
    if pause.until is not None and pause.until <= pause.since:
        raise InvalidPause(
            f"The pause of {pause_name(*pause.subject)} would be over before it begins: say a later time."
        )


def _check_subject(scope: PauseScope, name: str, value: str) -> None:
    if scope == "queue" and (name or value):
        raise InvalidPause("A pause of the whole queue names nothing: leave the name out, or say what it names.")
    if scope == "tag" and not (name and value):
        raise InvalidPause("A pause of a tag needs its key and its value: write key=value.")
    if scope in ("pool", "location") and (not name or value):
        raise InvalidPause(f"A pause of a {scope} needs the {scope}'s name, and nothing else.")
