"""Runs over HTTP, against real storage."""

from __future__ import annotations

import msgspec
import pytest

from runyard.core.errors import StorageUnavailable
from runyard.core.run import RunStatus

from .yard import Yard, problem


def test_a_run_is_asked_for(yard: Yard) -> None:
    answer = yard.post(
        "/runs", {"job_name": "report", "run_config": {"days": 2}, "tags": {"dagster/priority": "5", "n": 1}}
    )
    assert answer.status_code == 201
    run = answer.json()
    assert answer.headers["location"] == f"/api/v1/runs/{run['run_id']}"
    assert (run["job_name"], run["location"], run["status"], run["priority"]) == ("report", "yard.py", "QUEUED", 5)
    assert run["tags"] == {
        "team": "docs",
        "n": "1",
        "dagster/priority": "5",
        "dagster/code_location": "yard.py",
    }
    assert run["run_config"] == {"days": 2}
    assert yard.get(f"/runs/{run['run_id']}") == run
    assert yard.get(f"/runs/{run['run_id'][:8]}") == run


def test_without_the_queue_a_run_goes_to_its_worker_at_once(yard: Yard) -> None:
    settings = yard.instance.settings
    yard.instance.settings = msgspec.structs.replace(
        settings, queue=msgspec.structs.replace(settings.queue, queued=False)
    )
    assert yard.post("/runs", {"job_name": "report"}).json()["status"] == "STARTING"
    assert len(yard.location.launched) == 1


def test_the_same_idempotency_key_gives_the_same_run(yard: Yard) -> None:
    def ask(**body: object) -> object:
        return yard.client.post("/runs", json={"job_name": "report", **body}, headers={"Idempotency-Key": "monday"})

    first, second = ask(), ask()
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["run_id"] == second.json()["run_id"]
    assert yard.count() == 1
    others = ({"run_config": {"other": 1}}, {"job_name": "ingest"}, {"tags": {"team": "web"}}, {"location": "yard.py"})
    for other in others:
        told = problem(ask(**other), 409, "key-reused")
        assert "'monday' was used for another request" in told["detail"]
        assert first.json()["run_id"][:8] in told["detail"]
    assert yard.count() == 1


def test_a_key_is_of_one_request_whether_it_makes_one_run_or_many(yard: Yard) -> None:
    headers = {"Idempotency-Key": "monday"}
    one = yard.client.post("/runs", json={"job_name": "report"}, headers=headers).json()
    batch = {"runs": [{"job_name": "report"}]}
    assert yard.client.post("/runs/batch", json=batch, headers=headers).json() == {"run_ids": [one["run_id"]]}
    for runs in ([{"job_name": "report", "tags": {"a": "b"}}], [{"job_name": "report"}] * 2):
        problem(yard.client.post("/runs/batch", json={"runs": runs}, headers=headers), 409, "key-reused")
    assert yard.count() == 1


def test_a_key_holds_though_the_tags_of_its_run_have_changed_since(yard: Yard) -> None:
    headers = {"Idempotency-Key": "monday"}
    run_id = yard.client.post("/runs", json={"job_name": "report"}, headers=headers).json()["run_id"]
    yard.post(f"/queue/{run_id}/priority", {"priority": 7})
    assert yard.client.post("/runs", json={"job_name": "report"}, headers=headers).json()["run_id"] == run_id


def test_a_key_whose_run_was_deleted_makes_no_other(yard: Yard) -> None:
    headers = {"Idempotency-Key": "monday"}
    run_id = yard.client.post("/runs", json={"job_name": "report"}, headers=headers).json()["run_id"]
    yard.post(f"/runs/{run_id}/cancel")
    yard.stores.runs.delete(run_id)
    told = problem(yard.client.post("/runs", json={"job_name": "report"}, headers=headers), 409, "key-reused")
    assert "deleted" in told["detail"]


@pytest.mark.parametrize("path", ["/runs", "/queue"])
def test_a_page_goes_on_from_no_run_that_is_not_there(yard: Yard, path: str) -> None:
    run_id = yard.add()
    gone = yard.add()
    yard.post(f"/runs/{gone}/cancel")
    yard.stores.runs.delete(gone)
    for after in ("x", gone, "9" * 3000, ""):
        told = problem(yard.client.get(path, params={"after": after}), 422, "unknown-cursor")
        assert f"after='{after[:80]}" in told["detail"]
        assert len(told["detail"]) < 300
    assert yard.client.get(path, params={"after": run_id}).json() == []


@pytest.mark.parametrize("after", ["1.1.1", "x", "-1.2", f"0.{2**62}", "9" * 6000])
def test_events_go_on_from_no_place_that_was_never_given(yard: Yard, after: str) -> None:
    run_id = yard.add()
    told = problem(yard.client.get(f"/runs/{run_id}/events", params={"after": after}), 422, "unknown-cursor")
    assert f"after='{after[:80]}" in told["detail"]


def test_events_go_on_from_the_end_of_the_log(yard: Yard) -> None:
    run_id = yard.add()
    first = yard.get(f"/runs/{run_id}/events")
    again = yard.get(f"/runs/{run_id}/events", after=first["next"])
    assert again == {"events": [], "next": first["next"]}


def test_a_filter_names_no_more_tags_than_a_database_looks_for(yard: Yard) -> None:
    for number in (51, 3000):
        tags = [("tag", f"k{place}=v") for place in range(number)]
        told = problem(yard.client.get("/runs", params=tags), 422, "too-large")
        assert "the most is 50" in told["detail"]
        chosen = {"tags": {f"k{place}": "v" for place in range(number)}}
        problem(yard.post("/queue/count", {"filter": chosen}), 422, "too-large")
        problem(yard.post("/runs/cancel", {"tag": chosen["tags"]}), 422, "too-large")
    assert yard.get("/runs", tag=[f"k{place}=v" for place in range(50)]) == []
    assert yard.get("/runs", status=["QUEUED"] * 500) == []


@pytest.mark.parametrize(
    ("body", "status", "kind", "words"),
    [
        ({"job_name": "reprot"}, 404, "not-found", "Did you mean 'report'?"),
        ({"job_name": "report", "location": "yrd.py"}, 404, "not-found", "yard.py"),
        (
            {"job_name": "report", "tags": {"dagster/priority": "high"}},
            422,
            "invalid-tag",
            "'high' is not a whole number",
        ),
        ({"job_name": "report", "tags": {"dagster/priority": "1.5"}}, 422, "invalid-tag", "'1.5'"),
        ({"job_name": "report", "tags": {"dagster/priority": 2**31}}, 422, "invalid-tag", "outside"),
        ({"job_name": "report", "tags": {"": "x"}}, 422, "invalid-tag", "non-empty"),
        ({"job_name": "report", "tags": ["a"]}, 422, "invalid-request", "tags: "),
        ({"job_name": "report", "run_config": "text"}, 422, "invalid-request", "run_config: "),
        ({"job_name": 7}, 422, "invalid-request", "job_name: "),
        ({}, 422, "invalid-request", "job_name: "),
        ({"job_name": "report", "job": "x"}, 422, "invalid-request", "job: no such field"),
        ([], 422, "invalid-request", "body: "),
        ("report", 422, "invalid-request", "body: "),
        ({"job_name": "report", "run_config": {"a": [1, {"b": "x\0"}]}}, 422, "invalid-request", "a.1.b: "),
        ({"job_name": "report", "run_config": {"a": 10**2500}}, 422, "invalid-request", "8,192 bits"),
    ],
)
def test_bad_requests_say_what_is_wrong_and_leave_nothing(
    yard: Yard, body: object, status: int, kind: str, words: str
) -> None:
    assert words in problem(yard.post("/runs", body), status, kind)["detail"]
    assert yard.count() == 0


@pytest.mark.parametrize(
    ("content", "words"), [(b"{", "JSON"), (b"", "body"), (b'{"job_name": "report",}', "JSON"), (b"\xff\xfe", "JSON")]
)
def test_malformed_json_is_told_as_such(yard: Yard, content: bytes, words: str) -> None:
    answer = yard.client.post("/runs", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]


@pytest.mark.parametrize("value", ["NaN", "Infinity", '"\\ud800"', '"\\u0000"'])
@pytest.mark.parametrize("field", ["tags", "run_config"])
def test_values_that_no_storage_keeps_are_refused(yard: Yard, field: str, value: str) -> None:
    content = f'{{"job_name": "report", "{field}": {{"x": {value}}}}}'
    answer = yard.client.post("/runs", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert yard.count() == 0


def test_run_config_that_the_job_does_not_take_names_every_issue(yard: Yard) -> None:
    yard.location.issues = [("ops.load.config.days", "'x' is not an integer"), ("ops.wrte", "no such op")]
    told = problem(yard.post("/runs", {"job_name": "report", "run_config": {"days": "x"}}), 422, "invalid-run-config")
    assert told["issues"] == [
        {"path": "ops.load.config.days", "message": "'x' is not an integer"},
        {"path": "ops.wrte", "message": "no such op"},
    ]
    assert yard.count() == 0


def test_a_location_that_cannot_be_asked_is_unavailable(yard: Yard) -> None:
    yard.location.reachable = False
    answer = yard.post("/runs", {"job_name": "report"})
    problem(answer, 503, "location-unavailable")
    assert answer.headers["retry-after"]
    yard.serve(workspace=False)
    problem(yard.post("/runs", {"job_name": "report"}), 503, "location-unavailable")
    assert yard.count() == 0


def test_runs_are_listed_newest_first_page_by_page(yard: Yard) -> None:
    added = [yard.add() for _ in range(5)]
    seen: list[str] = []
    url = "/runs?limit=2&job=report"
    while url:
        answer = yard.client.get(url)
        seen += [run["run_id"] for run in answer.json()]
        following = answer.links.get("next", {}).get("url", "")
        assert not following or "job=report" in following
        url = following.removeprefix("/api/v1")
    assert seen == added[::-1]


def test_runs_are_filtered(yard: Yard) -> None:
    docs, other = yard.add(team="docs", note="a=b"), yard.add("ingest")
    yard.post(f"/runs/{other}/cancel")

    def ids(**query: object) -> list[str]:
        return [run["run_id"] for run in yard.get("/runs", **query)]

    assert ids(status="QUEUED") == [docs]
    assert ids(status=["QUEUED", "CANCELED"]) == [other, docs]
    assert ids(job="ingest") == [other]
    assert ids(tag="team=docs") == [docs]
    assert ids(tag=["team=docs", "note=a=b"]) == [docs]
    assert ids(tag=["team=docs", "note=c"]) == []
    odd = yard.add(**{"t=1": "x", "a\\b": "y"})
    assert ids(tag=r"t\=1=x") == ids(tag=r"a\\b=y") == [odd]
    assert ids(tag="t=1=x") == []
    two = problem(yard.client.get("/runs", params={"tag": ["team=docs", "team=web"]}), 400, "bad-request")
    assert "'team=docs' is given too, and no run has both" in two["detail"]
    assert ids(location="elsewhere.py") == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"status": "DONE"}, 422),
        ({"limit": 0}, 422),
        ({"limit": 100000}, 422),
        ({"limit": "x"}, 422),
        ({"tag": "x"}, 400),
    ],
)
def test_bad_filters_are_refused(yard: Yard, query: dict[str, object], status: int) -> None:
    answer = yard.client.get("/runs", params=query)
    assert answer.status_code == status
    assert next(iter(query)) in answer.json()["detail"]


def test_counts_have_every_status(yard: Yard) -> None:
    yard.add()
    yard.add(enqueue=False)
    counts = yard.get("/runs/counts")
    assert counts == {status.value: 0 for status in RunStatus} | {"QUEUED": 1, "NOT_STARTED": 1}


def test_events_are_read_on_from_where_one_stopped(yard: Yard) -> None:
    run_id = yard.add()
    first = yard.get(f"/runs/{run_id}/events")
    assert [event["type"] for event in first["events"]] == ["RUN_ENQUEUED"]
    assert first["next"] == first["events"][-1]["cursor"]
    assert yard.get(f"/runs/{run_id}/events", after=first["next"]) == {"events": [], "next": first["next"]}
    yard.launch_next()
    more = yard.get(f"/runs/{run_id}/events", after=first["next"])["events"]
    assert "RUN_STARTING" in [event["type"] for event in more]
    assert {event["run_id"] for event in more} == {run_id}
    assert yard.get(f"/runs/{run_id}/events", after=first["next"], limit=1)["events"] == more[:1]


def test_a_place_that_is_none_is_refused(yard: Yard) -> None:
    problem(yard.client.get(f"/runs/{yard.add()}/events?after=soon"), 422, "unknown-cursor")


def test_a_run_is_canceled_once_and_for_all(yard: Yard) -> None:
    waiting, running = yard.add(**{"dagster/priority": "-1"}), yard.add()
    assert yard.launch_next() == running
    assert yard.post(f"/runs/{waiting}/cancel").json()["status"] == "CANCELED"
    assert yard.post(f"/runs/{waiting}/cancel").json()["status"] == "CANCELED"
    assert yard.post(f"/runs/{running}/cancel").json()["status"] == "CANCELING"


@pytest.mark.parametrize("path", ["/runs/{id}", "/runs/{id}/events", "/queue/{id}"])
def test_an_unknown_run_is_not_found(yard: Yard, path: str) -> None:
    assert "nosuchrun" in problem(yard.client.get(path.format(id="nosuchrun")), 404, "not-found")["detail"]


@pytest.mark.parametrize("path", ["/runs/{id}/cancel", "/queue/{id}/hold", "/queue/{id}/release"])
def test_an_unknown_run_cannot_be_steered(yard: Yard, path: str) -> None:
    problem(yard.post(path.format(id="nosuchrun")), 404, "not-found")


def test_a_read_only_server_changes_nothing_but_answers_questions(yard: Yard) -> None:
    run_id = yard.add()
    yard.serve(read_only=True)
    for path in ("/runs", f"/runs/{run_id}/cancel", f"/queue/{run_id}/hold", "/schedules/yard.py/daily/start"):
        told = problem(yard.post(path, {"job_name": "report"} if path == "/runs" else None), 403, "read-only")
        assert "--read-only" in told["detail"]
    assert yard.post("/jobs/yard.py/report/validate").json() == {"issues": [], "tag_issues": []}
    assert yard.get("/instance")["read_only"] is True
    assert yard.status(run_id) is RunStatus.QUEUED


def test_a_database_that_does_not_answer_is_said_so(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> None:
        raise StorageUnavailable("The database does not answer.")

    monkeypatch.setattr(yard.stores.runs, "list", gone)
    problem(yard.client.get("/runs"), 503, "storage-unavailable")


def test_a_fault_of_ours_shows_an_id_and_nothing_of_the_inside(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("inner secret")

    monkeypatch.setattr(yard.stores.runs, "list", broken)
    told = problem(yard.client.get("/runs"), 500, "fault")
    assert "inner secret" not in str(told)
    assert "ZeroDivisionError" not in str(told)
    assert told["id"] in caplog.text
    assert "ZeroDivisionError: inner secret" in caplog.text
