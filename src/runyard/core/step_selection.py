"""Some of a job's steps: as people name them, and what these need beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from .errors import NotFound, UserError
from .location import OpInfo
from .pools import PoolNeeds, PoolUse, pool_needs


class EmptySelection(UserError):
    def __init__(self) -> None:
        super().__init__("No steps are named: give the key of each step that is to be done, or 'key*', or '*key'.")


def select(ops: Sequence[OpInfo], asked: Iterable[str]) -> tuple[str, ...]:
    """Keys of the steps that ``asked`` names, in the order of the plan.

    Parameters:
        asked: keys; ``key*`` is the step and all that come after it, ``*key`` the step and all that it needs.

    Raises:
        NotFound: the job has no such step.
        EmptySelection: nothing is asked for.
    """
    chosen: set[str] = set()
    for text in asked:
        key = text.strip().strip("*")
        if key not in {op.key for op in ops}:
            raise NotFound("step", key, [op.key for op in ops])
        chosen.add(key)
        chosen |= after(ops, {key}) if text.strip().endswith("*") else set()
        chosen |= before(ops, {key}) if text.strip().startswith("*") else set()
    if not chosen:
        raise EmptySelection
    return _in_order(ops, chosen)


def with_missing(ops: Sequence[OpInfo], chosen: Collection[str], done: Collection[str]) -> tuple[str, ...]:
    """``chosen`` with the steps whose outputs these need and nobody has, back to those that are ``done``."""
    wanted = set(chosen)
    for op in reversed(ops):
        if op.key in wanted:
            wanted.update(key for key in op.needs if key not in done)
    return _in_order(ops, wanted)


def needs_of(ops: Sequence[OpInfo], chosen: Collection[str]) -> PoolNeeds:
    """What a run of just these steps needs of pools."""
    return pool_needs(PoolUse(op.key, op.needs, op.pool, op.pool_slots) for op in ops if op.key in chosen)


def after(ops: Sequence[OpInfo], keys: Collection[str]) -> set[str]:
    """These steps and all that need them, directly or not."""
    found = set(keys)
    for op in ops:
        if found.intersection(op.needs):
            found.add(op.key)
    return found


def before(ops: Sequence[OpInfo], keys: Collection[str]) -> set[str]:
    """These steps and all that they need, directly or not."""
    return set(with_missing(ops, keys, ()))


def _in_order(ops: Sequence[OpInfo], keys: Collection[str]) -> tuple[str, ...]:
    return tuple(op.key for op in ops if op.key in keys)
