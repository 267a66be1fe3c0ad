"""The queue in a browser: what is new is announced and moves nothing, filters stand in the address, claims are seen by all."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from stream_detector.contracts import EventType
from tests.review.web.conftest import Open
from tests.review.web.fictional import violation
from tests.review.web.serving import Console

pytestmark = pytest.mark.browser


def _rows(page: Page) -> list[str]:
    return page.locator("a.row").all_inner_texts()


def _phone(number: int) -> dict[str, str]:
    return {"houseRules": f"Flat {number}. Call [[phone:+44 7700 9001{number:02}]] to book"}


def test_what_is_new_is_announced_and_moves_nothing(console: Console, opened: Open) -> None:
    """A reviewer reads on while cases come in; what came is there when they ask for it."""
    console.take(violation(1, _phone(1), score=0.9))
    page = opened(console.at("queue"))
    assert _rows(page) == ["Case 1"]
    console.take(violation(2, _phone(2), score=0.95), violation(3, _phone(3), score=0.99))
    news = page.locator("#live .news")
    expect(news).to_have_text("2 new cases – show")
    assert page.locator("#live").get_attribute("role") == "status"
    assert _rows(page) == ["Case 1"]
    assert page.title().startswith("(2) ")
    news.get_by_role("link").click()
    expect(page.locator("a.row")).to_have_text(["Case 3", "Case 2", "Case 1"])
    expect(news).to_have_count(0)


def test_only_what_a_filter_lets_through_is_announced(console: Console, opened: Open) -> None:
    """Who looks at payments isn't told of phone numbers."""
    page = opened(console.at("queue?kind=payment"))
    expect(page.get_by_text("No case is here.")).to_be_visible()
    console.take(violation(1, _phone(1)))
    console.take(violation(2, {"houseRules": "Pay [[payment:in cash]] on arrival"}))
    expect(page.locator("#live .news")).to_have_text("1 new case – show")


def test_filters_stand_in_the_address(console: Console, opened: Open) -> None:
    """A saved filter is a link: what the form asks for can be asked for again by its address alone."""
    now = datetime.now(UTC)
    console.take(
        violation(1, _phone(1), score=0.6, partner="P-1"),
        violation(2, _phone(2), score=0.9, partner="P-2"),
        violation(3, {"about": "mail [[email:host@example.com]]"}, score=0.9, partner="P-2", event_type=EventType.CLIENT_UPDATE),
        violation(4, _phone(4), score=0.9, partner="P-2", detected_at=now - timedelta(days=9)),
    )
    page = opened(console.at("queue"))
    assert len(_rows(page)) == 4
    page.get_by_text("Filter", exact=False).first.click()
    page.get_by_label("phone").check()
    page.get_by_label("Partner").fill("P-2")
    page.get_by_label("Probability from").fill("0.7")
    page.get_by_label("Newer than").fill("7d")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("a.row")).to_have_text(["Case 2"])
    address = page.url
    assert {"kind=phone", "partner=P-2", "min=0.7", "newer=7d"} <= set(address.partition("?")[2].split("&"))
    again = opened(address)
    assert _rows(again) == ["Case 2"]
    assert again.get_by_label("Newer than").input_value() == "7d"
    again.get_by_role("link", name="All open", exact=True).click()
    expect(again.locator("a.row")).to_have_count(4)


def test_what_is_searched_for_is_found(console: Console, opened: Open) -> None:
    """By a word, an id, or a contact however it is written."""
    console.take(
        violation(1, _phone(1), listing="L-1"), violation(2, {"about": "A quiet attic, [[email:host@example.com]]"}, listing="L-2")
    )
    for search, found in (("attic", "Case 2"), ("L-1", "Case 1"), ("+44 (7700) 900-101", "Case 1"), ("V-2", "Case 2")):
        page = opened(console.at("queue"))
        page.keyboard.press("f")
        page.get_by_label("Search").fill(search)
        page.get_by_label("Search").press("Enter")
        expect(page.locator("a.row")).to_have_text([found])


def test_what_cannot_be_read_in_an_address_is_named(console: Console, opened: Open) -> None:
    """A broken link shows a queue and says what of it was ignored."""
    console.take(violation(1, _phone(1)))
    page = opened(console.at("queue?min=much&state=lost&after=x&newer=1y&kind=phone"))
    expect(page.get_by_role("alert")).to_contain_text("state, newer, min, after")
    assert _rows(page) == ["Case 1"]


def test_pages_follow_each_other(console: Console, opened: Open) -> None:
    """Each case is on one page, though new ones come in between."""
    console.take(*(violation(number, _phone(number), score=0.5 + number / 200) for number in range(70)))
    page = opened(console.at("queue"))
    first = _rows(page)
    console.take(violation(99, _phone(99), score=0.99))
    page.keyboard.press("o")
    page.wait_for_url(re.compile("after="))
    second = _rows(page)
    assert len(first) == 50
    assert len(first + second) == len({*first, *second}) == 70
    page.get_by_role("link", name="back to the top").click()
    expect(page.locator("a.row").first).to_have_text("Case 71")


def test_counts_and_states(console: Console, opened: Open) -> None:
    """How many there are in each state, each a link to them."""
    console.take(*(violation(number, _phone(number)) for number in range(3)))
    page = opened(console.at("queue"))
    counts = page.locator(".counts")
    expect(counts).to_contain_text("open 3")
    expect(page.locator("#count")).to_have_text("3 cases")
    page.keyboard.press("g")
    page.wait_for_url("**/cases/*")
    page.keyboard.press("c")
    expect(page.locator(".toast")).to_be_visible()
    page.keyboard.press("q")
    expect(page.get_by_role("heading", level=1)).to_have_text("Queue")
    expect(counts).to_contain_text("open 2")
    counts.get_by_role("link", name="pending 1").click()
    expect(page.locator("a.row")).to_have_count(1)


def test_two_reviewers_never_get_the_same_case(shared: Console, opened: Open) -> None:
    """Each takes the next; each sees at once, and without loading the page again, what the other has."""
    shared.take(*(violation(number, _phone(number), score=0.9 + number / 100) for number in range(3)))
    anna = opened(shared.at("queue"), user="anna")
    bert = opened(shared.at("queue"), user="bert")
    anna.keyboard.press("g")
    anna.wait_for_url("**/cases/3*")
    expect(bert.locator("#state-3")).to_have_text("claimed by anna")
    bert.keyboard.press("g")
    bert.wait_for_url("**/cases/2*")
    expect(bert.locator("#lookers")).to_contain_text("Yours until")
    third = opened(shared.at("cases/3"), user="bert")
    expect(third.locator("#lookers")).to_contain_text("Claimed by anna. Also looking: anna.")
    expect(third.get_by_role("button", name="Confirm")).to_have_count(0)
    expect(third.get_by_text("anna has this case until")).to_be_visible()


def test_nothing_left_to_claim_is_said(console: Console, opened: Open) -> None:
    """Not an error: the work is done."""
    page = opened(console.at("queue?kind=phone"))
    page.keyboard.press("g")
    expect(page.get_by_text("Nothing is left to claim in this queue.")).to_be_visible()
    assert "kind=phone" in page.url
