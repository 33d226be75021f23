"""Whether the steps that were selected can be done."""

from __future__ import annotations

from collections.abc import Collection

from ..core.text import did_you_mean, listing
from ..definitions.job import JobDefinition
from ..definitions.steps import taken_by
from .errors import SelectionImpossible


def check_selection(job: JobDefinition, done: Collection[str], only: Collection[str] | None) -> None:
    """Raises SelectionImpossible for a step that is not there, or takes what nobody gives."""
    if only is None:
        return
    keys = {step.key for step in job.steps}
    for key in sorted(set(only) - keys):
        hint = did_you_mean(key, keys) or f" There are: {listing(keys)}."
        raise SelectionImpossible(f"Job '{job.name}' has no step '{key}'.{hint}")
    for step in job.steps:
        for source in taken_by(step) if step.key in only else ():
            if source.step_key not in only and source.step_key not in done:
                raise SelectionImpossible(
                    f"Step '{step.key}' takes output '{source.output}' of step '{source.step_key}', which is not "
                    "selected and has left nothing to use. Select it too."
                )
