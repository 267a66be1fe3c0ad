"""Rollout on Apache Kafka, exactly once, with the shipped network: swapped, shared by key and shadowed under load."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import count, groupby
from pathlib import Path
from typing import Any

import pytest

from stream_detector.contracts import Score, ShadowDisagreement, Violation, decode
from stream_detector.detection import Detector
from stream_detector.observability import Metrics
from stream_detector.rollout.models import Models, open_models
from stream_detector.rollout.share import in_share
from stream_detector.settings import Settings
from stream_detector.streaming import Outcome
from stream_detector.streaming.batch import Entry
from stream_detector.streaming.ledger import Report
from stream_detector.streaming.proof import choose_spans, prove
from stream_detector.streaming.reading import Reader
from tests.kafka.running import RunningWorker, until
from tests.kafka.traffic import Sent, event, received, send
from tests.rollout.artefacts import ALWAYS, NEVER, VERSION, make_artefact, rename

pytestmark = pytest.mark.kafka

KEYS = [f"L-{number}".encode() for number in range(24)]


class Process:
    """What `run` puts together: the models that the settings name, and a worker over them, here in this process."""

    def __init__(self, stack: ExitStack, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.models: Models = stack.enter_context(open_models(settings, self.metrics, Detector.load))
        self.running = RunningWorker(settings, self.models.roster)
        # The versions in each batch that was scored.
        self.batches: list[set[str]] = []
        conclude, offer = self.running.worker.conclude, self.models.offer

        def concluded(entries: Sequence[Entry]) -> list[Outcome]:
            outcomes = conclude(entries)
            self.batches.append({version_of(outcome) for outcome in outcomes})
            return outcomes

        def told(outcome: Outcome) -> None:
            self.running.outcomes.append(outcome)
            if offer is not None:
                offer(outcome)

        self.running.worker.conclude = concluded  # type: ignore[method-assign]
        self.running.worker._on_outcome = told
        stack.enter_context(self.running)
        self._numbers = count()
        self.sent = 0

    def send(self, number: int) -> None:
        """Publish so many events, each with a text of its own, over the keys and two topics."""
        topics = self.settings.topics
        chosen = [next(self._numbers) for _ in range(number)]
        records = [
            Sent(
                topics.bookings if at % 3 == 0 else topics.listing_updates,
                event(at, "booking" if at % 3 == 0 else "listing-update", f"A quiet flat, {at} steps from the sea"),
                KEYS[at % len(KEYS)],
            )
            for at in chosen
        ]
        self.sent += send(self.settings, records)

    def send_until(self, version: str) -> None:
        """Keep events flowing until a model of that version decides."""

        def decides() -> bool:
            self.send(5)
            return any(version_of(outcome) == version for outcome in self.running.outcomes[-20:])

        until(decides, f"a verdict of {version}")

    def done(self) -> Report:
        """Wait for all that was sent, and prove the ledger."""
        self.running.has(self.sent)
        with Reader(self.settings) as reader, Reader(self.settings, isolation="read_uncommitted") as latest:
            return prove(reader, latest, self.settings, choose_spans(reader, self.settings, whole=True))

    def refused(self) -> float:
        """How many artefacts were refused."""
        labels = {"role": "model", "result": "refused"}
        return self.metrics.registry.get_sample_value("stream_detector_model_reloads_total", labels) or 0


def version_of(outcome: Outcome) -> str:
    """Who gave a verdict."""
    assert outcome.response is not None
    return outcome.response.refresh_version


@pytest.fixture
def process(exactly_once: Settings, tmp_path: Path) -> Iterator[Any]:
    """Start a worker with a model of some manifest, and other models beside it."""
    with ExitStack() as stack:

        def start(manifest: dict[str, Any], **values: Any) -> Process:
            model = make_artefact(tmp_path / "model", "v1", **manifest)
            update = {
                "model": str(model), "inference_threads": 1, "model_reload_seconds": 0, "publish_scores": True, "max_batch_events": 8,
                # Nothing is late: this is about who decides, not about how fast this machine is.
                "promise_ms": 600_000,
            }  # fmt: skip
            return Process(stack, exactly_once.model_copy(update=update | values))

        yield start


def test_a_swap_in_mid_stream_loses_and_repeats_nothing(process: Any, tmp_path: Path) -> None:
    """Two swaps and a bad artefact while events flow: each event has one violation, by one model, and no batch has two."""
    worker: Process = process(ALWAYS)
    model = tmp_path / "model"
    worker.send(40)
    worker.running.has(10)
    rename(model, "v2", **ALWAYS)
    worker.models.reload()
    worker.send_until("v2")
    (model / "model.json").write_text("{", encoding="utf-8")
    worker.models.reload()
    until(worker.refused, "the refusal")
    worker.send(20)
    rename(model, "v3", **ALWAYS)
    worker.models.reload()
    worker.send_until("v3")
    worker.send(20)
    report = worker.done()

    assert report.faults == {}, report.examples
    assert report.outputs == {"violation": worker.sent, "score": worker.sent}
    assert all(len(versions) == 1 for versions in worker.batches), "a batch with two models"
    # In the order in which they were committed: never back to a model that was swapped out, nor on to one that was refused.
    assert [version for version, _ in groupby(map(version_of, worker.running.outcomes))] == ["v1", "v2", "v3"]
    found = {
        violation.event_id: violation.refresh_version
        for message in received(worker.settings, worker.settings.topics.violations)
        for violation in [decode(Violation, message.value() or b"")]
    }
    assert found == {
        outcome.event.event_id: version_of(outcome) for outcome in worker.running.outcomes if outcome.event is not None
    }


def test_the_canary_has_its_share_of_the_keys(process: Any, tmp_path: Path) -> None:
    """A key's events, on whichever topic, are all decided by the same model, and the outputs say by which."""
    canary = make_artefact(tmp_path / "canary", "v2", **ALWAYS)
    worker: Process = process(NEVER, canary_model=str(canary), canary_share=0.4)
    mine = {key for key in KEYS if in_share(key, 0.4, b"canary")}
    assert 0 < len(mine) < len(KEYS)
    worker.send(3 * len(KEYS))
    report = worker.done()

    assert report.faults == {}, report.examples
    topics = worker.settings.topics
    scores = [(message.key(), decode(Score, message.value() or b"")) for message in received(worker.settings, topics.scores)]
    assert {key for key, score in scores if score.refresh_version == "v2"} == mine
    assert {key for key, score in scores if score.refresh_version == "v1"} == set(KEYS) - mine
    violations = received(worker.settings, topics.violations)
    assert len(violations) == 3 * len(mine)
    assert {message.key() for message in violations} == mine
    assert {decode(Violation, message.value() or b"").refresh_version for message in violations} == {"v2"}


def test_shadow_disagreements_arrive_and_disturb_nothing(process: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shadow that calls everything Fraud: the main outputs know nothing of it, its topic has each disagreement once."""
    # However busy this machine is: here an event may wait for its pause.
    monkeypatch.setattr("stream_detector.rollout.shadow._PATIENCE_S", 60.0)
    shadow = make_artefact(tmp_path / "shadow", "v2", **ALWAYS)
    worker: Process = process(NEVER, shadow_model=str(shadow), shadow_share=0.5)
    mine = {key for key in KEYS if in_share(key, 0.5, b"shadow")}
    worker.send(2 * len(KEYS))
    report = worker.done()
    until(lambda: _compared(worker) + _dropped(worker) == 2 * len(mine), "the shadow's verdicts")
    topics = worker.settings.topics
    until(lambda: len(received(worker.settings, topics.shadow)) == _compared(worker) > 0, "the disagreements")

    assert report.faults == {}, report.examples
    assert report.outputs == {"score": worker.sent}, "a shadow's verdict has no consequence"
    messages = received(worker.settings, topics.shadow)
    found = [decode(ShadowDisagreement, message.value() or b"") for message in messages]
    assert len({one.disagreement_id for one in found}) == len(found)
    assert {message.key() for message in messages} <= mine
    for one in found:
        assert (one.decided.refresh_version, one.decided.score_details.label) == ("v1", "NonFraud")
        assert (one.shadow.refresh_version, one.shadow.score_details.label) == ("v2", "Fraud")


def _compared(worker: Process) -> float:
    labels = {"model_version": VERSION, "refresh_version": "v2", "result": "only_shadow"}
    return worker.metrics.registry.get_sample_value("stream_detector_shadow_events_total", labels) or 0


def _dropped(worker: Process) -> float:
    return sum(
        sample.value
        for sample in next(iter(worker.metrics.shadow_dropped.collect())).samples
        # What was not published was compared, and counts there.
        if sample.name.endswith("_total") and sample.labels["reason"] != "unpublished"
    )
