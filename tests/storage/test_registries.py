"""Heartbeats, hosts and locations."""

from __future__ import annotations

import msgspec
import pytest

from runyard.core.clock import ManualClock
from runyard.core.daemon import DaemonError, DaemonType, Heartbeat, PassRecord
from runyard.core.errors import LeaseLost
from runyard.core.events import ErrorInfo
from runyard.core.host import HostRecord
from runyard.core.lease import Fence
from runyard.core.location import JobInfo, LeftAlone, LocationDefinitions, LocationRecord, LocationState, OpInfo
from runyard.core.process import ProcessRecord, SettingsState
from runyard.storage.open import SqlStores
from runyard.storage.schema import REVISION

from .make import NOW

replace = msgspec.structs.replace


def _beat(daemon: DaemonType, process: str, **fields: object) -> Heartbeat:
    rest = {"machine": "m", "pid": 1, "at": NOW, "started_at": NOW, "leader": True}
    return Heartbeat(daemon_type=daemon, process_id=process, **(rest | fields))  # type: ignore[arg-type]  # as named


def test_heartbeats_are_one_a_daemon_and_process(stores: SqlStores) -> None:
    whole = _beat(
        DaemonType.SENSOR,
        "p1",
        last_pass=PassRecord(NOW, 0.5, "nothing to do", idle=True),
        errors=(DaemonError(NOW, "ValueError", "boom\0"),),
        doing="evaluating",
        pass_since=NOW,
    )
    stores.heartbeats.beat(replace(whole, at=NOW - 5))
    stores.heartbeats.beat(whole)
    others = [_beat(DaemonType.SENSOR, "p2", leader=False), _beat(DaemonType.SCHEDULER, "p1")]
    for other in others:
        stores.heartbeats.beat(other)
    assert stores.heartbeats.all() == [others[1], whole, others[0]]
    stores.heartbeats.forget_process("p1")
    assert stores.heartbeats.all() == [others[0]]


def _process(process_id: str, **fields: object) -> ProcessRecord:
    rest = {"command": "runyard dev", "machine": "m", "pid": 1, "pid_started": 2, "home": "/h", "daemons": True}
    times = {"started_at": NOW, "at": NOW}
    return ProcessRecord(process_id=process_id, **(rest | times | fields))  # type: ignore[arg-type]  # as named


def test_processes_in_the_order_of_their_start(stores: SqlStores) -> None:
    told = SettingsState(file="/h/runyard.yaml", restart=("storage",), problem="line 3: no")
    first = _process("p2", address="http://127.0.0.1:1", locations=("a", "b"), settings=told)
    second = _process("p1", started_at=NOW + 1)
    for process in (second, replace(first, at=NOW - 5), first):
        stores.processes.put(process)
    assert stores.processes.all() == [first, second]
    stores.processes.remove("p2")
    assert stores.processes.all() == [second]


def _host(host_id: str, expires_at: float) -> HostRecord:
    return HostRecord(
        host_id=host_id,
        location_name="loc",
        spec_digest="d",
        machine="m",
        pid=1,
        pid_started=2,
        protocol=1,
        address="unix:/x",
        lease_expires_at=expires_at,
        registered_at=NOW,
    )


def test_a_host_lives_by_its_lease(stores: SqlStores) -> None:
    stores.hosts.register(_host("a", NOW + 60))
    stores.hosts.register(_host("b", NOW - 1))
    assert [host.host_id for host in stores.hosts.all()] == ["a", "b"]
    assert [host.host_id for host in stores.hosts.lapsed()] == ["b"]
    assert stores.hosts.renew("b", seconds=60)
    assert stores.hosts.lapsed() == []
    stores.hosts.remove("b")
    assert not stores.hosts.renew("b", seconds=60)
    assert replace(stores.hosts.all()[0], lease_expires_at=0.0) == replace(_host("a", 0), lease_expires_at=0.0)


def test_a_hosts_lease_is_by_the_databases_clock(postgres_stores: SqlStores, clock: ManualClock) -> None:
    clock.advance(-1e6)
    postgres_stores.hosts.register(_host("a", clock.now() + 60))
    assert postgres_stores.hosts.lapsed() == []


def test_locations(stores: SqlStores) -> None:
    job = JobInfo(name="j", ops=(OpInfo(key="a", op_name="a"),), config_schema={"type": "object"})
    record = LocationRecord(
        name="b",
        state=LocationState.LOADED,
        definitions=LocationDefinitions(jobs=(job,)),
        error=ErrorInfo("E", "m", ("frame",), cause=ErrorInfo("C", "n")),
        updated_at=NOW,
    )
    stores.locations.publish(replace(record, state=LocationState.LOADING))
    stores.locations.publish(record)
    stores.locations.publish(LocationRecord(name="a", state=LocationState.ERROR))
    assert [found.name for found in stores.locations.all()] == ["a", "b"]
    assert stores.locations.get("b") == record
    stores.locations.remove("b")
    assert stores.locations.get("b") is None


def test_ping_and_describe(stores: SqlStores) -> None:
    assert stores.ping() >= 0
    described = stores.describe()
    assert described["revision"] == REVISION
    assert described["kind"] in ("sqlite", "postgres")
    assert "password" not in str(described)


def test_a_location_that_is_left_alone_says_so_whoever_publishes_it(stores: SqlStores) -> None:
    lease = stores.leases.acquire("daemon:queue", holder="a", seconds=60)
    assert lease is not None
    fence = Fence(lease.name, lease.term)
    record = LocationRecord(name="yard", state=LocationState.LOADED)
    resting = LeftAlone(until=12.5, reason="it cannot fork")
    stores.locations.publish(record)
    stores.locations.leave_alone("yard", resting, fence=fence)
    stores.locations.publish(replace(record, version="2"))
    assert stores.locations.all() == [replace(record, version="2", left_alone=resting)]
    stores.locations.leave_alone("yard", replace(resting, until=20.0), fence=fence)
    assert stores.locations.get("yard") == replace(record, version="2", left_alone=replace(resting, until=20.0))
    stores.locations.leave_alone("yard", None, fence=fence)
    assert stores.locations.get("yard") == replace(record, version="2")
    stores.leases.release(lease.name, holder="a", term=lease.term)
    with pytest.raises(LeaseLost):
        stores.locations.leave_alone("yard", resting, fence=fence)
