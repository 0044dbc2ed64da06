"""The admin page as the person before it has it: what is seen, what is said, and where the keyboard is."""

from __future__ import annotations

import pathlib
import time
from typing import Any

from e2e import fingerprint
from hosts import PREFIX, Host, token
from pages import Page, active, backups, look_again, needs_chromium, seen, until_refused
from hosts import database, folder, host  # noqa: F401
from pages import browser, stands  # noqa: F401

pytestmark = needs_chromium


def test_what_was_done_from_the_last_row_is_seen(browser: Any, host: Host, database: Any, folder: pathlib.Path) -> None:
    before = fingerprint(database)
    names = backups(host, 7)  # so many stay
    at = Page(browser, host, viewport={"width": 1280, "height": 600})
    page = at.page
    at.sign_in(token())
    page.get_by_role("button", name=f"Verify {names[-1]}").click()
    assert seen(page, "#message:not(:empty)") and names[-1] in page.inner_text("#message")
    page.click("#dismiss")
    assert page.inner_text("#message") == ""
    whole = (folder / names[-2]).read_bytes()
    (folder / names[-2]).write_bytes(whole[: len(whole) // 2])
    page.get_by_role("button", name=f"Verify {names[-2]}").click()
    assert seen(page, "#error:not(:empty)") and page.get_attribute("#error [lang]", "lang") == "en"
    database.absences.delete_many({})
    page.get_by_role("button", name=f"Restore {names[-1]}").click()
    page.wait_for_selector("#preview table")
    page.press("#confirm", "Enter")
    assert page.is_visible("#confirm") and page.is_disabled("#restore-go")
    page.fill("#confirm", database.name)
    page.press("#confirm", "Enter")
    assert seen(page, "#restore[open] #message:not(:empty)")
    assert fingerprint(database) == before and page.inner_text("#restore #message").count("before_restore_") == 1
    page.keyboard.press("Enter")  # on Close
    assert seen(page, "#main > #bar > #message:not(:empty)")
    page.wait_for_selector("[data-act=restore]:focus")
    assert active(page) == f"Restore {names[-1]}"
    page.get_by_role("button", name=f"Restore {names[-2]}").click()
    page.wait_for_selector("#preview-wait [lang=en]")
    assert page.is_disabled("#restore-go")
    at.close()


def test_a_stale_page_does_not_say_that_all_is_well(browser: Any, host: Host) -> None:
    name = backups(host, 1)[0]
    at = Page(browser, host)
    page = at.page
    at.sign_in(token())
    page.wait_for_selector("#health.good")
    at.context.set_offline(True)
    look_again(page)
    page.wait_for_selector("#health.warn")
    assert "as of" in page.inner_text("#health") and page.is_hidden("#error")
    at.context.set_offline(False)
    look_again(page)
    page.wait_for_selector("#health.good")
    page.click("#logout")
    late = token(exp=int(time.time()) - 22)  # 30 s of leeway
    at.sign_in(late)
    page.wait_for_selector("#health.good")
    other = Page(browser, host)
    other.sign_in(late)
    other.page.wait_for_selector("#health.good")
    until_refused(host, late)
    look_again(other.page)
    other.page.wait_for_selector("#login:not([hidden])")
    assert "sign in again" in other.page.inner_text("#error") and other.page.is_hidden("#content")
    other.close()
    page.get_by_role("button", name=f"Download {name}").click()
    page.wait_for_selector("#login:not([hidden])")
    assert "sign in again" in page.inner_text("#error") and page.url.endswith(f"{PREFIX}/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    look_again(page)
    at.sign_in(token())
    page.wait_for_selector("#health.good")
    assert [url.rsplit("/", 1)[1] for url in asked] == ["status", "list", "health"]
    at.close()


def test_an_employee_with_a_cookie_is_told_why(browser: Any, host: Host) -> None:
    at = Page(browser, host)
    at.context.add_cookies([{"name": "session", "value": token("employee"), "url": host.url}])
    at.page.reload()
    at.page.wait_for_selector("#error:not(:empty)")
    assert "Only administrators" in at.page.inner_text("#error") and at.page.is_visible("#login")
    at.close()


def test_long_words_stay_inside(browser: Any, host: Host, database: Any) -> None:
    database["x" * 180].insert_one({"a": 1})
    name = backups(host, 1, label="W" * 100)[0]
    database.absences.delete_many({})
    for width in (1280, 900, 768, 375, 320):
        at = Page(browser, host, locale="fr-FR", viewport={"width": width, "height": 740})
        page = at.page
        at.sign_in(token())
        page.wait_for_selector("#list tbody tr")
        page.click("#list summary")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), width
        page.get_by_role("button", name=f"Restaurer {name}").click()
        page.wait_for_selector("#preview table")
        fits = "[...document.querySelectorAll('dialog[open] .scroll')].every((one) => one.scrollWidth <= one.clientWidth)"
        assert page.evaluate(fits), width
        assert page.inner_text("#preview tbody tr >> nth=0").startswith("absences")  # what changes stands first
        assert "différent" in page.inner_text("#preview tbody tr >> nth=0 >> .changed")
        at.shot(f"preview-{width}")
        page.keyboard.press("Escape")
        page.get_by_role("button", name=f"Détails {name}").click()
        page.wait_for_selector("#details[open]")
        assert page.evaluate(fits) and page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), width
        at.close()


def test_the_preview_tells_indexes_and_views_apart(browser: Any, host: Host, database: Any) -> None:
    name = backups(host, 1)[0]
    database.users.drop_indexes()
    database.absences.drop()
    database.active_users.drop()
    database.fresh.insert_one({})
    at = Page(browser, host)
    page = at.page
    at.sign_in(token())
    page.get_by_role("button", name=f"Restore {name}").click()
    page.wait_for_selector("#preview table")
    rows = [line.split("\t") for line in page.inner_text("#preview tbody").replace("\t\n", "\t").splitlines()]
    assert rows[:4] == [
        ["absences", "–", "25", "created"],
        ["active_users (view)", "–", "–", "created"],
        ["users", "12", "12", "same documents, other indexes or options"],
        ["fresh", "1", "1", "not in the backup, left alone"],
    ]
    assert {each[3] for each in rows[4:]} == {"same"} and "Changed: 3." in page.inner_text("#preview")
    at.close()


def test_the_focus_stays_where_the_hands_are(browser: Any, host: Host) -> None:
    old, older = backups(host, 3)[1:]
    at = Page(browser, host)
    page = at.page
    at.sign_in(token())
    page.get_by_role("button", name=f"Pin {old}", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(f"[aria-label='Unpin {old}']")
    assert active(page) == f"Unpin {old}"
    page.click("#list summary >> nth=2")
    page.get_by_role("button", name=f"Details {older}").focus()
    backups(host, 1)
    look_again(page)
    page.wait_for_selector("#list tbody tr:nth-child(4)")
    assert active(page) == f"Details {older}" and page.locator("#list details[open]").count() == 1
    page.get_by_role("button", name=f"Unpin {old}").click()
    page.wait_for_selector(f"[aria-label='Pin {old}']")
    page.get_by_role("button", name=f"Delete {old}").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#ask[open]")
    assert f"Delete {old} for ever?" in page.inner_text("#ask-text")
    page.keyboard.press("Enter")  # on Close
    page.wait_for_selector("#ask", state="hidden")
    assert active(page) == f"Delete {old}"
    page.keyboard.press("Enter")
    page.click("#ask-yes")
    page.wait_for_selector(f"[aria-label='Delete {old}']", state="detached")
    assert active(page) == f"Delete {older}"
    at.close()


def test_three_quick_clicks_make_one_backup(browser: Any, host: Host) -> None:
    at = Page(browser, host)
    at.sign_in(token())
    at.page.wait_for_selector("#content:not([hidden])")
    at.page.evaluate("for (let i = 0; i < 3; ++i) document.getElementById('create').requestSubmit()")
    assert at.page.get_attribute("#create button", "aria-disabled") == "true"
    at.page.wait_for_selector("#create button[aria-disabled=false]")
    assert at.page.inner_text("#error") == "" and "backup_" in at.page.inner_text("#message")
    assert at.page.locator("#list tbody tr").count() == 1
    at.close()


def test_a_french_page_speaks_french_and_remembers_it(browser: Any, host: Host) -> None:
    at = Page(browser, host)
    page = at.page
    page.select_option("#language", "fr")
    page.reload()
    assert page.get_attribute("html", "lang") == "fr"
    at.sign_in(token())
    page.wait_for_selector("#content:not([hidden])")
    page.evaluate(
        """() => { window.told = []; const text = document.getElementById("running-text");
        new MutationObserver(() => window.told.push(text.textContent)).observe(text, { childList: true }); }"""
    )
    page.fill("#label", "報" * 100)
    page.click("#create button")
    page.wait_for_selector("#error:not(:empty)")
    assert "200 octets" in page.inner_text("#error") and page.locator("#list tbody tr").count() == 0
    page.fill("#label", "報" * 66)
    page.click("#create button")
    page.wait_for_selector("#list tbody tr")
    told = page.evaluate("window.told")
    assert told and all(each.startswith("En cours : sauvegarde — ") for each in told)
    assert not any(phase in each for each in told for phase in ("starting", "waiting", "reading", "verifying"))
    at.close()


def test_a_suspect_backup_is_told_and_accepted(browser: Any, host: Host, database: Any) -> None:
    with host.client(token()) as client:
        assert client.post("/create").status_code == 200
    database.users.delete_many({})
    at = Page(browser, host)
    at.sign_in(token())
    at.page.wait_for_selector("#health.good")
    at.page.click("#create button")
    at.page.wait_for_selector("#message.warn")
    assert "suspect: the main collection is empty" in at.page.inner_text("#message")
    at.shot("suspect")
    at.page.wait_for_selector("#health.bad")
    at.page.get_by_role("button", name="Restore suspect_").click()
    assert "suspect: the main collection is empty" in at.page.inner_text("#restore-suspect")
    at.page.wait_for_selector("#preview table")
    at.page.keyboard.press("Escape")
    at.page.get_by_role("button", name="Restore backup_").click()
    assert at.page.is_hidden("#restore-suspect")
    at.page.wait_for_selector("#preview table")
    at.page.keyboard.press("Escape")
    assert "suspect" in at.page.inner_text("#problems") and "main collection is empty" in at.page.inner_text("#list tbody")
    at.page.get_by_role("button", name="Accept").click()
    assert "main collection is empty" in at.page.inner_text("#ask") and "cannot be undone" in at.page.inner_text("#ask")
    at.page.keyboard.press("Enter")  # on Close
    at.page.wait_for_selector("#ask", state="hidden")
    assert at.page.is_visible("#health.bad")
    at.page.get_by_role("button", name="Accept").click()
    at.page.click("#ask-yes")
    at.page.wait_for_selector("#health.good")
    at.close()
