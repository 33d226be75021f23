"""What became of ticks, in a line for people."""

from __future__ import annotations

from ..core.clock import Clock
from ..core.text import counted, listing
from ..core.tick import Tick, TickStatus
from .output import short_time

_LONGEST = 100


def result_text(tick: Tick, clock: Clock, *, whole: bool = False) -> str:
    """``failed 3 times in a row since 09:30: ValueError: …``, why it was skipped, or the runs that it made.

    ``whole``: an error's message is not cut to its first line.
    """
    if tick.status is TickStatus.FAILURE:
        error = "no error is known" if tick.error is None else f"{tick.error.class_name}: {tick.error.message}"
        return f"{_failed(tick, clock)}: {error if whole else _first_line(error)}"
    if tick.status is TickStatus.SKIPPED:
        return _first_line(tick.skip_reason) or "skipped without a reason"
    return "; ".join([counted(len(tick.run_ids), "run"), *dropped(tick)])


def dropped(tick: Tick) -> list[str]:
    """What a tick that made runs was refused, a clause each; one that made none has it in its reason."""
    if tick.status is TickStatus.SKIPPED:
        return []
    keys = tick.duplicate_run_keys
    seen = [f"dropped {counted(len(keys), 'run key')} that had a run already: {listing(map(repr, keys))}"]
    return [*(seen if keys else []), *tick.refused]


def _failed(tick: Tick, clock: Clock) -> str:
    if tick.consecutive_failures < 2:
        return "failed"
    since = "" if tick.failing_since is None else f" since {short_time(tick.failing_since, clock)}"
    return f"failed {tick.consecutive_failures} times in a row{since}"


def _first_line(text: str | None) -> str:
    line = next(iter((text or "").splitlines()), "")
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
