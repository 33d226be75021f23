"""The limits that hold runs back."""

from __future__ import annotations

import msgspec

NO_LIMIT = -1


class TagRule(msgspec.Struct, frozen=True):
    """``concurrency.runs.tag_concurrency_limits``: one entry.

    ``value`` None counts all values of ``key`` together, or each on its own when ``per_unique_value``.
    """

    key: str
    limit: int
    value: str | None = None
    per_unique_value: bool = False


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that admission obeys. ``version`` grows whenever storage keeps a changed set."""

    version: int = 0
    max_concurrent_runs: int = 10
    tag_rules: tuple[TagRule, ...] = ()

    @property
    def tracked_keys(self) -> tuple[str, ...]:
        """Tag keys whose values are part of a run's lane, sorted."""
        return tuple(sorted({rule.key for rule in self.tag_rules}))
