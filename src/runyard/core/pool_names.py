"""What a pool may be called. Apart from ``pools``: definitions import nothing but the standard library at first."""

from __future__ import annotations

from .text import quoted, storable


def pool_name_fault(name: str) -> str | None:
    """What is wrong with the name of a pool, as a clause: the field's names have no blanks. None: nothing."""
    if not name:
        return "the name of a pool is not empty"
    if any(character.isspace() for character in name):
        example = quoted("_".join(name.split()) or "db")
        return f"{quoted(name)} is no name for a pool: it has a blank; write for example {example}"
    if storable(name) != name:
        return f"{quoted(name)} is no name for a pool: it has a character that cannot be stored"
    return None
