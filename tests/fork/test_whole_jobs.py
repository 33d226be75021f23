"""A job as people have it: pandas, NumPy, requests and a pool of threads at import, several steps."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from locations.yard import Yard
from runyard.core.run import RunStatus

CODE = """
    import os
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np
    import pandas as pd
    import requests
    import runyard as dg

    SESSION = requests.Session()
    POOL = ThreadPoolExecutor(4)
    KINDS = pd.DataFrame({"kind": ["x", "y"], "factor": np.array([1.0, 10.0])})

    @dg.op
    def fetch(context):
        pages = list(POOL.map(lambda number: SESSION.get(f"{os.environ['SERVER']}/{number}").json(), range(8)))
        return pd.DataFrame(pages)

    @dg.op
    def weigh(frame):
        joined = frame.merge(KINDS, on="kind")
        return joined.assign(weighed=joined.number * joined.factor)

    @dg.op
    def total(context, frame):
        assert np.linalg.norm(np.ones((200, 200)) @ np.ones((200, 200))) > 0
        context.log.info(str(frame.groupby("kind").weighed.sum().to_dict()))

    def steps():
        total(weigh(fetch()))

    graph = dg.graph(name="job")(steps)
    defs = dg.Definitions(jobs=[
        graph.to_job("in_process", executor_def=dg.in_process_executor),
        graph.to_job("multiprocess", executor_def=dg.multiprocess_executor),
    ])
"""


class Pages(BaseHTTPRequestHandler):
    """Serves a row for each path; keeps connections open, so that a session has some to use again."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        number = int(self.path[1:])
        row = f'{{"kind": "{"xy"[number % 2]}", "number": {number}}}'.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(row)))
        self.end_headers()
        self.wfile.write(row)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as serving:
        serving.daemon_threads = True
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_address[1]}"
        serving.shutdown()
        thread.join()


def test_a_job_of_several_steps_is_the_same_by_fork_and_by_spawn(
    yard: Yard, server: str, start_method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVER", server)
    location = yard.location(CODE, start_method=start_method)
    assert location.record().start_method_reason is None, location.record()
    runs = [yard.launch(location, job) for job in ("in_process", "multiprocess")]
    for run_id in runs:
        assert yard.finished(run_id).status is RunStatus.SUCCESS, yard.run(run_id).failure
        assert yard.lines(run_id) == ["{'x': 12.0, 'y': 160.0}"]


def test_what_the_import_made_leaves_the_choice_to_fork(
    yard: Yard, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVER", server)
    record = yard.location(CODE).record()
    assert (record.start_method, record.start_method_reason) == ("fork", None)


@pytest.mark.parametrize("start_method", [None, "fork"])
def test_a_session_with_an_open_connection_connects_again(
    yard: Yard, server: str, start_method: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVER", server)
    code = CODE.replace("POOL = ", "SESSION.get(f\"{os.environ['SERVER']}/1\")\n    POOL = ")
    location = yard.location(code, start_method=start_method)
    record = location.record()
    assert record.start_method == (start_method or "spawn")
    assert "a connection to 127.0.0.1:" in str(record.start_method_reason)
    run_id = yard.launch(location, "in_process")
    assert yard.finished(run_id).status is RunStatus.SUCCESS, yard.run(run_id).failure
    assert yard.lines(run_id) == ["{'x': 12.0, 'y': 160.0}"]


@pytest.mark.parametrize("job", ["in_process", "multiprocess"])
def test_a_session_and_a_pool_that_were_used_at_import_work_as_well(
    yard: Yard, server: str, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVER", server)
    used = "graph = dg.graph"
    assert used in CODE
    code = CODE.replace(used, "POOL.submit(SESSION.get, f\"{os.environ['SERVER']}/1\").result()\n    graph = dg.graph")
    location = yard.location(code)
    assert location.record().start_method == "spawn"
    assert "ThreadPoolExecutor-0_0" in str(location.record().start_method_reason)
    run_id = yard.launch(location, job)
    assert yard.finished(run_id).status is RunStatus.SUCCESS, yard.run(run_id).failure
    assert yard.lines(run_id) == ["{'x': 12.0, 'y': 160.0}"]
