"""One attempt of a run in this process."""

from runyard.core.clock import ManualClock
from runyard.execution.run import execute_run

from .fake_host import Sink


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
