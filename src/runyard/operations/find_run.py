"""Find the run that a person means by its id or the first characters of it."""

from __future__ import annotations

from ..core.errors import RunNotFound, UserError
from ..core.run import Run
from ..storage.protocols import Runs

SHORTEST_PREFIX = 4


def find_run(runs: Runs, run_id: str) -> Run:
    """The run named by its whole id or by a unique prefix of at least 4 characters.

    Raises:
        RunNotFound: there is none.
        UserError: the prefix fits several.
    """
    run = runs.get(run_id)
    if run is not None:
        return run
    found = runs.find_by_prefix(run_id) if len(run_id) >= SHORTEST_PREFIX else []
    if len(found) > 1:
        raise UserError(f"'{run_id}' fits several runs; give more characters.")
    if not found:
        raise RunNotFound(run_id)
    return found[0]
