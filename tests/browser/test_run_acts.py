"""What a person does with runs, one on its page or many in the list: execute again, terminate."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from .dev_yard import DevYard

RUN_ADDRESS = re.compile(r"/runs/([0-9a-f-]{36})")


def row_of(page: Page, run_id: str) -> Locator:
    return page.locator(f"tr[data-run='{run_id}']")


def step(page: Page, key: str) -> Locator:
    return page.locator(f"[data-step='{key}']")


def opened_run(page: Page, *, other_than: str) -> str:
    """The run whose page is open, once it is another one."""
    page.wait_for_url(lambda url: RUN_ADDRESS.search(url) is not None and other_than not in url)
    found = RUN_ADDRESS.search(page.url)
    assert found
    return found[1]


@pytest.fixture
def mended(dev: DevYard) -> Iterator[Path]:
    """The file that lets the step succeed which fails without it."""
    path = dev.directory / "mended"
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture
def failed(dev: DevYard) -> str:
    """A run of three steps whose second failed twice."""
    run_id = dev.launch("ingest")
    dev.wait_status(run_id, "FAILURE")
    return run_id


def test_a_failed_run_shows_its_attempts_and_what_did_not_start(page: Page, failed: str) -> None:
    page.goto(f"/runs/{failed}")
    expect(page.get_by_role("region", name="Why it failed")).to_contain_text("failed on attempt 2 of 2")
    expect(step(page, "publish")).to_contain_text("not started: needs parse")
    steps = page.get_by_role("table", name="Steps of the run")
    told = steps.get_by_role("row").filter(has_text="parse").first
    expect(told).to_contain_text(
        re.compile(r"Attempt 1 failed after .*: KeyError; .*waited to retry.*Attempt 2 failed")
    )


def test_a_run_is_executed_again_from_where_it_failed(page: Page, dev: DevYard, failed: str, mended: Path) -> None:
    mended.touch()
    page.goto(f"/runs/{failed}")
    page.get_by_role("button", name="Re-execute from failure").click()
    again = opened_run(page, other_than=failed)
    dev.wait_status(again, "SUCCESS")
    expect(page.get_by_text("Success", exact=True).first).to_be_visible()
    expect(step(page, "fetch")).to_contain_text(f"taken over from {failed[:8]}")
    retries = page.get_by_role("definition").filter(has_text="→")
    expect(retries).to_have_text(f"{failed[:8]} → {again[:8]}")
    retries.get_by_role("link", name=failed[:8]).click()
    expect(page.get_by_role("definition").filter(has_text="→")).to_have_text(f"{failed[:8]} → {again[:8]} success")


def test_chosen_steps_are_executed_again(page: Page, dev: DevYard, failed: str, mended: Path) -> None:
    mended.touch()
    page.goto(f"/runs/{failed}")
    expect(step(page, "parse")).to_be_visible()
    page.keyboard.press("e")
    page.get_by_role("menuitem", name="Selected steps…").click()
    bar = page.get_by_role("toolbar", name="Re-execute selected steps")
    expect(bar.get_by_role("button", name="Re-execute 0 steps")).to_be_disabled()
    step(page, "parse").click()
    bar.get_by_role("button", name="Add 1 step after it").click()
    expect(step(page, "publish").get_by_role("checkbox")).to_be_checked()
    bar.get_by_role("button", name="Re-execute 2 steps").click()
    again = opened_run(page, other_than=failed)
    dev.wait_status(again, "SUCCESS")
    expect(step(page, "fetch")).to_contain_text(f"taken over from {failed[:8]}")
    assert dev.run(again)["parent_run_id"] == failed


def test_a_running_run_is_terminated_from_its_page(page: Page, dev: DevYard) -> None:
    run_id = dev.launch("gate")
    dev.wait_status(run_id, "STARTED")
    page.goto(f"/runs/{run_id}")
    page.get_by_role("button", name="Terminate…").click()
    dialog = page.get_by_role("dialog", name=f"Terminate gate {run_id[:8]}")
    expect(dialog).to_contain_text(
        "gets SIGTERM, so that user code can clean up. What is still there after 3m 00s is killed"
    )
    dialog.get_by_role("button", name="Terminate").click()
    expect(page.get_by_text("Canceled", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Terminate…")).to_have_count(0)
    assert dev.run(run_id)["status"] == "CANCELED"


def test_many_runs_are_executed_again_from_failure(page: Page, dev: DevYard, mended: Path) -> None:
    failed = [dev.launch("ingest") for _ in range(2)]
    for run_id in failed:
        dev.wait_status(run_id, "FAILURE")
    mended.touch()
    page.goto("/runs?job=ingest")
    row_of(page, failed[0]).get_by_role("checkbox").click()
    row_of(page, failed[1]).get_by_text("ingest").locator("..").click(position={"x": 2, "y": 2})
    page.keyboard.press("x")
    bar = page.get_by_role("toolbar", name="Act on the selected runs")
    expect(bar).to_contain_text("2 selected")
    expect(bar).to_contain_text("2 failed")
    bar.get_by_role("button", name="Re-execute 2 from failure").click()
    expect(page.get_by_text("2 runs asked for again.")).to_be_visible()
    rows = page.get_by_role("row").filter(has_text="Success")
    for run_id in failed:
        (again,) = dev.client.get("/runs", params={"tag": f"dagster/parent_run_id={run_id}"}).json()
        expect(rows.filter(has_text=again["run_id"][:8])).to_be_visible()
    expect(bar).to_have_count(0)


def test_running_and_waiting_runs_are_terminated_together(page: Page, dev: DevYard) -> None:
    running, waiting, other = (dev.launch("gate", team="docs") for _ in range(3))
    dev.wait_status(running, "STARTED")
    page.goto("/runs")
    for run_id in (running, waiting):
        row_of(page, run_id).get_by_role("checkbox").click()
    page.get_by_role("toolbar").get_by_role("button", name="Terminate 2…").click()
    dialog = page.get_by_role("dialog", name="Terminate 2 runs")
    expect(dialog).to_contain_text("1 running gets SIGTERM")
    expect(dialog).to_contain_text("1 waiting is canceled at once and does not start")
    dialog.get_by_role("button", name="Terminate 2 runs").click()
    expect(page.get_by_text("1 run canceled before starting and 1 run told to stop.")).to_be_visible()
    for run_id in (running, waiting):
        expect(row_of(page, run_id)).to_contain_text("Canceled")
    dev.wait_status(other, "STARTED")


def test_all_runs_are_terminated(page: Page, dev: DevYard) -> None:
    runs = [dev.launch("gate", team="docs") for _ in range(3)]
    dev.wait_status(runs[0], "STARTED")
    page.goto("/runs?status=failed")
    page.get_by_role("button", name="Terminate all…").click()
    dialog = page.get_by_role("dialog", name="Terminate all runs")
    expect(dialog).to_contain_text("1 running gets SIGTERM")
    expect(dialog).to_contain_text("2 waiting are canceled at once")
    dialog.get_by_role("button", name="Terminate 3 runs").click()
    expect(page.get_by_text("2 runs canceled before starting and 1 run told to stop.")).to_be_visible()
    for run_id in runs:
        dev.wait_status(run_id, "CANCELED")
    expect(page.get_by_role("button", name="Terminate all…")).to_have_count(0)


def test_steps_are_shown_as_a_graph_too(page: Page, failed: str) -> None:
    page.goto(f"/runs/{failed}")
    expect(step(page, "parse")).to_be_visible()
    page.keyboard.press("g")
    steps = page.get_by_role("region", name="Steps", exact=True)
    expect(steps.get_by_title("parse: failed")).to_be_visible()
    expect(steps.get_by_title("publish: skipped")).to_be_visible()
    steps.get_by_title("fetch: succeeded").click()
    expect(page.get_by_role("region", name="Output")).to_contain_text("fetched 3 files")
    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page).to_have_url(re.compile(r"/runs$"))
