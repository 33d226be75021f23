"""Runs and one run's events, shown as they happen: no page is loaded again."""

from __future__ import annotations

from playwright.sync_api import Page, Route, expect

from .dev_yard import DevYard

RUNS = "**/api/v1/runs?*"
#: An event stream that tells what the test has it tell.
STREAM_BY_HAND = """
window.EventSource = class extends EventTarget {
  static CLOSED = 2;
  constructor() {
    super();
    window.stream = this;
  }
};
"""
RUNS_MOVED = "stream.dispatchEvent(new Event('runs'))"


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


def test_one_slow_answer_does_not_leave_the_page_behind(page: Page, dev: DevYard) -> None:
    page.clock.install()
    page.add_init_script(STREAM_BY_HAND)
    first, second = dev.launch("gate"), dev.launch("gate")
    dev.wait_status(first, "STARTED")
    page.goto("/runs")
    row = page.get_by_role("row").filter(has_text=first[:8])
    expect(row).to_contain_text("Running")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(RUNS, hold, times=1)
    dev.go(second)
    dev.wait_status(second, "SUCCESS")
    page.clock.pause_at(page.evaluate("Date.now() / 1000 + 5"))
    page.evaluate(RUNS_MOVED)
    with page.expect_request(RUNS):
        page.clock.run_for(500)
    page.clock.run_for(3000)
    held[0].continue_()
    page.clock.resume()
    expect(page.get_by_role("row").filter(has_text=second[:8])).to_contain_text("Success")
    # The answer took 3 s. What happens now is on the page within the next 3 s of the page's own time.
    dev.go(first)
    dev.wait_status(first, "SUCCESS")
    page.clock.pause_at(page.evaluate("Date.now() / 1000 + 1"))
    page.evaluate(RUNS_MOVED)
    with page.expect_response(RUNS):
        page.clock.run_for(2000)
    page.clock.resume()
    expect(row).to_contain_text("Success")


def test_what_happens_before_the_stream_is_open_is_read_when_it_opens(page: Page, dev: DevYard) -> None:
    page.add_init_script(STREAM_BY_HAND)
    run_id = dev.launch("gate")
    dev.wait_status(run_id, "STARTED")
    page.goto("/runs")
    row = page.get_by_role("row").filter(has_text=run_id[:8])
    expect(row).to_contain_text("Running")
    dev.go(run_id)
    dev.wait_status(run_id, "SUCCESS")
    page.evaluate("stream.dispatchEvent(new Event('hello'))")
    expect(row).to_contain_text("Success")


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


def test_an_unknown_run_is_said_to_be_unknown(page: Page, dev: DevYard, expected_errors: list[str]) -> None:
    expected_errors.append("404")
    page.goto("/runs/00000000-none")
    expect(page.get_by_text("No run named '00000000-none'")).to_be_visible()
