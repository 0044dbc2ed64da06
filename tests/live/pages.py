"""What the tests of the admin page share: Chromium, one host for them all, and looks at the page."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from typing import Any

import pytest
from e2e import ROOT
from hosts import PREFIX, Host, standing, token

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = os.environ.get("REPRISE_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
SHOTS = ROOT / "build" / "screenshots"
needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def stands(url: str, client: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Host, Any]]:
    folder = tmp_path_factory.mktemp("page") / "backups"
    with standing(os.environ.get("REPRISE_PAGE_HOST", "fastapi_host"), url, client, folder) as found:
        yield found


class Page:
    def __init__(self, browser: Any, host: Host, **context: Any) -> None:
        self.context = browser.new_context(**{"locale": "en-GB", "viewport": {"width": 1280, "height": 800}, **context})
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda line: self.errors.append(line.text) if "Content Security" in line.text else None)
        self.page.goto(f"{host.url}{PREFIX}/")

    def sign_in(self, bearer: str) -> None:
        self.page.fill("#token", bearer)
        self.page.press("#token", "Enter")

    def shot(self, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(SHOTS / f"{name}.png"))

    def close(self) -> None:
        self.context.close()
        assert self.errors == []


def seen(page: Any, selector: str) -> bool:
    """Is it wholly in the window?"""
    page.wait_for_selector(selector)
    found = page.evaluate(
        """(selector) => { const box = document.querySelector(selector).getBoundingClientRect();
        return box.top >= 0 && box.bottom <= window.innerHeight && box.height > 0; }""",
        selector,
    )
    return bool(found)


def look_again(page: Any) -> None:
    """What the page does every half minute, and when somebody comes back to it."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def active(page: Any) -> str:
    return str(page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.id"))


def until_refused(host: Host, bearer: str) -> None:
    deadline = time.monotonic() + 60
    with host.client(bearer) as client:
        while client.get("/status").status_code != 401:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def backups(host: Host, count: int, **body: str) -> list[str]:
    """Their names, the newest first, as the page lists them."""
    with host.client(token()) as client:
        for _ in range(count):
            assert client.post("/create", json=body).status_code == 200
        return [each["filename"] for each in client.get("/list").json()["backups"]]
