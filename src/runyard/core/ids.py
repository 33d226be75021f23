"""Identifiers."""

from __future__ import annotations

import uuid


def new_id() -> str:
    """A random identifier, 36 characters; the first 8 are what people see."""
    return str(uuid.uuid4())
