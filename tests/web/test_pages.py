"""The built UI's files, the page for its addresses, and the page that says how to build."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from runyard.web import problems
from runyard.web.pages import Pages


def app(directory: Path) -> FastAPI:
    made = FastAPI()
    problems.install(made)
    made.mount("/", Pages(directory))
    return made


def ask(directory: Path, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    async def asking() -> httpx.Response:
        transport = httpx.ASGITransport(app=app(directory))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(asking())


@pytest.fixture
def built(tmp_path: Path) -> Path:
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<title>Runyard</title>")
    (static / "assets" / "index-1a2b3c.js").write_text("run()")
    (static / "logo.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("secret")
    return static


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/runs",
        "/runs/7c41e09a",
        "/queue",
        "/jobs/jobs.py/report",
        "/jobs/jobs.py/report/launchpad",
        "/automation",
        "/assets",
        "/assets/some/key",
        "/deployment/daemons",
        "/deployment/configuration",
    ],
)
def test_the_ui_draws_its_addresses_and_the_page_is_never_stale(built: Path, path: str) -> None:
    answer = ask(built, path)
    assert answer.status_code == 200
    assert answer.text == "<title>Runyard</title>"
    assert answer.headers["cache-control"] == "no-cache"
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_hashed_files_are_kept_for_ever_and_others_asked_for_again(built: Path) -> None:
    script = ask(built, "/assets/index-1a2b3c.js")
    assert (script.text, script.headers["cache-control"]) == ("run()", "public, max-age=31536000, immutable")
    assert ask(built, "/logo.svg").headers["cache-control"] == "no-cache"
    assert ask(built, "/logo.svg", **{"If-None-Match": ask(built, "/logo.svg").headers["etag"]}).status_code == 304


@pytest.mark.parametrize(
    "path",
    ["/assets/index-0ld.js", "/favicon.ico", "/api/v1/none", "/graphql", "/..%2fsecret.txt", "/%2e%2e/secret.txt"],
)
def test_what_is_not_there_is_a_problem_and_no_page(built: Path, path: str) -> None:
    answer = ask(built, path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "no-store" in answer.headers.get("cache-control", "no-store")


def test_pages_take_no_writes(built: Path) -> None:
    assert ask(built, "/runs", method="POST").status_code == 405
    assert ask(built, "/runs", method="HEAD").status_code == 200


def test_without_a_build_a_plain_page_says_how_to_make_one(tmp_path: Path) -> None:
    answer = ask(tmp_path / "static", "/runs")
    assert answer.status_code == 503
    assert "make setup" in answer.text
    assert ask(tmp_path / "static", "/assets/index-1.js").status_code == 404
