"""Groups: the sets of runs that share a limit, or that somebody paused together."""

from __future__ import annotations

from typing import Literal

import msgspec

from ..rules import Pause

GroupKind = Literal["queue", "runs", "location", "launcher", "overlap", "tag", "pool", "roots", "rate", "share"]

RUN_SLOTS = "max_concurrent_runs"


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A limit and whom it counts.

    Runs belong to a group while they are active; to a launcher's while they are STARTING; to a rate's for ``seconds``
    from their launch on, whatever becomes of them. A ``location`` is closed at limit 0. ``roots`` are the pools that a
    run begins in: they hold it back while all of them are full. ``share`` never holds back; it tells whose turn it is.
    ``limit`` None is no limit. With ``pause`` nothing of the group is launched, whatever the limit. ``rule`` is what
    people call it: ``team=docs``, ``max_concurrent_runs``.
    """

    id: str
    kind: GroupKind
    rule: str
    limit: int | None
    pause: Pause | None = None
    seconds: float | None = None
