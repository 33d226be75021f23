"""What a run prints, beside its log, as it is printed."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from .dev_yard import DevYard


def output(page: Page) -> Locator:
    return page.get_by_role("region", name="Output")


def test_lines_appear_as_they_are_printed(page: Page, dev: DevYard) -> None:
    run_id = dev.launch("gate")
    page.goto(f"/runs/{run_id}")
    expect(output(page)).to_contain_text("printed at the gate")
    expect(output(page).get_by_text("printed behind the gate")).to_have_count(0)
    dev.go(run_id)
    expect(output(page)).to_contain_text("printed behind the gate")


def test_nothing_is_streamed_while_the_page_is_out_of_sight(page: Page, dev: DevYard) -> None:
    page.add_init_script(
        "window.streams = []; const Real = window.EventSource;"
        "window.EventSource = class extends Real { constructor(url) { super(url); window.streams.push(this); } }"
    )
    run_id = dev.launch("gate")
    page.goto(f"/runs/{run_id}")
    expect(output(page)).to_contain_text("printed at the gate")
    open_streams = "streams.filter((each) => each.url.includes('/output/live') && each.readyState !== 2).length"
    assert page.evaluate(open_streams) == 1
    hide = "Object.defineProperty(document, 'hidden', { value: %s, configurable: true });"
    tell = "document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate(hide % "true" + tell)
    assert page.evaluate(open_streams) == 0
    dev.go(run_id)
    dev.wait_status(run_id, "SUCCESS")
    page.evaluate(hide % "false" + tell)
    expect(output(page)).to_contain_text("printed behind the gate")
    expect(output(page).get_by_text("printed at the gate")).to_have_count(1)


def test_a_row_of_the_chart_chooses_the_step(page: Page, dev: DevYard) -> None:
    run_id = dev.launch("ingest")
    dev.wait_status(run_id, "FAILURE")
    page.goto(f"/runs/{run_id}")
    # Of a failed run the failing step's output comes first.
    expect(output(page)).to_contain_text("parse")
    page.get_by_role("button", name="Output and log of fetch").click()
    expect(output(page)).to_contain_text("fetched 3 files")
    expect(page.get_by_label("Filter the log")).to_have_value("step:fetch")
    expect(page.get_by_role("region", name="Log").get_by_text("STEP_FAILURE")).to_have_count(0)
    page.reload()
    expect(output(page)).to_contain_text("fetched 3 files")
    output(page).get_by_role("button", name="whole run").click()
    expect(page.get_by_label("Filter the log")).to_have_value("")
    output(page).get_by_text("stderr").click()
    expect(output(page).get_by_text("fetched 3 files")).to_have_count(0)


def test_of_many_lines_the_last_are_there_and_a_line_can_be_sent(page: Page, dev: DevYard) -> None:
    run_id = dev.launch("printing")
    dev.wait_status(run_id, "SUCCESS")
    page.goto(f"/runs/{run_id}?step=chatty")
    expect(output(page).get_by_text("line 5000", exact=True)).to_be_visible()
    assert page.locator("[data-index]").count() < 200
    output(page).get_by_role("button", name="4999", exact=True).click()
    expect(output(page).get_by_role("button", name="line 4\u202f999")).to_be_visible()
    page.reload()
    expect(output(page).get_by_text("line 4999", exact=True)).to_be_visible()
    output(page).get_by_role("log").hover()
    page.mouse.wheel(0, -1_000_000)
    expect(output(page).get_by_text("line 3001", exact=True)).to_be_visible()
    output(page).get_by_role("button", name="Show earlier lines").click()
    expect(output(page).get_by_text("line 3000", exact=True)).to_be_attached()
    expect(output(page).get_by_text("line 3001", exact=True)).to_be_visible()
    link = output(page).get_by_role("link", name="out", exact=True)
    assert dev.client.get(f"{dev.url}{link.get_attribute('href')}").text.endswith("line 4999\nline 5000\n")
