"""Evidence: from tags a token to spans. Pure: here a token is a character, and the tags are written by hand."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_detector.contracts import Kind
from stream_detector.detection.evidence import Finding, find_evidence
from stream_detector.text.view import NormalizedView, Normalizer

_KINDS = (None, *Kind)
_NORMALIZER = Normalizer([], [])


def _characters(view: NormalizedView) -> list[tuple[int, int]]:
    return [(at, at + 1) for at in range(len(view.text))]


def _find(text: str, *marked: tuple[str, Kind], sure: float = 9.0) -> list[tuple[str, Kind]]:
    """What is found where these pieces of the text are tagged, as pieces and kinds."""
    view = _NORMALIZER.view(text)
    tags = np.zeros((len(view.text), len(_KINDS)), dtype=np.float32)
    tags[:, 0] = 9
    for piece, kind in marked:
        start = view.text.index(piece)
        tags[start : start + len(piece), 0] = 0
        tags[start : start + len(piece), _KINDS.index(kind)] = sure
    return [(view.text[f.start : f.end], f.kind) for f in find_evidence(view, _characters(view), tags, _KINDS)]


def test_a_run_of_tags_is_a_finding() -> None:
    """From the first tagged token to the last, with the kind of its tags."""
    assert _find("please pay in cash today", ("pay in cash", Kind.PAYMENT)) == [("pay in cash", Kind.PAYMENT)]


def test_short_gaps_are_bridged() -> None:
    """Two untagged tokens may stand inside one span, three part it in two."""
    text = "abc--def---ghi"
    marked = [(piece, Kind.HANDLE) for piece in ("abc", "def", "ghi")]
    assert _find(text, *marked) == [("abc--def", Kind.HANDLE), ("ghi", Kind.HANDLE)]


def test_the_weightier_kind_names_a_run() -> None:
    """Where tags of two kinds touch, the one with more tokens gives the name."""
    assert _find("abcdefgh", ("ab", Kind.HANDLE), ("cdefgh", Kind.MESSENGER)) == [("abcdefgh", Kind.MESSENGER)]


def test_two_kinds_with_a_gap_are_two_findings() -> None:
    """An address and a number with a word between them are two pieces of evidence, each of its own kind."""
    found = _find("ab- cdefgh", ("ab", Kind.HANDLE), ("cdefgh", Kind.MESSENGER))
    assert found == [("ab", Kind.HANDLE), ("cdefgh", Kind.MESSENGER)]


def test_the_least_unsure_token_is_evidence() -> None:
    """The verdict came first: when no tag is over one half, the best guess is still an answer to "where?"."""
    view = _NORMALIZER.view("one two three")
    tags = np.zeros((3, len(_KINDS)), dtype=np.float32)
    tags[:, 0] = (9, 5, 9)
    tags[1, _KINDS.index(Kind.SOLICITATION)] = 4
    findings = find_evidence(view, [(0, 3), (4, 7), (8, 13)], tags, _KINDS)
    assert [(f.start, f.end, f.kind) for f in findings] == [(4, 7, Kind.SOLICITATION)]
    assert 0 < findings[0].confidence < 0.5


def test_confidence_is_that_of_the_tags() -> None:
    """Near one for sure tags; it decides which of two overlapping findings stays."""
    view = _NORMALIZER.view("abc")
    tags = np.full((3, len(_KINDS)), -9, dtype=np.float32)
    tags[:, 5] = 9
    assert find_evidence(view, _characters(view), tags, _KINDS) == [Finding(0, 3, Kind.MESSENGER, pytest.approx(1, abs=1e-4))]


def test_no_tokens_no_evidence() -> None:
    """An empty window has nothing to point at."""
    assert find_evidence(_NORMALIZER.view(""), [], np.zeros((0, len(_KINDS)), dtype=np.float32), _KINDS) == []


@pytest.mark.parametrize(
    ("text", "tagged", "kind", "found"),
    [
        # ends
        ("ring +1 206 555 0101 now", "206 555 01", Kind.PHONE, ("+1 206 555 0101", Kind.PHONE)),
        ("(206) 555-0101", "206) 555-01", Kind.PHONE, ("(206) 555-0101", Kind.PHONE)),
        ("at jo.sample@mail.example ok", "sample@mail.exam", Kind.EMAIL, ("jo.sample@mail.example", Kind.EMAIL)),
        ("see https://www.sample.example/book?x=1 ok", "www.sample.example/b", Kind.URL, ("https://www.sample.example/book?x=1", Kind.URL)),
        ("on sample.example.", "sample.example.", Kind.URL, ("sample.example", Kind.URL)),
        (" - call me! ", " - call me! ", Kind.SOLICITATION, ("call me", Kind.SOLICITATION)),
        # kinds
        ("at jo@sample.example ok", "jo@sample.example", Kind.HANDLE, ("jo@sample.example", Kind.EMAIL)),
        ("at jo@sample-stay.example ok", "jo@sample-stay.example", Kind.EMAIL, ("jo@sample-stay.example", Kind.EMAIL)),
        ("at sample.example ok", "sample.example", Kind.HANDLE, ("sample.example", Kind.URL)),
        ("at @sample.stay ok", "@sample.stay", Kind.HANDLE, ("@sample.stay", Kind.HANDLE)),
        ("id 555 0101", "555 0101", Kind.HANDLE, ("555 0101", Kind.PHONE)),
        # kinds that the syntax doesn't know better
        ("viber 206 555 0101", "206 555 0101", Kind.MESSENGER, ("206 555 0101", Kind.MESSENGER)),
        ("pay to jo@sample.example", "pay to jo@sample.example", Kind.PAYMENT, ("pay to jo@sample.example", Kind.PAYMENT)),
        ("IBAN GB00 0000 0000 0000", "0000 0000 0000", Kind.PAYMENT, ("0000 0000 0000", Kind.PAYMENT)),
        ("our site sample.example is cheaper", "our site sample.example is cheaper", Kind.SOLICITATION, ("our site sample.example is cheaper", Kind.SOLICITATION)),
        # a match that the tags hardly touch is another matter
        ("open 24/7, 206 555 0101", "24/7", Kind.PHONE, ("24/7", Kind.PHONE)),
        # languages without spaces
        ("邮箱sample@mail.example预订请", "sample@mail.example", Kind.EMAIL, ("sample@mail.example", Kind.EMAIL)),
        ("电话206-555-0101谢谢", "206-555-01", Kind.PHONE, ("206-555-0101", Kind.PHONE)),
        ("请看sample.example预订", "sample.exam", Kind.HANDLE, ("sample.example", Kind.URL)),
    ],
)  # fmt: skip
def test_syntax_mends_ends_and_kinds(text: str, tagged: str, kind: Kind, found: tuple[str, Kind]) -> None:
    """A number is read to its last digit and an address to its last label; the kind changes only where there is no doubt."""
    assert _find(text, (tagged, kind)) == [found]


def test_findings_that_grow_together_are_one() -> None:
    """Two halves of an address, mended, are the same address: one finding, not two."""
    found = _find("anna-maria.sample@mail.sample.example", ("anna-maria.sa", Kind.HANDLE), ("@mail.sample.example", Kind.EMAIL))
    assert [piece for piece, _ in found] == ["anna-maria.sample@mail.sample.example"]


def test_signs_alone_are_still_evidence() -> None:
    """A finding of nothing but punctuation isn't trimmed away."""
    assert _find("a ... b", ("...", Kind.PHONE)) == [("...", Kind.PHONE)]


_PIECES = [
    "ring +1 206 555 0101", "host@sample.example", "https://sample.example/book", "@sample.stay", " ", "\n", ", ", "...", "555", "пиши", "微信", "a",
]  # fmt: skip
_TAGS = st.lists(st.floats(-30, 30, width=32), min_size=len(_KINDS), max_size=len(_KINDS))


def _assert_sound(findings: Sequence[Finding], text: str) -> None:
    assert all(0 <= f.start < f.end <= len(text) and 0 <= f.confidence <= 1 for f in findings)
    assert all(left.end <= right.start for left, right in itertools.pairwise(findings))


@given(
    pieces=st.lists(st.sampled_from(_PIECES), min_size=1, max_size=6), rows=st.dictionaries(st.integers(0, 160), _TAGS, max_size=20)
)
@settings(deadline=None)
def test_any_tags_give_sound_findings(pieces: Sequence[str], rows: Mapping[int, Sequence[float]]) -> None:
    """Whatever the network says: at least one finding, in order, apart from each other and inside the text."""
    view = _NORMALIZER.view("".join(pieces))
    tags = np.zeros((len(view.text), len(_KINDS)), dtype=np.float32)
    tags[:, 0] = 5
    for at, row in rows.items():
        tags[at % len(view.text)] = row
    findings = find_evidence(view, _characters(view), tags, _KINDS)
    assert findings
    _assert_sound(findings, view.text)


@pytest.mark.parametrize("outside", [0.0, 30.0, 1e30], ids=str)
def test_flat_and_extreme_tags_give_sound_findings(outside: float) -> None:
    """Tags without any preference, and ones so sure that nothing is left for the kinds: still one answer, no warning."""
    view = _NORMALIZER.view("one two")
    tags = np.full((7, len(_KINDS)), -outside, dtype=np.float32)
    tags[:, 0] = outside
    findings = find_evidence(view, _characters(view), tags, _KINDS)
    assert findings
    _assert_sound(findings, view.text)


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "piece", ["a.", "1", "1 ", "1(", "a", "a@", "a@b.", "http://", "www.a/", "-", "+", "ab.cd/", "1./ ()-"], ids=ascii
)
def test_rules_read_long_spans_once(piece: str) -> None:
    """A hundred thousand characters tagged as one contact, made to mislead a pattern; anything quadratic would take hours."""
    text = piece * (100_000 // len(piece))
    view = NormalizedView(text, text, range(len(text)), range(1, len(text) + 1))
    tags = np.zeros((1, len(_KINDS)), dtype=np.float32)
    tags[0, _KINDS.index(Kind.HANDLE)] = 9
    _assert_sound(find_evidence(view, [(0, len(text))], tags, _KINDS), text)
