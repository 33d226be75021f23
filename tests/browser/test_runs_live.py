"""Runs and one run's events, shown as they happen: no page is loaded again."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from .dev_yard import DevYard


def test_the_runs_page_follows_a_run_from_launch_to_success(page: Page, dev: DevYard) -> None:
    page.goto("/")
    expect(page).to_have_title("Runs · Runyard")
    expect(page).to_have_url(f"{dev.url}/runs")
    run_id = dev.launch("gate", team="live")
    row = page.get_by_role("row").filter(has_text=run_id[:8])
    expect(row).to_contain_text("Running")
    expect(row).to_contain_text("gate")
    expect(row).to_contain_text("team")
    dev.go(run_id)
    expect(row).to_contain_text("Success")


def test_a_failed_run_says_why_in_its_row(page: Page, dev: DevYard) -> None:
    page.goto("/runs")
    run_id = dev.launch("failing")
    row = page.get_by_role("row").filter(has_text=run_id[:8])
    expect(row).to_contain_text("Failed")
    expect(row).to_contain_text("the partner's file is empty")


def test_the_run_page_shows_events_and_output_as_they_come(page: Page, dev: DevYard) -> None:
    run_id = dev.launch("gate")
    page.goto(f"/runs/{run_id}")
    expect(page.get_by_text("at the gate", exact=True)).to_be_visible()
    expect(page.get_by_text("printed at the gate")).to_be_visible()
    expect(page.get_by_text("through the gate", exact=True)).to_have_count(0)
    dev.go(run_id)
    expect(page.get_by_text("through the gate", exact=True)).to_be_visible()
    expect(page.get_by_text("RUN_SUCCESS")).to_be_visible()
    expect(page.get_by_text("Success", exact=True)).to_be_visible()


def test_a_run_is_canceled_from_its_page(page: Page, dev: DevYard) -> None:
    run_id = dev.launch("gate")
    dev.wait_status(run_id, "STARTED")
    page.goto(f"/runs/{run_id}")
    page.get_by_role("button", name="Cancel run").click()
    page.get_by_role("menuitem", name=f"Cancel {run_id[:8]}").click()
    expect(page.get_by_text("Canceled", exact=True)).to_be_visible()
    assert dev.run(run_id)["status"] == "CANCELED"


def test_an_unknown_run_is_said_to_be_unknown(page: Page, dev: DevYard, expected_errors: list[str]) -> None:
    expected_errors.append("404")
    page.goto("/runs/00000000-none")
    expect(page.get_by_text("No run named '00000000-none'")).to_be_visible()
