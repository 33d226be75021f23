"""The what-if page plays what happened again under other limits, in figures and a picture."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from .dev_yard import DevYard


def test_other_limits_are_compared_in_figures_and_a_picture(page: Page, dev: DevYard) -> None:
    holder, waiting = (dev.launch("gate", team="docs") for _ in range(2))
    dev.wait_status(holder, "STARTED")
    dev.go(holder)
    dev.go(waiting)
    dev.wait_status(waiting, "SUCCESS")
    page.goto("/queue/what-if")
    expect(page.get_by_label("Run slots")).to_have_value("4")
    page.get_by_label("team=docs").fill("2")
    expect(page.get_by_text("now 1")).to_be_visible()
    page.get_by_role("button", name="Simulate").click()
    for title in ("Waiting", "Running"):
        picture = page.get_by_role("region", name=title).get_by_role(
            "img", name=re.compile(f"{title}: before on average")
        )
        expect(picture.locator("path")).to_have_count(4)
    waits = page.get_by_role("table", name="Waiting times")
    expect(waits.get_by_role("row").filter(has_text="All runs")).to_be_visible()
    expect(waits.get_by_role("row").filter(has_text="team=docs")).to_be_visible()
    expect(page.get_by_role("table", name="Use of limits")).to_contain_text("team=docs")
    assert dev.client.get("/limits/in-force").json()[1]["limit"] == 1


def test_an_alternative_of_the_queue_page_comes_filled_in(page: Page, dev: DevYard) -> None:
    page.goto("/queue/what-if?rule=team%3Ddocs&limit=3")
    expect(page.get_by_label("team=docs")).to_have_value("3")


def test_a_window_that_is_no_time_is_refused_in_words(page: Page, dev: DevYard, expected_errors: list[str]) -> None:
    expected_errors.extend(("400", "422"))
    page.goto("/queue/what-if")
    page.get_by_text("from…").click()
    page.get_by_role("textbox", name="From").fill("yesterdayish")
    page.get_by_role("button", name="Simulate").click()
    expect(page.get_by_role("alert")).to_contain_text("yesterdayish")
