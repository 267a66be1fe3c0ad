"""Violations and reviews of partners, as a hostile world sends them; the same counted at once; and what aggregate made of them.

Nothing here uses the program's own counting, so that a fault in it can't hide: documents are counted as documents.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from confluent_kafka import Producer

from stream_detector.contracts.examples import EXAMPLES
from stream_detector.settings import Settings
from tests.kafka.traffic import received

Document = dict[str, Any]
_DAY_MS = 24 * 60 * 60 * 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CONTACTS = ("host{}@sunny-loft.example", "write{}@harbour-flat.example")
#: Thousandths: the settings' defaults.
WEIGHTS = {"email": 1000, "payment": 1500}


@dataclass(frozen=True, slots=True)
class Traffic:
    """Records in the order in which they are sent: topic, key, value."""

    records: tuple[tuple[str, bytes, bytes], ...]

    def parts(self, count: int) -> Iterator[list[tuple[str, bytes, bytes]]]:
        """The same in so many parts."""
        size = -(-len(self.records) // count)
        for start in range(0, len(self.records), size):
            yield list(self.records[start : start + size])


def make_traffic(settings: Settings, *, seed: int, violations: int, partners: int) -> Traffic:
    """Violations of the last 35 days with reviews of some: late, out of order, repeated, reviews before what they are about."""
    chance = random.Random(seed)
    now = datetime.now(UTC)
    sent: list[tuple[float, str, bytes, bytes]] = []
    for number in range(violations):
        partner = f"P-{int(chance.paretovariate(0.7)) % partners}"
        occurred = now - timedelta(days=35 * chance.random() ** 2, minutes=5)
        document = _violation(chance, number, partner, occurred)
        # Mostly in order, some much later; a tenth come twice.
        moments = [occurred.timestamp() + chance.choice([0, 0, 0, 3600, 5 * 86400]) * chance.random()]
        moments += [moments[0] + 86400 * chance.random()] if chance.random() < 0.1 else []
        value = orjson.dumps(document)
        sent += [(moment, settings.topics.violations, f"key-{number % 17}".encode(), value) for moment in moments]
        for review in _reviews(chance, document, now):
            moment = moments[0] + 86400 * (chance.random() - 0.3)
            sent.append((moment, settings.topics.reviews, partner.encode(), orjson.dumps(review)))
    sent.sort(key=lambda record: record[0])
    return Traffic(tuple(record[1:] for record in sent))


def send(settings: Settings, records: Iterable[tuple[str, bytes, bytes]]) -> None:
    """Write records, and wait until they are written."""
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers, "linger.ms": 5})
    for topic, key, value in records:
        producer.produce(topic, value, key)
        producer.poll(0)
    assert producer.flush(60) == 0


def send_aborted(settings: Settings, count: int) -> None:
    """Violations that a worker wrote in a transaction, and took back."""
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers, "transactional.id": f"{settings.group_id}-aborts"})
    producer.init_transactions(30)
    producer.begin_transaction()
    chance = random.Random(count)
    for number in range(count):
        document = _violation(chance, number, "P-0", datetime.now(UTC) - timedelta(hours=1)) | {"violationId": f"aborted-{number}"}
        producer.produce(settings.topics.violations, orjson.dumps(document), b"aborted")
    producer.flush(30)
    producer.abort_transaction(30)


class Expected:
    """All that was sent, counted at once: the newest revision of each review, each violation once."""

    def __init__(self, settings: Settings) -> None:
        self.violations: dict[str, Document] = {}
        self.reviews: dict[str, Document] = {}
        for message in received(settings, settings.topics.violations):
            document = orjson.loads(message.value() or b"")
            self.violations[document["violationId"]] = document
        for message in received(settings, settings.topics.reviews):
            document = orjson.loads(message.value() or b"")
            known = self.reviews.get(document["violationId"])
            if known is None or document["revision"] > known["revision"]:
                self.reviews[document["violationId"]] = document

    def points(self, partner: str) -> list[tuple[int, float]]:
        """When each offence of a partner began, in milliseconds since the epoch, and its points."""
        groups: dict[object, list[tuple[int, float]]] = defaultdict(list)
        for document in self._counted(partner):
            moment = ms(document["occurredAt"])
            groups[moment // _DAY_MS, document["listingId"], tuple(_contacts(document))].append((moment, self._weight(document)))
        return [(min(moment for moment, _ in group), max(weight for _, weight in group)) for group in groups.values()]

    def row(self, partner: str, start_ms: int, end_ms: int) -> Document:
        """A partner's sums over a window, as the page shows them."""
        inside = [document for document in self._counted(partner) if start_ms <= ms(document["occurredAt"]) < end_ms]
        begun = [points for moment, points in self.points(partner) if start_ms <= moment < end_ms]
        return {
            "partnerId": partner,
            "points": round(sum(begun), 3),
            "offences": len(begun),
            "violations": len(inside),
            "confirmed": sum(document["violationId"] in self.reviews for document in inside),
            "listings": len({document["listingId"] for document in inside}),
            "contacts": len({contact for document in inside for contact in _contacts(document)}),
        }

    @property
    def partners(self) -> list[str]:
        """All partners."""
        return sorted({document["partnerId"] for document in self.violations.values()})

    @property
    def dismissed_partners(self) -> set[str]:
        """Partners with a violation that was dismissed at some time."""
        return {document["partnerId"] for document in self.reviews.values() if document["decision"] == "dismissed"} | {
            document["partnerId"] for document in self.reviews.values() if document["revision"] > 1
        }

    def _counted(self, partner: str) -> list[Document]:
        return [
            document
            for name, document in self.violations.items()
            if document["partnerId"] == partner and self.reviews.get(name, {"decision": "confirmed"})["decision"] == "confirmed"
        ]

    def _weight(self, document: Document) -> float:
        certainty = 1000 if document["violationId"] in self.reviews else round(float(document["probabilityScore"]) * 1000)
        heaviest = max(WEIGHTS[evidence["kind"]] for evidence in document["scoreDetails"]["evidence"])
        return (heaviest * certainty + 500) // 1000 / 1000


def ms(timestamp: str) -> int:
    """A moment of the wire as milliseconds since the epoch."""
    return (datetime.fromisoformat(timestamp) - _EPOCH) // timedelta(milliseconds=1)


def faults_of_messages(settings: Settings, expected: Expected) -> list[str]:
    """What is wrong with the repeat offenders that were published; nothing if each episode was told, once."""
    faults: list[str] = []
    told: dict[tuple[str, str, str], list[tuple[int, int]]] = defaultdict(list)
    for message in received(settings, settings.topics.repeat_offenders):
        document = orjson.loads(message.value() or b"")
        key = document["partnerId"], document["windowLength"], document["level"]
        span = ms(document["windowStart"]), ms(document["windowEnd"])
        if any(span[0] < end and start < span[1] for start, end in told[key]):
            faults.append(f"told twice: {key} {document['windowStart']}")
        told[key].append(span)
    for partner in expected.partners:
        offences = expected.points(partner)
        for text in settings.aggregation.windows:
            head, *levels = text.split()
            name, length, hop = head.split("/")[0], *map(_duration, head.split("/"))
            for level, _, points in (text.partition("=") for text in levels):
                known = told.get((partner, name, level), [])
                for start, end in _episodes(_hot(offences, length, hop, float(points)), length):
                    # What was dismissed, or turned out to have begun earlier, may have joined it to where it was told.
                    slack = 35 * _DAY_MS if partner in expected.dismissed_partners else _DAY_MS
                    if not any(one < end + slack and start - slack < other for one, other in known):
                        faults.append(f"not told: {partner} {name} {level} {start}")
    return faults


def _episodes(hot: set[int], length: int) -> list[tuple[int, int]]:
    episodes: list[tuple[int, int]] = []
    for start in sorted(hot):
        if episodes and start < episodes[-1][1]:
            episodes[-1] = (episodes[-1][0], start + length)
        else:
            episodes.append((start, start + length))
    return episodes


def _hot(offences: list[tuple[int, float]], length: int, hop: int, points: float) -> set[int]:
    starts = {start for moment, _ in offences for start in range(moment // hop * hop - length + hop, moment + 1, hop)}
    return {
        start
        for start in starts
        if round(sum(weight for moment, weight in offences if start <= moment < start + length), 3) >= points
    }


def _duration(text: str) -> int:
    return int(text[:-1]) * (_DAY_MS if text[-1] == "d" else _DAY_MS // 24)


def _contacts(document: Document) -> list[str]:
    return sorted({word for text in document["attributes"].values() for word in text.split() if "@" in word})


def _violation(chance: random.Random, number: int, partner: str, occurred: datetime) -> Document:
    name = _CONTACTS[number % 2].format(chance.randrange(6))
    text = f"Sunny loft by the harbour, write to {name}"
    at = text.index(name)
    evidence = {"attribute": "listingDescription", "start": at, "end": at + len(name), "kind": "email", "surface": "h•••e"}
    kinds = [evidence] + [evidence | {"kind": "payment", "start": 0, "end": 5}] * (chance.random() < 0.2)
    example = EXAMPLES["violation"][0]
    return example | {
        "violationId": f"V-{number}",
        "partnerId": partner,
        "listingId": f"L-{partner}-{chance.randrange(4)}",
        "occurredAt": _text(occurred),
        "detectedAt": _text(occurred + timedelta(milliseconds=80)),
        "probabilityScore": f"{chance.uniform(0.05, 0.999):.2e}",
        "attributes": {"listingDescription": text},
        "scoreDetails": example["scoreDetails"] | {"evidence": kinds},
    }


def _reviews(chance: random.Random, document: Document, now: datetime) -> list[Document]:
    if chance.random() > 0.35:
        return []
    decisions = [chance.choice(["dismissed", "confirmed"]) for _ in range(chance.choice([1, 1, 1, 2]))]
    reviews = [
        {
            "reviewId": f"{document['violationId']}-{revision}",
            "violationId": document["violationId"],
            "revision": revision,
            "decision": decision,
            "partnerId": document["partnerId"],
            "listingId": document["listingId"],
            "eventType": document["eventType"],
            "occurredAt": document["occurredAt"],
            "reviewer": "someone",
            "decidedAt": _text(now),
        }
        | ({"reason": "third_party"} if decision == "dismissed" else {})
        for revision, decision in enumerate(decisions, 1)
    ]
    return reviews + ([chance.choice(reviews)] if chance.random() < 0.2 else [])


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
