"""What fills a template's slots: fictional contacts, and harmless numbers, names and sites that look like them.

Nothing here is anybody's: numbers come from blocks reserved for fiction or are 555-01xx, names are put together from words.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from stream_detector.training.corpus.packs import Brand, Pack, World

_LETTERS = string.ascii_lowercase

#: Registration, licence, tax and certificate numbers of many countries; # a digit, ? a capital, * either.
_REGISTRATIONS = (
    "STL-ED-0#### -F", "EH-#####-F", "PID-STRA-#####", "HUTB-######", "VFT/MA/#####", "VT-######-A", "ESFCTU0000##0##0##0##0##", "ETV/####",
    "#####/AL", "IT0##0##C2********", "CIR 0##0##-CNI-0####", "0##0##-LOC-#####", "751########## ", "75###0####-??", "0000#######",
    "AMA 0000###### #", "ΑΜΑ 000010#####", "MHTE ####K###K0######", "0## 4### 89AB ???? ####", "0363 **** **** **** ****", "01/Z/RA/0#####-2#",
    "66-1-####", "M1300#####", "第M13#######号", "TA-###-###-####-01", "STR-00####", "STRN-000####", "R2#-STR-#####", "BL-2#-######",
    "ABN ## ### ### ###", "ACN ### ### ###", "org.nr 55####-####", "VAT DE#########", "USt-IdNr. DE#########", "SIRET ### ### ### #####",
    "CHE-###.###.###", "NIF ########?", "CIF B########", "P.IVA ###########", "ИНН ##########", "NIP ###-###-##-##", "KVK ########",
    "DTV ###.###", "07-####", "2###-######", "12-######-####", "No. ####/20##", "###########", "##########", "#########", "########",
    "HRB ######", "RNT-######", "SC######", "LIC#######", "EPC: ####-####-####-####-####", "UPRN 90#########", "lot ## plan SP######",
    "統一編號 ########", "旅宿登記 ####", "서울 제####-######호", "GEMI #########", "TR35 20##-##-####", "CNPJ ##.###.###/0001-##",
)  # fmt: skip
_TRANSFER_FALLBACK = ("PayPal", "Revolut", "bank transfer", "Wise")


@dataclass(frozen=True, slots=True)
class Fillers:
    """Fills slots for one sample in one language."""

    rng: Random
    pack: Pack
    world: World

    def fill(self, slot: str) -> str:
        """A fresh value for a slot of a template.

        Raises:
            AttributeError: the template names a slot that there isn't.
        """
        value: str = getattr(self, f"_{slot}")()
        return value

    def mask(self, pattern: str) -> str:
        """Replace # by digits, ? by capitals and * by either."""
        choices = {"#": string.digits, "?": string.ascii_uppercase, "*": string.digits + string.ascii_uppercase}
        return "".join(self.rng.choice(choices[c]) if c in choices else c for c in pattern)

    # ---- contacts

    def _phone(self) -> str:
        return self.mask(self.rng.choice(self.pack.phones))

    def _phone_start(self) -> str:
        """The first digits of a number that is told in two parts."""
        digits = "".join(c for c in self._phone() if c.isdigit())
        return digits[: self.rng.randrange(3, 6)]

    def _phone_end(self) -> str:
        """The last digits of a number that is told in two parts."""
        digits = "".join(c for c in self._phone() if c.isdigit())
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
        if r.random() < 0.06:
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
                ("instagram.com/{}", "facebook.com/{}", "fb.com/{}", "linktr.ee/{}", "t.me/{}", "wa.me/" + "".join(c for c in self._phone() if c.isdigit()),
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

    # ---- services

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
        return self._brand(self.world.transfers) if self.world.transfers else self.rng.choice(_TRANSFER_FALLBACK)

    # ---- harmless look-alikes

    def _registration(self) -> str:
        r = self.rng
        if r.random() < 0.4:
            groups = [
                "".join(r.choice("###?*" if r.random() < 0.4 else "###") for _ in range(r.randrange(1, 6)))
                for _ in range(r.randrange(2, 5))
            ]
            return self.mask(r.choice(("-", "/", " ", ".", "")).join(groups))
        return self.mask(r.choice(_REGISTRATIONS))

    def _price(self) -> str:
        r = self.rng
        amount = r.choice(
            (
                str(r.randrange(5, 400)),
                f"{r.randrange(1, 9)},{r.randrange(100, 999)}",
                f"{r.randrange(5, 90)}.{r.choice(('00', '50', '90'))}",
            )
        )
        return r.choice(
            (
                "€{}",
                "{} €",
                "{}€",
                "£{}",
                "${}",
                "{} CHF",
                "CHF {}.-",
                "{} kr",
                "{} SEK",
                "{} EUR",
                "AU${}",
                "{} zł",
                "{} ₽",
                "¥{}",
                "{}元",
                "{}원",
                "{} TL",
                "R$ {}",
            )
        ).format(amount)

    def _time(self) -> str:
        r = self.rng
        hour, minute = r.randrange(24), r.choice(("00", "15", "30", "45"))
        return r.choice(
            (
                f"{hour}:{minute}",
                f"{hour}.{minute}",
                f"{hour}h{minute}",
                f"{hour % 12 or 12} {r.choice(('am', 'pm'))}",
                f"{hour}:{minute} - {(hour + 9) % 24}:00",
            )
        )

    def _year(self) -> str:
        return str(self.rng.randrange(1650, 2027))

    def _distance(self) -> str:
        r = self.rng
        return r.choice(
            (
                f"{r.randrange(2, 95) * 10} m",
                f"{r.randrange(1, 60)} km",
                f"{r.randrange(0, 9)}.{r.randrange(1, 9)} km",
                f"{r.randrange(1, 20)} miles",
                f"{r.randrange(2, 45)} min",
            )
        )

    def _coordinates(self) -> str:
        r = self.rng
        lat, lon = r.uniform(-60, 65), r.uniform(-150, 150)
        return r.choice(
            (
                f"{lat:.6f}, {lon:.6f}",
                f"{lat:.4f},{lon:.4f}",
                f"{abs(lat):.4f}° N {abs(lon):.4f}° E",
                f"{int(abs(lat))}°{r.randrange(60)}'{r.randrange(60)}\" N",
            )
        )

    def _number(self) -> str:
        r = self.rng
        return r.choice(
            (
                str(r.randrange(1, 40)),
                str(r.randrange(100, 2000)),
                f"{r.randrange(1, 9)}{r.choice('ABCDE')}",
                str(r.randrange(1, 9)),
            )
        )

    def _model(self) -> str:
        return self.mask(
            self.rng.choice(("WH-####X", "KX###-??", "??####", "DV##T####", "S-###", "TX-##??###", "Serie # ???####", "HD####/##"))
        )

    def _wifi(self) -> str:
        r = self.rng
        return r.choice(
            (
                f"{self._word().title()}_{r.randrange(10, 9999)}",
                self.mask("FRITZ!Box ####"),
                self.mask("TP-LINK_****"),
                self.mask("Guest-####"),
                self._joined(("_", "-", "")),
            )
        )

    def _password(self) -> str:
        r = self.rng
        return r.choice(
            (
                f"{self._word()}{r.randrange(10, 99999)}{r.choice('!#@$')}",
                self.mask("########"),
                self.mask("************"),
                f"{self._word().title()}@{r.randrange(1900, 2030)}",
                self.mask("####-####-####-####"),
            )
        )

    def _doorcode(self) -> str:
        return self.mask(self.rng.choice(("####", "####", "#####", "######", "##-##-##", "####?", "C####", "*####")))

    def _bus(self) -> str:
        r = self.rng
        numbers = [str(r.randrange(1, 400)) + r.choice(("", "", "", "A", "N", "X")) for _ in range(r.choice((1, 1, 2, 3, 5, 8)))]
        return r.choice((", ", "/", " ", " & ")).join(numbers)

    def _flight(self) -> str:
        return self.mask(self.rng.choice(("??####", "?? ###", "?# ####", "LH ####", "BA###")))

    def _platform(self) -> str:
        return (
            self.rng.choice(self.world.platforms)
            if self.rng.random() < 0.6
            else self.rng.choice(("Airbnb", "Air bnb", "airbnb", "Vrbo", "Booking.com", "AirBnB"))
        )

    def _platform_url(self) -> str:
        r = self.rng
        path = self.mask(
            r.choice(
                (
                    "/rooms/########",
                    "",
                    "/h/" + self._joined(("-", "")),
                    "/users/show/########",
                    "/hotel/xx/" + self._joined(("-",)) + ".html",
                    "/####",
                )
            )
        )
        return r.choice(("", "www.", "https://www.", "https://")) + r.choice(self.world.platform_domains) + path

    def _third_url(self) -> str:
        r = self.rng
        if r.random() < 0.55:
            site = r.choice(self.world.third_sites)
            if site.endswith(".example") and r.random() < 0.95:
                # The list's ending is for the reader; kept, it would tell harmless sites from offending ones.
                site = site.removesuffix("example") + self._tld()
            return r.choice(("", "www.", "https://", "https://www.", "")) + site
        return r.choice(("", "www.", "https://www.", "")) + self._host()

    def _third_phone(self) -> str:
        return self._phone()

    def _third_email(self) -> str:
        return self.rng.choice(("info", "service", "office", "contact", "help")) + "@" + self._host()

    def _emergency(self) -> str:
        return self.rng.choice(
            (
                "112",
                "999",
                "911",
                "000",
                "110",
                "144",
                "117",
                "118",
                "15",
                "100",
                "108",
                "166",
                "190",
                "119",
                "120",
                "1177",
                "111",
                "101",
                "131 450",
                "1813",
            )
        )

    def _company(self) -> str:
        return self.rng.choice(self.world.companies)

    def _app(self) -> str:
        r = self.rng
        if r.random() < 0.2:
            return self._brand(r.choice((self.world.social, self.world.messengers)))
        return r.choice(self.world.apps)
