"""Every page in Chromium: fit for screen readers, keyboards, phones and the dark, and unmoved by what people write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import insert

from stream_detector.contracts import Decision, Reason
from stream_detector.review.decisions import Verdict
from stream_detector.review.schema import OffenderRecord
from tests.review.web.conftest import Open
from tests.review.web.fictional import violation
from tests.review.web.serving import Console

pytestmark = pytest.mark.browser

PAGES = (
    "queue?kind=phone&min=0.1", "cases/1", "cases/2", "bulk", "partners", "partner?id=P-7", "quality", "threshold", "audit?verify=1", "cases/99",
)  # fmt: skip

#: What people wrote who want more than to be read.
HOSTILE = (
    "<script>document.title='taken'</script><img src=x onerror=alert(1)><svg onload=alert(1)>"
    "{{ 7*7 }} ${7*7} '\"><a href='javascript:alert(1)'>here</a> <div hx-get='/audit' hx-trigger='load'></div>"
    "\u202e\u2066 &lt;b&gt; \0 \x1b[31m Z\u0336\u0337\u0338" + "\u0336" * 200 + " " + "W" * 300
)


OFFENDER = {
    "partner_id": "P-7", "window_length": "7d", "level": "warning", "points": 9.5, "violations": 9, "listings": 4, "contacts": 2,
    "window_start_ms": 0, "window_end_ms": 604_800_000, "reported_ms": 604_800_000,
}  # fmt: skip


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Console]:
    """A console where each page has something to show, hostile texts and ids among it."""
    with Console(tmp_path, **{"review.undo_seconds": 0, "review.quality_share": 0}) as console:
        for number in range(1, 31):
            texts = {"houseRules": f"Flat {number}, [[phone:+44 7700 9001{number:02}]] or [[email:host@example.com]]"}
            console.take(violation(number, texts, score=0.6 + number / 100, partner=f"P-{number % 3 + 6}", listing=f"L-{number}"))
        console.take(violation(99, {HOSTILE[:80]: HOSTILE + "[[phone:+44 7700 900199]]"}, partner=HOSTILE[:60], score=0.99))
        for number in range(3, 9):
            dismissed = Verdict(Decision.DISMISSED, Reason.OTHER, note=HOSTILE)
            verdict = dismissed if number % 3 == 0 else Verdict(Decision.CONFIRMED)
            console.store.decisions.decide(number, verdict, reviewer="anna")
        console.store.seal()
        with console.store.database.write() as connection:
            connection.execute(insert(OffenderRecord).values(OFFENDER))
        yield console


def _wide(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(filled: Console, opened: Open, scheme: str) -> None:
    """WCAG 2.2 AA as far as a program can check it: names, roles, contrast, structure, in both schemes."""
    page = opened(filled.at("healthz"), color_scheme=scheme)
    for path in PAGES:
        page.goto(filled.at(path))
        if path.startswith("cases/1"):
            page.keyboard.press("e")
            page.keyboard.press("v")
            expect(page.locator("#reading")).to_contain_text("read")
        results = Axe().run(page)
        assert results.violations_count == 0, f"{path}: {results.generate_report()}"


def test_no_page_scrolls_sideways_on_a_phone(filled: Console, opened: Open) -> None:
    """At 360 pixels, and at 320 (a page of 1280 at 400 %), hostile texts among it."""
    page = opened(filled.at("healthz"), viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    for width in (360, 320):
        page.set_viewport_size({"width": width, "height": 740})
        for path in (*PAGES, "cases/31"):
            page.goto(filled.at(path))
            assert _wide(page) == 0, (path, width)


def test_light_and_dark(filled: Console, opened: Open) -> None:
    """The system's scheme, until somebody chooses; the choice stays."""
    page = opened(filled.at("queue"), color_scheme="dark")

    def ground() -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    dark = ground()
    page.get_by_role("button", name="Theme: auto").click()
    expect(page.get_by_role("button", name="Theme: light")).to_be_visible()
    light = ground()
    assert light != dark
    page.goto(filled.at("audit"))
    assert ground() == light
    page.emulate_media(color_scheme="light")
    page.get_by_role("button", name="Theme: light").click()
    expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    assert ground() == dark


def test_everything_is_reached_by_the_keyboard_alone(filled: Console, opened: Open) -> None:
    """With single keys off: tab and enter open a case, decide it and undo that; focus is always seen."""
    page = opened(filled.at("cases/1"))
    page.get_by_role("button", name="Turn single keys off").press("Enter")
    expect(page.locator("body")).to_have_attribute("data-keys", "off")
    page.goto(filled.at("queue"))
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('a.row')"):
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.keyboard.press("Enter")
    page.wait_for_url("**/cases/*")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name === 'confirm'"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Case")
    assert filled.store.cases.get(31).decisions


def test_what_people_write_does_nothing(filled: Console, opened: Open) -> None:
    """Markup is text, directions stay in their box, scripts don't run, requests aren't made; `opened` sees the rest."""
    page = opened(filled.at("healthz"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in ("queue", "cases/31", "cases/31/reading", "cases/31?full=1", "partners", "bulk", "audit", "cases/3"):
        asked.clear()
        page.goto(filled.at(path))
        assert "taken" not in page.title()
        assert page.locator("main img, main svg[onload], main script").count() == 0
        assert page.locator('[href^="javascript"]').count() == 0
        assert all(address.startswith(filled.url) for address in asked)
        assert path == "audit" or not any("/audit" in address for address in asked)
    page.goto(filled.at("cases/31"))
    text = page.locator(".text").first
    expect(text).to_contain_text("<script>document.title='taken'</script>")
    expect(text).to_contain_text("U+202E")
    expect(text).to_contain_text("{{ 7*7 }}")
    page.keyboard.press("m")
    expect(page.locator(".text mark")).to_contain_text("+44 7700 900199")
