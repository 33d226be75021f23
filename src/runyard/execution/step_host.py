"""What the executor of a run asks of the host of its location: processes for steps, and slots of pools."""

from __future__ import annotations

from typing import Protocol

from ..core.step import SlotsGranted, SlotsRefused, StepEnd, StepOrder


class StepHost(Protocol):
    """One for a run worker. Nothing here waits, ``next`` excepted."""

    def start(self, order: StepOrder) -> None:
        """Give the step a process of its own; its StepEnd comes once the step has ended, or its process has died."""
        ...

    def stop_all(self) -> frozenset[int]:
        """SIGTERM to every step process; their ends come all the same. Returns the numbers of the orders that were
        started and whose ends ``next`` has not given yet: a cancellation may have struck in ``start`` or ``next``.
        """
        ...

    def claim(self, step_key: str, *, pool: str, slots: int, priority: int) -> None:
        """Ask for slots of a pool; SlotsGranted comes at once or once it is the step's turn, SlotsRefused when there
        are not so many. The end of a try gives them back by itself.
        """
        ...

    def withdraw(self, step_key: str) -> None:
        """The step wants no slots any more. No answer to its claim comes after this, also when one was under way."""
        ...

    def check(self) -> None:
        """Raise the cancellation that has come, also one that user code in this process has caught."""
        ...

    def next(self, timeout: float | None) -> StepEnd | SlotsGranted | SlotsRefused | None:
        """The next message, in the order in which they came; None after ``timeout`` seconds.

        A cancellation raises in it, and takes no message away.
        """
        ...
