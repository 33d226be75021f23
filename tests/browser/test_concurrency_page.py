"""Limits are changed on their page, and what waited for them starts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from .dev_yard import DevYard


@pytest.fixture
def taken_back(dev: DevYard) -> Iterator[None]:
    """Limits are again as the instance file says."""
    yield
    for limit in dev.client.get("/limits/in-force").json():
        if limit["origin"] == "set":
            params = {"kind": limit["kind"], "name": limit["name"]}
            dev.client.request("DELETE", "/limits", params=params, json={})


def test_another_limit_of_a_pool_lets_the_next_run_go(page: Page, dev: DevYard, taken_back: None) -> None:
    holder, waiting = dev.launch("pooled"), dev.launch("pooled")
    dev.wait_status(holder, "STARTED")
    page.goto("/deployment/concurrency")
    row = page.locator("tr[data-limit='db']")
    expect(row.get_by_role("img", name="1 of 1 used, 1 waiting")).to_be_visible()
    row.click()
    detail = page.get_by_role("region", name="Limit db")
    expect(detail).to_contain_text(holder[:8])
    expect(detail).to_contain_text(waiting[:8])
    expect(detail).to_contain_text("gated_in_pool")
    row.get_by_role("button", name="Change the limit of db").click()
    page.get_by_role("textbox", name="Limit of db").fill("2")
    page.keyboard.press("Enter")
    dev.wait_status(waiting, "STARTED")
    expect(row.get_by_role("img", name="2 of 2 used, 0 waiting")).to_be_visible()
    expect(detail).to_contain_text("Set to 2")
    expect(page.get_by_role("region", name="Recent changes")).to_contain_text("pool db")
    detail.get_by_role("button", name="As in the file again").click()
    expect(row.get_by_role("img", name="2 of 1 used, 0 waiting")).to_be_visible()


def test_a_pool_is_added_and_paused(page: Page, dev: DevYard, taken_back: None) -> None:
    page.goto("/deployment/concurrency")
    page.get_by_role("button", name="Add pool").click()
    dialog = page.get_by_role("dialog", name="Add pool")
    dialog.get_by_label("Pool").fill("tiles")
    dialog.get_by_role("textbox", name="Limit").fill("3")
    dialog.get_by_role("button", name="Add").click()
    row = page.locator("tr[data-limit='tiles']")
    expect(row.get_by_role("img", name="0 of 3 used, 0 waiting")).to_be_visible()
    note = "holds no step back: no op is in a pool 'tiles'."
    expect(page.get_by_role("status").filter(has_text=note).first).to_be_visible()
    expect(row).to_contain_text("matches nothing")
    row.click()
    expect(page.get_by_role("region", name="Limit tiles")).to_contain_text(note)
    page.get_by_role("region", name="Limit tiles").get_by_role("button", name="Pause").click()
    dialog = page.get_by_role("dialog", name="Pause a pool")
    expect(dialog.get_by_label("Pool")).to_have_value("tiles")
    dialog.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("region", name="Recent changes")).to_contain_text("pause")
    page.goto("/queue")
    page.get_by_role("button", name="Resume pool tiles").click()
    expect(page.get_by_role("button", name="Resume pool tiles")).to_have_count(0)


def test_a_pause_of_a_tag_that_nothing_has_says_so(page: Page, dev: DevYard) -> None:
    page.goto("/queue")
    page.get_by_role("button", name="Pause").first.click()
    page.get_by_role("menuitem", name="tag").click()
    dialog = page.get_by_role("dialog", name="Pause runs with a tag")
    dialog.get_by_label("Tag").fill(r"te\=m=docs")
    dialog.get_by_role("button", name="Pause").click()
    notice = page.get_by_role("status").filter(has_text=r"no definition and no run has the tag 'te\=m'.")
    expect(notice).to_be_visible()
    page.get_by_role("button", name=r"Resume te\=m=docs").click()
    expect(notice).to_have_count(0)
