"""Disguises of characters, in the shapes seen in listings, and what the view makes of them."""

from __future__ import annotations

import pytest

from stream_detector.text.view import Normalizer


def _case(text: str, view: str) -> object:
    return pytest.param(text, view, id=ascii(text)[:40])


@pytest.mark.parametrize(
    ("text", "view"),
    [
        # digits
        _case("５５５－０１０１", "555-0101"),
        _case("𝟓𝟝𝟧 𝟬𝟭𝟶𝟷", "555 0101"),
        _case("⁵⁵⁵ ₀₁₀₁", "555 0101"),
        _case("⑤⑤⑤ ⓪①⓪①", "555 0101"),
        _case("❺➄➎ ⓿⓵", "555 01"),
        _case("⑸⑸⑸ ⒈", "555 1"),
        _case("5️⃣5️⃣5️⃣ 0️⃣1⃣", "555 01"),
        _case("⑩ 🔟 ⑳", "10 10 20"),
        _case("٥٥٥ ۰۱ ०१ ๕๕ ៥ ᠕", "555 01 01 55 5 5"),
        _case("5\u200b5\u200d5\u2060 \u00ad01", "555 01"),
        _case("5̶5̶5̶ 0̲1̲", "555 01"),
        _case("555О1О1 (О55)", "5550101 (О55)"),
        # letters
        _case("ｗｈａｔｓａｐｐ", "whatsapp"),
        _case("𝐰𝒉𝓪𝔱𝕤𝖆𝗽𝙥", "whatsapp"),
        _case("Ⓦⓗⓐⓣⓢ 🅰🅿🅿 🆆 🄰 🅐 ⒜", "Whats APP W A A a"),
        _case("ᴡʜᴀᴛꜱᴀᴘᴘ", "whatsapp"),
        _case("ʷʰᵃᵗˢᵃᵖᵖ", "whatsapp"),
        _case("🇮\u200b🇳\u200b🇸\u200b🇹\u200b🇦", "INSTA"),
        _case("🇬🇧English", "GB English"),
        _case("ʇɐɥʍ", "tahw"),
        _case("w\u0336h\u0336a\u0336t\u0336s\u0336", "whats"),
        _case("c\u0315\u0301\u0323\u0334a\u20e3\u0489ll", "call"),
        _case("whаtsарр", "whatsapp"),
        _case("WhatsΑρρ", "WhatsApp"),
        _case("insтаgrам", "instagram"),
        _case("gmаil.com", "gmail.com"),
        _case("Ꮃe chat on ехаmрlе", "We chat on example"),
        _case("соса сhаt with me and the others", "coca chat with me and the others"),
        _case("Пишите на аре@mail.example", "Пишите на ape@mail.example"),
        # signs
        _case("host＠sample．example", "host@sample.example"),
        _case("host@sample。example", "host@sample.example"),
        _case("sample·com sample․net sample•org", "sample.com sample.net sample.org"),
        _case("+１ ２０６ – ５５５ ― ０１０１", "+1 206 - 555 - 0101"),
        _case("“sample” ‘host’ «here»", "\"sample\" 'host' \"here\""),
        _case("a\u2003b\u00a0c\u3000d", "a b c d"),
        _case("✆ ℡ №", "phone TEL No"),
        _case("½ ㎡ ℃", "1/2 m2 °C"),
        # emoji
        _case("📞+1 206 555 0101", "phone +1 206 555 0101"),
        _case("call📱now", "call phone now"),
        _case("✉️ 📧host@sample.example", "mail mail host@sample.example"),
        _case("📷: sample.stay", "camera : sample.stay"),
        _case("👻 and ✈️ and 🐦", "ghost and plane and bird"),
        _case("👉🏽 sample", "-> sample"),
        _case("👍🏽👩‍👩‍👧❤️ nice ❤️🔥", "• nice •"),
        # markup
        _case("<b>55</b>5", "555"),
        _case("55<!-- x -->5", "555"),
        _case("one<br/>two<p class='x'>three</p>", "one\ntwo\nthree\n"),
        _case("&#53;&#x35;&#0053; &plus;1 &amp;#49;", "555 +1 1"),
        _case("s&shy;a&zwnj;m&ZeroWidthSpace;ple", "sample"),
        _case('<a href="https://sample.example">our site</a>', " https://sample.example our site"),
        _case("<img src=x alt='host at sample'>", " host at sample "),
        _case("&lt;b&gt;55&lt;/b&gt;5", "555"),
        # lines and unseen characters
        _case("a\r\nb\rc\u2028d\x0be\x00f\ttab", "a\nb\nc\nd\nef\ttab"),
        _case("\ufeff\u202eabc\u202c\U000e0041\ud800", "abc"),
        _case("sa\u3164mp\u115fle", "sample"),
    ],
)  # fmt: skip
def test_disguise(normalizer: Normalizer, text: str, view: str) -> None:
    """The view shows what a reader sees, in plain characters."""
    assert normalizer.view(text).text == view


@pytest.mark.parametrize(
    "text",
    [
        "5 < 6 and <3 you", "AT&T, B&B, R&D; fish & chips", "modern&central", "<host@sample.example>", "<a lovely flat>", "<i am the host>",
        "tom &jerry", "a <b", "&#; &#x; &;", "<!-- never closed", "C'est l'été à l'Île, où naît þórr ß ø ł đ ı",
        "l·l com col·lecció i paral·lel", "10 · 20 · Wi-Fi", "Paris•it is",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_disguise_stays(normalizer: Normalizer, text: str) -> None:
    """Signs that mean themselves are left alone."""
    assert normalizer.view(text).text == text


def test_nested_markup_and_disguise(normalizer: Normalizer) -> None:
    """Stages build on each other: an entity may hide a look-alike that hides the platform's name."""
    assert normalizer.view("on &#1072;ir<b>b</b>nb").text == "on Platform"
