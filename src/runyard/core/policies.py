"""What becomes of a run that failed or whose worker was lost, as the instance file says; storage keeps a copy, so that
every process that ends a run decides alike."""

from __future__ import annotations

import msgspec


class RunPolicies(msgspec.Struct, frozen=True, kw_only=True):
    """``run_retries`` and the resumes of ``run_monitoring``.

    ``max_retries``: for runs without the tag ``dagster/max_retries``. ``max_resumes``: new attempts of a run whose
    worker was lost while it was STARTED; 0 fails it. ``queued``: there is a run queue, which starts retries.
    """

    retries_enabled: bool = False
    max_retries: int = 0
    retry_on_step_failure: bool = True
    max_resumes: int = 0
    queued: bool = True
