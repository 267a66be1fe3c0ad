"""Fictional contacts: numbers, addresses, handles and accounts that are nobody's, and the services they belong to.

Numbers come from blocks reserved for fiction or are 555-01xx; names are put together from words, so that a handle or a domain
reads like those that people choose.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from stream_detector.training.corpus.packs import Brand, Pack, World

_LETTERS = string.ascii_lowercase


@dataclass(frozen=True, slots=True)
class Contacts:
    """Fills the slots of violations for one sample in one language."""

    rng: Random
    pack: Pack
    world: World

    def mask(self, pattern: str) -> str:
        """Replace # by digits, ? by capitals and * by either."""
        choices = {"#": string.digits, "?": string.ascii_uppercase, "*": string.digits + string.ascii_uppercase}
        return "".join(self.rng.choice(choices[c]) if c in choices else c for c in pattern)

    def _phone(self) -> str:
        return self.mask(self.rng.choice(self.pack.phones))

    def _phone_digits(self) -> str:
        return "".join(c for c in self._phone() if c.isdigit())

    def _phone_start(self) -> str:
        """The first digits of a number that is told in two parts."""
        digits = self._phone_digits()
        return digits[: self.rng.randrange(3, 6)]

    def _phone_end(self) -> str:
        """The last digits of a number that is told in two parts."""
        digits = self._phone_digits()
        return digits[-self.rng.randrange(4, 7) :]

    def _word(self) -> str:
        return self.rng.choice(self.pack.words if self.rng.random() < 0.5 else self.world.words)

    def _invented(self) -> str:
        """A word that no dictionary has."""
        vowels, consonants = "aeiou", "bcdfghklmnprstvz"
        return "".join(self.rng.choice(consonants) + self.rng.choice(vowels) for _ in range(self.rng.randrange(2, 4)))

    def _ascii_name(self) -> str:
        name = self.rng.choice(self.pack.first_names)
        return name.lower() if name.isascii() else self._invented()

    def _joined(self, separators: Sequence[str]) -> str:
        r = self.rng
        parts = [
            r.choice((self._word, self._word, self._word, self._ascii_name, self._invented))()
            for _ in range(r.choice((1, 2, 2, 2, 3)))
        ]
        if r.random() < 0.25:
            parts.append(str(r.choice((r.randrange(1, 100), r.randrange(1955, 2027), r.randrange(100, 9999)))))
        if r.random() < 0.08:
            parts = ["".join(r.choice(_LETTERS + string.digits) for _ in range(r.randrange(5, 11)))]
        return r.choice(separators).join(parts)

    def _host(self) -> str:
        return self._joined(("", "", "-")) + "." + self._tld()

    def _tld(self) -> str:
        r = self.rng
        if r.random() < 0.08:
            return "example"
        tld = r.choice(self.pack.domains if r.random() < 0.6 else self.world.tlds)
        return r.choice(("com", tld, tld)).lstrip(".")

    def _email(self) -> str:
        r = self.rng
        user = self._joined(("", ".", "_", "", "-"))
        if r.random() < 0.2:
            user = r.choice(("info", "booking", "hello", "stay", "contact", "reservas", "office", "rent", "host", "mail"))
        domain = r.choice(self.world.mail_domains) if r.random() < 0.65 else self._host()
        return f"{user}@{domain}"

    def _url(self) -> str:
        r = self.rng
        host, style = self._host(), r.random()
        if style < 0.12:
            name = self._joined(("", "_", "-", "."))
            return r.choice(
                ("instagram.com/{}", "facebook.com/{}", "fb.com/{}", "linktr.ee/{}", "t.me/{}", "wa.me/" + self._phone_digits(),
                 "bit.ly/{}", "{}.wixsite.com/home", "{}.business.site", "sites.google.com/view/{}", "tinyurl.com/{}", "m.me/{}", "tiktok.com/@{}",
                 "{}.lodgify.com", "{}.wordpress.com", "beacons.ai/{}", "youtube.com/@{}", "vk.com/{}", "line.me/ti/p/{}", "goo.gl/maps/{}")
            ).format(name)  # fmt: skip
        if r.random() < 0.3:
            host = host.capitalize() if r.random() < 0.5 else "".join(p.capitalize() for p in host.split("-"))
        prefix = r.choice(("", "", "", "www.", "www.", "https://", "http://", "https://www.", "WWW."))
        path = r.choice(
            (
                "",
                "",
                "",
                "",
                "/",
                "/book",
                "/en",
                "/apartment-2",
                "/rooms?id=7",
                f"/{self._word()}",
                f"/{self._word()}-{self._word()}.html",
            )
        )
        return prefix + host + path

    def _handle(self) -> str:
        r = self.rng
        name = self._joined(("", "_", ".", "", "_"))
        if r.random() < 0.15:
            name = name.title().replace(".", "")
        sign = r.choice(("@", "@", "@", "@", "", "", "", "@ ", "#"))
        if not sign and name.isalpha() and name.islower():
            # One plain word alone is no handle to anybody, and to call it one would be noise.
            name += r.choice(("_", ".")) + self._word()
        return sign + name

    def _words(self) -> str:
        r = self.rng
        words = [self._word() for _ in range(r.choice((2, 2, 3)))]
        text = " ".join(words)
        return r.choice(
            (text.title(), text.title(), text, text.upper(), f'"{text.title()}"', "".join(w.capitalize() for w in words))
        )

    def _id(self) -> str:
        return (
            self._phone()
            if self.rng.random() < 0.15
            else self._joined(("", "_", "", "-", ".")) + self.rng.choice(("", "", "88", "520", "_home"))
        )

    def _account(self) -> str:
        r = self.rng
        country = r.choice(("GB", "DE", "FR", "ES", "IT", "SE", "GR", "PL", "CH", "NL", "PT", "BE", "TR"))
        iban = country + self.mask("00" + "#" * r.randrange(14, 23))
        spaced = " ".join(iban[i : i + 4] for i in range(0, len(iban), 4))
        return r.choice(
            (iban, spaced, spaced, self._email(), self._phone(), "@" + self._joined(("", "_")), "paypal.me/" + self._joined(("",)),
             "$" + self._joined(("",)), self.mask("sort code 00-##-## account ########"), self.mask("BSB 000-### acc ######"),
             "bc1q" + "".join(r.choice(_LETTERS + string.digits) for _ in range(24)), self.mask("account no. ##########"), self._name())
        )  # fmt: skip

    def _name(self) -> str:
        return self.rng.choice(self.pack.first_names)

    def _brand(self, brands: Sequence[Brand]) -> str:
        local = [brand for brand in brands if self.pack.code in brand.languages]
        everywhere = [brand for brand in brands if "*" in brand.languages]
        brand = self.rng.choice(local if local and self.rng.random() < 0.45 else (everywhere or brands))
        return brand.names[0] if self.rng.random() < 0.5 else self.rng.choice(brand.names)

    def _messenger(self) -> str:
        return self._brand(self.world.messengers)

    def _social(self) -> str:
        return self._brand(self.world.social)

    def _transfer(self) -> str:
        return self._brand(self.world.transfers)
