"""Make examples/events.jsonl: change events from real, clean listing texts, a tenth of them with a fictional violation.

    python examples/build.py LISTINGS_FOLDER

LISTINGS_FOLDER holds <city>.jsonl.gz files of Inside Airbnb texts (see examples/README.md). Only descriptions that
name no contact of any kind are used; every contact in the output is written below and is nobody's.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path
from random import Random
from typing import Any

SEED = 20261124
EVENTS = 360

#: Anything that could be a contact, a name or a site keeps a real text out of the examples.
UNFIT = re.compile(
    r"@|http|www|\.com|(?:\d[\s./()-]*){6,}|whats|insta|facebook|mail|phone|\bcall\b|contact|website|google|direct|transfer|cash|"
    r"airbnb|\bmy name\b|\bI am [A-Z]|\bI'm [A-Z]|discount|deposit|\bsms\b|\btext\b|telefon|handy|kontakt",
    re.IGNORECASE,
)

#: What is put into a text: (attribute, the words). Fictional numbers, example names and domains.
VIOLATIONS = (
    ("listingDescription", "For a better price call me on +44 7700 900142."),
    ("listingDescription", "Reach us any time: zero seven seven double zero, nine zero zero, one four two."),
    ("listingDescription", "Book on our own site casa-del-sol.example and save 15 %."),
    ("listingDescription", "WhatsApp me on +1 (212) 555-0147 before you book."),
    ("listingDescription", "Find us on Instagram: @sunny.loft.example"),
    ("listingDescription", "Reserva directamente con nosotros y te ahorras la comisión de la plataforma."),
    ("listingDescription", "Write to anna.keller (at) example (dot) com for long stays."),
    ("listingDescription", "Für Direktbuchungen: 030 23125 014, ohne Gebühren."),
    ("listingDescription", "Tel: 0️⃣7️⃣7️⃣0️⃣0️⃣ 9️⃣0️⃣0️⃣ 1️⃣8️⃣8️⃣"),
    ("listingDescription", "Appelez le zéro six, trente-neuf, quatre-vingt-dix-huit, douze, trente-quatre."),
    ("listingDescription", "Cancel the request here and pay me by bank transfer, 20 % off."),
    ("listingDescription", "Telegram: harbour_flat_example"),
    ("listingDescription", "Google our name and book cheaper, the platform takes too much."),
    ("listingDescription", "0  7  7  0  0 - 9  0  0 - 1  2  3"),
    ("listingDescription", "My contact: jo\u200bhn.doe\u200b@exa\u200bmple.com"),
    ("listingDescription", "Seaside-Rentals dot example has all our flats at lower rates."),
    ("listingDescription", "wechat id: sunnyhome520_example"),
    ("listingDescription", "加微信 sunnyhome520_example 可以优惠"),
    ("listingDescription", "Πάρτε με τηλέφωνο στο 210 555 0142 για καλύτερη τιμή."),
    ("listingDescription", "Boka direkt hos oss så slipper du avgiften, ring 070-1740 615."),
    ("houseRules", "The deposit is paid in cash to me, not through the app; send it with Revolut to @host_example_0 beforehand."),
    ("houseRules", "Questions? o77oo 9oo l42"),
    ("houseRules", "Scan the QR code in the last photo to book without the fee."),
    ("houseRules", "Contattaci su WhatsApp al 320 555 0133 per uno sconto."),
    ("bookingNote", "Please write to me at maria(at)example.org, then I can give you the private price."),
    ("bookingNote", "I would rather pay you directly: my PayPal is guest.example@example.com"),
    ("bookingNote", "Can you send me your number? Mine is 212.555.0199, we can arrange it without the website."),
    ("bookingNote", "Позвоните мне +7 900 555-01-23, договоримся без комиссии."),
    ("profile", "Follow my flats on insta >> example_stays <<"),
    ("profile", "ｍａｉｌ： ｈｅｌｌｏ＠ｅｘａｍｐｌｅ．ｏｒｇ"),
    ("profile", "Mеssage me on WhаtsApp, the number is on my photo."),
    ("profile", "Me encontra no zap: 21 5550-0123, combinamos por fora."),
    ("profile", "http://www.riverside-example.example/book"),
    ("profile", "You can find more of my apartments by searching for Riverside Example Stays on the web and booking there."),
    ("profile", "Reviews and direct booking: links.example/our_flat"),
    ("profile", "zadzwoń do mnie: pięćset pięćdziesiąt pięć, zero jeden, zero siedem"),
)

#: Harmless sentences that look like violations.
LOOKALIKES = (
    "Registration number: STL-ED-00555-F.",
    "Message me through the app, I answer within the hour.",
    "Bus lines 22, 35, 49 and 100 stop 200 m away.",
    "Check-in from 15:00, check-out until 11:00; the door code 5501 works from noon.",
    "Wi-Fi: Garden_Flat, password sunny2024.",
    "In an emergency dial 112 or 999.",
    "The flat is near the Google and F@cebook offices.",
    "Our number one priority is your comfort.",
    "Book tickets for the museum on its own site, museum.example.",
    "Please never pay outside the platform.",
    "Direct access to the beach; call it your second home.",
    "Smart TV with YouTube and Netflix.",
)

PROFILES = (
    "I love travelling with my family and cooking for friends.",
    "Retired teacher, quiet and tidy, early riser.",
    "We are two architects who restore old houses.",
    "Musician, often on tour; when at home I like to garden.",
    "I work in a hospital and look for calm places near the sea.",
    "Student of history, always curious about old towns.",
    "Wir reisen gern mit dem Rad und mögen ruhige Orte.",
    "J'aime la montagne, la lecture et le bon café.",
    "Jag tycker om skog, båt och långa promenader.",
    "Me gusta el cine, caminar y probar la comida local.",
)

NOTES = (
    "We arrive around 18:00 and bring one small dog, is that fine?",
    "It is our first visit; we look forward to the old town.",
    "Could we leave our bags after check-out until 16:00?",
    "We are four adults and a baby; is there a cot?",
    "Is the parking space wide enough for a van of 2.1 m?",
    "Wir kommen mit dem Zug um 14:30 an.",
    "Est-il possible d'arriver vers 20 h ?",
)

MALFORMED = (
    ("bookings", '{"eventId": "E-bad-1", "eventType": "booking", "occurredAt": '),
    (
        "bookings",
        (
            '{"eventId": "E-bad-2", "eventType": "booking", "occurredAt": "yesterday", "transactionContext": {"transactionId": "T-1"}, '
            '"partnerId": "P-1", "listingId": "L-1", "bookingId": "B-1", "attributes": {}}'
        ),
    ),
    ("listing-updates", '["not", "an", "object"]'),
    (
        "listing-updates",
        (
            '{"eventId": "E-bad-4", "eventType": "listing-update", "occurredAt": "2026-11-23T10:00:00Z", '
            '"transactionContext": {"transactionId": "T-2"}, "partnerId": "P-2", "attributes": {"listingDescription": "A flat."}}'
        ),
    ),
    (
        "client-updates",
        (
            '{"eventId": "E-bad-5", "eventType": "client-update", "occurredAt": "2026-11-23T10:00:00Z", '
            '"transactionContext": {"transactionId": "T-3"}, "partnerId": "P-3", "clientId": 17, "attributes": {"profile": "Hello."}}'
        ),
    ),
    ("client-updates", '{"eventId": "E-bad-6", "eventType": "client-update", "rating": NaN}'),
)


def real_texts(folder: Path, rng: Random) -> list[str]:
    """Clean descriptions of 120 to 700 characters, mixed over the cities."""
    texts: list[str] = []
    for file in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            found = [json.loads(line)["description"] for line in lines]
        fit = [text for text in found if 120 <= len(text) <= 700 and not UNFIT.search(text)]
        texts += rng.sample(fit, EVENTS // 5)
    rng.shuffle(texts)
    return texts


def insert(text: str, words: str, rng: Random) -> str:
    """Put words at the end of a text or after one of its sentences."""
    places = [match.end() for match in re.finditer(r"[.!?]\s", text)]
    if not places or rng.random() < 0.5:
        return f"{text.rstrip()} {words}"
    place = rng.choice(places)
    return f"{text[:place]}{words} {text[place:]}"


def event(number: int, kind: str, text: str, rng: Random) -> dict[str, Any]:
    """One harmless event."""
    listing = f"L-{rng.randrange(1000, 1200)}"
    common = {
        "eventId": f"E-{number:05d}",
        "eventType": kind,
        "occurredAt": "2026-11-24T10:00:00.000Z",
        "transactionContext": {"transactionId": f"T-{100000 + number}"},
        "partnerId": f"P-{rng.randrange(100, 160)}",
    }
    if kind == "booking":
        attributes = {"listingDescription": text, "bookingNote": rng.choice(NOTES)}
        return common | {"listingId": listing, "bookingId": f"B-{number:05d}", "attributes": attributes}
    if kind == "client-update":
        return common | {"clientId": f"C-{number:05d}", "attributes": {"profile": " ".join(rng.sample(PROFILES, 2))}}
    rules = rng.choice(
        (
            "No smoking, no parties. Quiet from 22:00.",
            "Please take off your shoes.",
            "Pets are welcome after a short message in the app.",
        )
    )
    return common | {"listingId": listing, "attributes": {"listingDescription": text, "houseRules": rules}}


def main() -> None:
    """Write the events beside this file."""
    rng = Random(SEED)
    texts = real_texts(Path(sys.argv[1]), rng)
    homes = {
        "listingDescription": "listing-update",
        "houseRules": "listing-update",
        "bookingNote": "booking",
        "profile": "client-update",
    }
    topics = {"booking": "bookings", "listing-update": "listing-updates", "client-update": "client-updates"}
    carriers = dict(zip(rng.sample(range(5, EVENTS), len(VIOLATIONS)), VIOLATIONS, strict=True))
    lines: list[dict[str, Any]] = []
    for number in range(EVENTS):
        attribute, words = carriers.get(number, (None, ""))
        kind = (
            homes[attribute]
            if attribute
            else rng.choice(("booking", "booking", "listing-update", "listing-update", "client-update"))
        )
        made = event(number, kind, texts[number % len(texts)], rng)
        if attribute:
            made["attributes"][attribute] = insert(made["attributes"][attribute], words, rng)
        elif kind != "client-update" and rng.random() < 0.3:
            made["attributes"]["listingDescription"] = insert(made["attributes"]["listingDescription"], rng.choice(LOOKALIKES), rng)
        lines.append({"topic": topics[kind], "key": made.get("listingId") or made["clientId"], "value": made})
    for place, (topic, raw) in zip(sorted(rng.sample(range(20, EVENTS), len(MALFORMED)), reverse=True), MALFORMED, strict=True):
        lines.insert(place, {"topic": topic, "key": "malformed", "raw": raw})
    out = Path(__file__).with_name("events.jsonl")
    out.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    print(f"{len(lines)} events, {len(VIOLATIONS)} with a violation, {len(MALFORMED)} malformed, in {out}")


if __name__ == "__main__":
    main()
