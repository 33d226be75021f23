"""Instance, daemons, locations, jobs, schedules and sensors over HTTP."""

from __future__ import annotations

import os
import socket

import msgspec
import pytest

from runyard.core.daemon import DaemonType, Heartbeat, PassRecord
from runyard.core.errors import StorageUnavailable
from runyard.core.location import ScheduleInfo
from runyard.settings.instance import WhyOff

from .yard import DEFINITIONS, Yard, problem


def test_the_instance_describes_itself_without_its_secrets(yard: Yard) -> None:
    yard.instance.settings = msgspec.structs.replace(
        yard.instance.settings,
        text="telemetry: {enabled: false} # hunter2\nunknown: hunter2\n",
        file="runyard.yaml",
        notices=("a notice",),
    )
    yard.add()
    told = yard.get("/instance")
    assert told["configuration_text"] == "telemetry: {enabled: false} # …\n********: ********\n"
    assert told["storage"]["kind"] == "sqlite"
    assert (told["queue_depth"], told["workspace_problem"], told["notices"]) == (1, None, ["a notice"])


def heartbeat(yard: Yard, kind: DaemonType, *, leader: bool = True, process: str = "here", **more: object) -> None:
    now = yard.instance.clock.now()
    yard.stores.heartbeats.beat(
        Heartbeat(
            daemon_type=kind,
            process_id=process,
            machine=socket.gethostname(),
            pid=more.pop("pid", os.getpid()),
            at=now,
            started_at=now,
            leader=leader,
            term=1 if leader else 0,
            last_pass=PassRecord(at=now, seconds=0.1, outcome="launched 3 runs"),
            **more,
        )
    )


def test_daemons_tell_their_state_and_why_one_is_off(yard: Yard) -> None:
    yard.instance.settings = msgspec.structs.replace(
        yard.instance.settings, why_off={"MONITORING": WhyOff("run_monitoring.enabled: false", "runyard.yaml:14")}
    )
    heartbeat(yard, DaemonType.SENSOR)
    daemons = {daemon["type"]: daemon for daemon in yard.get("/daemons")}
    assert daemons["SENSOR"]["state"] == "healthy"
    assert daemons["SENSOR"]["last_pass"]["outcome"] == "launched 3 runs"
    assert daemons["SCHEDULER"]["state"] == "not_running"
    assert daemons["MONITORING"]["state"] == "off"
    assert "runyard.yaml:14" in daemons["MONITORING"]["why_off"]


def test_health_is_of_this_process_alone(yard: Yard) -> None:
    def health() -> tuple[int, object]:
        answer = yard.client.get(yard.client.base_url.join("/healthz"))
        return answer.status_code, answer.json()["daemons"]

    assert health() == (200, {})
    yard.app.state.own_daemons = (DaemonType.SENSOR, DaemonType.SCHEDULER)
    try:
        heartbeat(yard, DaemonType.SENSOR)
        assert health() == (503, {"SENSOR": "healthy", "SCHEDULER": "not_running"})
        heartbeat(yard, DaemonType.SCHEDULER, leader=False)
        heartbeat(yard, DaemonType.SCHEDULER, process="elsewhere", pid=1)
        assert health() == (200, {"SENSOR": "healthy", "SCHEDULER": "standby"})
    finally:
        yard.app.state.own_daemons = ()


def test_ready_means_that_storage_answers(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    root = yard.client.base_url.join("/")
    assert yard.client.get(root.join("/livez")).json() == {"status": "ok"}
    assert yard.client.get(root.join("/readyz")).json()["storage_seconds"] >= 0

    def gone() -> float:
        raise StorageUnavailable("The database does not answer.")

    monkeypatch.setattr(yard.stores, "ping", gone)
    problem(yard.client.get(root.join("/readyz")), 503, "storage-unavailable")
    assert yard.client.get(root.join("/livez")).status_code == 200


def test_locations_tell_what_they_define(yard: Yard) -> None:
    (location,) = yard.get("/locations")
    assert (location["name"], location["state"]) == ("yard.py", "LOADED")
    assert (location["jobs"], location["schedules"], location["sensors"]) == (
        ["report", "ingest"],
        ["daily"],
        ["arrivals"],
    )


def test_a_location_is_loaded_again(yard: Yard) -> None:
    assert yard.post("/locations/yard.py/reload").json()["state"] == "LOADED"
    assert "yard.py" in problem(yard.post("/locations/yrd.py/reload"), 404, "not-found")["detail"]
    yard.serve(workspace=False)
    problem(yard.post("/locations/yard.py/reload"), 503, "location-unavailable")


def test_jobs_are_listed_and_shown_with_their_schema(yard: Yard) -> None:
    assert [job["name"] for job in yard.get("/jobs")] == ["report", "ingest"]
    job = yard.get("/jobs/yard.py/report")
    assert [op["key"] for op in job["ops"]] == ["load", "write"]
    assert job["config_schema"] == {"type": "object"}
    assert job["default_config"] == {"ops": {"load": {"config": {"days": 7}}}}
    problem(yard.client.get("/jobs/yard.py/reprot"), 404, "not-found")


def test_config_and_tags_are_checked_before_a_launch(yard: Yard) -> None:
    yard.location.issues = [("ops.load", "wrong")]
    told = yard.post("/jobs/yard.py/report/validate", {"run_config": {}, "tags": {"dagster/priority": "x", "a": "b"}})
    assert told.json()["issues"] == [{"path": "ops.load", "message": "wrong"}]
    (issue,) = told.json()["tag_issues"]
    assert issue["key"] == "dagster/priority"
    assert "'x' is not a whole number" in issue["message"]
    told = yard.post("/jobs/yard.py/report/validate", {"tags": {"dagster/retry_number": "1", "runyard/slots": "0"}})
    assert [issue["key"] for issue in told.json()["tag_issues"]] == ["dagster/retry_number", "runyard/slots"]
    assert yard.count() == 0


def test_schedules_and_sensors_are_started_and_stopped(yard: Yard) -> None:
    (daily,), (arrivals,) = yard.get("/schedules"), yard.get("/sensors")
    assert (daily["status"], daily["declared_in_code"], daily["next_tick_at"]) == ("STOPPED", True, None)
    assert (arrivals["status"], arrivals["minimum_interval_seconds"]) == ("RUNNING", 30.0)
    started = yard.post("/schedules/yard.py/daily/start").json()
    assert (started["status"], started["declared_in_code"]) == ("RUNNING", False)
    assert started["next_tick_at"].endswith("+00:00")
    assert yard.post("/sensors/yard.py/arrivals/stop").json()["status"] == "STOPPED"
    assert yard.get("/sensors/yard.py/arrivals/ticks") == []


def test_a_schedule_with_a_problem_is_shown_with_it_and_not_started(yard: Yard) -> None:
    broken = ScheduleInfo(name="daily", cron_schedule=("x",), problem="Schedule 'daily': bad.", running_by_default=True)
    yard.location.definitions = msgspec.structs.replace(DEFINITIONS, schedules=(broken,))
    yard.stores.locations.publish(yard.location.record())
    (daily,) = yard.get("/schedules")
    assert (daily["status"], daily["problem"], daily["next_tick_at"]) == ("STOPPED", "Schedule 'daily': bad.", None)
    assert yard.get("/sensors")[0]["problem"] is None
    (location,) = yard.get("/locations")
    assert (location["state"], location["problems"]) == ("LOADED", ["Schedule 'daily': bad."])
    refused = problem(yard.post("/schedules/yard.py/daily/start"), 409, "wrong-state")
    assert refused["detail"] == "Schedule 'daily': bad. It can be started when that is mended."
    assert yard.post("/schedules/yard.py/daily/stop").json()["status"] == "STOPPED"


@pytest.mark.parametrize("path", ["/schedules/yard.py/dialy/start", "/sensors/yrd.py/arrivals/stop"])
def test_an_unknown_schedule_or_sensor_is_not_found(yard: Yard, path: str) -> None:
    problem(yard.post(path), 404, "not-found")


def test_the_api_describes_itself(yard: Yard) -> None:
    described = yard.get("/openapi.json")
    assert described["openapi"].startswith("3.")
    expected = {
        "/api/v1/runs",
        "/api/v1/runs/{run_id}/events",
        "/api/v1/queue/{run_id}/priority",
        "/api/v1/limits",
        "/api/v1/daemons",
        "/api/v1/locations",
        "/api/v1/schedules/{location}/{name}/start",
        "/api/v1/sensors/{location}/{name}/ticks",
        "/api/v1/events",
    }
    assert expected <= set(described["paths"])
    ids = [operation["operationId"] for path in described["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))
    refused = described["paths"]["/api/v1/runs"]["post"]["responses"]
    assert "application/problem+json" in refused["4XX"]["content"]
    assert "422" not in refused


@pytest.mark.parametrize("path", ["/nothing", "/runs/a/b/c", "/graphql"])
def test_an_unknown_address_is_a_problem(yard: Yard, path: str) -> None:
    problem(yard.client.get(path), 404, "not-found")


def test_a_wrong_method_is_a_problem_that_names_the_right_one(yard: Yard) -> None:
    answer = yard.client.get(f"/runs/{yard.add()}/cancel")
    assert answer.status_code in (404, 405)
    assert answer.headers["content-type"] == "application/problem+json"
