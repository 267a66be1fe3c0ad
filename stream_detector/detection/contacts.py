"""What a piece of evidence names: the canonical identifier of a contact, the same however it is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from stream_detector.contracts import Kind
from stream_detector.detection.spoken import address, figures, plain

#: A number of fewer figures is part of one, or names too many people.
SHORTEST_NUMBER: Final = 7
_LONGEST_NUMBER: Final = 15
#: Longest national number without its country code (Germany's; NANP and most others have ten figures).
_LONGEST_NATIONAL: Final = 11

#: Country codes of one and two figures (ITU-T E.164); all others have three.
_SHORT_COUNTRY_CODES: Final = frozenset(
    "1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92"
    " 93 94 95 98".split()
)
_NUMBERS_APART: Final = re.compile(r"\s[/|]\s|[;,\n]|\b(?:or|oder|ou|eller|lub|veya)\b|\b(?:and|und|et|och)\b", re.IGNORECASE)

_EMAIL: Final = re.compile(r"([\w.+-]{1,64})@([\w-]{1,63}(?:\.[\w-]{1,63}){1,4})")
_HOST: Final = re.compile(
    r"(?<![\w@.-])(?:https?://)?((?:[\w-]{1,63}\.){1,4}[a-z\u00a1-\uffff]{2,24})(?![\w@])(?:[/?#]([^\s<>()\"']{0,200}))?"
)
_HANDLE: Final = re.compile(r"@\s?([\w.-]{2,64})")
_BESIDE_NAME: Final = re.compile(r"[:=>]\s*")
_IBAN: Final = re.compile(r"\b([a-z]{2}\d{2}(?:\s?[a-z0-9]{2,4}){3,8})(?![a-z0-9])")
_WALLET: Final = re.compile(r"\b(bc1[a-z0-9]{20,60}|0x[0-9a-f]{40}|[13][1-9a-km-z]{25,34}|t[1-9a-km-z]{33})\b")
_MARKS_OF_NAME: Final = re.compile(r"[\d_.]|(?<=[^\W\d])-(?=[^\W\d])")
#: Services on which the path names whom to reach; the host alone would link strangers.
_PROFILES: Final = frozenset(
    "instagram.com facebook.com fb.com fb.me m.me t.me telegram.me tiktok.com twitter.com x.com youtube.com vk.com ok.ru linktr.ee"
    " beacons.ai snapchat.com threads.net pinterest.com linkedin.com line.me paypal.me paypal.com revolut.me venmo.com cash.app"
    " signal.me msng.link weibo.com ig.me".split()
)
_NUMBERS: Final = frozenset({"wa.me", "api.whatsapp.com", "viber.click"})
#: Services whose addresses are told apart by their path.
_PATHS: Final = frozenset(
    "bit.ly tinyurl.com goo.gl is.gd t.co cutt.ly rebrand.ly ow.ly sites.google.com docs.google.com forms.gle maps.app.goo.gl".split()
)
#: Services that give each customer a subdomain, and registries that sell the third label.
_SHARED: Final = frozenset(
    "wixsite.com wordpress.com business.site lodgify.com blogspot.com weebly.com webnode.com jimdofree.com github.io web.app"
    " netlify.app vercel.app squarespace.com godaddysites.com carrd.co myshopify.com tumblr.com jimdosite.com pages.dev".split()
)
_SECOND_LEVELS: Final = frozenset("ac co com edu gov gr net ne or org nom web info".split())
_DOTS_IGNORED: Final = frozenset({"gmail.com", "googlemail.com"})
_SECTIONS: Final = frozenset("p add user users people profile in c channel pages paypalme ti s u view".split())


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom a piece of evidence leads to.

    Attributes:
        kind: what the identifier is, which may differ from the evidence's kind: a number behind "WhatsApp" is a phone.
        identifier: the same for every way of writing it. It is personal data: only its fingerprint may be kept.
    """

    kind: Kind
    identifier: str


def identify(surface: str, kind: Kind) -> tuple[Contact, ...]:
    """The contacts that a piece of evidence names, in order.

    Args:
        surface: the evidence's characters in the normalized view.
        kind: the evidence's.

    Returns:
        None for solicitations, for a service without a name on it, and for numbers of fewer than seven figures.
    """
    if kind is Kind.SOLICITATION:
        return ()
    # What the evidence is for sure comes first: "cinq.cinq.zéro" is no host, a figure in an address no number.
    readings: list[Callable[[], Iterable[Contact]]] = [lambda: _addresses(address(surface)), lambda: _numbers(surface)]
    if kind is Kind.PHONE:
        readings.reverse()
    if kind is Kind.PAYMENT:
        readings.insert(1, lambda: _accounts(plain(surface)))
    if kind in {Kind.HANDLE, Kind.MESSENGER, Kind.PAYMENT}:
        readings.append(lambda: _handles(plain(surface), kind))
    return next((tuple(dict.fromkeys(found)) for read in readings if (found := [*read()])), ())


def national_number(written: str) -> str:
    """A phone number without what depends on where one dials from: country code, trunk prefix, zeros in front.

    "+49 171 3920012", "0049 171 3920012" and "0171 3920012" are one number. Which country a number without a code belongs to
    isn't known, so numbers of two countries that agree in all national figures are one too. The rules: `+` or `00` is followed
    by a country code, and so are twelve figures or more that don't begin with zero; then zeros in front go, and of eleven
    figures a first 1, 7 or 8 (the trunk of North America and Russia; numbers of which it is a part lose it wherever they stand).

    Args:
        written: figures, perhaps with a plus in front.
    """
    digits = written.removeprefix("+")
    international = written.startswith("+") or digits.startswith("00")
    digits = digits.removeprefix("00") if international else digits
    if international or (len(digits) > _LONGEST_NATIONAL and not digits.startswith("0")):
        length = next((length for length in (1, 2) if digits[:length] in _SHORT_COUNTRY_CODES), 3)
        digits = digits[length:]
    digits = digits.lstrip("0")
    return digits[1:] if len(digits) == _LONGEST_NATIONAL and digits[0] in "178" else digits


def _numbers(surface: str) -> Iterator[Contact]:
    whole = figures(surface)
    pieces = _NUMBERS_APART.split(surface)
    several = len(whole) > _LONGEST_NUMBER and len(pieces) > 1
    for number in map(figures, pieces) if several else [whole]:
        national = national_number(number)
        if SHORTEST_NUMBER <= len(national) <= _LONGEST_NUMBER:
            yield Contact(Kind.PHONE, national)


def _addresses(written: str) -> Iterator[Contact]:
    rest = written
    for match in _EMAIL.finditer(written):
        local, domain = match[1].partition("+")[0].strip("."), match[2]
        if domain in _DOTS_IGNORED:
            local, domain = local.replace(".", ""), "gmail.com"
        if local:
            yield Contact(Kind.EMAIL, f"{local}@{domain}")
        rest = rest.replace(match[0], " ", 1)
    for match in _HOST.finditer(rest):
        yield from _site(match[1], match[2] or "")


def _site(host: str, path: str) -> Iterator[Contact]:
    for prefix in ("www.", "m."):
        host = host.removeprefix(prefix)
    if "." not in host:
        return
    if host in _NUMBERS:
        number = national_number("+" + figures(path))
        if len(number) >= SHORTEST_NUMBER:
            yield Contact(Kind.PHONE, number)
    elif host in _PROFILES:
        names = [part for part in re.split(r"[/?&#]", path) if part and part not in _SECTIONS]
        if names:
            yield from _handle(names[0])
    elif host in _PATHS:
        if path:
            yield Contact(Kind.URL, f"{host}/{path.rstrip('/')}")
    else:
        yield Contact(Kind.URL, _registrable(host))


def _registrable(host: str) -> str:
    """The part of a host name that somebody registered, as far as it can be told without the list of public suffixes."""
    labels = host.split(".")
    kept = 2
    if ".".join(labels[-2:]) in _SHARED or (len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVELS):
        kept = 3
    return ".".join(labels[-kept:])


def _accounts(text: str) -> Iterator[Contact]:
    for pattern in (_IBAN, _WALLET):
        for match in pattern.finditer(text):
            yield Contact(Kind.PAYMENT, re.sub(r"\s", "", match[1]))


def _handles(text: str, kind: Kind) -> Iterator[Contact]:
    signed = [match[1] for match in _HANDLE.finditer(text)]
    if signed:
        for name in signed:
            yield from _handle(name)
        return
    before, _, behind = text.rpartition(next(iter(_BESIDE_NAME.findall(text)[-1:]), "\0"))
    if before and behind.strip():
        yield from _handle(behind)
    elif kind is Kind.HANDLE:
        # A word with a figure, dot or stroke in it is the name; else all of it is, as in "Sunny Loft".
        marked = [word for word in text.split() if _MARKS_OF_NAME.search(word.strip(".,;:!?"))]
        yield from _handle(marked[0] if marked else text)
    else:
        for word in text.split():
            if _MARKS_OF_NAME.search(word.strip(".,;:!?")):
                yield from _handle(word)
                return


def _handle(name: str) -> Iterator[Contact]:
    """A name without signs: "sunny_loft", "Sunny Loft" and "sunny.loft" are one."""
    folded = re.sub(r"[\W_]", "", name)
    if len(folded) >= 3:
        yield Contact(Kind.HANDLE, folded)
