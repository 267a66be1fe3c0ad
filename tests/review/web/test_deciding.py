"""Deciding in a browser: by single keys, with a way back, one by one and in bulk, and never twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from stream_detector.contracts import Decision, Kind, Reason, ReviewedSpan
from stream_detector.review.cases import CaseFilter, State
from tests.review.web.conftest import Open
from tests.review.web.fictional import violation
from tests.review.web.serving import Console

pytestmark = pytest.mark.browser


@pytest.fixture
def three(console: Console) -> Console:
    """A console with three cases: the third is next, then the second, then the first."""
    for number in (1, 2, 3):
        text = f"Flat {number}. Call [[phone:+44 7700 90014{number}]] now"
        console.take(violation(number, {"houseRules": text}, score=0.9 + number / 100))
    return console


def _case(page: Page, number: int) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Case {number}")


def test_single_keys_decide_and_bring_the_next(three: Console, opened: Open) -> None:
    """From the queue to the last case without a mouse: c confirms, a number dismisses with its reason."""
    page = opened(three.at("queue"))
    page.keyboard.press("g")
    _case(page, 3)
    page.keyboard.press("c")
    _case(page, 2)
    expect(page.locator(".toast")).to_contain_text("Case 3 confirmed.")
    page.keyboard.press("2")
    _case(page, 1)
    expect(page.locator(".toast")).to_contain_text("Case 2 dismissed: registration number.")
    page.keyboard.press("n")
    page.keyboard.type("c 1 u")
    page.get_by_role("button", name="the platform's own").click()
    expect(page.get_by_text("Nothing is left to claim in this queue.")).to_be_visible()
    first, second, third = (three.store.cases.get(number).decisions[0] for number in (1, 2, 3))
    assert (third.decision, third.reason) == (Decision.CONFIRMED, None)
    assert (second.decision, second.reason) == (Decision.DISMISSED, Reason.REGISTRATION_NUMBER)
    assert (first.reason, first.note) == (Reason.PLATFORMS_OWN, "c 1 u")


def test_keys_rest_with_modifiers_and_when_turned_off(three: Console, opened: Open) -> None:
    """Browser's own keys stay the browser's, and who dictates or types by accident can turn single keys off."""
    page = opened(three.at("cases/3"))
    page.keyboard.press("Control+c")
    page.keyboard.press("Alt+c")
    expect(page.locator("kbd").first).to_be_visible()
    page.get_by_role("button", name="Turn single keys off").click()
    expect(page.locator("body")).to_have_attribute("data-keys", "off")
    expect(page.locator("kbd").first).to_be_hidden()
    page.keyboard.press("c")
    page.keyboard.press("1")
    page.get_by_role("button", name="Turn single keys on").click()
    expect(page.locator("body")).to_have_attribute("data-keys", "on")
    assert three.store.queue.totals()[State.OPEN] == 3


def test_undo_brings_the_case_back(three: Console, opened: Open) -> None:
    """One key takes the last decision back; the case is on the screen again, and its reviewer's."""
    page = opened(three.at("cases/3"))
    page.keyboard.press("c")
    expect(page.locator(".toast .count")).to_contain_text(" s")
    page.keyboard.press("u")
    _case(page, 3)
    expect(page.locator(".toast")).to_have_count(0)
    expect(page.locator("#lookers")).to_contain_text("Yours until")
    assert three.store.queue.summary(3).state is State.OPEN
    assert three.store.cases.get(3).decisions == ()


def test_the_offer_to_undo_ends_with_the_time(tmp_path: Path, opened: Open) -> None:
    """A toast that stays would promise what is over."""
    with Console(tmp_path, **{"review.undo_seconds": 2}) as console:
        console.take(violation(1, {"houseRules": "[[phone:+44 7700 900141]]"}))
        page = opened(console.at("cases/1"))
        page.keyboard.press("c")
        expect(page.get_by_text("Nothing is left to claim")).to_be_visible()
        expect(page.locator(".toast")).to_have_count(0)
        token = page.locator('input[name="csrf"]').first.input_value()
        late = page.request.post(console.at("undo"), form={"csrf": token})
        assert late.status == 422
        assert "too late" in late.text()
        page.goto("about:blank")


def test_evidence_is_corrected_by_selecting(three: Console, opened: Open) -> None:
    """What is selected in the page becomes offsets in code points, whatever stands before it in the text."""
    three.take(violation(9, {"houseRules": "🏠🏠 ring\u200b [[phone:+44 7700]] 900149 tonight"}, score=0.99))
    page = opened(three.at("cases/4"))
    page.keyboard.press("e")
    expect(page.get_by_label("From").first).to_have_value("9")
    page.evaluate(
        """() => {
            const runs = [...document.querySelectorAll('.text [data-at]')];
            const range = document.createRange();
            range.setStart(runs.find((run) => run.textContent.startsWith('+')).firstChild, 0);
            range.setEnd(runs.at(-1).firstChild, ' 900149'.length);
            getSelection().removeAllRanges();
            getSelection().addRange(range);
        }"""
    )
    page.keyboard.press("a")
    second = page.locator(".span").nth(1)
    expect(second.locator('[name="span.start"]')).to_have_value("9")
    expect(second.locator('[name="span.end"]')).to_have_value("24")
    expect(second.locator(".piece")).to_have_text("+4• •••0 900149")
    expect(page.get_by_label("This is all that offends:")).to_be_checked()
    page.locator('.span [name="span.start"]').first.fill("")
    page.locator('.span [name="span.end"]').first.fill("")
    page.get_by_role("button", name="Confirm").click()
    _case(page, 3)
    (decided,) = three.store.cases.get(4).decisions
    assert decided.spans == (ReviewedSpan(attribute="houseRules", start=9, end=24, kind=Kind.PHONE),)


def test_evidence_is_corrected_by_numbers_and_wrong_ones_are_refused(three: Console, opened: Open) -> None:
    """Without a mouse; a span outside the text is refused with its reason, and nothing is decided."""
    page = opened(three.at("cases/3"))
    page.keyboard.press("e")
    page.locator('.span [name="span.end"]').first.fill("9999")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("alert")).to_contain_text("9999")
    page.goto(three.at("cases/3"))
    page.keyboard.press("e")
    end = page.locator('.span [name="span.end"]').first
    end.fill("15")
    expect(page.locator(".span .piece").first).to_have_text("+4")
    page.locator('.span [name="span.kind"]').first.select_option("handle")
    page.get_by_role("button", name="Confirm").click()
    _case(page, 2)
    assert three.store.cases.get(3).decisions[0].spans == (
        ReviewedSpan(attribute="houseRules", start=13, end=15, kind=Kind.HANDLE),
    )


def test_a_key_pressed_twice_decides_once(three: Console, opened: Open) -> None:
    """A second press while the next page is on its way must not decide the next case too."""
    page = opened(three.at("cases/3"))
    page.keyboard.press("c")
    page.keyboard.press("c", delay=0)
    expect(page.locator(".toast")).to_be_visible()
    assert three.store.queue.totals()[State.PENDING] <= 2
    assert len(three.store.cases.get(3).decisions) == 1


def test_a_case_that_somebody_else_decided_is_not_decided_again(shared: Console, opened: Open) -> None:
    """Both have it open; the second is told, and sees what was decided."""
    shared.take(violation(1, {"houseRules": "[[phone:+44 7700 900141]]"}))
    anna = opened(shared.at("cases/1"), user="anna")
    bert = opened(shared.at("cases/1"), user="bert")
    anna.keyboard.press("c")
    expect(anna.locator(".toast")).to_be_visible()
    bert.keyboard.press("1")
    expect(bert.get_by_role("alert")).to_be_visible()
    decisions = shared.store.cases.get(1).decisions
    assert [(one.reviewer, one.decision) for one in decisions] == [("anna", Decision.CONFIRMED)]


def test_skipping_keeps_the_case_and_giving_back_frees_it(three: Console, opened: Open) -> None:
    """One key brings another case, one leaves this one to others."""
    page = opened(three.at("queue"))
    page.keyboard.press("g")
    _case(page, 3)
    page.keyboard.press("s")
    _case(page, 2)
    page.keyboard.press("r")
    expect(page.get_by_role("heading", level=1)).to_have_text("Queue")
    assert three.store.queue.summary(2).claim is None
    assert three.store.queue.summary(3).claim is not None
    expect(page.get_by_text("You have case 3.")).to_be_visible()


def test_bulk_counts_first_decides_then_and_can_be_undone(three: Console, opened: Open) -> None:
    """The number is on the buttons; what came in since isn't decided; all of it comes back by one key."""
    three.take(violation(8, {"about": "pay [[payment:in cash]]"}, score=0.9))
    page = opened(three.at("queue?kind=phone"))
    page.get_by_role("link", name="Decide all of these…").click()
    expect(page.locator("#count")).to_have_text("3")
    expect(page.locator("ul.cases li")).to_have_count(3)
    three.take(violation(9, {"houseRules": "Late. Call [[phone:+44 7700 900149]]"}, score=0.99))
    page.get_by_role("button", name="registration numbers").click()
    expect(page.locator(".toast")).to_contain_text("3 cases dismissed: registration number.")
    totals = three.store.queue.totals()
    assert (totals[State.PENDING], totals[State.OPEN]) == (3, 2)
    page.keyboard.press("u")
    expect(page.locator(".toast")).to_have_count(0)
    expect(page.locator("a.row")).to_have_count(5)
    assert three.store.queue.count(CaseFilter(), viewer="x").number == 5


def test_a_bulk_whose_cases_changed_is_refused(three: Console, opened: Open) -> None:
    """Nobody decides what they haven't seen counted."""
    page = opened(three.at("bulk?kind=phone"))
    expect(page.locator("#count")).to_have_text("3")
    three.store.claims.claim(2, "somebody else")
    page.get_by_role("button", name="Confirm 3").click()
    expect(page.get_by_role("alert")).to_contain_text("look at the preview again", ignore_case=True)
    assert three.store.queue.totals()[State.OPEN] == 3
