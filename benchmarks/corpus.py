"""Real texts for benchmarks: listings as events' attributes, edits of them a sentence at a time, and windows cut beforehand."""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random

from stream_detector.detection.detector import load_tokenizer
from stream_detector.inference.artefact import find, verify
from stream_detector.inference.windowing import special_tokens, view_windows
from stream_detector.settings import Settings
from stream_detector.text.sentences import sentence_ends
from stream_detector.text.view import Normalizer

Texts = dict[str, str]
FIELDS = ("title", "description", "neighbourhood", "host")


def listings(folder: Path, count: int, *, seed: int = 7) -> list[Texts]:
    """Distinct listings' texts by attribute name, as many as asked for, in random order; all attributes that aren't empty."""
    found: dict[tuple[str, ...], Texts] = {}
    for file in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                texts = {name: row[name] for name in FIELDS if (row.get(name) or "").strip()}
                if texts:
                    found.setdefault(tuple(texts.values()), texts)
    chosen = Random(seed).sample(list(found.values()), min(count, len(found)))
    if len(chosen) < count:
        raise SystemExit(f"{folder}: {len(chosen)} distinct listings, {count} wanted; give a folder with more")
    return chosen


def edits(texts: Texts, others: Sequence[str], count: int, rng: Random) -> Iterator[Texts]:
    """The same listing after one edit, after two, and so on: each replaces one sentence of its longest text by another's."""
    longest = max(texts, key=lambda name: len(texts[name]))
    for _ in range(count):
        sentences = split(texts[longest])
        sentences[rng.randrange(len(sentences))] = rng.choice(others)
        texts = texts | {longest: "".join(sentences)}
        yield texts


def split(text: str) -> list[str]:
    """A text's sentences; joined, they are the text."""
    ends = [0, *sentence_ends(text)]
    if ends[-1] < len(text):
        ends.append(len(text))
    return [text[start:end] for start, end in itertools.pairwise(ends)]


def windows(groups: Sequence[Mapping[str, str]], model: Path | None = None) -> list[list[int]]:
    """Every window of every text, special tokens included: what a raw engine runs."""
    folder = model or find(Settings().model)
    manifest, tokenizer, policy = verify(folder), load_tokenizer(folder), Settings().policy
    normalizer = Normalizer(policy.platform_names, policy.platform_domains)
    first, last = special_tokens(tokenizer)
    cuts = [view_windows(normalizer.view(text), tokenizer, manifest.window) for group in groups for text in group.values()]
    return [[first, *cut.ids[window.start : window.stop], last] for cut in cuts for window in cut.windows]
