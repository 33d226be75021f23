"""The queue page tells why each run waits, and what a person does there counts at once."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from .dev_yard import DevYard


def row_of(page: Page, run_id: str) -> Locator:
    return page.locator(f"tr[data-run='{run_id}']")


@pytest.fixture
def line(dev: DevYard) -> list[str]:
    """One run that holds team=docs, then three that wait for it."""
    holder = dev.launch("gate", team="docs")
    dev.wait_status(holder, "STARTED")
    return [holder, *(dev.launch("gate", team="docs") for _ in range(3))]


@pytest.fixture
def resumed(dev: DevYard) -> Iterator[None]:
    """Nothing stays paused, however a test ends."""
    yield
    for pause in dev.client.get("/queue/pauses").json():
        subject = {key: pause[key] for key in ("scope", "name", "value")}
        dev.client.post("/queue/resume", json=subject)


def test_a_waiting_run_has_its_reason_in_its_row(page: Page, dev: DevYard) -> None:
    holder = dev.launch("gate", team="docs")
    dev.wait_status(holder, "STARTED")
    page.goto("/queue")
    waiting = dev.launch("gate", team="docs")
    row = page.get_by_role("row").filter(has_text=waiting[:8])
    expect(row).to_contain_text(f"team=docs 1 of 1, held by {holder[:8]}")
    dev.go(holder)
    expect(row).to_have_count(0)
    dev.wait_status(waiting, "STARTED")


def test_hold_and_release(page: Page, dev: DevYard) -> None:
    holder = dev.launch("gate", team="docs")
    dev.wait_status(holder, "STARTED")
    waiting = dev.launch("gate", team="docs")
    page.goto("/queue")
    row = page.get_by_role("row").filter(has_text=waiting[:8])
    row.get_by_role("button", name="Hold").click()
    dialog = page.get_by_role("dialog", name="Hold gate")
    dialog.get_by_role("textbox").fill("partner asked to wait")
    dialog.get_by_role("button", name="Hold").click()
    expect(row).to_contain_text("partner asked to wait")
    assert dev.run(waiting)["held"]["reason"] == "partner asked to wait"
    row.get_by_role("button", name="Release").click()
    expect(row).to_contain_text("team=docs")
    assert dev.run(waiting)["held"] is None


def test_the_priority_of_the_last_run_makes_it_the_first(page: Page, dev: DevYard, line: list[str]) -> None:
    holder, first, _, last = line
    page.goto("/queue")
    expect(page.locator("tr[data-run]").first).to_contain_text(first[:8])
    row_of(page, last).get_by_role("button", name="Priority 0, change it").click()
    page.get_by_label("Priority of gate").fill("7")
    page.keyboard.press("Enter")
    expect(page.locator("tr[data-run]").first).to_contain_text(last[:8])
    dev.go(holder)
    dev.wait_status(last, "STARTED")
    assert dev.run(first)["status"] == "QUEUED"


def test_keys_raise_a_priority_and_tell_why(page: Page, dev: DevYard, line: list[str]) -> None:
    holder, first, *_ = line
    page.goto("/queue")
    row_of(page, first).get_by_text("team=docs").click()
    page.keyboard.press("+")
    expect(row_of(page, first).get_by_role("button", name="Priority 1, change it")).to_be_visible()
    page.keyboard.press("w")
    dialog = page.get_by_role("dialog", name="Why gate waits")
    expect(dialog).to_contain_text(f"held by {holder[:8]}")
    expect(dialog).to_contain_text(f"Cancel {holder[:8]}")


def test_the_page_says_what_the_command_says(page: Page, dev: DevYard, line: list[str], resumed: None) -> None:
    line.append(dev.launch("pooled"))
    line.append(dev.launch("pooled"))
    dev.client.post("/queue/pause", json={"scope": "tag", "name": "runyard/job", "value": "report", "reason": "audit"})
    line.append(dev.launch("report", run_config={"ops": {"load": {"config": {"days": 1}}}}))
    dev.wait_status(line[4], "STARTED")
    page.goto("/queue")
    for run_id in (*line[1:4], *line[5:]):
        told = dev.command("queue", "explain", run_id)["reason"]
        expect(row_of(page, run_id).locator("[data-reason]")).to_have_text(told["message"])


def test_the_queue_is_paused_with_a_reason_and_resumed(page: Page, dev: DevYard, resumed: None) -> None:
    page.goto("/queue")
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("menuitem", name="The queue").click()
    dialog = page.get_by_role("dialog", name="Pause the queue")
    dialog.get_by_label("Why").fill("disk full")
    dialog.get_by_label("Until").fill("2h")
    dialog.get_by_role("button", name="Pause").click()
    banner = page.get_by_role("status").filter(has_text="The queue is paused")
    expect(banner).to_contain_text(re.compile("by web since .*until .*“disk full”"))
    run_id = dev.launch("gate")
    expect(row_of(page, run_id)).to_contain_text("disk full")
    assert dev.run(run_id)["status"] == "QUEUED"
    banner.get_by_role("button", name="Resume").click()
    expect(banner).to_have_count(0)
    dev.wait_status(run_id, "STARTED")


def test_a_drain_tells_how_many_still_run(page: Page, dev: DevYard, resumed: None) -> None:
    run_id = dev.launch("gate")
    dev.wait_status(run_id, "STARTED")
    page.goto("/queue")
    page.get_by_role("button", name="Drain").click()
    page.get_by_role("dialog", name="Drain the queue").get_by_role("button", name="Drain").click()
    banner = page.get_by_role("status").filter(has_text="The queue is drained")
    expect(banner).to_contain_text("1 run still to end")
    dev.go(run_id)
    expect(banner).to_contain_text("nothing of it runs any more")


def test_a_few_are_chosen_and_held(page: Page, dev: DevYard, line: list[str]) -> None:
    page.goto("/queue")
    for run_id in line[1:3]:
        row_of(page, run_id).hover()
        row_of(page, run_id).get_by_role("checkbox").click()
    page.get_by_role("button", name="Hold 2").click()
    dialog = page.get_by_role("dialog", name="Hold 2 runs")
    dialog.get_by_label("Why").fill("stock-taking")
    dialog.get_by_role("button", name="Hold").click()
    expect(page.get_by_text("2 of 2 held")).to_be_visible()
    expect(row_of(page, line[1])).to_contain_text("stock-taking")
    assert [dev.run(run_id)["held"] is not None for run_id in line] == [False, True, True, False]


def test_all_that_fit_a_filter_are_steered_in_batches(page: Page, dev: DevYard, line: list[str]) -> None:
    for amount in (1000, 500):
        dev.launch_many("gate", amount, team="docs", wave="big")
    page.goto("/queue?q=wave=big")
    toolbar = page.get_by_role("toolbar", name="Act on many runs")
    expect(toolbar).to_contain_text("1\u202f500 fit the filter")
    batches: list[Route] = []

    def steer(route: Route) -> None:
        batches.append(route)
        if len(batches) != 2:
            route.continue_()

    page.route("**/queue/steer", steer)
    toolbar.get_by_role("button", name="Hold").click()
    page.get_by_role("dialog", name="Hold 1\u202f500 runs").get_by_role("button", name="Hold").click()
    # The second batch is held back, so that what is shown in between stands still.
    expect(page.get_by_text("1\u202f000 of 1\u202f500 held")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "1000")
    batches[1].continue_()
    expect(page.get_by_text("1\u202f500 of 1\u202f500 held")).to_be_visible()
    assert dev.client.post("/queue/count", json={"filter": {"held": True}}).json() == {"count": 1500}
    page.get_by_role("button", name="Close").click()
    toolbar.get_by_role("button", name="Release").click()
    expect(page.get_by_text("1\u202f500 of 1\u202f500 released")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    toolbar.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog", name="Cancel 1\u202f500 runs").get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("1\u202f500 of 1\u202f500 canceled")).to_be_visible()
    assert dev.client.get("/queue/summary").json()["depth"] == 3


def test_a_long_queue_is_read_and_drawn_in_parts(page: Page, dev: DevYard, line: list[str]) -> None:
    dev.launch_many("gate", 400, team="docs", wave="long")
    page.goto("/queue")
    expect(page.get_by_text("The first 100 of 403 are here.")).to_be_attached()
    assert page.locator("tr[data-run]").count() < 60
    page.get_by_role("button", name="Show more").click()
    expect(page.get_by_text("The first 300 of 403 are here.")).to_be_attached()
    dev.client.post("/queue/steer", json={"action": "cancel", "filter": {"tags": {"wave": "long"}}})


def test_an_empty_queue_says_what_that_means(page: Page, dev: DevYard) -> None:
    page.goto("/queue")
    expect(page.get_by_text("Nothing waits")).to_be_visible()
