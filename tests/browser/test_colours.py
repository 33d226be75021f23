"""Pages follow the colour scheme that the browser asks for."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from .dev_yard import DevYard

CANVAS = {"light": "rgb(246, 246, 242)", "dark": "rgb(16, 22, 20)"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_scheme_is_followed(page: Page, dev: DevYard, scheme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=scheme)
    for path in ("/queue", "/queue/what-if", "/deployment/concurrency"):
        page.goto(path)
        expect(page.get_by_role("main")).to_be_visible()
        expect(page.locator("body")).to_have_css("background-color", CANVAS[scheme])
