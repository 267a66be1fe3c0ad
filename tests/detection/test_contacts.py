"""What a piece of evidence names: the same identifier for every way of writing the same contact."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_detector.contracts import Kind
from stream_detector.detection.contacts import Contact, identify, national_number
from stream_detector.text.view import Normalizer
from stream_detector.training.corpus import disguises, number_disguises
from stream_detector.training.corpus.packs import packs

VIEW = Normalizer((), ())
FIGURES = st.text("0123456789", min_size=9, max_size=10).map(lambda digits: "0" + "2" + digits)


def named(text: str, kind: Kind = Kind.PHONE) -> tuple[Contact, ...]:
    """What evidence with this text as it was sent names."""
    return identify(VIEW.view(text).text, kind)


@pytest.mark.parametrize(
    "written",
    [
        "+44 7700 900123",
        "+44 (0)7700 900123",
        "0044 7700 900 123",
        "07700 900123",
        "447700900123",
        "0 7 7 0 0 - 9 0 0 . 1 2 3",
        "０７７００ ９００１２３",
        "⓪⑦⑦⓪⓪ ⑨⓪⓪ ①②③",
        "O77OO 9OO l23",
        "zero seven seven zero zero nine zero zero one two three",
        "ZeroSevenSevenZeroZeroNineZeroZeroOneTwoThree",
        "oh double seven double zero 9 double oh 123",
        "plus four four 7700 nine zero zero one two three",
        "null sieben sieben null null neun null null eins zwei drei",
        "zéro sept sept zéro zéro neuf zéro zéro un deux trois",
        "cero siete siete cero cero nueve cero cero uno dos tres",
        "zero sette sette zero zero nove zero zero uno due tre",
        "zero sete sete zero zero nove zero zero um dois três",
        "nul zeven zeven nul nul negen nul nul een twee drie",
        "noll sju sju noll noll nio noll noll ett två tre",
        "zero siedem siedem zero zero dziewięć zero zero jeden dwa trzy",
        "sıfır yedi yedi sıfır sıfır dokuz sıfır sıfır bir iki üç",
        "ноль семь семь ноль ноль девять ноль ноль один два три",
        "μηδέν επτά επτά μηδέν μηδέν εννέα μηδέν μηδέν ένα δύο τρία",
        "صفر سبعة سبعة صفر صفر تسعة صفر صفر واحد اثنين ثلاثة",
        "〇七七〇〇九〇〇一二三",
        "ゼロななななゼロゼロきゅうゼロゼロいちにさん",
        "공칠칠공공구공공일이삼",
        "0 sons, 7 goats, 7 hens, 0 cows, 0 debts, 9 cats, 0 enemies, 0 teeth, 1 hat, 2 dogs, 3 geese",
        "WhatsApp 07700 900123",
        "https://wa.me/447700900123",
    ],
)
def test_one_number_has_one_name(written: str) -> None:
    """With country code or without, in figures of any shape, in words of the sixteen languages."""
    kind = Kind.URL if "://" in written else Kind.PHONE
    assert named(written, kind) == (Contact(Kind.PHONE, "7700900123"),)


@given(FIGURES, st.sampled_from(sorted(packs())), st.integers(0, 2**32))
def test_the_first_word_for_each_figure_is_known(digits: str, language: str, seed: int) -> None:
    """What training writes as a plainly spelled number is read back, in every language, whatever the figures."""
    pack = packs()[language]
    separator = "" if language in {"zh", "ja", "ko"} else Random(seed).choice((" ", ", ", "-", " / "))
    spoken = separator.join(pack.digits[int(digit)][0] for digit in digits)
    assert named(spoken) == named(digits)


@given(
    FIGURES,
    st.sampled_from(sorted(packs())),
    st.sampled_from((disguises.regrouped, disguises.other_digits, disguises.invisible, number_disguises.starred)),
    st.integers(0, 2**32),
)
def test_disguised_figures_are_the_same_number(digits: str, language: str, disguise: object, seed: int) -> None:
    """Figures regrouped, of other alphabets, with invisible characters or signs between them."""
    assert callable(disguise)
    assert named(disguise(Random(seed), digits, packs()[language])) == named(digits)


@given(st.text("123456789", min_size=8, max_size=8), st.sampled_from(["1", "7", "20", "33", "44", "49", "90", "212", "353", "971"]))
def test_the_country_code_makes_no_difference(national: str, code: str) -> None:
    """International and national spelling are one number, for codes of one, two and three figures."""
    assert national_number(f"+{code}{national}") == national_number(f"00{code}{national}") == national_number(f"0{national}")


@given(st.text("0123456789", min_size=9, max_size=9), st.text("0123456789", min_size=9, max_size=9))
def test_different_numbers_differ(one: str, other: str) -> None:
    """Two numbers of one country never share a name."""
    assert (national_number("+44" + "2" + one) == national_number("+44" + "2" + other)) == (one == other)


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ("anna.sample@example.com", "Anna.Sample (at) example [dot] com", Kind.EMAIL),
        ("anna.sample@example.com", "anna . sample @ example . com", Kind.EMAIL),
        ("anna.sample@example.com", "anna punto sample arroba example punto com", Kind.EMAIL),
        ("anna.sample@example.com", "anna.sample(@)example-dot-com", Kind.EMAIL),
        ("anna.sample@example.com", "аnnа.sample@example.com", Kind.EMAIL),
        ("anna.sample@example.com", "anna.sample+flat3@example.com", Kind.EMAIL),
        ("annasample@gmail.com", "anna.sample@googlemail.com", Kind.EMAIL),
        ("sample-stay.example", "https://www.Sample-Stay.example/book?id=7", Kind.URL),
        ("sample-stay.co.uk", "booking.sample-stay.co.uk", Kind.URL),
        ("sample-stay.example", "sample-stay dot example", Kind.URL),
        ("@sample_stay", "instagram.com/sample.stay/", Kind.HANDLE),
        ("@sample_stay", "Insta: Sample Stay", Kind.HANDLE),
        ("t.me/sample_stay", "Telegram @sample_stay", Kind.MESSENGER),
        ("GB00 TEST 0000 1234 5678 90", "gb00test00001234567890", Kind.PAYMENT),
    ],
)
def test_addresses_and_names_are_folded(one: str, other: str, kind: Kind) -> None:
    """Case, signs in words, accents, look-alikes, paths and tags make no other contact."""
    assert named(one, kind) == named(other, kind)
    assert len(named(one, kind)) == 1


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ("instagram.com/sample.stay", "instagram.com/other.stay", Kind.URL),
        ("sample.wixsite.com/home", "other.wixsite.com/home", Kind.URL),
        ("bit.ly/sample", "bit.ly/other", Kind.URL),
        ("sample.com.au", "other.com.au", Kind.URL),
        ("anna@example.com", "anna@example.org", Kind.EMAIL),
    ],
)
def test_strangers_on_one_service_are_not_linked(one: str, other: str, kind: Kind) -> None:
    """A host that many share says nothing about who is behind it."""
    assert named(one, kind) != named(other, kind)
    assert len(named(one, kind)) == len(named(other, kind)) == 1


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Book directly with us", Kind.SOLICITATION),
        ("call me on 07700 900123", Kind.SOLICITATION),
        ("WhatsApp", Kind.MESSENGER),
        ("PayPal", Kind.PAYMENT),
        ("bit.ly", Kind.URL),
        ("900123", Kind.PHONE),
        ("one of us", Kind.PHONE),
        ("", Kind.HANDLE),
    ],
)
def test_what_names_nobody_links_nobody(text: str, kind: Kind) -> None:
    """A service without a name, too few figures, a request alone."""
    assert named(text, kind) == ()


def test_two_numbers_in_one_span_are_two() -> None:
    """The network may mark "landline / mobile" as one piece."""
    assert [contact.identifier for contact in named("0131 496 0123 / 07700 900123")] == ["1314960123", "7700900123"]


@given(st.text(max_size=200), st.sampled_from(Kind))
def test_any_text_is_read(text: str, kind: Kind) -> None:
    """Whatever evidence covers, naming it raises nothing and names nothing twice."""
    found = named(text, kind)
    assert len(found) == len(set(found))
    assert all(contact.identifier and contact.kind is not Kind.SOLICITATION for contact in found)


def test_a_dash_before_the_end_of_a_name_is_read() -> None:
    """An expression with possessive quantifiers went on for ever over this address in Python 3.11.2, which Debian 12 has."""
    assert named("http://www.riverside-example.example/book", Kind.URL) == (Contact(Kind.URL, "riverside-example.example"),)
