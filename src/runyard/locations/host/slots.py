"""Slots of pools for the steps of a host's runs: asked for in storage, off the loop, until they are granted."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from ...core.clock import Clock
from ...core.errors import NeverAdmissible, RunyardError
from ...core.events import Event, EventType
from ...storage.protocols import PoolSlots, Wakeups
from ..messages import Answer, ClaimSlots, Granted, WithdrawClaim
from .committer import Committer
from .loop import Loop
from .run_worker import RunWorker
from .step_worker import Key

log = logging.getLogger(__name__)

#: How often a step that waits asks again though nothing was heard of, in seconds.
ASK_AGAIN = 5.0
#: How long a step waits before the run's log says so and why, in seconds.
TOLD_AFTER = 0.1
#: The hint after which somebody may have got slots.
TOPIC = "queue"

_ClaimKey = tuple[Key, str]


class _Claim:
    def __init__(self, run: RunWorker, message: ClaimSlots, since: float) -> None:
        self.run, self.message, self.since = run, message, since
        #: The cause of the wait that the run's log has.
        self.told: tuple[object, ...] | None = None
        #: What was reported before it is committed: what the step holds from then on is no rest of the try before.
        self.due = False


class StepSlots:
    """Lives in the loop's thread, ``hint`` excepted."""

    def __init__(self, loop: Loop, committer: Committer, pool_slots: PoolSlots, wakeups: Wakeups, clock: Clock) -> None:
        self._loop, self._committer, self._clock = loop, committer, clock
        self._pool_slots, self._wakeups = pool_slots, wakeups
        self._waiting: dict[_ClaimKey, _Claim] = {}
        # One thread: every claim is a write, and storage lets one in at a time anyway.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="slots")
        self._looking = threading.Event()
        self._closed = threading.Event()
        self._asking_again = False

    def claim(self, run: RunWorker, message: ClaimSlots) -> None:
        """Answered once the step has its slots, or never can."""
        claim = self._waiting[run.key, message.step_key] = _Claim(run, message, self._clock.now())
        self._committer.claimants.add(run.run_id)
        # Behind what the run has reported: the end of the try before gives back what it held.
        self._committer.after(lambda: self._ask_first(claim))
        self._keep_asking()

    def withdraw(self, run: RunWorker, message: WithdrawClaim) -> None:
        """The step gives back what it has, or its place in the line."""
        self._waiting.pop((run.key, message.step_key), None)
        self._soon(lambda: self._free(run, message), insist=True)

    def forget(self, run: Key) -> None:
        """The run's worker is gone; storage takes back what its steps had when the run ends."""
        self._committer.claimants.discard(run[0])
        for key in [key for key in self._waiting if key[0] == run]:
            del self._waiting[key]

    def close(self) -> None:
        self._closed.set()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def hint(self, topic: str) -> None:
        """From any thread: something moved."""
        if topic == TOPIC and self._waiting and not self._looking.is_set():
            self._looking.set()
            self._loop.soon(self._look)

    # -- in the loop ------------------------------------------------------------------------------------------

    def _look(self) -> None:
        due = [claim for claim in self._waiting.values() if claim.due]
        self._soon(lambda: self._look_who_holds(due))

    def _keep_asking(self) -> None:
        """Hints get lost, and limits change."""
        if not self._asking_again:
            self._asking_again = True
            self._loop.later(ASK_AGAIN, self._ask_all)

    def _ask_all(self) -> None:
        self._asking_again = False
        for claim in self._waiting.values():
            if claim.due:
                self._soon(lambda claim=claim: self._ask(claim))  # type: ignore[misc]  # bound default
        if self._waiting:
            self._keep_asking()

    def _settle(self, claim: _Claim, error: str | None = None) -> None:
        key = (claim.run.key, claim.message.step_key)
        if self._waiting.get(key) is claim:
            del self._waiting[key]
            claim.run.send(Granted(id=claim.message.id, error=error))

    def _ask_first(self, claim: _Claim) -> None:
        """In the committer's thread."""
        claim.due = True
        self._soon(lambda: self._ask(claim))

    # -- in the thread ----------------------------------------------------------------------------------------

    def _soon(self, action: Callable[[], None], *, insist: bool = False) -> None:
        try:
            self._thread.submit(self._guarded, action, insist)
        except RuntimeError:
            log.debug("the host ends: nobody asks for slots any more")

    def _guarded(self, action: Callable[[], None], insist: bool) -> None:
        while not self._done(action):
            # Nothing overtakes what must be done: a step may ask again for what it has just given back.
            if not insist or self._clock.wait(self._closed, ASK_AGAIN):
                return

    def _done(self, action: Callable[[], None]) -> bool:
        try:
            action()
        except RunyardError as error:
            log.warning("slots of pools are asked for again in %g s: %s", ASK_AGAIN, error)
            return False
        except Exception:
            log.exception("asking for slots of pools failed")
        return True

    def _ask(self, claim: _Claim) -> None:
        message, (run_id, attempt) = claim.message, claim.run.key
        if not self._is_waiting(claim):
            return
        try:
            granted = self._pool_slots.claim(
                run_id,
                message.step_key,
                attempt=attempt,
                pool=message.pool,
                slots=message.slots,
                priority=message.priority,
                now=self._clock.now(),
            )
        except NeverAdmissible as error:
            said = str(error)
            self._loop.soon(lambda: self._settle(claim, said))
            return
        if granted:
            self._loop.soon(lambda: self._settle(claim))
        elif self._clock.now() >= claim.since + TOLD_AFTER:
            self._explain(claim)
        else:
            self._loop.soon(lambda: self._loop.later(TOLD_AFTER, lambda: self._soon(lambda: self._explain(claim))))

    def _explain(self, claim: _Claim) -> None:
        """Say in the run's log why the step waits, and again when a person has changed the cause."""
        now = self._clock.now()
        waits = self._pool_slots.waits(claim.run.run_id, now=now) if self._is_waiting(claim) else ()
        wait = next((wait for wait in waits if wait.step_key == claim.message.step_key), None)
        if wait is None or wait.cause == claim.told:
            return
        claim.told = wait.cause
        waited = round(now - claim.since, 3)
        event = Event(
            run_id=claim.run.run_id,
            type=EventType.ENGINE_EVENT,
            timestamp=now,
            step_key=wait.step_key,
            message=wait.message(now),
            data={"waiting_for_pool": wait.pool, "waited": waited},
        )
        self._committer.write(claim.run.key, event)

    def _is_waiting(self, claim: _Claim) -> bool:
        return self._waiting.get((claim.run.key, claim.message.step_key)) is claim

    def _look_who_holds(self, due: list[_Claim]) -> None:
        """Cheaper than to ask for each: who gives slots back has granted them to whoever is next."""
        self._looking.clear()
        pools = sorted({claim.message.pool for claim in due})
        if not pools:
            return
        holding = {(holder.run_id, holder.attempt, holder.step_key) for holder in self._pool_slots.holders(pools)}
        granted = [claim for claim in due if (*claim.run.key, claim.message.step_key) in holding]
        self._loop.soon(lambda: self._settle_all(granted))

    def _settle_all(self, granted: list[_Claim]) -> None:
        for claim in granted:
            self._settle(claim)

    def _free(self, run: RunWorker, message: WithdrawClaim) -> None:
        self._pool_slots.free(run.run_id, message.step_key, attempt=run.attempt)
        self._wakeups.poke(TOPIC)
        self._loop.soon(lambda: run.send(Answer(id=message.id)))
