"""Answers that many browsers ask for at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from runyard.web.shared import Shared


class _Queue:
    def __init__(self) -> None:
        self.arrived = threading.Semaphore(0)
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self.arrived.release()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_whoever_asks_during_a_look_shares_the_next_one() -> None:
    looks: list[int] = []
    began, go_on = threading.Event(), threading.Event()

    def look() -> int:
        looks.append(len(looks))
        began.set()
        assert go_on.wait(10)
        return looks[-1]

    shared = Shared(look)
    queue = shared._turn = _Queue()  # type: ignore[assignment]  # a lock that tells of those who wait
    with ThreadPoolExecutor(12) as pool:
        first = pool.submit(shared.get)
        assert began.wait(10)
        others = [pool.submit(shared.get) for _ in range(10)]
        for _ in range(11):
            assert queue.arrived.acquire(timeout=10)
        go_on.set()
        assert first.result(10) == 0
        assert [other.result(10) for other in others] == [1] * 10
    assert shared.get() == 2


def test_a_look_that_fails_is_made_again_for_the_next_one() -> None:
    answers = iter([ValueError("no"), 7])

    def look() -> int:
        answer = next(answers)
        if isinstance(answer, ValueError):
            raise answer
        return answer

    shared = Shared(look)
    with pytest.raises(ValueError, match="no"):
        shared.get()
    assert shared.get() == 7
