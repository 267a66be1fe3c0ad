"""Does the time for a hostile text grow with its length, or with the square of it?

    python -m benchmarks.linear_time

Normalizing, cutting and decoding of texts that make careless regular expressions slow, from 10 kB to 1 MB. Ten times the text may
take ten times as long; the exponent is fitted through all sizes (1 is linear, 2 quadratic).
"""

from __future__ import annotations

import json
import math
import time
from datetime import UTC, datetime
from pathlib import Path

import orjson

from benchmarks.machine import describe
from stream_detector.contracts import Event
from stream_detector.settings import Settings
from stream_detector.streaming.records import Record, read
from stream_detector.text.view import Normalizer

_NOW = datetime(2026, 11, 24, tzinfo=UTC)
_NORMALIZER = Normalizer(("Example Stays",), ("stays.example",))
RESULT = Path(__file__).parent / "results" / "linear_time.json"
_SIZES = (10_000, 31_600, 100_000, 316_000, 1_000_000)
TEXTS = {
    "letters": "a", "spaces": " ", "digits": "1", "dots": ".", "at signs": "@", "open tags": "<", "ampersands": "&#", "dots between": "a.",
    "combining marks": "a\u0301\u0301", "right-to-left overrides": "\u202e", "zero width": "\u200b", "emoji digits": "1\ufe0f\u20e3",
    "quotes": '"\\', "hyphens": "a-", "look-alikes": "раy", "full width": "\uff11",
}  # fmt: skip


def seconds(piece: str, size: int) -> float:
    """The least time of three."""
    text = (piece * (size // len(piece) + 1))[:size]
    event = {
        "eventId": "E", "eventType": "client-update", "occurredAt": "2026-11-24T10:00:00Z", "transactionContext": {"transactionId": "T"},
        "partnerId": "P", "clientId": "C", "attributes": {"text": text},
    }  # fmt: skip
    payload, settings, taken = orjson.dumps(event), Settings(max_event_bytes=64 * 1024 * 1024), []
    for _ in range(3):
        began = time.process_time()
        found = read(Record("client-updates", 0, 0, None, payload), settings, now=_NOW)
        assert isinstance(found, Event)
        _NORMALIZER.view(text)
        taken.append(time.process_time() - began)
    return min(taken)


def main() -> None:
    """Measure and write the result."""
    rows = {}
    for name, piece in TEXTS.items():
        times = [seconds(piece, size) for size in _SIZES]
        exponent = math.log(times[-1] / times[0]) / math.log(_SIZES[-1] / _SIZES[0])
        rows[name] = {"ms": [round(1000 * one, 2) for one in times], "exponent": round(exponent, 2)}
        print(f"{name:<26} {rows[name]}")
    result = {"question": "time by length of hostile texts", "machine": describe(), "characters": _SIZES, "texts": rows}
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
