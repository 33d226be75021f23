"""What ``definitions/engine.py`` opens to: calling, and running in this process."""

from __future__ import annotations

from .direct import invoke_op, invoke_schedule, invoke_sensor
from .in_process import execute_in_process

__all__ = ["execute_in_process", "invoke_op", "invoke_schedule", "invoke_sensor"]
