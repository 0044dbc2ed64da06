"""The admin page in a real browser: Chromium through Playwright, against the FastAPI host with four workers."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import pytest
from e2e import fingerprint
from hosts import PREFIX, Host, token
from hosts import database, folder, host  # noqa: F401
from pages import Page, browser, needs_chromium, stands  # noqa: F401

pytestmark = needs_chromium


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
    page.get_by_role("button", name="Restore ").click()
    page.wait_for_selector("#preview table")
    preview = page.inner_text("#preview")
    assert "users" in preview and "different" in preview and "same" in preview
    assert page.is_disabled("#restore-go")
    page.fill("#confirm", "wrong name")
    assert page.is_disabled("#restore-go")
    page.fill("#confirm", database.name)
    at.shot("preview")
    page.click("#restore-go")
    page.wait_for_selector("#restore #message:not(:empty)")
    safety = next(pathlib.Path(host.folder).glob("before_restore_*.json")).name
    assert f"To go back, restore {safety}" in page.inner_text("#restore")
    at.shot("restored")
    page.click("#restore-close")
    page.wait_for_selector("#main > #bar #message:not(:empty)")
    assert page.locator("#list tbody tr").count() == 2
    assert fingerprint(database) == before
    at.close()


def test_a_wrong_token_is_told_and_opens_nothing(browser: Any, host: Host) -> None:
    at = Page(browser, host)
    at.sign_in("junk")
    at.page.wait_for_selector("#error:not(:empty)")
    assert at.page.is_hidden("#content")
    at.sign_in(token("user"))
    at.page.wait_for_selector("#error:not(:empty)")
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
    page.wait_for_selector("#token")
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
    page.wait_for_selector("#restore", state="hidden")
    at.close()


def test_axe_finds_nothing(browser: Any, host: Host, database: Any) -> None:
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
        at.page.wait_for_selector("#message:not(:empty)")
        at.page.get_by_role("button", name="Restore ").first.click()
        at.page.wait_for_selector("#preview table")
        found = axe.run(at.page).response["violations"]
        assert found == [], [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
        at.page.fill("#confirm", database.name)
        at.page.press("#confirm", "Enter")
        at.page.wait_for_selector("#restore #message:not(:empty)")
        found = axe.run(at.page).response["violations"]
        assert found == [], [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
        at.page.click("#restore-close")
        at.context.set_offline(True)
        at.page.get_by_role("button", name="Delete ").first.click()
        at.page.click("#ask-yes")
        at.page.wait_for_selector("#error:not(:empty)")
        found = axe.run(at.page).response["violations"]
        assert found == [], [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
        at.context.close()


def test_every_button_of_a_row_works(browser: Any, host: Host, folder: pathlib.Path) -> None:
    with host.client(token()) as client:
        old, new = (os.path.basename(client.post("/create").json()["backup_file"]) for _ in range(2))
    at = Page(browser, host, accept_downloads=True)
    page = at.page
    at.sign_in(token())

    def row(name: str, button: str) -> Any:
        return page.get_by_role("button", name=f"{button} {name}", exact=True)

    def done() -> None:
        page.wait_for_selector("#message:not(:empty)")
        page.click("#dismiss")

    row(old, "Pin").click()
    done()
    row(old, "Verify").click()
    done()
    row(old, "Details").click()
    page.wait_for_selector("#details[open]")
    assert "users" in page.inner_text("#details-body")
    page.keyboard.press("Escape")
    with page.expect_download() as download:
        row(old, "Download").click()
    assert pathlib.Path(download.value.path()).read_bytes() == (folder / old).read_bytes()
    row(old, "Delete").click()
    page.click("#ask-yes")
    page.wait_for_selector("#error:not(:empty)")
    assert "pinned" in page.inner_text("#error") and (folder / old).exists()
    row(old, "Unpin").click()
    done()
    row(old, "Delete").click()
    page.click("#ask button[value=close]")
    assert (folder / old).exists()
    row(old, "Delete").click()
    page.click("#ask-yes")
    done()
    assert not (folder / old).exists() and (folder / new).exists()
    page.click("#list summary")
    assert "users: 12" in page.inner_text("#list tbody")
    assert token() not in page.url and page.url.endswith(f"{PREFIX}/")
    at.close()


def test_a_host_page_hands_its_token_over(browser: Any, host: Host) -> None:
    """A page of the same origin opens it, and gives the token when it says that it listens."""
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(f"{host.url}/healthz")
    with context.expect_page() as opened:
        page.evaluate(
            """([url, token]) => { const other = window.open(url);
            window.addEventListener("message", (event) => {
                if (event.data.reprise === "ready") other.postMessage({ reprise_token: token }, location.origin); }); }""",
            [f"{host.url}{PREFIX}/", token()],
        )
    opened.value.wait_for_selector("#content:not([hidden])")
    context.close()


def test_a_foreign_page_cannot_make_the_browser_do_anything(browser: Any, host: Host) -> None:
    """The browser holds the cookie of an administrator; a page of another origin posts forms, and frames the page."""
    context = browser.new_context()
    context.add_cookies([{"name": "session", "value": token(), "url": host.url}])
    here = context.new_page()
    here.goto(f"{host.url}{PREFIX}/")
    here.wait_for_selector("#content:not([hidden])")  # the cookie is one that opens the page
    assert here.locator("#logout").is_hidden()  # which cannot be taken back here
    here.click("#create button")
    here.wait_for_selector("#list tbody tr")
    name = here.inner_text("#list tbody tr .file")
    page = context.new_page()
    foreign = host.url.replace("127.0.0.1", "localhost")
    page.goto(f"{foreign}/healthz")
    for path in ("create", "restore", f"download/{name}"):
        page.goto(f"{foreign}/healthz")
        with page.expect_navigation():
            page.evaluate(
                """(url) => { const form = document.createElement("form"); form.method = "post"; form.action = url;
                document.body.append(form); form.submit(); }""",
                f"{host.url}{PREFIX}/{path}",
            )
        assert '"status":40' in page.content(), path
    page.goto(f"{foreign}/healthz")
    blocked = page.evaluate(
        """async (url) => { try { await fetch(url, { method: "POST", credentials: "include",
        headers: { "X-Reprise": "1" } }); return false; } catch { return true; } }""",
        f"{host.url}{PREFIX}/create",
    )
    assert blocked
    frame = page.evaluate_handle(
        """(url) => new Promise((done) => { const frame = document.createElement("iframe"); frame.src = url;
        frame.onload = () => done(frame); document.body.append(frame); })""",
        f"{host.url}{PREFIX}/",
    ).as_element().content_frame()
    assert frame.url.startswith("chrome-error:"), frame.url  # frame-ancestors 'none'
    context.close()
    with host.client(token()) as client:
        assert client.get("/list").json()["total"] == 1
