"""The models that decide: one for all keys, or one and a canary for a share of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Final

from stream_detector.contracts import Event, Label, ScoringResponse
from stream_detector.detection import Detector
from stream_detector.inference.artefact import Manifest
from stream_detector.observability import Metrics
from stream_detector.rollout.share import in_share, key_of
from stream_detector.rollout.slot import Role, Slot
from stream_detector.rollout.versions import ShownVersions, Version
from stream_detector.streaming import Record, Share

_SALT: Final = b"canary"


class Roster:
    """Gives the worker its scorers, a batch at a time, and the predictor its verdicts.

    Args:
        model: decides what the canary doesn't.
        canary: decides for its share of the keys, if there is one.
        canary_share: from 0 to 1.
        metrics: where verdicts are counted by model.
    """

    def __init__(self, model: Slot, canary: Slot | None, canary_share: float, metrics: Metrics) -> None:
        self._model = model
        self._canary = canary
        self._canary_share = canary_share
        self._counts = VerdictCounts(metrics)

    @property
    def seconds_left(self) -> float:
        """How long the busier network is expected to be busy with what was begun so far."""
        left = self._model.detector.seconds_left
        return left if self._canary is None else max(left, self._canary.detector.seconds_left)

    def begin_event(self, record: Record, event: Event) -> None:
        """Set the network that will decide to work on an event; return at once.

        A model that is swapped out just now may refuse, or work for nothing: then the next one reads the event with its batch.
        """
        slot = self._canary if self._canary is not None and self._is_canarys(record, event) else self._model
        slot.detector.begin(event.texts)

    @contextmanager
    def divide(self, events: Sequence[tuple[Record, Event]]) -> Iterator[list[Share]]:
        """Who decides which events of a batch; until it is left these models stay the same, whatever is swapped meanwhile."""
        with ExitStack() as holding:
            model = self._counted(Role.MODEL, holding.enter_context(self._model.hold()))
            if self._canary is None:
                yield [Share(model, range(len(events)))]
                return
            canary = self._counted(Role.CANARY, holding.enter_context(self._canary.hold()))
            mine = [at for at, pair in enumerate(events) if self._is_canarys(*pair)]
            others = sorted(set(range(len(events))) - set(mine))
            yield [Share(scorer, places) for scorer, places in ((model, others), (canary, mine)) if places]

    def score(self, texts: Sequence[Mapping[str, str]], *, deadline: float | None = None) -> list[ScoringResponse]:
        """Verdicts without an event, as the predictor gives them: all by the model that is in now."""
        with self._model.hold() as detector:
            responses = detector.score(texts, deadline=deadline)
        self._counts.count(Role.MODEL, detector.manifest, responses)
        return responses

    def _is_canarys(self, record: Record, event: Event) -> bool:
        return in_share(key_of(record.key, event), self._canary_share, _SALT)

    def _counted(self, role: Role, detector: Detector) -> _Counted:
        return _Counted(role, detector, self._counts)


class VerdictCounts:
    """Counts verdicts by the model that gave them."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._versions = {role: ShownVersions(partial(self._forget, role)) for role in Role}

    def count(self, role: Role, manifest: Manifest, responses: Sequence[ScoringResponse]) -> None:
        """Enter the verdicts of one model."""
        version = self._versions[role].show(manifest)
        for label, number in Counter(response.score_details.label.value for response in responses).items():
            self._metrics.model_verdicts.labels(role.value, *version, label).inc(number)

    def _forget(self, role: Role, version: Version) -> None:
        for label in Label:
            self._metrics.model_verdicts.remove(role.value, *version, label.value)


class _Counted:
    """One model's part in one batch."""

    def __init__(self, role: Role, detector: Detector, counts: VerdictCounts) -> None:
        self._role = role
        self._detector = detector
        self._counts = counts

    def score(self, texts: Sequence[Mapping[str, str]]) -> list[ScoringResponse]:
        responses = self._detector.score(texts)
        self._counts.count(self._role, self._detector.manifest, responses)
        return responses


def show_models(metrics: Metrics, slots: Sequence[Slot]) -> None:
    """Have the metrics name the models that decide, and show the caches and the drift of the one that decides most."""
    shown = {
        (manifest.model_code, manifest.model_version, manifest.refresh_version, slot.detector.backend_name)
        for slot in slots
        if slot.role is not Role.SHADOW
        for manifest in [slot.detector.manifest]
    }
    for labels in shown:
        metrics.model_info.labels(*labels).set(1)
    for sample in next(iter(metrics.model_info.collect())).samples:
        there = tuple(sample.labels[name] for name in ("model_code", "model_version", "refresh_version", "backend"))
        if there not in shown:
            metrics.model_info.remove(*there)
    for slot in slots:
        if slot.role is Role.MODEL:
            slot.detector.show_caches()
            slot.detector.watch_drift()
