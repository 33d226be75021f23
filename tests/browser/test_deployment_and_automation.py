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


def test_a_schedule_that_cannot_run_is_named_and_the_others_stay(page: Page, dev: DevYard) -> None:
    code = dev.directory / "jobs.py"
    told = "Schedule 'broken_cron': Cron schedule '0 99 * * *': hour '99' is not valid"
    more = "broken_cron = dg.ScheduleDefinition('broken_cron', job=gate, cron_schedule='0 99 * * *')\n"
    more += "defs = dg.Definitions.merge(defs, dg.Definitions(schedules=[broken_cron]))\n"
    page.goto("/deployment/locations")
    expect(page.get_by_text("jobs.py").first).to_be_visible()
    try:
        code.write_text(JOBS + more)
        expect(page.get_by_text(told).first).to_be_visible()
        page.goto("/automation")
        expect(page.get_by_role("row").filter(has_text="broken_cron")).to_contain_text(f"Cannot run: {told}")
        expect(page.get_by_role("switch", name="broken_cron is on")).to_be_disabled()
        expect(page.get_by_role("switch", name="every_morning is on")).to_be_enabled()
    finally:
        code.write_text(JOBS)
    expect(page.get_by_text("broken_cron")).to_have_count(0)


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


def test_an_edited_instance_file_is_used_or_said_not_to_be(page: Page, dev: DevYard) -> None:
    file = dev.directory / "home" / "runyard.yaml"
    good = file.read_text() if file.exists() else ""
    page.goto("/deployment/configuration")
    expect(page.get_by_text("runyard dev (process").first).to_be_visible()
    try:
        file.write_text(f"{good}\npython_logs: {{python_log_level: ERROR}}\n")
        expect(page.get_by_text("does not use the new python_logs yet")).to_be_visible()
        expect(page.get_by_label("Instance file")).to_contain_text("python_log_level: ERROR")
        file.write_text(f"{good}\npython_lugs: {{}}\n")
        expect(page.get_by_text("python_lugs: unknown key")).to_be_visible()
        page.goto("/runs")
        expect(page.get_by_text("keeps the settings of before")).to_be_visible()
    finally:
        file.write_text(good)
    expect(page.get_by_text("keeps the settings of before")).to_have_count(0)
