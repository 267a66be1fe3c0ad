"""Real listing texts: what language they are in, and which of them a person must read first."""

from __future__ import annotations

import gzip
import json
import re
from importlib import resources
from pathlib import Path

import pytest

from stream_detector.errors import ConfigurationError
from stream_detector.training.corpus.listings import FIELDS, guess_language, is_suspicious, read_listings, reviews


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The flat is bright and quiet, with a view of the park."),
        ("de", "Die Wohnung ist hell und ruhig, mit Blick auf den Park."),
        ("fr", "L'appartement est lumineux et calme, avec vue sur le parc."),
        ("sv", "Lägenheten är ljus och tyst, med utsikt över en park."),
        ("es", "El piso es luminoso y tranquilo, con vistas del parque."),
        ("it", "L'appartamento è luminoso e tranquillo, con vista sul parco e gli alberi della via."),
        ("pt", "O apartamento é claro e não tem barulho, com vista para os jardins."),
        ("nl", "Het appartement is licht en rustig, met uitzicht op het park."),
        ("el", "Το διαμέρισμα είναι φωτεινό και ήσυχο, με θέα στο πάρκο."),
        ("el", "Studio Αθήνα: φωτεινό και ήσυχο διαμέρισμα"),
        ("en", "Bright studio Riverton"),
        ("en", "★★★ 123 !!!"),
        ("en", ""),
    ],
)
def test_language_is_guessed(language: str, text: str) -> None:
    """By script and stop words; English where nothing speaks for another."""
    assert guess_language(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "Write to host@sample.example", "see www.sample.example", "book at sample-stay.com", "my page: https://sample.example/x", "+1 206 555 0101",
        "206-555-0101", "2 0 6 5 5 5 0 1 0 1", "whats app me", "Watsapp", "on Viber", "加我微信", "LINE id sample", "Insta: sample", "our FB page",
        "send me an e-mail", "par courriel", "skicka mejl", "call me", "ring mig gärna", "ein Anruf genügt", "ruf mich einfach an", "Rufen Sie uns an", "meine Handynummer", "sms", "τηλ. 555", "επικοινωνήστε",
        "Kontakt: Anna", "besuchen Sie unsere Webseite", "vår hemsida", "notre site internet", "google our name", "book directly with us", "direkt buchen",
        "réservez en direct", "pay by PayPal", "Überweisung auf unser Konto", "par virement", "swish", "cash on arrival", "Kaution in bar", "la caution",
        "outside the app", "off-platform", "scan the QR", "our business card", "find us", "10% discount", "follow us",
    ],
)  # fmt: skip
def test_written_contacts_are_suspicious(text: str) -> None:
    """The net is wide: whatever could lead past the platform isn't used as clean before a person has read it."""
    assert is_suspicious(text)
    assert is_suspicious(f"A bright flat. {text.upper()}. The garden is large.")


@pytest.mark.parametrize(
    "text",
    [
        "The flat is bright and quiet, with a view of the park.", "Two bedrooms, 65 m2, on the 3rd floor.", "Check-in from 15:00, check-out until 11:00.",
        "Die Wohnung liegt ruhig und hat einen Balkon.", "L'appartement donne sur la cour.", "Lägenheten har balkong.", "Το σπίτι έχει κήπο.",
        "450 m to the metro, 12 km to the airport.", "Built in 1905, renovated in 2019.", "Piso luminoso con terraza.", "There is an anchor in the courtyard.",
    ],
)  # fmt: skip
def test_plain_sentences_are_not(text: str) -> None:
    """A net that caught these would leave no background."""
    assert not is_suspicious(text)


def _write(file: Path, *rows: dict[str, object]) -> None:
    with gzip.open(file, "wt", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in rows)


def test_listings_are_read_field_by_field(tmp_path: Path) -> None:
    """Each field is a text with a key free of text; empty and very short ones are left out, cities come in order."""
    _write(
        tmp_path / "b-town.jsonl.gz", {"listing_id": "b-1", "title": "Short", "description": "Die Wohnung ist hell.", "host": None}
    )
    _write(
        tmp_path / "a-town.jsonl.gz",
        {"listing_id": "a-1", "host": "We are the owners of the mill.", "other": "not a field of ours"},
    )
    texts = list(read_listings(tmp_path))
    assert [(text.key, text.city, text.language) for text in texts] == [
        ("a-1/host", "a-town", "en"),
        ("b-1/description", "b-town", "de"),
    ]


def test_a_folder_without_listings_is_an_error(tmp_path: Path) -> None:
    """With the remedy."""
    with pytest.raises(ConfigurationError, match=r"no <city>\.jsonl\.gz files; point --listings"):
        next(read_listings(tmp_path))


def test_reviews_are_identifiers_and_offsets() -> None:
    """Every row has a key of its own and spans that could be ones; an unsettled one is no label."""
    found = reviews()
    assert len(found) > 100
    for review in found.values():
        assert re.fullmatch(rf"[\w-]+/(?:{'|'.join(FIELDS)})", review.key)
        assert all(0 <= start < end for start, end, _ in review.spans)
        assert all(left[1] <= right[0] for left, right in zip(review.spans, review.spans[1:], strict=False))
    assert {review.settled for review in found.values()} == {True, False}


def test_reviews_hold_no_texts() -> None:
    """The listings aren't ours to publish: no field but these, no contact in a reason, and a label that fits the spans."""
    file = resources.files("stream_detector.training.corpus") / "reviewed.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert len({row["key"] for row in rows}) == len(rows)
    for row in rows:
        assert set(row) <= {"key", "label", "spans", "reason"}, row
        assert not re.search(r"@|https?:|\d{4,}", row.get("reason", "")), row
        assert row["label"] in {"Fraud", "NonFraud", "unsettled"}
        assert bool(row.get("spans")) == (row["label"] == "Fraud"), row
