"""Switching a schedule on, and a location whose code breaks and mends while the page is open."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from .dev_yard import JOBS, DevYard


def test_a_schedule_is_switched_on_and_off(page: Page, dev: DevYard) -> None:
    page.goto("/automation")
    switch = page.get_by_role("switch", name="every_morning is on")
    expect(switch).not_to_be_checked()
    switch.click(force=True)  # its visible part is a styled track above the input
    expect(switch).to_be_checked()
    expect(page.get_by_role("row").filter(has_text="every_morning")).to_contain_text("06:00")
    (schedule,) = dev.client.get("/schedules").json()
    assert schedule["status"] == "RUNNING"
    switch.click(force=True)
    expect(switch).not_to_be_checked()


def test_a_location_that_breaks_shows_the_users_line_and_mends_by_itself(page: Page, dev: DevYard) -> None:
    code = dev.directory / "jobs.py"
    page.goto("/deployment/locations")
    expect(page.get_by_text("jobs.py").first).to_be_visible()
    try:
        code.write_text(JOBS + "\nraise RuntimeError('half an edit')\n")
        expect(page.get_by_text("half an edit").first).to_be_visible()
    finally:
        code.write_text(JOBS)
    expect(page.get_by_text("half an edit")).to_have_count(0)
