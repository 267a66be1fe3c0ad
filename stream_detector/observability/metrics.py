"""Every metric, each with what an operator learns from it. Base units; alerts and dashboards rest on these names."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from stream_detector.observability.drift import DriftSampler

#: Latency buckets in seconds. The promise of 250 ms is one of them, so that "share of events within the promise" is exact.
LATENCY_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
#: Of calibrated probabilities: most texts are near 0, and the threshold is usually between 0.01 and 0.5.
PROBABILITY_BUCKETS: Final = (0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0)
_BATCH_BUCKETS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
# The goal for the cost model's median error, 0.15, is one of them.
_ERROR_BUCKETS: Final = (0.02, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.0, 5.0)
_SHIFT_BUCKETS: Final = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0)
_TOKEN_BUCKETS: Final = (64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536)


class Metrics:
    """The metrics of one process, in a registry of their own: two workers in one process, or two tests, don't collide."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # CPU, memory and open files of the process, under Prometheus's usual process_* names.
        ProcessCollector(registry=self.registry)

        # Is the promise kept? From the event's occurrence to its verdict being published; producers' delay is in it.
        self.event_latency = Histogram(
            "stream_detector_event_latency_seconds",
            "From the occurrence of an event to its outcome being published",
            ["event_type"],
            buckets=LATENCY_BUCKETS,
            registry=self.registry,
        )
        # Where does the time go? `wait`: occurrence until the worker took the event, one observation an event (large:
        # slow producers, or a backlog); `decode`: one observation a record; `score` and `publish`: one a batch.
        self.stage_latency = Histogram(
            "stream_detector_stage_latency_seconds",
            "Time spent in one stage of an event's way",
            ["stage"],
            buckets=LATENCY_BUCKETS,
            registry=self.registry,
        )
        # How much comes, and what becomes of it: violation, clean, dead_letter, tombstone, skipped. Each record once.
        self.events = Counter(
            "stream_detector_events_total",
            "Records done, by what became of them",
            ["event_type", "outcome"],
            registry=self.registry,
        )
        # What do the violations consist of? A violation counts once for each kind of evidence in it, and under "none" if
        # no evidence was found: a rise there says that people will see flags without a reason.
        self.violations = Counter(
            "stream_detector_violations_total",
            "Violations published, once for each kind of evidence in them",
            ["event_type", "kind"],
            registry=self.registry,
        )
        # How sure is the model? Two heaps, near 0 and near 1, are right; one that grows in the middle says that it meets
        # texts that it doesn't know. An event counts with its worst text.
        self.probability = Histogram(
            "stream_detector_probability",
            "Calibrated probability that a scored event holds a violation",
            ["event_type"],
            buckets=PROBABILITY_BUCKETS,
            registry=self.registry,
        )
        # How many events broke the promise? The numerator of the service level objective, at any promise_ms.
        self.deadline_missed = Counter(
            "stream_detector_deadline_missed_total",
            "Events published later than the promise",
            ["event_type"],
            registry=self.registry,
        )
        # Are batches as large as the hardware likes? Ones only: no load, or the batcher is too hasty.
        self.batch_size = Histogram(
            "stream_detector_batch_size", "Records in one micro-batch", buckets=_BATCH_BUCKETS, registry=self.registry
        )
        # How much work is in a batch? Explains a slow score stage that batch_size doesn't.
        self.batch_tokens = Histogram(
            "stream_detector_batch_tokens", "Tokens run through the model at once", buckets=_TOKEN_BUCKETS, registry=self.registry
        )
        # Why were batches closed? Mostly idle: capacity to spare; deadline or full: busy; backlog: behind the promise.
        self.batch_closed = Counter(
            "stream_detector_batch_closed_total", "Micro-batches, by why they were closed", ["reason"], registry=self.registry
        )
        # What bounds the network's runs? side_by_side: cores; idle: nothing, capacity to spare; full: the hardware's batch
        # size or token budget; deadline: the promise is tight; backlog: behind the promise.
        self.runs = Counter(
            "stream_detector_runs_total",
            "Runs of the network, by why they held no more windows",
            ["reason"],
            registry=self.registry,
        )
        # How much of the work is for nothing? padding against text: above a twentieth, lengths and shapes don't match.
        self.tokens = Counter(
            "stream_detector_tokens_total", "Tokens that the network ran, text or padding", ["kind"], registry=self.registry
        )
        # Can the scheduler trust what it foretells? The median should be below 0.15; more says that the machine is noisy.
        self.cost_error = Histogram(
            "stream_detector_cost_error_ratio",
            "Relative error of the time that was foretold for a run",
            buckets=_ERROR_BUCKETS,
            registry=self.registry,
        )
        # Does the network take what was foretold? `measured` against `foretold`, over the same runs: apart for long, the
        # machine is busy with something else, or the scheduler decides on wrong figures.
        self.network_seconds = Counter(
            "stream_detector_network_seconds_total",
            "Time of the network's runs, as measured and as the cost model foretold it",
            ["time"],
            registry=self.registry,
        )
        # Does the verdict cache earn its memory? hit against miss, a text each.
        self.cache_requests = Counter(
            "stream_detector_cache_requests_total", "Look-ups in the verdict cache", ["result"], registry=self.registry
        )
        # The same for the window cache, asked only for texts that the verdict cache doesn't know: edits of known texts.
        self.window_cache_requests = Counter(
            "stream_detector_window_cache_requests_total", "Look-ups in the window cache", ["result"], registry=self.registry
        )
        # How full are the caches? At their bound with few hits: give them more. `verdicts` or `windows`.
        self.cache_bytes = Gauge(
            "stream_detector_cache_bytes", "Bytes that the caches hold, as counted", ["cache"], registry=self.registry
        )
        # Is the worker falling behind? Records not yet taken, -1 when unknown. What autoscaling looks at.
        self.consumer_lag = Gauge(
            "stream_detector_consumer_lag",
            "Records of a partition that are not yet taken; -1: unknown",
            ["topic", "partition"],
            registry=self.registry,
        )
        # Which producer breaks the contract, and how? One reason rising on one topic is a release gone wrong there.
        self.dead_letters = Counter(
            "stream_detector_dead_letters_total",
            "Records refused, by input topic and reason",
            ["topic", "reason"],
            registry=self.registry,
        )
        # Is Kafka there? 0 for long: nothing is read, and nothing is lost; look at Kafka, or at the address.
        self.kafka_reachable = Gauge(
            "stream_detector_kafka_reachable", "1 while Kafka answers, 0 while it doesn't", registry=self.registry
        )
        # Is back-pressure on? Above 0 for long: too few workers.
        self.paused_partitions = Gauge(
            "stream_detector_paused_partitions", "Partitions paused by back-pressure", registry=self.registry
        )
        # How much is asked of the predictor, and how does it answer? 4xx: a client's fault; 503: no room; 500: ours.
        self.http_requests = Counter(
            "stream_detector_http_requests_total", "Requests over HTTP, answered", ["path", "status"], registry=self.registry
        )
        # How long do its clients wait? From the request's headers to the answer's end, the body's way here included.
        self.http_latency = Histogram(
            "stream_detector_http_request_seconds",
            "From the headers of a request to the end of its answer",
            ["path"],
            buckets=LATENCY_BUCKETS,
            registry=self.registry,
        )
        # How many are inside? Near http_max_waiting: more predictors are needed, or clients that wait for their turn.
        self.http_in_flight = Gauge("stream_detector_http_in_flight", "Requests that are being answered", registry=self.registry)
        # Why are requests refused? The reason in the answer, such as missing_field, queue_full or no_token.
        self.http_refusals = Counter(
            "stream_detector_http_refusals_total", "Requests refused, by reason", ["reason"], registry=self.registry
        )
        # What does it find? A request of a batch counts as one.
        self.http_scores = Counter(
            "stream_detector_http_scores_total", "Scoring requests with a verdict", ["label"], registry=self.registry
        )
        # Are reviewers of the same mind? Confirmed against all is the precision that people see. Counted by the console when a
        # decision is published, once for each kind of evidence in the violation, and under "none" if there is no evidence.
        self.reviews = Counter(
            "stream_detector_reviews_total",
            "Decisions of reviewers, once for each kind of evidence in the violation",
            ["decision", "event_type", "kind"],
            registry=self.registry,
        )
        # Do partners learn? Counted by the aggregation, once a violation and window: `first` if it is the partner's only one
        # in the window, else `repeat`. The share of repeat is the partner repeat rate.
        self.partner_violations = Counter(
            "stream_detector_partner_violations_total",
            "Violations, by whether their partner had another one in the window before",
            ["window", "partner"],
            registry=self.registry,
        )
        # Is the stream still what the model was trained for? Sampled texts by bin, scaled up to all that were scored; to be
        # held against the reference below. signal: score, length, writing or kind.
        self.drift_texts = Counter(
            "stream_detector_drift_texts_total",
            "Scored texts, sampled and scaled up, by the bin that they fall into",
            ["signal", "bin"],
            registry=self.registry,
        )
        # What was it trained for? The share of each bin in the model's reference; no series if its manifest has none.
        self.drift_reference = Gauge(
            "stream_detector_drift_reference_share",
            "Share of a bin in the reference of the model that is loaded",
            ["signal", "bin"],
            registry=self.registry,
        )
        # Do traces reach their collector? failed: it is away or too slow; those spans are gone, and nothing else is.
        self.spans = Counter(
            "stream_detector_spans_total", "Spans of traces, sent to the collector or lost", ["result"], registry=self.registry
        )
        self.drift = DriftSampler(self.drift_texts, self.drift_reference)
        # How does one model decide beside the other, and before and after a swap? role: `model`, or `canary` for its share of the
        # keys. Only of the two versions of a role that came last.
        self.model_verdicts = Counter(
            "stream_detector_model_verdicts_total",
            "Verdicts by the model that gave them; of a batch that was done again, once more",
            ["role", "model_version", "refresh_version", "label"],
            registry=self.registry,
        )
        # Was a changed model taken? `refused`: the one before it goes on deciding, and a log line says what is wrong with the new.
        self.model_reloads = Counter(
            "stream_detector_model_reloads_total",
            "Changed artefacts, by whether they were swapped in",
            ["role", "result"],
            registry=self.registry,
        )
        # Would another model decide otherwise? `agreed`; `only_model` or `only_shadow`: that one alone says Fraud; `failed`.
        # Over agreed it is the rate of disagreement, of a sample of the keys.
        self.shadow_events = Counter(
            "stream_detector_shadow_events_total",
            "Events that the shadow model scored as well, by how its label compares",
            ["model_version", "refresh_version", "result"],
            registry=self.registry,
        )
        # How far apart are they? Moved upwards while labels agree: look at the threshold before the model decides.
        self.shadow_shift = Histogram(
            "stream_detector_shadow_shift",
            "Difference between the probabilities of the shadow model and the one that decided, without its sign",
            buckets=_SHIFT_BUCKETS,
            registry=self.registry,
        )
        # How much of the sample is missing? busy: no spare capacity; late: behind the promise; large: a long event; unpublished:
        # a disagreement that Kafka didn't take. Much of it: the sample is one of quiet hours; lower shadow_share.
        self.shadow_dropped = Counter(
            "stream_detector_shadow_dropped_total",
            "Sampled events that the shadow model didn't score, or disagreements that were not published",
            ["reason"],
            registry=self.registry,
        )
        # What does aggregate read, and what becomes of it? Violations and reviews are taken; their cases counted, repeated (after a
        # restart) or too_old. refused: can't be read, see the log; many too_old: raise aggregation.keep_days.
        self.aggregation_records = Counter(
            "stream_detector_aggregation_records_total",
            "Records that aggregate is done with, by what became of them",
            ["record", "outcome"],
            registry=self.registry,
        )
        # Who writes what aggregate can't read, and how is it wrong? They are passed over: look them up by the log's offsets.
        self.aggregation_refused = Counter(
            "stream_detector_aggregation_refused_total",
            "Records that aggregate can't read, by reason",
            ["record", "reason"],
            registry=self.registry,
        )
        # How old is what repeat offenders are judged by? From a violation's being written to its being counted.
        self.aggregation_age = Histogram(
            "stream_detector_aggregation_age_seconds",
            "From the writing of a violation or review to its being counted for its partner",
            buckets=LATENCY_BUCKETS,
            registry=self.registry,
        )
        # Does aggregate keep up? Records of its inputs that are not yet taken; -1 while Kafka doesn't say.
        self.aggregation_lag = Gauge(
            "stream_detector_aggregation_lag",
            "Records of a partition that aggregate has not yet taken; -1: unknown",
            ["topic", "partition"],
            registry=self.registry,
        )
        # How much is kept, and does it grow without end? Of this process's partitions.
        self.aggregation_partners = Gauge(
            "stream_detector_aggregation_partners", "Partners whose violations are counted", registry=self.registry
        )
        # The same in violations: memory grows with them.
        self.aggregation_cases = Gauge(
            "stream_detector_aggregation_cases", "Violations and reviews that are kept", registry=self.registry
        )
        # Who crossed a level? A jump that no campaign explains: the detector or the weights changed.
        self.repeat_offenders = Counter(
            "stream_detector_repeat_offenders_total",
            "Levels that partners reached, by length of the window and level",
            ["window", "level"],
            registry=self.registry,
        )
        # Which model gave these verdicts? Joined to the others, it shows what a roll-out changed. Always 1.
        self.model_info = Gauge(
            "stream_detector_model_info",
            "The model that is loaded",
            ["model_code", "model_version", "refresh_version", "backend"],
            registry=self.registry,
        )

    def render(self) -> bytes:
        """All metrics in Prometheus's text format."""
        self.drift.fold()
        return generate_latest(self.registry)
