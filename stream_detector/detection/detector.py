"""The detector: texts in, verdicts out. No Kafka, no HTTP: the worker, the command line and the tests call it alike."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from tokenizers import Tokenizer

from stream_detector.batching import Costs
from stream_detector.contracts import Evidence, Label, ScoreDetails, ScoringResponse, format_probability
from stream_detector.detection.backends import open_backend
from stream_detector.detection.cache import BoundedCache, CacheBytes
from stream_detector.detection.evidence import Finding, find_evidence
from stream_detector.detection.reading import Reader, Reading
from stream_detector.detection.seams import Seam, seams
from stream_detector.detection.window_cache import WindowCache
from stream_detector.inference.artefact import TOKENIZER, Calibration, Manifest, find, verify
from stream_detector.inference.backend import Backend
from stream_detector.inference.windowing import special_tokens
from stream_detector.observability import Metrics
from stream_detector.settings import Settings
from stream_detector.text.masking import mask
from stream_detector.text.view import NormalizedView, Normalizer

_REMEMBERED = CacheBytes()
# Seconds of timing at the start: a worker should be ready within two.
_TIMING_S = 0.4

_WARM_UP = "A bright flat near the station with two bedrooms, a garden and a view over the bay. " * 4


@dataclass(frozen=True, slots=True)
class TextVerdict:
    """What was found in one text: probability, windows read, and evidence in the text as sent."""

    probability: float
    windows: int
    findings: tuple[Finding, ...]


class Detector:
    """Scores texts with one artefact.

    Args:
        manifest: what the artefact says of itself.
        tokenizer, backend: its two halves.
        normalizer: makes the view that the network reads.
        threshold: probability from which a text is Fraud.
        unmasked: evidence carries its text in the clear.
        metrics: where cache look-ups and tokens are counted.
        remembered: bounds of the caches.
    """

    def __init__(
        self,
        manifest: Manifest,
        tokenizer: Tokenizer,
        backend: Backend,
        normalizer: Normalizer,
        *,
        threshold: float,
        unmasked: bool = False,
        metrics: Metrics | None = None,
        remembered: CacheBytes = _REMEMBERED,
    ) -> None:
        self.manifest = manifest
        self.threshold = threshold
        self.cache: BoundedCache[TextVerdict] = BoundedCache(remembered.verdicts)
        self._backend = backend
        self._unmasked = unmasked
        self._watched = False
        self._metrics = metrics or Metrics()
        # No method of its own: a cycle would keep the model of a detector that was let go in memory for a while.
        offends = partial(_offends, manifest.calibration, threshold)
        self.windows = WindowCache(backend, offends, remembered.windows, self._metrics)
        self._reader = Reader(normalizer, tokenizer, manifest.window, self.windows)

    @classmethod
    def load(cls, settings: Settings, metrics: Metrics | None = None) -> Self:
        """Load the artefact that the settings name, check its files and warm it up.

        Raises:
            ArtefactError: it is missing, altered or can't be run.
        """
        folder = find(settings.model)
        manifest = verify(folder)
        tokenizer = load_tokenizer(folder)
        policy = settings.policy
        detector = cls(
            manifest,
            tokenizer,
            open_backend(settings, folder, manifest, special=special_tokens(tokenizer), metrics=metrics),
            # A domain that texts may name is as harmless as the platform's own, so the model reads it as that.
            Normalizer(policy.platform_names, policy.platform_domains + policy.allowed_domains),
            threshold=settings.threshold or manifest.threshold,
            unmasked=settings.unmasked_evidence,
            metrics=metrics,
            remembered=CacheBytes(settings.verdict_cache_bytes, settings.window_cache_bytes),
        )
        try:
            detector.score([{"warmUp": _WARM_UP}])
        except BaseException:
            detector.close()
            raise
        detector.show_caches()
        return detector

    def __enter__(self) -> Self:
        """Use as a context manager; leaving it closes the backend."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the backend."""
        self.close()

    def close(self) -> None:
        """Release the backend."""
        self._backend.close()

    @property
    def backend_name(self) -> str:
        """What runs the network."""
        return self._backend.name

    @property
    def seconds_left(self) -> float:
        """How long the network is expected to be busy with what was begun so far."""
        return self._backend.seconds_left

    @property
    def costs(self) -> Costs:
        """What the network's runs take, as far as is known."""
        return self._backend.costs

    def window_lengths(self, texts: Mapping[str, str]) -> list[int]:
        """The tokens of every window that a group of texts is read in, special ones included."""
        everything = (*texts.values(), *(seam.text for seam in seams(texts)))
        return [len(window) + 2 for text in everything for window in self._reader.cut(text)[1].windows]

    def measure(self) -> None:
        """Time the network, so that what it will take can be foretold from the first event on."""
        self._backend.measure(self.manifest.window.tokens, budget_s=_TIMING_S)

    def watch_drift(self) -> None:
        """Have the texts that come from now on held against the reference in the manifest, in the metrics."""
        self._metrics.drift.hold_against(self.manifest.reference)
        self._watched = True

    def show_caches(self) -> None:
        """Have the metrics show this detector's caches: of several in a process, the one that decides."""
        self._metrics.cache_bytes.labels("verdicts").set_function(lambda: self.cache.held_bytes)
        self._metrics.cache_bytes.labels("windows").set_function(lambda: self.windows.held_bytes)

    def kinds_told(self, verdict: TextVerdict) -> tuple[str, ...]:
        """The kinds under which a text that offends is counted: of its evidence, or "none"; empty if it doesn't offend."""
        if verdict.probability < self.threshold:
            return ()
        return tuple({finding.kind.value for finding in verdict.findings}) or ("none",)

    def begin(self, texts: Mapping[str, str]) -> None:
        """Set the network to work on a group of texts that `score` will be asked for soon; return at once."""
        for text in (*texts.values(), *(seam.text for seam in seams(texts))):
            if self.cache.get(text) is None:
                self._reader.begin(text)

    def score(self, texts: Sequence[Mapping[str, str]], *, deadline: float | None = None) -> list[ScoringResponse]:
        """Score groups of texts (an event's attributes each).

        All windows of all groups run side by side; a text that stands in several groups is read once.

        Args:
            texts: for each group, texts by attribute name.
            deadline: by when their windows should be done, on the clock of `time.monotonic`; None: the promise from now on.

        Returns:
            One response a group, in order. `latency_ms` is the time from the call to that group's verdict.
        """
        started = time.perf_counter()
        joints = [tuple(seams(group)) for group in texts]
        everything = [*(text for group in texts for text in group.values()), *(seam.text for joint in joints for seam in joint)]
        pending = self._begin(everything, deadline)
        return [self._respond(group, joint, pending, started) for group, joint in zip(texts, joints, strict=True)]

    def verdicts(self, texts: Sequence[str]) -> list[TextVerdict]:
        """Score texts one by one, without a response around them."""
        pending = self._begin(texts)
        return [self._verdict(text, pending) for text in texts]

    def _begin(self, texts: Iterable[str], deadline: float | None = None) -> dict[str, TextVerdict | Reading]:
        """Look each text up, or set the network to work on it."""
        pending: dict[str, TextVerdict | Reading] = {}
        tokens = 0
        for text in texts:
            if text in pending:
                continue
            known = self.cache.get(text)
            self._metrics.cache_requests.labels("miss" if known is None else "hit").inc()
            pending[text] = reading = known or self._reader.begin(text, deadline=deadline)
            tokens += reading.fresh_tokens if isinstance(reading, Reading) else 0
        if tokens:
            self._metrics.batch_tokens.observe(tokens)
        return pending

    def _verdict(self, text: str, pending: dict[str, TextVerdict | Reading]) -> TextVerdict:
        reading = pending[text]
        if isinstance(reading, TextVerdict):
            return reading
        # Forgotten first: if the network failed on it, it is read again when it is asked for again.
        self._reader.forget(text)
        outputs = [future.result() for future in reading.outputs]
        probabilities = [self.manifest.calibration.probability(output.logit) for output in outputs]
        findings: list[Finding] = []
        for window, output, probability in zip(reading.cut.windows, outputs, probabilities, strict=True):
            if probability >= self.threshold:
                found = find_evidence(
                    reading.view, reading.cut.offsets[window.start : window.stop], output.tags, self.manifest.tags
                )
                findings += [_in_original(reading.view, finding) for finding in found]
        verdict = TextVerdict(max(probabilities, default=0.0), len(outputs), _without_overlaps(findings))
        self.cache.put(text, verdict, size=120 * (1 + len(verdict.findings)))
        pending[text] = verdict
        return verdict

    def _respond(
        self, group: Mapping[str, str], joint: Sequence[Seam], pending: dict[str, TextVerdict | Reading], started: float
    ) -> ScoringResponse:
        verdicts = {attribute: self._verdict(text, pending) for attribute, text in group.items()}
        if self._watched:
            for attribute, verdict in verdicts.items():
                self._metrics.drift.note(group[attribute], verdict.probability, self.kinds_told(verdict))
        probabilities = {attribute: verdict.probability for attribute, verdict in verdicts.items()}
        findings = {attribute: list(verdict.findings) for attribute, verdict in verdicts.items()}
        windows = sum(verdict.windows for verdict in verdicts.values())
        for seam in joint:
            together = self._verdict(seam.text, pending)
            windows += together.windows
            parts = [part for finding in together.findings for part in seam.divide(finding)]
            # One side alone is that side's own affair, and its own verdict has all of the text around it.
            if {attribute for attribute, _ in parts} == {seam.left, seam.right}:
                probabilities[seam.left] = max(probabilities[seam.left], together.probability)
                for attribute, finding in parts:
                    findings[attribute].append(finding)
        top = max(probabilities, key=lambda attribute: probabilities[attribute], default="")
        probability = probabilities.get(top, 0.0)
        evidence = [
            Evidence(
                attribute=attribute,
                start=finding.start,
                end=finding.end,
                kind=finding.kind,
                surface=self._surface(group[attribute][finding.start : finding.end]),
            )
            for attribute, found in findings.items()
            for finding in _without_overlaps(found)
        ]
        return ScoringResponse(
            model_code=self.manifest.model_code,
            model_version=self.manifest.model_version,
            refresh_version=self.manifest.refresh_version,
            probability_score=format_probability(probability),
            model_segment=self.manifest.model_segment,
            top_contributor=top,
            score_details=ScoreDetails(
                label=Label.FRAUD if probability >= self.threshold else Label.NON_FRAUD,
                threshold=self.threshold,
                evidence=tuple(evidence),
                windows=windows,
                backend=self._backend.name,
                latency_ms=round((time.perf_counter() - started) * 1000, 3),
            ),
        )

    def _surface(self, text: str) -> str:
        return text if self._unmasked else mask(text)


def _offends(calibration: Calibration, threshold: float, logit: float) -> bool:
    return calibration.probability(logit) >= threshold


def load_tokenizer(folder: Path) -> Tokenizer:
    """An artefact's tokenizer. It reads "[SEP]" in a text as what it says, not as the token of that name."""
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.encode_special_tokens = True
    return tokenizer


def _in_original(view: NormalizedView, finding: Finding) -> Finding:
    start, end = view.to_original(finding.start, finding.end)
    return Finding(start, end, finding.kind, finding.confidence)


def _without_overlaps(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Windows overlap inside long sentences, and seams read ends again; where two find the same, keep the surer."""
    kept: list[Finding] = []
    for finding in sorted(findings, key=lambda f: -f.confidence):
        if all(finding.end <= other.start or finding.start >= other.end for other in kept):
            kept.append(finding)
    return tuple(sorted(kept, key=lambda f: f.start))
