"""What every request works with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Protocol

from fastapi import Depends, Request

from ..core.clock import Clock
from ..core.errors import LocationUnavailable, NotFound
from ..locations.api import Location, Workspace
from ..operations.queue import limits_view
from ..operations.queue import view as queue_view
from ..operations.queue.names_in_use import idle
from ..operations.reachable import NOWHERE, Reachable
from ..queue.explanation.entries import LimitUse, QueueSummary
from ..queue.idle_limits import IdleLimit
from ..settings.instance import InstanceSettings
from ..storage.protocols import Stores
from .shared import Shared


class InstanceLike(Protocol):
    """The parts of an instance that the web side uses."""

    @property
    def stores(self) -> Stores: ...

    @property
    def settings(self) -> InstanceSettings: ...

    @property
    def clock(self) -> Clock: ...


@dataclass(frozen=True)
class WebContext:
    """One per app. ``workspace`` is None where this process has no code locations of its own."""

    instance: InstanceLike
    workspace: Workspace | None
    read_only: bool

    @property
    def stores(self) -> Stores:
        return self.instance.stores

    @property
    def settings(self) -> InstanceSettings:
        return self.instance.settings

    @property
    def clock(self) -> Clock:
        return self.instance.clock

    @property
    def reachable(self) -> Reachable:
        """Where submitting finds live locations; an empty place without a workspace."""
        return self.workspace or NOWHERE

    @cached_property
    def limits(self) -> Shared[list[LimitUse]]:
        return Shared(lambda: limits_view.limits(self.stores, clock=self.clock))

    @cached_property
    def idle_limits(self) -> Shared[list[IdleLimit]]:
        return Shared(lambda: idle(self.stores))

    @cached_property
    def queue_summary(self) -> Shared[QueueSummary]:
        return Shared(lambda: queue_view.summary(self.stores, clock=self.clock))

    def location(self, name: str) -> Location:
        """The live location.

        Raises:
            NotFound: nothing of this name is known.
            LocationUnavailable: it is known, but this process cannot reach it.
        """
        found = self.reachable.get(name)
        if found:
            return found
        known = [record.name for record in self.stores.locations.all()]
        if name in known:
            raise LocationUnavailable(name, "this server does not hold it; ask the one that 'runyard dev' started.")
        raise NotFound("code location", name, known)


async def context_of(request: Request) -> WebContext:
    """The app's context; async, so that asking for it costs no trip through the thread pool."""
    context: WebContext = request.app.state.context
    return context


Context = Annotated[WebContext, Depends(context_of)]
