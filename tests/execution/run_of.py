"""One attempt of a run, with a sink that remembers its events."""

from runyard.core.clock import ManualClock
from runyard.core.events import Event
from runyard.execution.run import execute_run


class Sink:
    """Remembers events and which of them were waited for."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.waited: list[Event] = []

    def emit(self, event: Event, *, wait: bool = False) -> None:
        self.events.append(event)
        if wait:
            self.waited.append(event)

    def told(self):
        return [(event.type.value, event.step_key) for event in self.events if event.type.value != "LOG"]


def run(job, sink=None, clock=None, **more):
    return execute_run(
        job,
        run_id="r1",
        attempt=2,
        run_config=more.pop("run_config", {}),
        tags=more.pop("tags", {"dagster/code_location": "here"}),
        sink=sink or Sink(),
        clock=clock or ManualClock(),
        **more,
    )
