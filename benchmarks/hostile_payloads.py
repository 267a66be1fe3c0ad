"""Does any payload crash the codec, and is memory bounded?

    python -m benchmarks.hostile_payloads [--count 1000000] [--seed 1]      # make fuzz

Mutates events (bytes flipped, cut, doubled, spliced; hostile pieces put in) and has the worker's own reading decide on each: it is
scored, skipped or dead-lettered, or this program ends with the payload's number. Dead letters are made into messages too.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import describe
from stream_detector.contracts import Event
from stream_detector.settings import Settings
from stream_detector.streaming.records import Record, messages_of, read

RESULT = Path(__file__).parent / "results" / "hostile_payloads.json"
_NOW = datetime(2026, 11, 24, tzinfo=UTC)
_SEED_EVENT = {
    "eventId": "E-1", "eventType": "booking", "occurredAt": "2026-11-24T10:00:00.000Z", "transactionContext": {"transactionId": "T-1"},
    "partnerId": "P-1", "listingId": "L-1", "bookingId": "B-1", "clientId": None,
    "attributes": {"listingDescription": "Quiet studio 😀 \u202e +44 7700 900142", "houseRules": None, "n": ""},
}  # fmt: skip
#: Pieces that parsers have stumbled over.
HOSTILE = (
    b"\\ud800", b"\\udfff\\ud800", b"\\u0000", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"NaN", b"-Infinity", b"1e999",
    b"-0", b"1" * 400, b"[" * 50, b'{"a":' * 50, b"]}", b'"', b"\\", b'\\\\"', b"null", b"true", b"{}", b"[]", b",", b":", b"\x00",
    b"\r\n", b" " * 100, "\u0301".encode() * 100, "\u202e\u2066\u200d".encode(), b'"eventId":"E-2",', b'"attributes":{"x":5},',
    b'"attributes":{"a":"1","a":"2"},', b"\\u002b\\u0034\\u0034", b"/*x*/", b"'", b"0x1F", b"1_000",
)  # fmt: skip


def payloads(chance: random.Random, count: int) -> Iterator[bytes]:
    """Mutated events."""
    seed = json.dumps(_SEED_EVENT, ensure_ascii=False).encode()
    seeds = [seed, json.dumps(_SEED_EVENT).encode(), seed.replace(b"booking", b"client-update"), b"", b"[]", b"5", b'"x"']
    for _ in range(count):
        value = bytearray(chance.choice(seeds[:3]) if chance.random() < 0.95 else chance.choice(seeds))
        for _ in range(chance.choice((0, 1, 1, 1, 2, 3, 8))):
            _mutate(value, chance)
        yield bytes(value)


def _mutate(value: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(value) + 1)
    match chance.randrange(6):
        case 0 if at < len(value):
            value[at] ^= 1 << chance.randrange(8)
        case 1:
            value[at:at] = chance.choice(HOSTILE)
        case 2:
            del value[at:]
        case 3:
            del value[at : at + chance.randrange(1, 20)]
        case 4:
            value[at:at] = value[chance.randrange(len(value) + 1) :][: chance.randrange(1, 60)]
        case _:
            value[at : at + 4] = chance.randbytes(chance.randrange(5))


def fuzz(count: int, seed: int) -> Counter[str]:
    """What became of so many payloads."""
    settings, found = Settings(publish_scores=True), Counter[str]()
    for number, payload in enumerate(payloads(random.Random(seed), count)):
        try:
            outcome = read(Record("bookings", 0, number, b"key", payload), settings, now=_NOW)
            if isinstance(outcome, Event):
                found["event"] += 1
                continue
            messages_of(outcome, settings, now=_NOW)
            letter = outcome.dead_letter
            found[letter.reason.value if letter else outcome.kind.value] += 1
        except BaseException:
            sys.stderr.write(f"payload {number} of seed {seed}: {payload!r}\n")
            raise
    return found


def main() -> None:
    """Fuzz and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    found = fuzz(max(1, given.count // 10), given.seed)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found += fuzz(given.count - given.count // 10, given.seed + 1)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = {
        "question": "does any payload crash the codec, and is memory bounded?",
        "machine": describe(),
        "payloads": found.total(),
        "crashes": 0,
        "outcomes": dict(found.most_common()),
        "maxRssMb": {"afterATenth": before // 1024, "atTheEnd": after // 1024},
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
