"""Prose in other scripts must reach the network as its readers wrote it."""

from __future__ import annotations

import unicodedata
from importlib.resources import files

import pytest

from stream_detector.text.confusables import TABLE, Verdict, judge
from stream_detector.text.confusables_table import look_alikes
from stream_detector.text.view import Normalizer

_PROSE = {
    "greek": "Καλώς ήρθατε στο φωτεινό μας διαμέρισμα. Το σπίτι είναι στον 3ο όροφο, 2 λεπτά από την παραλία.",
    "russian": "Добро пожаловать! Уютная 2х комнатная квартира, дом 105б, 5 минут до моря. Всё своё.",
    "ukrainian": "Ласкаво просимо до нашої світлої квартири. Її вікна виходять на море, і є ґанок.",
    "serbian": "Добродошли у наш стан. Њива, ђурђевак и џем су у кухињи.",
    "armenian": "Բարի գալուստ մեր լուսավոր բնակարան։ Ծովափը երկու րոպե է, և ամեն ինչ մոտ է։",
    "georgian": "კეთილი იყოს თქვენი მობრძანება ჩვენს ნათელ ბინაში.",
    "hebrew": "בְּרֵאשִׁית ברוכים הבאים לדירה שלנו, שתי דקות מהחוף.",
    "arabic": "مرحبًا بكم في شقتنا المشرقة، على بعد دقيقتين من الشاطئ. هل تريدون المزيد؟",
    "hindi": "हमारे उज्ज्वल अपार्टमेंट में आपका स्वागत है। समुद्र तट से दो मिनट।",
    "thai": "ยินดีต้อนรับสู่อพาร์ตเมนต์ น้ำทะเลใส ทำอาหารได้",
    "chinese": "欢迎来到我们明亮的公寓。离海滩两分钟,离车站五分钟。微信支付wifi。TV也有。",
    "japanese": "ようこそ。海まで二分、駅まで五分です。「カフェ」もあります。",
    "korean": "밝은 아파트에 오신 것을 환영합니다. 해변까지 2분 거리입니다. ㅎㅎ ㅠㅠ",
    "vietnamese": "Chào mừng bạn đến với căn hộ sáng sủa của chúng tôi, cách bãi biển hai phút.",
    "turkish": "Işıklı dairemize hoş geldiniz, plaja iki dakika. Isıtma var.",
    "icelandic": "Velkomin í íbúðina okkar, það er stutt á ströndina.",
    "polish": "Zapraszamy do jasnego mieszkania, dwie minuty od plaży, łóżko i żółte ściany.",
    "bilingual": "Our flat is on the third floor and has two bathrooms. Το σπίτι για όλους. Квартира у моря, вас ждут.",
}  # fmt: skip


@pytest.mark.parametrize("prose", _PROSE.values(), ids=_PROSE)
def test_prose_is_unharmed(normalizer: Normalizer, prose: str) -> None:
    """Genuine letters are never taken for disguised Latin ones."""
    prose = unicodedata.normalize("NFC", prose)
    assert normalizer.view(prose).text == prose


@pytest.mark.parametrize("prose", _PROSE.values(), ids=_PROSE)
def test_taken_apart_it_is_put_together(normalizer: Normalizer, prose: str) -> None:
    """Text from systems that store accents as marks of their own (macOS, PDF) reads the same."""
    assert normalizer.view(unicodedata.normalize("NFD", prose)).text == unicodedata.normalize("NFC", prose)


@pytest.mark.parametrize(
    ("word", "verdict"),
    [
        ("2024", Verdict.NUMBER),
        ("café", Verdict.LATIN),
        ("аirbnb", Verdict.DISGUISED),
        ("5О5О1", Verdict.DISGUISED),
        ("Eνα", Verdict.MIXED),
        ("сосо", Verdict.LOOKS_LATIN),
        ("квартира", Verdict.GENUINE),
        ("Wи", Verdict.GENUINE),
        ("105б", Verdict.LOOKS_LATIN),
    ],
)
def test_verdicts(word: str, verdict: Verdict) -> None:
    """What a single word says about itself."""
    assert judge(word)[0] is verdict


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("Eνα σπίτι", "Eνα σπίτι"),
        ("a fine Eνα here", "a fine Eva here"),
        ("we speak english, сосо said", "we speak english, coco said"),
        ("we speak english, сосо сказал", "we speak english, сосо сказал"),
    ],
)
def test_neighbours_decide_doubtful_words(normalizer: Normalizer, text: str, view: str) -> None:
    """A word that could be either is what the words beside it are."""
    assert normalizer.view(text).text == view


def test_table_is_of_letters_outside_ascii_only() -> None:
    """Plain text can't be changed by the table, and what comes out is ASCII letters and digits."""
    assert len(TABLE) > 300
    assert not any(source.isascii() for source in TABLE)
    assert all(target.isascii() and target.isalnum() and len(target) <= 3 for target in TABLE.values())


def test_table_names_its_origin_and_licence() -> None:
    """Unicode's licence asks that its notice go with the data."""
    head = files("stream_detector.text").joinpath("confusables.txt").read_text(encoding="utf-8")
    assert "from confusables.txt of Unicode 15.0.0" in head.splitlines()[0]
    assert "COPYRIGHT AND PERMISSION NOTICE" in head


def test_table_is_read_from_unicode_s_own_format() -> None:
    """Comments and sequences are passed over, capitals that look like l are I, and scripts that stay are left out."""
    table = "# Version: 15.0.0\n0430 ;\t0061 ;\tMA\t# а\n0406 ;\t006C ;\tMA\n0627 ;\t006C ;\tMA\n006D ;\t0072 006E ;\tMA\n4E00 ;\t30FC ;\tMA\n"
    assert look_alikes(table) == {"а": "a", "І": "I"}
