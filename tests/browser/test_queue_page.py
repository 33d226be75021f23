"""The queue page tells why each run waits, and what a person does there counts at once."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from .dev_yard import DevYard


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


def test_an_empty_queue_says_what_that_means(page: Page, dev: DevYard) -> None:
    page.goto("/queue")
    expect(page.get_by_text("Nothing waits")).to_be_visible()
