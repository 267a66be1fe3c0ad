"""A case in a browser: evidence by kind, masked until asked for, what the model read, what to send, and who else there is."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from stream_detector.review.audit import Action
from tests.review.web.conftest import Open
from tests.review.web.fictional import violation
from tests.review.web.serving import Console, Stubborn

pytestmark = pytest.mark.browser

RULES = "Call me on [[phone:+44 7700 900142]] or write to [[email:host@example.com]], please"


def test_evidence_is_marked_by_kind_in_words_and_masked(console: Console, opened: Open) -> None:
    """Not by colour alone, and nothing of a contact is on the page, in its source either."""
    console.take(violation(1, {"houseRules": RULES, "title": "Sunny flat"}))
    page = opened(console.at("cases/1"))
    marks = page.locator(".text mark")
    expect(marks).to_have_count(2)
    assert marks.all_inner_texts() == ["phone+4• •••• •••••2", "emailh•••@•••••••.••m"]
    assert "7700 900142" not in page.content()
    assert "host@example" not in page.content()
    texts = page.locator(".text").all_inner_texts()
    assert texts[0].startswith("Call me on ")
    assert texts[1] == "Sunny flat"
    expect(page.get_by_role("heading", name="houseRules top contributor")).to_be_visible()
    assert page.get_by_text("0.9700").count() == 1
    for shown in ("P-7", "L-9", "E-1", "V-1", "listing-updates, partition 1, offset 1", "CONTACT 1.1 (v20261124)", "0.5000"):
        expect(page.get_by_text(shown).first).to_be_visible()


def test_unmasking_is_asked_for_and_in_the_audit_log(console: Console, opened: Open) -> None:
    """One key shows the clear text; who did it stands in the log; loading the page again masks it."""
    console.take(violation(1, {"houseRules": RULES}))
    page = opened(console.at("cases/1"))
    page.keyboard.press("m")
    expect(page.locator(".text mark").first).to_have_text("phone+44 7700 900142")
    (entry,) = console.store.audit.page(action=Action.UNMASKED)
    assert entry.case_id == 1
    page.get_by_role("link", name="Mask again").click()
    expect(page.locator(".text mark").first).to_have_text("phone+4• •••• •••••2")
    page.goto(console.at("audit"))
    expect(page.get_by_role("cell", name="unmasked")).to_be_visible()


def test_what_the_model_read_is_shown_on_demand(console: Console, opened: Open) -> None:
    """Unseen characters have names where they stand, and in the clear the folded digits show."""
    rules = "Ring\u200b me: [[phone:０７７００ ９００１４２]] \u202eabc"
    console.take(violation(1, {"houseRules": rules, "title": "Sunny flat"}))
    page = opened(console.at("cases/1"))
    unseen = page.locator("#texts .unseen")
    assert unseen.all_inner_texts() == ["U+200B", "U+202E"]
    assert unseen.first.get_attribute("title") == "zero width space"
    page.keyboard.press("v")
    reading = page.locator("#reading")
    expect(reading).to_contain_text("Made of the masked text")
    expect(reading).to_contain_text("1 × U+200B zero width space, 1 × U+202E right-to-left override")
    expect(reading).to_contain_text("The model read it as it was written.")
    page.keyboard.press("m")
    expect(page.get_by_text("Shown in the clear")).to_be_visible()
    page.keyboard.press("v")
    expect(page.locator("#reading mark")).to_have_text("phone07700 900142")
    expect(reading).to_contain_text("11 characters were folded")
    assert len(console.store.audit.page(action=Action.UNMASKED)) == 2


def test_the_redaction_is_scored_again(console: Console, opened: Open) -> None:
    """What is to be sent to the author holds no contact, and the detector has nothing against it."""
    console.take(violation(1, {"houseRules": "Bright. Call [[phone:+44 7700 900142]] to book. Near the park."}))
    page = opened(console.at("cases/1"))
    page.keyboard.press("t")
    redaction = page.locator("#redaction")
    expect(redaction.locator(".text")).to_have_text("Bright. Call […] to book. Near the park.")
    expect(redaction).to_contain_text("Scored again: NonFraud. 1 piece was taken out.")
    assert not console.store.audit.page(action=Action.UNMASKED)


def test_history_and_links(console: Console, opened: Open) -> None:
    """The partner's other cases, and cases of anybody with the same contact, however it is written there."""
    console.take(
        violation(1, {"houseRules": RULES}, partner="P-1", listing="L-1"),
        violation(2, {"houseRules": "Ring [[phone:+44 7700 900333]]"}, partner="P-1", listing="L-2"),
        violation(3, {"about": "Text [[phone:+44 (7700) 900-142]] now"}, partner="P-2", listing="L-3"),
    )
    page = opened(console.at("cases/1"))
    partner = page.get_by_role("region", name="The partner")
    expect(partner).to_contain_text("0 confirmed, 0 dismissed, 2 open, on 2 listings")
    expect(partner.get_by_role("link", name="Case 2")).to_be_visible()
    linked = page.get_by_role("region", name="Same contact elsewhere")
    expect(linked).to_contain_text("another partner, P-2, listing L-3")
    assert linked.get_by_role("link").all_inner_texts() == ["Case 3"]


def test_a_long_text_is_shown_around_its_evidence(console: Console, opened: Open) -> None:
    """Half a megabyte doesn't bury what matters, and all of it is a link away."""
    console.take(violation(1, {"houseRules": "plain words " * 3000 + "[[phone:+44 7700 900142]]" + " plain words" * 3000}))
    page = opened(console.at("cases/1"))
    text = page.locator(".text")
    assert len(text.inner_text()) < 3000
    expect(text.locator("mark")).to_be_visible()
    expect(text.locator(".gap")).to_have_count(2)
    page.get_by_role("link", name="All 72,015 characters").click()
    expect(text.locator(".gap")).to_have_count(0)
    assert len(text.inner_text()) > 72_000


def test_without_texts_the_record_is_named(console: Console, opened: Open) -> None:
    """Where the worker publishes no texts, the page says where to read them."""
    console.take(violation(5, {}))
    page = opened(console.at("cases/1"))
    expect(page.get_by_text("The record is listing-updates, partition 1, offset 5.")).to_be_visible()


def test_a_redaction_that_is_not_enough_is_not_shown(tmp_path: Path, opened: Open) -> None:
    """Nobody sends an author a text that would be flagged again."""
    with Console(tmp_path, scorer=Stubborn) as console:
        console.take(violation(1, {"houseRules": RULES}))
        page = opened(console.at("cases/1/redaction"))
        expect(page.get_by_role("alert")).to_contain_text("Ask the author to write it anew.")
        assert "Call me" not in page.content()
