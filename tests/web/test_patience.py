"""What is asked of a code location while it loads waits for it; everything else is answered meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from daemons.fakes import FakeLocation
from runyard.core.errors import StillLoading
from runyard.core.events import ErrorInfo
from runyard.core.location import LocationState
from runyard.web import patience
from runyard.web.app import BLOCKING_CALLS

from .yard import DEFINITIONS, Yard, problem


class Loading:
    """The yard's location as it loads, and requests that are made meanwhile."""

    def __init__(self, yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
        self.yard = yard
        self.waiting = threading.Semaphore(0)
        self._pool = ThreadPoolExecutor(3 * BLOCKING_CALLS)
        yard.location.definitions = None
        self._become(LocationState.LOADING)
        original = patience._settled

        async def noted(*args: Any) -> bool:
            self.waiting.release()
            return await original(*args)

        monkeypatch.setattr(patience, "_settled", noted)

    def ask(self, method: str, path: str, body: Any = None) -> Future[httpx.Response]:
        """Send a request that waits; returns once it does."""
        answer = self._pool.submit(self.yard.client.request, method, path, json=body, timeout=30)
        assert self.waiting.acquire(timeout=10)
        return answer

    def finish(self) -> None:
        self.yard.location.definitions = DEFINITIONS
        self._become(LocationState.LOADED)

    def fail(self) -> None:
        self.yard.location.error = ErrorInfo("ValueError", "no such table")
        self._become(LocationState.ERROR)

    def close(self) -> None:
        self._pool.shutdown()

    def _become(self, state: LocationState) -> None:
        self.yard.location.state = state
        self.yard.stores.locations.publish(self.yard.location.record())


@pytest.fixture
def loading(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> Any:
    made = Loading(yard, monkeypatch)
    yield made
    made.finish()
    made.close()


@pytest.mark.parametrize("location", [None, "yard.py"])
def test_a_run_is_launched_once_the_location_has_loaded(loading: Loading, location: str | None) -> None:
    answer = loading.ask("POST", "/runs", {"job_name": "report", "location": location})
    assert loading.yard.count() == 0
    loading.finish()
    assert answer.result().status_code == 201
    assert loading.yard.count() == 1


def test_others_are_answered_while_many_wait(loading: Loading) -> None:
    waiting = [loading.ask("POST", "/runs", {"job_name": "report"}) for _ in range(2 * BLOCKING_CALLS)]
    assert loading.yard.get("/runs") == []
    assert loading.yard.client.get(str(loading.yard.client.base_url.join("/livez"))).status_code == 200
    assert loading.yard.get("/locations")[0]["state"] == "LOADING"
    loading.finish()
    assert {answer.result().status_code for answer in waiting} == {201}
    assert loading.yard.count() == len(waiting)


REQUESTS: list[tuple[str, str, Any]] = [
    ("POST", "/runs/batch", {"runs": [{"job_name": "report"}, {"job_name": "ingest"}]}),
    ("GET", "/jobs/yard.py/report", None),
    ("POST", "/jobs/yard.py/report/validate", {}),
    ("POST", "/schedules/yard.py/daily/start", {}),
    ("POST", "/sensors/yard.py/arrivals/stop", {}),
    ("GET", "/schedules/yard.py/daily/ticks", None),
]


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
def test_whatever_needs_the_code_waits(loading: Loading, method: str, path: str, body: Any) -> None:
    answer = loading.ask(method, path, body)
    loading.finish()
    assert answer.result().status_code in (200, 201), answer.result().text


def test_doing_runs_again_waits(loading: Loading, finished_run: Callable[[], str]) -> None:
    run_id = finished_run()
    one = loading.ask("POST", f"/runs/{run_id}/reexecute", {})
    many = loading.ask("POST", "/runs/reexecute", {"run_ids": [run_id]})
    loading.finish()
    assert one.result().status_code == 201
    assert len(many.result().json()["runs"]) == 1


@pytest.fixture
def finished_run(yard: Yard) -> Callable[[], str]:
    def make() -> str:
        run_id = yard.add()
        yard.post(f"/runs/{run_id}/cancel")
        return run_id

    return make


def test_a_location_whose_host_is_started_again_is_waited_for(loading: Loading, yard: Yard) -> None:
    """Its definitions are known, so the job is found, but nobody can check the config."""

    class Hostless(FakeLocation):
        def _answer_or_fail(self) -> None:
            if self.state is LocationState.LOADING:
                raise StillLoading(self.name, "its host is being started.")

    yard.location = yard.workspace.locations["yard.py"] = Hostless("yard.py", DEFINITIONS)
    loading._become(LocationState.LOADING)
    answer = loading.ask("POST", "/runs", {"job_name": "report"})
    loading.finish()
    assert answer.result().status_code == 201


def test_a_location_that_fails_is_the_reason_at_once(loading: Loading) -> None:
    answer = loading.ask("POST", "/runs", {"job_name": "report"})
    loading.fail()
    told = problem(answer.result(), 503, "location-unavailable")
    assert "ValueError: no such table" in told["detail"]


def test_the_wait_is_bounded_and_says_so(loading: Loading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LONGEST_WAIT", 0.2)
    told = problem(loading.ask("POST", "/runs", {"job_name": "report"}).result(), 503, "location-unavailable")
    assert "still loading after 0.2 s" in told["detail"]
    assert loading.yard.count() == 0


def test_a_job_that_another_location_has_does_not_wait(loading: Loading, yard: Yard) -> None:
    other = FakeLocation("other.py", DEFINITIONS)
    yard.workspace.locations["other.py"] = other
    yard.stores.locations.publish(other.record())
    assert yard.post("/runs", {"job_name": "report"}).status_code == 201
    problem(yard.post("/runs", {"job_name": "nope", "location": "other.py"}), 404, "not-found")


def test_who_hangs_up_launches_nothing(loading: Loading, yard: Yard) -> None:
    url = f"{yard.client.base_url}runs"
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(url, json={"job_name": "report"}, timeout=0.5)
    assert loading.waiting.acquire(timeout=10)
    # One that came later is behind the other in every queue.
    answer = loading.ask("POST", "/runs", {"job_name": "ingest"})
    loading.finish()
    assert answer.result().status_code == 201
    assert [run["job_name"] for run in yard.get("/runs")] == ["ingest"]
