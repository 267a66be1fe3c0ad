"""Pictures of the console for README.md, over fictional cases: python -m tests.review.web.screenshots FOLDER."""

from __future__ import annotations

import shutil
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from stream_detector.contracts import EventType
from tests.review.web.conftest import CHROMIUM_FLAGS
from tests.review.web.fictional import violation
from tests.review.web.serving import PROXY, Console

#: Attribute, text, probability, partner, listing.
CASES = (
    ("houseRules", "Check-in from 3 pm. To book again, call me on [[phone:+44 7700 900142]] and save the fee.", 0.998, "P-118", "L-1042"),
    ("listingDescription", "Two rooms near the market hall. More photos and direct booking: [[url:flats.example.com/attic]]", 0.991, "P-131", "L-1077"),
    ("bookingNote", "We are four. Please write to [[email:maria(at)example.org]], then I can send our passports.", 0.982, "P-106", "L-1031"),
    ("houseRules", "Deposit of 200 € [[payment:in cash or by bank transfer]] before arrival, outside the app.", 0.974, "P-118", "L-1043"),
    ("profile", "Photographer. Find me as [[handle:@attic_stays_example]] where the pictures are.", 0.957, "P-123", "L-1012"),
    ("listingDescription", "Ring\u200b me: [[phone:０７７００ ９００１４２]] for the real price, any time.", 0.951, "P-140", "L-1098"),
    ("houseRules", "[[messenger:WhatsApp]] me before you come: [[phone:+44 7700 900 177]]", 0.943, "P-109", "L-1055"),
    ("listingDescription", "[[solicitation:Book directly with us]] next time and pay less.", 0.874, "P-131", "L-1078"),
)  # fmt: skip


def main(folder: Path) -> None:
    """Take all of them."""
    executable = shutil.which("chromium")
    if executable is None:
        sys.exit("screenshots: needs chromium in PATH: run make browser-setup")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as store, Console(Path(store), **PROXY) as console, sync_playwright() as playwright:
        _fill(console)
        browser = playwright.chromium.launch(executable_path=executable, args=list(CHROMIUM_FLAGS))
        person = {"X-User": "anna@example.com", "X-Groups": "reviewer,lead"}
        page = browser.new_page(extra_http_headers=person, viewport={"width": 1120, "height": 720}, color_scheme="light")
        page.goto(console.at("queue"))
        _take(page, folder / "console-queue.png")
        page.keyboard.press("g")
        page.wait_for_url("**/cases/*")
        _take(page, folder / "console-case.png")
        page.emulate_media(color_scheme="dark")
        page.goto(console.at("cases/3"))
        page.keyboard.press("v")
        page.locator("#reading .text").first.wait_for()
        _take(page, folder / "console-dark.png")
        phone = browser.new_page(extra_http_headers=person, viewport={"width": 360, "height": 720}, color_scheme="light")
        phone.goto(console.at("queue?kind=phone"))
        _take(phone, folder / "console-phone.png")
        browser.close()


def _fill(console: Console) -> None:
    now = datetime.now(UTC)
    for number, (attribute, text, score, partner, listing) in enumerate(reversed(CASES), start=1):
        event_type = EventType.BOOKING if attribute == "bookingNote" else EventType.LISTING_UPDATE
        moment = now - timedelta(seconds=7 * (len(CASES) - number) + 5)
        made = violation(
            number, {attribute: text}, score=score, partner=partner, listing=listing, event_type=event_type, detected_at=moment
        )
        console.take(made)
    console.store.claims.claim(4, "bert@example.com")


def _take(page: Page, file: Path) -> None:
    page.wait_for_load_state()
    page.screenshot(path=file)
    sys.stdout.write(f"{file}: {file.stat().st_size / 1024:.0f} kB\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
