from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from .dev_yard import DevYard

#: A wait that is honest must not fail because the machine is busy.
expect.set_options(timeout=15_000)

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = os.environ.get("RUNYARD_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    assert path, "Browser tests need Chromium: `make test` installs it, or set RUNYARD_CHROMIUM to its path."
    # Ended with this package: its event loop would keep other tests from running one of their own.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevYard]:
    """One ``runyard dev`` for all of these tests, its jobs gated by files."""
    with DevYard(tmp_path_factory.mktemp("yard")) as yard:
        yield yard


@pytest.fixture
def expected_errors() -> list[str]:
    """Parts of console lines that a test provokes on purpose."""
    return []


@pytest.fixture
def page(browser: Browser, dev: DevYard, request: pytest.FixtureRequest, expected_errors: list[str]) -> Iterator[Page]:
    """A fresh profile at 1440x900; any error on the console or from a script fails the test."""
    size = getattr(request, "param", (1440, 900))
    context = browser.new_context(base_url=dev.url, viewport={"width": size[0], "height": size[1]})
    context.set_default_timeout(15_000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(f"script: {error}"))
    page.on("console", lambda line: errors.append(f"console: {line.text}") if line.type == "error" else None)
    yield page
    context.close()
    dev.finish_everything()
    unexpected = [error for error in errors if not any(part in error for part in expected_errors)]
    assert not unexpected, unexpected
