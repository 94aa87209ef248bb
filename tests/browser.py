"""Driving pages in a real browser: who is signed in, what a page must never do, its four looks.

A test that uses these is marked `browser` and takes the fixtures `page` and `house` (tests/conftest.py).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from django.test import Client
from playwright.sync_api import Page

from propolis.accounts.models import Membership
from tests.people import BACKEND

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 40_000
"""Milliseconds until what is expected on a page counts as missing."""
LOOKS = [("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)]


def missing() -> str:
    """Why no browser test can run here, "" when they can."""
    if os.environ.get("PROPOLIS_TEST_BARE") == "1":
        return "no browser: PROPOLIS_TEST_BARE is set"
    return "" if CHROMIUM.exists() else f"no browser: {CHROMIUM} is not installed (Debian package chromium)"


def required() -> bool:
    return "chromium" in os.environ.get("PROPOLIS_REQUIRE", "").split(",")


def signed_in(page: Page, live_server: Any, person: Membership) -> Page:
    """The page's browser now has the person's session; go anywhere with `page.goto(live_server.url + …)`."""
    client = Client()
    assert person.user is not None
    client.force_login(person.user, backend=BACKEND)
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    return page


def set_look(page: Page, theme: str, width: int) -> None:
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 900})


def looks(page: Page) -> Iterator[str]:
    """Light and dark, 1440 and 390 px wide, one after the other: `for look in looks(page): …`."""
    for theme, width in LOOKS:
        set_look(page, theme, width)
        yield f"{theme} {width}"


def assert_accessible(page: Page) -> None:
    """No axe violation, of any kind."""
    # Half a megabyte of script: once for each document, not for each of its looks.
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate("axe.run({resultTypes: ['violations']}).then(told => told.violations)")
    told = [(v["id"], v["help"], [n["target"] for n in v["nodes"]][:5]) for v in found]
    assert told == [], (page.url, told)


def assert_no_sideways_scroll(page: Page) -> None:
    wide = page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth")
    assert wide <= 0, f"{page.url} is {wide} px wider than the window"


def assert_presentable(page: Page) -> None:
    """In all four looks: accessible and not wider than the window. Ends light and 1440 wide."""
    page.wait_for_load_state()  # its styles are there from then on
    for _ in looks(page):
        assert_no_sideways_scroll(page)
        assert_accessible(page)
    set_look(page, *LOOKS[0])


@dataclass
class Complaints:
    """What the browser said went wrong: console errors (a CSP violation is one) and script errors."""

    told: list[str]

    def watch(self, page: Page) -> None:
        page.on("console", lambda m: self.told.append(f"{page.url}: {m.text}") if m.type == "error" else None)
        page.on("pageerror", lambda e: self.told.append(f"{page.url}: {e}"))

    def expect(self, *parts: str) -> None:
        """Takes off complaints the test caused on purpose, e.g. "404"."""
        self.told[:] = [t for t in self.told if not any(part in t for part in parts)]
