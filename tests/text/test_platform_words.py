"""The platform's own names and domains become one word; nobody else's do."""

from __future__ import annotations

import pytest

from stream_detector.text.view import Normalizer


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("message me on Airbnb.", "message me on Platform."),
        ("AIRBNB, airbnb; (AirBnB)", "Platform, Platform; (Platform)"),
        ("air bnb air-bnb Air  BnB", "Platform Platform Air  BnB"),
        ("a1rbnb airb&b @irbnb A!RBNB b00king.com", "Platform Platform Platform Platform Platform"),
        ("Airbnb's other airbnbs", "Platform's other Platforms"),
        ("Airbnb-style, non-Airbnb", "Platform-style, non-Platform"),
        ("on Airbnb.We love it", "on Platform.We love it"),
        ("FeWo-direkt fewo direkt FEWODIREKT", "Platform Platform Platform"),
        ("9flats and 9FLATS", "Platform and Platform"),
        ("在爱彼迎上联系我", "在Platform上联系我"),
        ("在Airbnb上", "在Platform上"),
        ("https://www.airbnb.com/rooms/1", "Platform/rooms/1"),
        ("HTTP://AIRBNB.CO.UK", "Platform"),
        ("abnb.me/sample and de.airbnb.com:443/x", "Platform/sample and Platform:443/x"),
        ("support@airbnb.com", "support@Platform"),
        ("airbnb.com.", "Platform."),
        ("İ airbnb.com İ Airbnb", "İ Platform İ Platform"),
    ],
)
def test_ours(normalizer: Normalizer, text: str, view: str) -> None:
    """Names in any case and simple disguise, domains with scheme and subdomain; paths stay."""
    assert normalizer.view(text).text == view


@pytest.mark.parametrize(
    "text",
    [
        "airbnb.com.evil.example", "notairbnb.com", "not-airbnb.com", "me@airbnb.com.evil", "https://airbnb.com@evil.example",
        "https://airbnb.com:443@evil.example", "airbnb.com-evil.example", "airbnb-sunny.example", "airbnb.example", "sunny_airbnb", "@airbnb_sunny",
        "myairbnb", "airbnbing", "air and bnb", "a trip. com", "8008135", "hair bnb",
    ],
)  # fmt: skip
def test_not_ours(normalizer: Normalizer, text: str) -> None:
    """Somebody else's hosts, handles and words that hold a name stay as they are: they may be what we look for."""
    assert normalizer.view(text).text == text


def test_without_names_and_domains_nothing_is_replaced() -> None:
    """A platform may configure neither."""
    assert Normalizer([], ["", " "]).view("on Airbnb, airbnb.com").text == "on Airbnb, airbnb.com"


def test_a_number_is_no_name() -> None:
    """Digits that could spell a name are a number first."""
    assert Normalizer(["Soil"], []).view("room 5011, 50il, s0il, Soil").text == "room 5011, 50il, Platform, Platform"


def test_lower_casing_keeps_positions() -> None:
    """The search runs on lower-cased text: İ is the only character whose length that changes, and it is dealt with."""
    assert [character for character in map(chr, range(0x110000)) if len(character.lower()) != 1] == ["İ"]
