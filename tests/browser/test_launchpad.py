"""The Launchpad: config is checked while one types, tags are edited, what is refused says why, and a launch runs."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from .dev_yard import DevYard

REPORT = "/jobs/jobs.py/report/launchpad"
GATE = "/jobs/jobs.py/gate/launchpad"
TEN_DAYS = "ops:\n  load:\n    config:\n      days: {}\n"


def write_config(page: Page, text: str) -> None:
    page.locator(".cm-content").click()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.insert_text(text)


def launch_button(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile(r"^Launch(,|$)"))


def open_tags(page: Page) -> Locator:
    page.get_by_role("button", name="Edit tags").click()
    return page.get_by_role("dialog", name="Tags for this run")


def launched(page: Page, dev: DevYard) -> dict[str, object]:
    """Launch; the run that the page then shows."""
    launch_button(page).click()
    page.wait_for_url("**/runs/*")
    return dev.run(page.url.rpartition("/")[2])


def test_wrong_config_is_told_in_place_and_cannot_be_launched(page: Page, dev: DevYard) -> None:
    page.goto(REPORT)
    write_config(page, TEN_DAYS.format("many"))
    expect(page.locator(".cm-content")).to_contain_text("takes a whole number, got 'many'")
    expect(page.get_by_text("1 problem")).to_be_visible()
    expect(launch_button(page)).to_be_disabled()
    write_config(page, TEN_DAYS.format("10"))
    expect(launch_button(page)).to_be_enabled()


def test_a_job_is_launched_with_config_and_tags(page: Page, dev: DevYard) -> None:
    page.goto(REPORT)
    write_config(page, TEN_DAYS.format("10"))
    tags = open_tags(page)
    tags.get_by_label("Priority").fill("5")
    tags.get_by_label("Key of a new tag").fill("asked")
    tags.get_by_label("Value of a new tag").fill("by hand")
    tags.get_by_role("button", name="Add", exact=True).click()
    tags.get_by_role("button", name="Apply 2 changes").click()
    expect(tags).to_have_count(0)
    run = launched(page, dev)
    assert run["run_config"] == {"ops": {"load": {"config": {"days": 10}}}}
    assert run["priority"] == 5
    assert run["tags"]["asked"] == "by hand"
    expect(page.get_by_text("loaded 10 days")).to_be_visible()


@pytest.mark.parametrize(("typed", "reason"), [("3000000000", "outside -2147483648 to 2147483647")])
def test_a_priority_that_the_server_refuses_says_why_and_cannot_be_applied(
    page: Page, dev: DevYard, typed: str, reason: str
) -> None:
    page.goto(GATE)
    tags = open_tags(page)
    tags.get_by_label("Priority").fill(typed)
    expect(tags.get_by_role("alert")).to_contain_text(reason)
    expect(tags.get_by_role("button", name="Apply")).to_be_disabled()
    tags.get_by_label("Priority").fill("-1")
    expect(tags.get_by_role("alert")).to_have_count(0)
    tags.get_by_role("button", name="Apply 1 change").click()
    assert launched(page, dev)["priority"] == -1


def test_the_launch_button_says_what_will_happen(page: Page, dev: DevYard) -> None:
    holder = dev.launch("gate", team="docs")
    dev.wait_status(holder, "STARTED")
    page.goto(GATE)
    tags = open_tags(page)
    tags.get_by_label("Key of a new tag").fill("team")
    tags.get_by_label("Value of a new tag").fill("docs")
    tags.get_by_label("Value of a new tag").press("Enter")
    tags.get_by_role("button", name="Apply 1 change").click()
    expect(launch_button(page)).to_contain_text("waits behind team=docs")
    run = launched(page, dev)
    assert run["status"] == "QUEUED"
    expect(page.get_by_text(f"held by {holder[:8]}")).to_be_visible()
