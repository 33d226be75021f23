"""Other limits for a what-if: a ``concurrency:`` section as in the instance file, put on top of rules."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..queue.rules import Rules
from .concurrency import CONCURRENCY
from .document import Source, compose, compose_json, empty_node
from .kinds import Keys, Section
from .rules import with_pools, with_runs
from .text_file import read_text

_FILE = Keys({"concurrency": CONCURRENCY}, required=("concurrency",))


def rules_of_file(path: Path, rules: Rules, *, env: Mapping[str, str]) -> Rules:
    """``rules`` with what the file's ``concurrency:`` says in place of the same in them.

    Raises:
        ConfigError: the file cannot be read or says something that cannot be meant; names key, file and line.
    """
    source = Source(str(path), env)
    root = _FILE.read(compose(read_text(path), source.file) or empty_node(), "", source)
    return _with(rules, root.get("concurrency"))


def rules_of_section(section: Mapping[str, Any], rules: Rules, *, at: str) -> Rules:
    """The same for a section that came as JSON; ``at`` is what errors call it.

    Raises:
        ConfigError: it says something that cannot be meant; names the key.
    """
    source = Source("", {})
    node = compose_json(section) or empty_node()
    return _with(rules, CONCURRENCY.read(node, at, source))


def _with(rules: Rules, concurrency: Section) -> Rules:
    runs: Section | None = concurrency.get("runs")
    return with_pools(with_runs(rules, runs) if runs else rules, concurrency)
