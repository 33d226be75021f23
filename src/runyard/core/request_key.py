"""Idempotency keys: the same key with the same request makes its runs once."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

from .bounds import IDEMPOTENCY_KEY, check_text


class RequestKey(NamedTuple):
    """``text`` as the client chose it; ``request`` tells its request from any other."""

    text: str
    request: str

    def of_part(self, number: int) -> RequestKey:
        """The key of a part that is stored in a transaction of its own. The first has the key itself: one key is one
        request, whether it makes one run or many."""
        return self if number == 0 else self._replace(text=f"{self.text}/{number}")


def request_key(text: str | None, request: Any) -> RequestKey | None:
    """The key of a request, which is what the client says and not what becomes of it: a job's tags may change between
    the first time and its repetition. None without a key.

    Raises:
        TooLarge: the key is too long.
    """
    if text is None:
        return None
    check_text("An idempotency key", text, IDEMPOTENCY_KEY)
    encoded = json.dumps(request, sort_keys=True, default=str)
    return RequestKey(text, hashlib.sha256(encoded.encode()).hexdigest())
