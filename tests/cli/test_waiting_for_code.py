"""Launching while a code location loads, which takes as long as the test says."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .programs import JOBS, Place

SLOW = """
import pathlib, time

while not (pathlib.Path(__file__).parent / "may-load").exists():
    time.sleep(0.01)
"""


@pytest.fixture
def here(place: Callable[..., Place], tmp_path: Path) -> Place:
    made = place()
    (tmp_path / "jobs.py").write_text(SLOW + JOBS)
    return made


def test_a_post_waits_for_the_code_and_pages_do_not(here: Place) -> None:
    dev = here.start("main", "dev", "-f", "jobs.py", "-p", "0")
    url = dev.read_until(r"http://\S+\d")[0]
    body = json.dumps({"job_name": "talk"}).encode()
    request = urllib.request.Request(  # noqa: S310 # our own page
        f"{url}/api/v1/runs", data=body, headers={"Content-Type": "application/json"}
    )

    def post() -> int:
        with urllib.request.urlopen(request) as answer:  # noqa: S310 # as above
            return int(answer.status)

    with ThreadPoolExecutor() as pool:
        launched = [pool.submit(post) for _ in range(20)]
        for path in ("/livez", "/api/v1/locations", "/api/v1/queue"):
            with urllib.request.urlopen(url + path) as answer:  # noqa: S310 # as above
                assert answer.status == 200
        assert not any(one.done() for one in launched)
        (here.directory / "may-load").touch()
        assert {one.result() for one in launched} == {201}
    assert dev.stop() == 0


def test_a_command_says_what_it_waits_for(here: Place) -> None:
    listing = here.start("main", "job", "list", "-f", "jobs.py")
    listing.read_until("Waiting for jobs.py to load, for 180 s at most")
    (here.directory / "may-load").touch()
    listing.read_until("talk")
    assert listing.process.wait() == 0
