"""Which steps of a run are done already, and which are done at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from ...definitions.steps import FromStep, Step, single_sources

#: Output names by step key.
Outputs = Mapping[str, tuple[str, ...]]


class WhatToDo(NamedTuple):
    """``done``: steps that are not done again, with their outputs. ``only``: the only steps to do; None: all others."""

    done: dict[str, tuple[str, ...]]
    only: frozenset[str] | None


def what_to_do(
    steps: Sequence[Step], before: Outputs, kept: Collection[tuple[str, str]], selected: Collection[str] | None
) -> WhatToDo:
    """Do as little as possible.

    Parameters:
        before: what was done before and need not be done again, if what is needed of it is kept.
        kept: (step key, output) of the values that can be had.
        selected: the steps that were asked for; None: all. A step that they need without its value being kept is done
            as well, and so on.
    """
    known = {step.key: step for step in steps}
    chosen = known.keys() if selected is None else known.keys() & set(selected)
    to_do = {key for key in chosen if key not in before}
    unseen = list(to_do)
    needed: set[str] = set()
    while unseen:
        for source in _sources(known[unseen.pop()]):
            needed.add(source.step_key)
            if source.step_key not in to_do and not _is_there(source, before, kept):
                to_do.add(source.step_key)
                unseen.append(source.step_key)
    wanted = chosen | needed
    done = {key: outputs for key, outputs in before.items() if key in wanted and key not in to_do}
    return WhatToDo(done, None if selected is None else frozenset(chosen | to_do))


def _sources(step: Step) -> list[FromStep]:
    return [one for source in step.inputs.values() for one in single_sources(source) if isinstance(one, FromStep)]


def _is_there(source: FromStep, before: Outputs, kept: Collection[tuple[str, str]]) -> bool:
    """Whether the step was done, and its output, if it gave one, can be had."""
    if source.step_key not in before:
        return False
    return source.output not in before[source.step_key] or (source.step_key, source.output) in kept
