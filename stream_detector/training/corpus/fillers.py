"""What fills a template's slots: contacts, and harmless numbers, names and sites that look like them."""

from __future__ import annotations

from dataclasses import dataclass

from stream_detector.training.corpus.contacts import Contacts

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
    "特行许字第####号", "营业执照 91######MA########", "粤旅许字[20##]###号", "民宿字第####號", "旅館業許可 第##-###号", "届出番号 第M##########号", "保健所指令第####号",
    "관광사업등록 제####-####호", "사업자등록번호 ###-##-#####", "통신판매업 제20##-####호", "ОГРН #############", "Реестровый № ######", "С54########## ",
    "свидетельство № ##-##-####", "Αρ. Άδειας ####Κ###Κ#######", "ΑΦΜ #########", "ΑΔΑ: Ψ###Ω-###", "ΜΗΤΕ ##########", "رخصة رقم ######", "سجل تجاري ##########",
    "تصريح سياحي ####/##", "رقم الترخيص ٥٠####", "Ruhsat No: ####/##", "Turizm Belge No ##-####", "Vergi No ##########", "KW WA#M/000#####/#", "REGON #########",
    "AT-U########", "Reg.-Nr. ##-#-######-##", "RE-ID ####-####-####", "Bn 1###/20##", "TVA CHE-###.###.### MWST", "統一編號 ########", "旅宿登記 ####", "서울 제####-######호", "GEMI #########", "TR35 20##-##-####", "CNPJ ##.###.###/0001-##",
)  # fmt: skip


#: Phone numbers in the corpus are of blocks reserved for fiction, so their digits would give them away. How often a harmless
#: number takes some of the same digits.
_COINCIDENCES = {
    "registration": 0.4,
    "password": 0.2,
    "doorcode": 0.2,
    "coordinates": 0.2,
    "model": 0.15,
    "wifi": 0.15,
    "platform_url": 0.2,
}


@dataclass(frozen=True, slots=True)
class Fillers(Contacts):
    """Fills every slot: those of violations, and those of look-alikes."""

    def fill(self, slot: str) -> str:
        """A fresh value for a slot of a template.

        Raises:
            AttributeError: the template names a slot that there isn't.
        """
        value: str = getattr(self, f"_{slot}")()
        return self._coinciding(value) if self.rng.random() < _COINCIDENCES.get(slot, 0.0) else value

    def _coinciding(self, value: str) -> str:
        """A harmless number that shares some digits in a row with a phone number."""
        places = [i for i, char in enumerate(value) if char.isascii() and char.isdigit()]
        digits = self._phone_digits()
        length = min(len(places), len(digits), self.rng.randrange(3, 10))
        if length < 3:
            return value
        here, there = self.rng.randrange(len(places) - length + 1), self.rng.randrange(len(digits) - length + 1)
        chars = list(value)
        for place, digit in zip(places[here : here + length], digits[there : there + length], strict=True):
            chars[place] = digit
        return "".join(chars)

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
                str(r.randrange(1, 9)),
                f"{r.randrange(1, 299)}{r.choice('abcd')}",
                f"{r.randrange(1, 99)}/{r.randrange(1, 30)}",
                f"{r.randrange(1, 9)}-{r.randrange(1, 30)}-{r.randrange(1, 20)}",
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
        lines = ("", "", "", "", "", "U", "S", "M", "T", "L", "N", "RER ", "Tram ")
        numbers = [
            r.choice(lines) + str(r.randrange(1, 400)) + r.choice(("", "", "", "", "A", "N", "X"))
            for _ in range(r.choice((1, 1, 2, 3, 5, 8)))
        ]
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

    def _place(self) -> str:
        """The name of a street, a house or a hill, which reads like the name of a page."""
        r = self.rng
        name = f"{self._word()} {self._word()}".title() if r.random() < 0.5 else self._word().title()
        return r.choice(
            ("{}", "{}", "Villa {}", "Casa {}", "{} Street", "Via {}", "{}platz", "{} Park", "Hotel {}", "Café {}", "{} & Co")
        ).format(name)

    def _company(self) -> str:
        if self.rng.random() < 0.2:
            return self._place()
        return self.rng.choice(self.world.companies)

    def _app(self) -> str:
        r = self.rng
        if r.random() < 0.2:
            return self._brand(r.choice((self.world.social, self.world.messengers)))
        return r.choice(self.world.apps)
