"""Which writing a text is in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_detector.observability.writing import WRITINGS, writing_of


@pytest.mark.parametrize(
    ("text", "writing"),
    [
        ("A bright flat near the station, 2 rooms.", "latin"),
        ("Gemütliche Wohnung für zwei, fünf Minuten zum See.", "accented"),
        ("Φωτεινό διαμέρισμα κοντά στο μετρό", "greek"),
        ("Светлая квартира у метро", "cyrillic"),
        ("דירה מוארת ליד הים", "hebrew"),
        ("شقة مشرقة بالقرب من المحطة", "arabic"),
        ("स्टेशन के पास उज्ज्वल फ्लैट", "indic"),
        ("ห้องสว่างใกล้สถานี", "thai"),
        ("역 근처의 밝은 아파트", "hangul"),
        ("えきのちかくのあかるいへや", "kana"),
        ("车站附近明亮的公寓 wifi", "han"),
        ("ბინა სადგურთან", "other"),
        ("12 345 – 67 🏠", "none"),
        ("42", "none"),
        ("", "none"),
    ],
)
def test_a_text_is_told_by_most_of_its_letters(text: str, writing: str) -> None:
    """One of the writings; digits, signs and a word in another script don't decide."""
    assert writing_of(text) == writing


def test_one_accent_in_a_long_text_is_a_word_borrowed() -> None:
    """English names a café now and then."""
    assert writing_of("There is a café. " + "We like it here and so will you, we think. " * 6) == "latin"


@given(st.text())
def test_any_text_has_one(text: str) -> None:
    """Whatever is sent: the label of a metric is one of a fixed few."""
    assert writing_of(text) in WRITINGS
