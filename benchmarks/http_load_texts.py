"""Texts of a fixed number of tokens out of real listings, no sentence in two of them, so that no cache helps."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

from corpus import split

from stream_detector.detection.detector import load_tokenizer
from stream_detector.inference.artefact import find
from stream_detector.settings import Settings
from stream_detector.text.view import Normalizer


def texts(folder: Path, count: int, tokens: int, *, seed: int = 7) -> list[str]:
    """So many texts of so many tokens, two special ones included, as the shipped tokenizer counts them."""
    tokenizer, policy = load_tokenizer(find(Settings().model)), Settings().policy
    normalizer = Normalizer(policy.platform_names, policy.platform_domains)
    found: list[str] = []
    parts: list[str] = []
    expected = 0
    for sentence in _sentences(folder, Random(seed)):
        parts.append(sentence)
        expected += len(tokenizer.encode(sentence, add_special_tokens=False).ids)
        if expected < tokens + 20:
            continue
        # A little too long; cut it where its last token but those that are too many ends.
        text = " ".join(parts)
        view = normalizer.view(text)
        offsets = tokenizer.encode(view.text, add_special_tokens=False).offsets
        parts, expected = [], 0
        if len(offsets) < tokens - 2:
            continue
        _, end = view.to_original(*offsets[tokens - 3])
        found.append(text[:end])
        if len(found) == count:
            return found
    raise SystemExit(f"{folder}: only {len(found)} texts of {tokens} tokens, {count} wanted; give a folder with more listings")


def bodies(given: list[str]) -> list[str]:
    """A scoring request a text, in ASCII, without tabs and line ends."""
    return [
        json.dumps({"transactionContext": {"transactionId": f"T-{number}"}, "attributes": {"listingDescription": text}})
        for number, text in enumerate(given)
    ]


def _sentences(folder: Path, rng: Random) -> Iterator[str]:
    descriptions: set[str] = set()
    for file in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            descriptions |= {json.loads(line).get("description") or "" for line in lines}
    ordered = sorted(descriptions)
    rng.shuffle(ordered)
    seen: set[str] = set()
    for description in ordered:
        for sentence in map(str.strip, split(description)):
            if sentence and sentence not in seen:
                seen.add(sentence)
                yield sentence
