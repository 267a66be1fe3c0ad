"""The shipped model beside what else one could use, on the very samples that `train evaluate` measures on.

    python benchmarks/peers.py LISTINGS_FOLDER [--corpus .training/train.jsonl.gz] [--size 4000]

Needs the `peers` extra. Presidio runs its phone (13 regions), e-mail and URL recognizers over a blank spaCy pipeline; the regular
expressions are what an engineer would write in an afternoon; TF-IDF of character n-grams with logistic regression is trained
on the corpus that the model was trained on, its threshold set as the model's is. Writes results/peers.json and peers.md.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Protocol

import numpy as np
import spacy
import tldextract
from machine import describe
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from presidio_analyzer.predefined_recognizers import EmailRecognizer, PhoneRecognizer, UrlRecognizer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from stream_detector.contracts import Evidence, Kind, Label, ScoreDetails, ScoringResponse, format_probability
from stream_detector.detection import Detector
from stream_detector.settings import Settings
from stream_detector.training.calibration import FALSE_FLAGS
from stream_detector.training.corpus.listings import read_listings
from stream_detector.training.evaluate import judge, summarize
from stream_detector.training.samples import Split, measured_samples, plain_samples, read_corpus

RESULTS = Path(__file__).parent / "results"
CHALLENGE = [Path(__file__).parent / name for name in ("challenge.jsonl", "challenge_second.jsonl")]
REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "SE", "GR", "PT", "CH", "AU", "BR")

#: Where two of Presidio's findings or ours overlap, the kind that stands first wins.
ENTITIES = {"EMAIL_ADDRESS": Kind.EMAIL, "PHONE_NUMBER": Kind.PHONE, "URL": Kind.URL}
PATTERNS = {
    Kind.EMAIL: re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    Kind.URL: re.compile(
        r"(?:https?://|www\.)\S+|\b[\w-]{2,}\.(?:com|net|org|info|eu|co|io|app|de|fr|es|it|pt|nl|se|gr|uk|ch|at|ru|pl|tr|cn|jp|kr)\b", re.IGNORECASE
    ),
    Kind.PHONE: re.compile(r"(?<![\w])(?:\+|00)?\(?\d(?:[ .()/-]{0,2}\d){6,14}(?![\w])"),
    Kind.HANDLE: re.compile(r"(?<![\w.@])@[A-Za-z_][\w.]{2,}"),
    Kind.MESSENGER: re.compile(
        r"\b(?:whats\s?app|telegram|viber|we\s?chat|kakao\s?talk|signal|skype|messenger|line\s?id)\b|微信|ватсап|вотсап|телеграм|카카오톡", re.IGNORECASE
    ),
}  # fmt: skip

Finding = tuple[int, int, Kind]


class Scorer(Protocol):
    """What `judge` asks: the detector, or a peer in its place."""

    def score(self, texts: Sequence[Mapping[str, str]]) -> list[ScoringResponse]:
        """One response a text."""


class Peer:
    """Answers as the detector does. `find` says how probable a violation is, from 0.5 on it is one, and where it stands."""

    def find(self, text: str) -> tuple[float, list[Finding]]:
        """Look at one text."""
        raise NotImplementedError

    def score(self, texts: Sequence[Mapping[str, str]]) -> list[ScoringResponse]:
        """Look at several."""
        return [self._respond(group["text"]) for group in texts]

    def _respond(self, text: str) -> ScoringResponse:
        probability, findings = self.find(text)
        evidence = tuple(Evidence(attribute="text", start=s, end=e, kind=kind, surface="•") for s, e, kind in findings)
        return ScoringResponse(
            model_code="PEER",
            model_version="1",
            refresh_version="v0",
            probability_score=format_probability(probability),
            model_segment="SUPPLY",
            top_contributor="text",
            score_details=ScoreDetails(
                label=Label.FRAUD if probability >= 0.5 else Label.NON_FRAUD,
                threshold=0.5,
                evidence=evidence,
                windows=1,
                backend="peer",
                latency_ms=0,
            ),
        )


class Patterns(Peer):
    """Regular expressions."""

    def find(self, text: str) -> tuple[float, list[Finding]]:
        """Every match that doesn't overlap an earlier kind's."""
        found: list[Finding] = []
        for kind, pattern in PATTERNS.items():
            found += [(*m.span(), kind) for m in pattern.finditer(text) if _is_free(m.start(), m.end(), found)]
        return float(bool(found)), found


class Presidio(Peer):
    """Microsoft Presidio with the recognizers that fit the task; no model of names or places, which don't offend."""

    def __init__(self) -> None:
        # Its recognizers look up domain endings, and would fetch a newer list: the one that came with the package serves.
        tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())
        engine = SpacyNlpEngine(models=[{"lang_code": "en", "model_name": "blank"}])
        engine.nlp = {"en": spacy.blank("en")}
        recognizers = [PhoneRecognizer(supported_regions=REGIONS), EmailRecognizer(), UrlRecognizer()]
        registry = RecognizerRegistry(recognizers=recognizers, supported_languages=["en"])
        self._analyzer = AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])

    def find(self, text: str) -> tuple[float, list[Finding]]:
        """Whatever it reports, at any score."""
        found: list[Finding] = []
        results = self._analyzer.analyze(text, language="en")
        for result in sorted(results, key=lambda r: list(ENTITIES).index(r.entity_type)):
            if _is_free(result.start, result.end, found):
                found.append((result.start, result.end, ENTITIES[result.entity_type]))
        return float(bool(found)), found


class NGrams(Peer):
    """TF-IDF and logistic regression: says whether, not where."""

    def __init__(self, model: Pipeline, cut: float) -> None:
        self._model = model
        self._cut = cut

    @classmethod
    def fitted(cls, corpus: Path, listings: Path, *, seed: int, most: int | None = None) -> NGrams:
        """Train on a corpus; the cut lets through as many plain development texts as the model's threshold does."""
        samples = read_corpus(corpus)[:most]
        model = make_pipeline(
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=3, max_features=400_000, sublinear_tf=True),
            LogisticRegression(C=10, max_iter=300),
        )
        model.fit([sample.text for sample in samples], [sample.offends for sample in samples])
        development = [listing for listing in read_listings(listings) if Split("dev").holds(listing)]
        plain = [sample.text for sample in plain_samples(development, 6000, seed)]
        return cls(model, float(np.quantile(model.decision_function(plain), 1 - FALSE_FLAGS)))

    def find(self, text: str) -> tuple[float, list[Finding]]:
        """A probability that is a half at the cut."""
        return float(1 / (1 + np.exp(self._cut - self._model.decision_function([text])[0]))), []


def _is_free(start: int, end: int, taken: Sequence[Finding]) -> bool:
    return all(end <= left or start >= right for left, right, _ in taken)


def measure(scorer: Scorer, samples: Mapping[str, list[Any]]) -> dict[str, Any]:
    """Figures of every part, and texts a second over all of them."""
    started = time.perf_counter()
    judged = {part: judge(scorer, chosen) for part, chosen in samples.items()}  # type: ignore[arg-type]
    seconds = time.perf_counter() - started
    figures: dict[str, Any] = {part: summarize(verdicts) for part, verdicts in judged.items()}
    return figures | {"textsPerSecond": round(sum(map(len, samples.values())) / seconds, 1)}


def table(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Markdown."""
    columns = {
        "composed: found": ("composed", "violationsFound"),
        "harmless wrong": ("composed", "harmlessWrong"),
        "plain wrong": ("plain", "harmlessWrong"),
        "read: found": ("reviewed", "violationsFound"),
        "wrong": ("reviewed", "harmlessWrong"),
        "by hand: found": ("challenge", "violationsFound"),
        "wrong ": ("challenge", "harmlessWrong"),
        "span overlaps": ("composed", "spanOverlaps"),
        "kind right": ("composed", "kindRight"),
    }
    lines = ["| | " + " | ".join(columns) + " | texts/s |", "|---" * (len(columns) + 2) + "|"]
    for name, figures in rows.items():
        shares = [figures[part][figure]["share"] for part, figure in columns.values()]
        cells = ["–" if share is None else f"{share:.1%}".replace("%", " %") for share in shares]
        lines.append(f"| {name} | " + " | ".join([*cells, f"{figures['textsPerSecond']:g}"]) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("listings", type=Path)
    parser.add_argument("--corpus", type=Path, default=Path(".training/train.jsonl.gz"))
    parser.add_argument("--texts", type=int, default=None, help="train TF-IDF on so many texts of the corpus only")
    parser.add_argument("--model", default=Settings().model)
    parser.add_argument("--size", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    challenge = [file for file in CHALLENGE if file.is_file()]
    samples = measured_samples(given.listings, challenge, size=given.size, seed=given.seed)
    for part in samples.values():
        Random(given.seed).shuffle(part)  # so that no peer's time hangs on the order
    rows: dict[str, Any] = {}
    with Detector.load(Settings(model=given.model)) as detector:
        rows[f"stream detector ({Path(given.model).name})"] = measure(detector, samples)
    ngrams = NGrams.fitted(given.corpus, given.listings, seed=given.seed, most=given.texts)
    peers = {"TF-IDF, logistic regression": ngrams, "regular expressions": Patterns(), "Presidio": Presidio()}
    for name, peer in peers.items():
        rows[name] = measure(peer, samples)
        print(name, rows[name]["textsPerSecond"], "texts/s", flush=True)
    result = {"question": "the shipped model beside its peers", "machine": describe(), "regions": REGIONS, "rows": rows}
    given.results.mkdir(parents=True, exist_ok=True)
    (given.results / "peers.json").write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    text = table(rows)
    (given.results / "peers.md").write_text(f"{text}\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
