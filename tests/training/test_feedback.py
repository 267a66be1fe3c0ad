"""Reviewers' decisions as labelled texts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_detector.cli.main import main
from stream_detector.contracts import Decision, Kind, Reason, ReviewedSpan
from stream_detector.errors import ConfigurationError
from stream_detector.review.decisions import Verdict
from stream_detector.review.store import Store
from stream_detector.settings import Settings
from stream_detector.training.corpus.compose import Sample
from stream_detector.training.corpus.render import Span
from stream_detector.training.feedback import harvest, mixed
from stream_detector.training.feedback_masking import SpelledOutError, masked
from stream_detector.training.samples import read_corpus, write_corpus
from tests.review.conftest import KEY, SetClock
from tests.review.made import OPEN, SURFACES, cases, only_case, put, violation


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a platform whose policy allows it."""
    review = {"folder": str(tmp_path), "quality_share": 0}
    return Settings.model_validate({"fingerprint_key": KEY, "review": review, "policy": {"train_on_reviews": True}})


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    """A store whose decisions are sealed by `decide`."""
    with Store.open(settings, clock=SetClock()) as opened:
        yield opened


def decide(store: Store, case_id: int, verdict: Verdict, reviewer: str = "ann") -> None:
    """Decide a case for good."""
    store.decisions.decide(case_id, verdict, reviewer=reviewer)
    store.database._clock.advance(6)  # type: ignore[attr-defined]
    store.seal()


def test_a_confirmed_case_is_fraud_where_its_evidence_is(store: Store, settings: Settings) -> None:
    """The sample has the evidence's spans and kinds, and nobody's contact."""
    put(store, violation(1, kinds=(Kind.PHONE, Kind.EMAIL)))
    decide(store, only_case(store), Verdict(Decision.CONFIRMED))
    (sample,) = harvest(settings, seed=7).samples
    assert [span.kind for span in sample.spans] == [Kind.PHONE, Kind.EMAIL]
    for span in sample.spans:
        surface = sample.text[span.start : span.end]
        assert surface != SURFACES[span.kind]
        assert len(surface) == len(SURFACES[span.kind])
    assert sample.text.startswith("A quiet flat. +")
    assert "sunny-loft" not in sample.text
    assert "555" not in sample.text or "202" not in sample.text


def test_corrected_spans_are_what_is_learned(store: Store, settings: Settings) -> None:
    """Where the reviewer marked something else, that is what offends; the contact is replaced all the same."""
    put(store, violation(1))
    span = ReviewedSpan(attribute="houseRules", start=0, end=10, kind=Kind.SOLICITATION)
    decide(store, only_case(store), Verdict(Decision.CONFIRMED, spans=(span,)))
    description, rules = harvest(settings, seed=7).samples
    assert (description.spans, rules.spans) == ((), (Span(0, 10, Kind.SOLICITATION),))
    assert "sunny-loft" not in description.text


def test_a_dismissed_case_is_no_fraud(store: Store, settings: Settings) -> None:
    """A taxi's number teaches that such a number is harmless; it is not the taxi's any more."""
    put(store, violation(1, kinds=(Kind.PHONE,)))
    decide(store, only_case(store), Verdict(Decision.DISMISSED, Reason.THIRD_PARTY))
    (sample,) = harvest(settings, seed=7).samples
    assert sample.spans == ()
    assert SURFACES[Kind.PHONE] not in sample.text


def test_what_teaches_nothing_is_left_out_and_counted(store: Store, settings: Settings) -> None:
    """The platform's own, texts that aren't there, evidence that isn't there, and what is told in words."""
    bare = violation(1).score_details.model_copy(update={"evidence": ()})
    put(store, violation(1), violation(2, attributes=None), violation(3, score_details=bare))
    put(store, violation(4, kinds=(Kind.PHONE,), surfaces=["two zero two, five five five, zero one four three"]))
    put(store, violation(5))
    ids = {case.listing_id: case.case_id for case in store.queue.page(OPEN, viewer="ann").cases}
    decide(store, ids["L-1"], Verdict(Decision.DISMISSED, Reason.PLATFORMS_OWN))
    for number in (2, 3, 4):
        decide(store, ids[f"L-{number}"], Verdict(Decision.CONFIRMED))
    found = harvest(settings, seed=7)
    assert found.samples == []
    assert found.left_out == {"platforms_own": 1, "no_text": 1, "no_evidence": 1, "told_in_words": 1}


def test_disputed_cases_teach_nothing(tmp_path: Path) -> None:
    """What two reviewers saw differently is no label."""
    document = {
        "fingerprint_key": KEY,
        "review": {"folder": str(tmp_path), "quality_share": 1},
        "policy": {"train_on_reviews": True},
    }
    settings = Settings.model_validate(document)
    with Store.open(settings, clock=SetClock()) as store:
        put(store, violation(1))
        decide(store, only_case(store), Verdict(Decision.CONFIRMED))
        (second,) = cases(store, viewer="ben")
        decide(store, second, Verdict(Decision.DISMISSED, Reason.OTHER), reviewer="ben")
    assert harvest(settings, seed=7).left_out == {"disputed": 1}


def test_without_the_policys_consent_nothing_is_read(tmp_path: Path) -> None:
    """The setting that has to be set is named."""
    with pytest.raises(ConfigurationError, match=r"policy\.train_on_reviews: is off"):
        harvest(Settings.model_validate({"review": {"folder": str(tmp_path)}}), seed=7)


def test_the_command_writes_what_the_corpus_reads(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`train feedback` tells how many there are of what, and its file is read back as it was written."""
    put(store, violation(1), violation(2))
    first, second = cases(store)
    decide(store, first, Verdict(Decision.CONFIRMED))
    decide(store, second, Verdict(Decision.DISMISSED, Reason.OTHER))
    monkeypatch.setenv("STREAM_DETECTOR_FINGERPRINT_KEY", KEY)
    file = tmp_path / "feedback.jsonl.gz"
    call = ["train", "feedback", str(file), "--review.folder", str(tmp_path), "--policy.train-on-reviews"]
    assert main(call) == 0
    assert f"2 samples in {file}: 1 Fraud, 1 NonFraud" in capsys.readouterr().out
    assert {sample.offends for sample in read_corpus(file)} == {True, False}


def test_feedback_is_mixed_into_its_own_splits(tmp_path: Path) -> None:
    """Texts of a case are in train or in dev, never in both, and the test stays what it was."""
    file = tmp_path / "feedback.jsonl.gz"
    write_corpus([Sample(f"text {n}", (), "en", ("feedback",), (), f"review/{n}") for n in range(80)], file)
    plain = [Sample("plain", (), "en", ("plain",), (), "x")]
    parts = {split: {sample.text for sample in mixed(plain, file, split=split, seed=1)} for split in ("train", "dev", "test")}
    assert parts["test"] == {"plain"}
    assert parts["train"] & parts["dev"] == {"plain"}
    assert len(parts["train"] | parts["dev"]) == 81
    file.write_bytes(b"no gzip")
    with pytest.raises(ConfigurationError, match="not what train feedback writes"):
        mixed(plain, file, split="train", seed=1)


@given(st.text(max_size=60), st.text(max_size=20), st.text(max_size=60), st.sampled_from(list(Kind)))
def test_masking_keeps_the_shape(before: str, surface: str, after: str, kind: Kind) -> None:
    """Whatever the text: its length stays, so spans hold; figures stay figures of their script; other characters outside of
    contacts stay.
    """
    text = before + surface + after
    spans = [Span(len(before), len(before) + len(surface), kind)] if surface else []
    try:
        hidden = masked(text, spans, Random(1))
    except SpelledOutError:
        return
    assert len(hidden) == len(text)
    for was, now in zip(text, hidden, strict=True):
        assert was.isdigit() == now.isdigit()
        assert was.isalpha() == now.isalpha()
        if not was.isalnum():
            assert was == now


def test_contacts_that_nobody_marked_are_replaced_too() -> None:
    """A second number in the text is somebody's as well."""
    hidden = masked("Ring 202 555 0143 or ask@harbour.example, room 12", [], Random(1))
    assert "555 0143" not in hidden
    assert "harbour" not in hidden
    assert hidden.endswith("room 12")
