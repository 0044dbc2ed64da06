"""The admin page in a real browser: Chromium through Playwright, against the FastAPI host with four workers."""

from __future__ import annotations

import os
import pathlib
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from e2e import ROOT, fill, fingerprint
from test_admin import PREFIX, Host, running, token

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = os.environ.get("REPRISE_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
SHOTS = ROOT / "build" / "screenshots"
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def host(url: str, database: Any, folder: pathlib.Path) -> Iterator[Host]:
    fill(database)
    environment = {"MONGO_URL": url, "DB_NAME": database.name, "BACKUP_DIR": str(folder)}
    with running("fastapi_host", environment) as found:
        yield found


class Page:
    def __init__(self, browser: Any, host: Host, **context: Any) -> None:
        self.context = browser.new_context(**{"locale": "en-GB", **context})
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
        self.page.screenshot(path=str(SHOTS / f"{name}.png"), full_page=True)

    def close(self) -> None:
        self.context.close()
        assert self.errors == []


def test_an_administrator_creates_previews_and_restores(browser: Any, host: Host, database: Any) -> None:
    before = fingerprint(database)
    at = Page(browser, host)
    page = at.page
    at.sign_in(token())
    page.wait_for_selector("#content:not([hidden])")
    assert "no good backup" in page.inner_text("#problems")
    page.fill("#label", "before the audit")
    page.click("#create button")
    page.wait_for_selector("#list tbody tr")
    page.wait_for_selector("#health.good")
    assert "before the audit" in page.inner_text("#list tbody")
    at.shot("page")
    for name in ("users", "absences"):
        database[name].delete_many({})
    page.click("#list tbody tr button.danger >> nth=0")
    page.wait_for_selector("#preview table")
    preview = page.inner_text("#preview")
    assert "users" in preview and "different" in preview and "same" in preview
    assert page.is_disabled("#restore-go")
    page.fill("#confirm", "wrong name")
    assert page.is_disabled("#restore-go")
    page.fill("#confirm", database.name)
    at.shot("preview")
    page.click("#restore-go")
    page.wait_for_selector("#message:not([hidden])")
    page.wait_for_selector("#list tbody tr:nth-child(2)")
    assert fingerprint(database) == before
    at.close()


def test_a_wrong_token_is_told_and_opens_nothing(browser: Any, host: Host) -> None:
    at = Page(browser, host)
    at.sign_in("junk")
    at.page.wait_for_selector("#error:not([hidden])")
    assert at.page.is_hidden("#content")
    at.sign_in(token("user"))
    at.page.wait_for_selector("#error:not([hidden])")
    assert at.page.is_hidden("#content") and "token" not in at.page.url
    at.close()


def test_french_phone_and_dark(browser: Any, host: Host) -> None:
    at = Page(browser, host, locale="fr-FR", viewport={"width": 360, "height": 740}, color_scheme="dark")
    assert at.page.get_attribute("html", "lang") == "fr"
    at.sign_in(token())
    at.page.wait_for_selector("#content:not([hidden])")
    at.page.click("#create button")
    at.page.wait_for_selector("#list tbody tr")
    assert "Sauvegarder maintenant" in at.page.inner_text("#create")
    assert at.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    at.shot("phone")
    at.close()


def test_the_keyboard_alone_is_enough(browser: Any, host: Host) -> None:
    at = Page(browser, host)
    page = at.page
    page.focus("#token")
    page.keyboard.type(token())
    page.keyboard.press("Enter")
    page.wait_for_selector("#content:not([hidden])")
    page.focus("#label")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#list tbody tr button")
    page.focus("#list tbody tr button >> nth=0")
    page.keyboard.press("Enter")
    page.wait_for_selector("#preview table")
    page.keyboard.press("Escape")
    page.wait_for_function("!document.getElementById('restore').open")
    at.close()


def test_axe_finds_nothing(browser: Any, host: Host) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for scheme in ("light", "dark"):
        at = Page(browser, host, color_scheme=scheme, bypass_csp=True)
        assert axe.run(at.page).response["violations"] == []
        at.sign_in(token())
        at.page.wait_for_selector("#content:not([hidden])")
        at.page.click("#create button")
        at.page.wait_for_selector("#list tbody tr")
        found = axe.run(at.page).response["violations"]
        assert found == [], [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
        at.context.close()


def test_a_foreign_page_cannot_make_the_browser_do_anything(browser: Any, host: Host) -> None:
    """Another origin posts with the browser's cookies: nothing is created."""
    context = browser.new_context()
    context.add_cookies([{"name": "session", "value": token(), "url": host.url}])
    page = context.new_page()
    page.goto("data:text/html,<title>evil</title>")
    page.evaluate(
        """async (url) => { const form = document.createElement("form"); form.method = "post"; form.action = url;
        document.body.append(form); form.submit(); }""",
        f"{host.url}{PREFIX}/create",
    )
    page.wait_for_load_state()
    assert "success\":true" not in page.content()
    context.close()
    with host.client(token()) as client:
        assert client.get("/list").json()["total"] == 0
