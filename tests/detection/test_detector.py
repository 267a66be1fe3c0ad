"""The detector over a stand-in network: responses, evidence, cache and policy, each verdict known beforehand."""

from __future__ import annotations

import itertools
from concurrent.futures import Future

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_detector.contracts import Kind, Label, ScoringResponse
from stream_detector.inference.backend import WindowOutput
from stream_detector.observability import Metrics
from stream_detector.text.masking import MASK
from tests.detection.stand_in import StandInBackend, detector, tokenizer


def _pieces(response: ScoringResponse, group: dict[str, str]) -> list[tuple[str, str, Kind]]:
    return [(e.attribute, group[e.attribute][e.start : e.end], e.kind) for e in response.score_details.evidence]


def test_one_response_a_group_in_order(backend: StandInBackend) -> None:
    """The worker pairs events and responses by position."""
    groups = [{"a": "viber"}, {"a": "the flat"}, {}, {"b": "the flat", "a": "cash"}, {"a": "viber"}]
    labels = [response.score_details.label for response in detector(backend).score(groups)]
    assert labels == [Label.FRAUD, Label.NON_FRAUD, Label.NON_FRAUD, Label.FRAUD, Label.FRAUD]
    assert detector(backend).score([]) == []


def test_a_response_says_who_judged(backend: StandInBackend) -> None:
    """Model, segment, threshold and backend, as the contract asks."""
    (response,) = detector(backend).score([{"note": "viber"}])
    assert (response.model_code, response.model_version, response.refresh_version) == ("STAND-IN", "1.0", "v20261124")
    assert (response.model_segment, response.probability_score) == ("SUPPLY", "9.98e-01")
    assert (response.score_details.threshold, response.score_details.backend) == (0.5, "stand-in")


def test_the_worst_attribute_contributes_most(backend: StandInBackend) -> None:
    """The group's probability is that of its worst text, and topContributor names it."""
    group = {"title": "the flat", "note": "cash", "rules": "viber", "more": "cash"}
    (response,) = detector(backend).score([group])
    assert response.top_contributor == "rules"
    assert response.probability_score == "9.98e-01"
    assert {attribute for attribute, _, _ in _pieces(response, group)} == {"note", "rules", "more"}


def test_the_first_of_equals_contributes_most(backend: StandInBackend) -> None:
    """A tie is settled by the order in which attributes were sent, so that a replay says the same."""
    assert detector(backend).score([{"b": "viber", "a": "viber"}])[0].top_contributor == "b"


@pytest.mark.parametrize("group", [{}, {"a": ""}, {"a": " \n", "b": "\u200b"}], ids=str)
def test_nothing_to_read_is_no_fraud(backend: StandInBackend, group: dict[str, str]) -> None:
    """No texts, empty ones, or ones that nobody can see: a verdict without windows, and the network isn't asked."""
    (response,) = detector(backend).score([group])
    assert response.score_details.label is Label.NON_FRAUD
    assert (response.probability_score, response.score_details.windows) == ("0.00e+00", 0)
    assert response.top_contributor == next(iter(group), "")
    assert backend.submitted == []


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ("ring 206 555 0101 now", "206 555 0101"),
        ("\u200b\u200bthe &amp; <b>flat</b> 😀👍🏽 ring 206 555 0101", "206 555 0101"),
        ("ｒｉｎｇ　２０６５５５０１０１！", "２０６５５５０１０１"),
        ("the flat 2\u200b06 5\u200b55 01\u200b01", "2\u200b06 5\u200b55 01\u200b01"),
        ("&#50;06 555 010&#49; the flat", "&#50;06 555 010&#49;"),
        ("Airbnb https://www.airbnb.com/ İİ 5️⃣5️⃣5️⃣0️⃣1️⃣0️⃣1️⃣ ok", "5️⃣5️⃣5️⃣0️⃣1️⃣0️⃣1️⃣"),
        ("the\r\nflat\r\n206 555 0101", "206 555 0101"),
        ("<p>the flat</p><p>206 <b>555</b> 0101</p>", "206 <b>555</b> 0101"),
    ],
    ids=ascii,
)
def test_offsets_are_those_of_the_text_as_sent(backend: StandInBackend, text: str, piece: str) -> None:
    """Invisible characters, entities, tags, full-width forms and names replaced in front must not shift the evidence."""
    group = {"note": text}
    (response,) = detector(backend).score([group])
    assert _pieces(response, group) == [("note", piece, Kind.PHONE)]


_WORDS = [
    "the flat is bright. ",
    "viber ",
    "cash, ",
    "206 555 0101 ",
    "\u200b",
    "&amp;",
    "<b>",
    "½ ",
    "ﬁ",
    "😀",
    "\n",
    "\ud800",
    "Airbnb ",
    "е",
    "٥٥٥",
]


_TEXTS = st.lists(st.sampled_from(_WORDS), max_size=25).map("".join)


@given(groups=st.lists(st.dictionaries(st.sampled_from("abc"), _TEXTS), max_size=4))
@settings(max_examples=100, deadline=None)
def test_evidence_is_sound_for_any_text(groups: list[dict[str, str]]) -> None:
    """Spans lie in their text as sent, in order, apart and not empty; Fraud has evidence and NonFraud none."""
    for group, response in zip(groups, detector(StandInBackend()).score(groups), strict=True):
        evidence = response.score_details.evidence
        assert all(0 <= e.start < e.end <= len(group[e.attribute]) for e in evidence)
        assert all(a.end <= b.start for a, b in itertools.pairwise(evidence) if a.attribute == b.attribute)
        assert [e.attribute for e in evidence] == [name for name in group for e in evidence if e.attribute == name]
        assert bool(evidence) == (response.score_details.label is Label.FRAUD)
        assert response.top_contributor in group or not group


def test_the_same_text_is_read_once(backend: StandInBackend) -> None:
    """Within a call and between calls: a listing's description comes with each of its bookings."""
    metrics = Metrics()
    scorer = detector(backend, metrics=metrics)
    first = scorer.score([{"a": "viber"}, {"b": "viber", "c": "the flat"}, {"a": "viber"}])
    assert len(backend.submitted) == 2
    again = scorer.score([{"x": "viber"}])
    assert len(backend.submitted) == 2
    assert again[0].probability_score == first[0].probability_score
    assert again[0].score_details.evidence[0].attribute == "x"
    counted = {result: metrics.cache_requests.labels(result)._value.get() for result in ("hit", "miss")}
    assert counted == {"hit": 1, "miss": 2}


def test_only_what_runs_counts_as_tokens(backend: StandInBackend) -> None:
    """The histogram of tokens has an observation for a call that ran the network and none for one that didn't."""
    metrics = Metrics()
    scorer = detector(backend, metrics=metrics)
    scorer.score([{"a": "the flat is bright."}])
    scorer.score([{"a": "the flat is bright."}])
    assert metrics.batch_tokens._sum.get() == 5


def test_a_harmless_edit_elsewhere_does_not_hide_a_violation(backend: StandInBackend) -> None:
    """However much harmless text stands around it, the worst window decides."""
    filler = "the flat is bright. " * 40
    (response,) = detector(backend).score([{"a": filler + "viber " + filler}])
    assert response.score_details.label is Label.FRAUD
    assert response.probability_score == "9.98e-01"


def test_windows_are_counted_over_all_texts(backend: StandInBackend) -> None:
    """What was read can be told from the response: nothing is silently cut off."""
    words = ["the", "flat", "is", "bright", "platform"]
    long = " ".join(f"{' '.join(order)}." for order in itertools.permutations(words, 4))
    (response,) = detector(backend).score([{"a": long, "b": "the flat"}])
    assert response.score_details.windows == len(backend.submitted) > 600 // 30
    tokens = len(tokenizer().encode(long, add_special_tokens=False).ids) + 2
    assert sum(map(len, backend.submitted)) == tokens


def test_an_edit_reads_a_window_or_two_again(backend: StandInBackend) -> None:
    """The windows that the edit left alone come from the window cache, and the verdict is what it would be without one."""
    metrics = Metrics()
    scorer = detector(backend, metrics=metrics)
    sentences = [f"{' '.join(order)}." for order in itertools.permutations(["the", "flat", "is", "bright", "platform"], 4)]
    scorer.score([{"a": " ".join(sentences)}])
    read = len(backend.submitted)
    sentences[60] = "the flat is viber."
    edited = {"a": " ".join(sentences)}
    (response,) = scorer.score([edited])
    assert 1 <= len(backend.submitted) - read <= 3
    assert response.score_details.windows > 20
    (afresh,) = detector(StandInBackend()).score([edited])
    assert response.score_details.evidence == afresh.score_details.evidence
    assert response.probability_score == afresh.probability_score
    hits, misses = (metrics.window_cache_requests.labels(result)._value.get() for result in ("hit", "miss"))
    assert (hits + misses, misses) == (read + response.score_details.windows, len(backend.submitted))


def test_what_was_begun_is_not_read_twice(backend: StandInBackend) -> None:
    """A worker begins an event when it takes it and asks for its verdict with its batch; look-ups are counted once."""
    metrics = Metrics()
    scorer = detector(backend, metrics=metrics)
    group = {"a": "ring 206 555", "b": "0101 the flat"}
    scorer.begin(group)
    begun = list(backend.submitted)
    (response,) = scorer.score([group])
    assert backend.submitted == begun
    assert len(begun) == 3, "two attributes and their seam"
    assert response == detector(StandInBackend()).score([group])[0].model_copy(update={"score_details": response.score_details})
    assert metrics.cache_requests.labels("miss")._value.get() == 3
    scorer.begin(group)
    assert backend.submitted == begun


def test_a_failed_text_is_read_again(backend: StandInBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed once isn't remembered as failed: a retry asks the network anew."""
    scorer = detector(backend)
    failed: Future[WindowOutput] = Future()
    failed.set_exception(ZeroDivisionError())
    with monkeypatch.context() as patch:
        patch.setattr(backend, "submit", lambda *_, **__: failed)
        with pytest.raises(ZeroDivisionError):
            scorer.score([{"a": "viber"}])
    assert scorer.score([{"a": "viber"}])[0].score_details.label is Label.FRAUD


def test_caches_of_no_size_remember_nothing(backend: StandInBackend) -> None:
    """Zero bytes switch them off, as the settings say."""
    scorer = detector(backend, cache_bytes=0)
    first, second = scorer.score([{"a": "viber"}]), scorer.score([{"a": "viber"}])
    assert len(backend.submitted) == 2
    assert first[0].probability_score == second[0].probability_score


def test_a_span_in_two_windows_is_one_finding(backend: StandInBackend) -> None:
    """Inside a sentence longer than a window, windows overlap and both see the same; it is reported once."""
    text = "flat " * 24 + "viber" + " flat" * 30
    (response,) = detector(backend).score([{"a": text}])
    holding = [window for window in backend.submitted if tokenizer().token_to_id("viber") in window]
    assert len(holding) == 2
    assert [(e.start, e.end) for e in response.score_details.evidence] == [(120, 125)]


def test_surfaces_are_masked_unless_allowed(backend: StandInBackend) -> None:
    """Evidence goes to subscribers: a contact is in the clear only where a setting says so."""
    text = "ring +1 206 555 0101"
    (masked,) = detector(backend).score([{"a": text}])
    (clear,) = detector(backend, unmasked=True).score([{"a": text}])
    assert clear.score_details.evidence[0].surface == "+1 206 555 0101"
    surface = masked.score_details.evidence[0].surface
    assert surface == f"+1 {MASK * 3} {MASK * 3} {MASK * 3}1"


@pytest.mark.parametrize(("threshold", "label"), [(0.6, Label.FRAUD), (0.63, Label.NON_FRAUD)])
def test_the_threshold_decides(backend: StandInBackend, threshold: float, label: Label) -> None:
    """The stand-in says 0.622 of a hint: at or above the threshold is Fraud, with evidence; below is not, without any."""
    (response,) = detector(backend, threshold=threshold).score([{"a": "a hint"}])
    assert response.score_details.label is label
    assert response.score_details.threshold == threshold
    assert bool(response.score_details.evidence) == (label is Label.FRAUD)


def test_verdicts_are_the_texts_own(backend: StandInBackend) -> None:
    """Text by text, in order, doubles included: what training calibrates on."""
    verdicts = detector(backend).verdicts(["viber", "the flat", "viber", ""])
    assert [round(verdict.probability, 4) for verdict in verdicts] == [0.9975, 0.0025, 0.9975, 0.0]
    assert [verdict.windows for verdict in verdicts] == [1, 1, 1, 0]
    assert [finding.kind for finding in verdicts[0].findings] == [Kind.MESSENGER]


def test_leaving_it_closes_the_network(backend: StandInBackend) -> None:
    """As a context manager it gives its threads back, after an error too."""
    with pytest.raises(ZeroDivisionError), detector(backend):
        raise ZeroDivisionError
    assert backend.closed
