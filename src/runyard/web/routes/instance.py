"""What this instance is."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter

from ... import __version__
from ...operations.processes import serving
from ...operations.shapes import process_shape
from ...settings.masking import masked
from ..context import Context
from ..responses import Json

router = APIRouter(tags=["instance"])


@router.get("/instance")
def instance(context: Context) -> Json:
    """Version, home, storage, the instance file with its secrets masked, what is wrong with the workspace, and which
    processes serve the instance, each with what of the file is not in force in it.
    """
    settings = context.settings
    return Json(
        {
            "name": Path(settings.home).name,
            "version": __version__,
            "home": settings.home,
            "ephemeral": settings.ephemeral,
            "storage": context.stores.describe(),
            "read_only": context.read_only,
            "cancel_timeout_seconds": settings.monitoring.cancel_timeout_seconds,
            "configuration_text": masked(settings.text),
            "configuration_file": settings.file,
            "notices": list(settings.notices),
            "processes": [process_shape(process) for process in serving(context.stores, clock=context.clock)],
            "queue_depth": context.stores.queue.depth(),
            "workspace_problem": context.workspace.problem() if context.workspace else None,
        }
    )
