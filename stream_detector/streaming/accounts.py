"""Counting what became of records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from stream_detector.batching import CloseReason
from stream_detector.errors import DeadLetterLimitError
from stream_detector.observability import Metrics
from stream_detector.settings import Settings
from stream_detector.streaming.records import Outcome, event_type_of


class Accounts:
    """Enters outcomes into the metrics, once each, after they were committed."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._topics = settings.topics
        self._promise_s = settings.promise_ms / 1000
        self._metrics = metrics

    def enter(self, outcomes: Sequence[Outcome], reason: CloseReason, *, now: float) -> list[Outcome]:
        """Enter a batch that was committed just now, and return its outcomes with their latencies."""
        self._metrics.batch_size.observe(len(outcomes))
        self._metrics.batch_closed.labels(reason.value).inc()
        published = [
            replace(outcome, latency_s=max(0.0, now - outcome.event.occurred_at.timestamp())) if outcome.event else outcome
            for outcome in outcomes
        ]
        for outcome in published:
            self._count(outcome)
        return published

    def _count(self, outcome: Outcome) -> None:
        event_type = event_type_of(outcome, self._topics)
        self._metrics.events.labels(event_type, outcome.kind.value).inc()
        if outcome.latency_s is not None:
            self._metrics.event_latency.labels(event_type).observe(outcome.latency_s)
            if outcome.latency_s > self._promise_s:
                self._metrics.deadline_missed.labels(event_type).inc()
        if outcome.response is not None:
            self._metrics.probability.labels(event_type).observe(float(outcome.response.probability_score))
        if outcome.violation is not None:
            kinds = {evidence.kind.value for evidence in outcome.violation.score_details.evidence}
            for kind in kinds or {"none"}:
                self._metrics.violations.labels(event_type, kind).inc()
        if outcome.dead_letter is not None:
            self._metrics.dead_letters.labels(outcome.record.topic, outcome.dead_letter.reason.value).inc()


def explain_limit(error: DeadLetterLimitError, outcomes: Sequence[Outcome]) -> DeadLetterLimitError:
    """The same error, with what an operator needs to find the cause: where the refused records are and what they lack."""
    letters = [outcome.dead_letter for outcome in outcomes if outcome.dead_letter is not None]
    where = Counter((letter.source.topic, letter.reason.value) for letter in letters)
    causes = ", ".join(f"{count} {reason} on {topic}" for (topic, reason), count in where.most_common(3))
    return DeadLetterLimitError(
        f"{error}; the last batch: {causes}; for example {letters[-1].error}."
        " Nothing of that batch was committed. Mend the producer or this worker, or raise the limit, and start again"
    )
