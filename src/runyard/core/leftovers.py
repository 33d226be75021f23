"""What a run or a step leaves behind when it has ended, and the warning that names it before it is killed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from .events import Event, EventType

_MOST_NAMED = 20


class Leftover(msgspec.Struct, frozen=True, kw_only=True):
    """A thread, an exit function, a process that user code started, or the worker itself where it does not respond.

    ``name``: a thread's name, a process's command. ``where``: file and line that it is at.
    """

    kind: Literal["thread", "exit function", "process", "worker"]
    name: str = ""
    where: str | None = None
    pid: int | None = None

    @property
    def words(self) -> str:
        place = f" ({self.where})" if self.where else ""
        if self.kind == "thread":
            return f"thread '{self.name}'{place}"
        if self.kind == "exit function":
            return f"an exit function{place}"
        if self.kind == "process":
            return f"process {self.pid} ({self.name})"
        return f"its own process {self.pid}, which does not respond"


class Owner(NamedTuple):
    """A run's attempt, or one step of it."""

    run_id: str
    attempt: int
    step_key: str | None = None


def leftovers_event(
    owner: Owner, left: Sequence[Leftover], grace: float, *, now: float, seq: int | None = None
) -> Event:
    """The warning that ``left`` were killed after ``grace`` seconds."""
    who = "The run" if owner.step_key is None else f"Step '{owner.step_key}'"
    named = [one.words for one in left[:_MOST_NAMED]]
    if len(left) > _MOST_NAMED:
        named.append(f"{len(left) - _MOST_NAMED} more")
    whole = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
    verbs = (
        "It had not ended after {} s and was killed."
        if len(left) == 1
        else "They had not ended after {} s and were killed."
    )
    return Event(
        run_id=owner.run_id,
        type=EventType.ENGINE_EVENT,
        timestamp=now,
        attempt=owner.attempt,
        seq=seq,
        step_key=owner.step_key,
        level="WARNING",
        message=f"{who} left behind {whole}. {verbs.format(f'{grace:g}')}",
        data={"left_behind": msgspec.to_builtins(list(left[:_MOST_NAMED]))},
    )
