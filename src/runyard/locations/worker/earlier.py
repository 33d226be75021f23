"""What attempts and runs before this one have done, and their values for this one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ...core.errors import NotFound, ValueMissing
from ...core.launch import LaunchSpec
from ...core.tags import IS_RESUME_RETRY, PARENT_RUN_ID, STEP_SELECTION
from ...definitions.steps import Step
from ...storage.values import LocalValues
from .reuse import Outputs, WhatToDo, what_to_do

#: Asks the instance which steps of a run have succeeded, with their outputs.
StepsDone = Callable[[str], Outputs]


def carry_on(steps: Sequence[Step], launch: LaunchSpec, values: LocalValues, steps_done: StepsDone) -> WhatToDo:
    """What this attempt does, with the values that it takes over linked to this run.

    Raises:
        NotFound: a step is selected that the job does not have.
    """
    selected = _selected(steps, launch)
    of_parent = _of_parent(launch, selected, steps_done)
    of_run = steps_done(launch.run_id) if launch.resumed else {}
    kept = {*_linked(launch, of_parent, values), *_kept(launch.run_id, of_run, values), *_empty(steps)}
    return what_to_do(steps, {**of_parent, **of_run}, kept, selected)


def _selected(steps: Sequence[Step], launch: LaunchSpec) -> frozenset[str] | None:
    text = launch.tags.get(STEP_SELECTION)
    if text is None:
        return None
    known = {step.key for step in steps}
    keys = [key.strip() for key in text.split(",") if key.strip()]
    for key in keys:
        if key not in known:
            raise NotFound("step", key, sorted(known))
    return frozenset(keys)


def _of_parent(launch: LaunchSpec, selected: frozenset[str] | None, steps_done: StepsDone) -> Outputs:
    parent = launch.tags.get(PARENT_RUN_ID)
    only_what_is_left = launch.tags.get(IS_RESUME_RETRY) == "true"
    if parent is None or (selected is None and not only_what_is_left):
        return {}
    done = steps_done(parent)
    # Steps that are asked for by name are done again; of a run that does what is left of them, the rest.
    again = frozenset() if only_what_is_left else selected or frozenset()
    return {key: outputs for key, outputs in done.items() if key not in again}


def _linked(launch: LaunchSpec, outputs: Outputs, values: LocalValues) -> Iterator[tuple[str, str]]:
    for step_key, names in outputs.items():
        for name in names:
            try:
                values.link(launch.tags[PARENT_RUN_ID], launch.run_id, step_key, [name])
            except ValueMissing:
                continue  # the step is done again if somebody needs it
            yield step_key, name


def _empty(steps: Sequence[Step]) -> Iterator[tuple[str, str]]:
    """Outputs that say no more than that the step was done: nothing is stored of them."""
    for step in steps:
        yield from ((step.key, name) for name, out in step.op.outs.items() if out.is_nothing)


def _kept(run_id: str, outputs: Outputs, values: LocalValues) -> Iterator[tuple[str, str]]:
    for step_key, names in outputs.items():
        yield from ((step_key, name) for name in names if values.has(run_id, step_key, name))
