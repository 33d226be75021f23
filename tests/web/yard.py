"""An instance of real storage and one scripted code location, asked over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
from fastapi import FastAPI

from daemons.fakes import FakeLocation, FakeWorkspace
from runyard.core.clock import Clock
from runyard.core.ids import new_id
from runyard.core.lease import Fence
from runyard.core.location import JobInfo, LocationDefinitions, OpInfo, ScheduleInfo, SensorInfo
from runyard.core.run import NewRun, RunStatus
from runyard.core.tags import priority_from_code
from runyard.queue.rules import Rules
from runyard.settings.instance import InstanceSettings
from runyard.storage.protocols import RunsFilter, Stores
from runyard.web.context import WebContext

DEFINITIONS = LocationDefinitions(
    jobs=(
        JobInfo(
            name="report",
            description="Writes the report.",
            tags={"team": "docs"},
            ops=(OpInfo(key="load", op_name="load"), OpInfo(key="write", op_name="write", needs=("load",))),
            config_schema={"type": "object"},
            default_config={"ops": {"load": {"config": {"days": 7}}}},
        ),
        JobInfo(name="ingest"),
    ),
    schedules=(ScheduleInfo(name="daily", cron_schedule=("0 6 * * *",), job_names=("report",)),),
    sensors=(SensorInfo(name="arrivals", job_names=("ingest",), running_by_default=True),),
)


class Instance:
    """What the web side needs of one."""

    def __init__(self, stores: Stores, settings: InstanceSettings, clock: Clock) -> None:
        self.stores = stores
        self.settings = settings
        self.clock = clock


class Yard:
    """Storage, settings, a location ``yard.py`` and a client of the server that shows them."""

    def __init__(
        self, app: FastAPI, client: httpx.Client, stores: Stores, settings: InstanceSettings, clock: Clock
    ) -> None:
        self.app = app
        self.client = client
        self.stores = stores
        self.instance = Instance(stores, settings, clock)
        self.location = FakeLocation("yard.py", DEFINITIONS)
        self.workspace = FakeWorkspace(self.location)
        stores.locations.publish(self.location.record())

    def serve(self, *, read_only: bool = False, workspace: bool = True) -> None:
        """What the server answers from now on."""
        self.app.state.context = WebContext(self.instance, self.workspace if workspace else None, read_only)

    def get(self, path: str, **query: Any) -> Any:
        answer = self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None) -> httpx.Response:
        return self.client.post(path, json={} if body is None else body)

    def add(self, job: str = "report", *, enqueue: bool = True, **tags: str) -> str:
        """A run put straight into storage."""
        run = NewRun(
            run_id=new_id(), job_name=job, location_name="yard.py", tags=tags, priority=priority_from_code(tags)[0]
        )
        self.stores.runs.add([run], enqueue=enqueue)
        return run.run_id

    def launch_next(self) -> str:
        """Admit the first queued run, as the leader of the queue would."""
        lease = self.stores.leases.acquire("daemon:queue", holder="test", seconds=60)
        assert lease is not None
        heads = self.stores.queue.heads(self.stores.queue.lanes(), per_lane=1)
        first = min(heads, key=lambda head: (-head.priority, head.seq))
        version = self.stores.queue.rules().version
        fence = Fence(lease.name, lease.term)
        (claim,) = self.stores.queue.claim([first], fence=fence, rules_version=version, now=self.instance.clock.now())
        return claim.run_id

    def limit(self, rules: Rules) -> None:
        self.stores.limits.configure(rules)

    def status(self, run_id: str) -> RunStatus:
        run = self.stores.runs.get(run_id)
        assert run is not None
        return run.status

    def count(self) -> int:
        return self.stores.runs.count(RunsFilter())


def problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    """The problem of a refused request, its shape checked."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"urn:runyard:problem:{kind}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body
