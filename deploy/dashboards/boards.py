"""What the four dashboards show. Queries rest on the names in docs/metrics.md and on the rules in deploy/prometheus/rules."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deploy.dashboards.panels import FULL, THIRD, Panel, board, figure, heat, layers, lines

_LATENCY = "stream_detector_event_latency_seconds"
_STAGE = "stream_detector_stage_latency_seconds"
_EVENTS = "stream_detector_events_total"
_CACHE = "stream_detector_cache"
_WINDOWS = "stream_detector_window_cache"
_REVIEWS = "stream_detector_reviews_total"
_PARTNERS = "stream_detector_partner_violations_total"
_VIOLATION = '{outcome="violation"}'
_MISSED = f'(1 - sum(rate({_LATENCY}_bucket{{le="0.25"}}[$__range])) / sum(rate({_LATENCY}_count[$__range])))'


def _rate(metric: str, *by: str, where: str = "") -> str:
    return f"sum by ({', '.join(by)}) (rate({metric}{where}[$__rate_interval]))"


def _quantile(quantile: float, metric: str, *by: str, where: str = "") -> str:
    buckets = _rate(f"{metric}_bucket", *by, "le", where=where)
    return f"histogram_quantile({quantile}, {buckets})"


def _share(metric: str, where: str, whole: str, *by: str) -> str:
    """What share of `whole` is that part of `metric`; 0 where the part was never counted, and so has no series."""
    return f"({_rate(metric, *by, where=where)} or 0 * {_rate(whole, *by)}) / {_rate(whole, *by)}"


def _precision(*by: str) -> str:
    """What share of a day's decisions confirmed the violation; 0 where none did."""
    whole = f"sum by ({', '.join(by)}) (increase({_REVIEWS}[1d]))"
    confirmed = f'sum by ({", ".join(by)}) (increase({_REVIEWS}{{decision="confirmed"}}[1d]))'
    return f"({confirmed} or 0 * {whole}) / ({whole} > 0)"


def promise() -> Dashboard:
    """Is the promise kept?"""
    within = _share(f"{_LATENCY}_bucket", '{le="0.25"}', f"{_LATENCY}_count", "event_type")
    return board(
        "stream-detector-promise",
        "Stream detector: the promise",
        "99 % of events have their outcome published within 250 ms of their occurrence.",
        [
            figure("Within 250 ms", "Share of the events of the time shown.", (f"1 - {_MISSED}", "")),
            figure(
                "Budget left", "Of the 1 % that may be late, over the time shown; choose 30 days.", (f"1 - {_MISSED} / 0.01", "")
            ),
            figure("Events a second", "Whatever became of them.", (f"sum(rate({_EVENTS}[$__rate_interval]))", ""), unit="reqps"),
            heat("Latency", "From occurrence to published.", _rate(f"{_LATENCY}_bucket", "le")),
            lines(
                "Latency by event type",
                "Median and 99th percentile.",
                (_quantile(0.5, _LATENCY, "event_type"), "p50 {{event_type}}"),
                (_quantile(0.99, _LATENCY, "event_type"), "p99 {{event_type}}"),
                unit="s",
            ),
            lines(
                "Within 250 ms by event type", "Which producer spends the budget?", (within, "{{event_type}}"), unit="percentunit"
            ),
            lines(
                "Burn rate",
                "Times as fast as the budget allows. 14.4 over an hour and 6 over six hours wake someone.",
                *((f"stream_detector:promise_missed:ratio_rate{window} / 0.01", window) for window in ("5m", "1h", "6h", "3d")),
            ),
            lines(
                "Where time goes",
                "90th percentile of each stage; wait is the time until the worker took the event.",
                (_quantile(0.9, _STAGE, "stage"), "{{stage}}"),
                unit="s",
            ),
        ],
    )


def flow() -> Dashboard:
    """Do events get through?"""
    hits = (_share(metric, '{result="hit"}', metric) for metric in (f"{_CACHE}_requests_total", f"{_WINDOWS}_requests_total"))
    return board(
        "stream-detector-flow",
        "Stream detector: flow",
        "How much comes, what waits, how it is batched, and what is refused.",
        [
            layers("Records", "By what became of them.", (_rate(_EVENTS, "outcome"), "{{outcome}}"), unit="reqps"),
            lines("Lag", "Records that wait in Kafka.", ("stream_detector:consumer_lag:sum", "{{topic}}")),
            lines(
                "Age when taken",
                "From an event's occurrence until the worker took it.",
                (_quantile(0.5, _STAGE, where='{stage="wait"}'), "p50"),
                (_quantile(0.99, _STAGE, where='{stage="wait"}'), "p99"),
                unit="s",
            ),
            layers(
                "Batches by why they closed",
                "idle: capacity to spare; deadline, full: busy; backlog: behind the promise.",
                (_rate("stream_detector_batch_closed_total", "reason"), "{{reason}}"),
                unit="ops",
            ),
            lines(
                "Batch size",
                "Records in a micro-batch.",
                (_quantile(0.5, "stream_detector_batch_size"), "p50"),
                (_quantile(0.99, "stream_detector_batch_size"), "p99"),
            ),
            lines(
                "Cache hits",
                "Texts that were known, and windows of those that weren't.",
                *zip(hits, ("verdicts", "windows"), strict=True),
                unit="percentunit",
            ),
            layers(
                "Dead letters",
                "Who breaks the contract, and how.",
                (_rate("stream_detector_dead_letters_total", "topic", "reason"), "{{topic}} {{reason}}"),
                unit="reqps",
            ),
            lines("Back-pressure", "Partitions that are paused.", ("sum(stream_detector_paused_partitions)", "paused")),
        ],
    )


def safety() -> Dashboard:
    """What is found?"""
    violations = "stream_detector_violations_total"
    judged = "sum by (event_type) (rate(" + _EVENTS + '{outcome=~"violation|clean"}[$__rate_interval]))'
    share = _rate(_EVENTS, "event_type", where=_VIOLATION) + " / " + judged
    return board(
        "stream-detector-safety",
        "Stream detector: trust and safety",
        "What violations consist of, whether their share moves, who repeats them, and what reviewers say.",
        [
            layers("Violations by kind", "Once for each kind of evidence.", (_rate(violations, "kind"), "{{kind}}"), unit="reqps"),
            layers(
                "Violations by event type",
                "Records that were found to be violations.",
                (_rate(_EVENTS, "event_type", where=_VIOLATION), "{{event_type}}"),
                unit="reqps",
            ),
            lines("Share of violations", "Among the events that were scored.", (share, "{{event_type}}"), unit="percentunit"),
            lines(
                "Share against the week before",
                "Over six hours; twice or half of the week's mean makes a ticket.",
                ("stream_detector:violation_share:ratio_rate6h", "now"),
                ("avg_over_time(stream_detector:violation_share:ratio_rate6h[7d] offset 6h)", "week before"),
                unit="percentunit",
            ),
            lines(
                "Violations without evidence",
                "Share of kind none: flags without a reason.",
                (_share(violations, '{kind="none"}', violations), "none"),
                unit="percentunit",
            ),
            lines(
                "Partner repeat rate",
                "Share of violations whose partner had another one in the window before.",
                (_share(_PARTNERS, '{partner="repeat"}', _PARTNERS, "window"), "{{window}}"),
                unit="percentunit",
            ),
            layers(
                "Repeat offenders",
                "Partners that crossed a level within a day, by window and level.",
                ("sum by (window, level) (increase(stream_detector_repeat_offenders_total[1d]))", "{{window}} {{level}}"),
            ),
            lines(
                "Reviewers' precision",
                "Share of the last day's decisions that confirmed the violation, by kind of evidence.",
                (_precision("kind"), "{{kind}}"),
                (_precision(), "all"),
                unit="percentunit",
            ),
            layers("Decisions", "What reviewers decided.", (_rate(_REVIEWS, "decision"), "{{decision}}"), unit="ops", span=FULL),
            heat(
                "Scores",
                "Calibrated probability of each event. Two heaps are right; one that grows in the middle is doubt.",
                _rate("stream_detector_probability_bucket", "le"),
                unit="percentunit",
            ),
        ],
    )


def _rollout() -> list[Panel]:
    """What a new model decides, and would decide."""
    verdicts, shadow = "stream_detector_model_verdicts_total", "stream_detector_shadow_events_total"
    by = ("role", "model_version", "refresh_version")
    return [
        lines(
            "Fraud by model",
            "Share of the verdicts of each model that are Fraud: a canary beside the model, and either side of a swap.",
            (_share(verdicts, '{label="Fraud"}', verdicts, *by), "{{role}} {{model_version}} {{refresh_version}}"),
            unit="percentunit",
        ),
        lines(
            "Shadow",
            "How the shadow's label compares with the one that was given, as a share of its sample.",
            (f"{_rate(shadow, 'result')} / ignoring (result) group_left () {_rate(shadow)}", "{{result}}"),
            unit="percentunit",
        ),
    ]


def model() -> Dashboard:
    """Which model is it, and what does it cost?"""
    score = '{stage="score"}'
    return board(
        "stream-detector-model",
        "Stream detector: the model",
        "Which version decides, whether texts are still those that it was made for, how long it takes, and how well that is foretold.",
        [
            lines(
                "Versions",
                "Processes by the model that they run: a roll-out is seen here.",
                (
                    "count by (model_code, model_version, refresh_version, backend) (stream_detector_model_info)",
                    "{{model_code}} {{model_version}} {{refresh_version}} {{backend}}",
                ),
                span=FULL,
            ),
            *_rollout(),
            lines(
                "Drift from the training reference",
                "Stability index over six hours: from 0.1 on somebody should look, from 0.25 on it is another population.",
                ("stream_detector:drift_psi:ratio6h", "{{signal}}"),
                marks=(0.1, 0.25),
            ),
            lines(
                "Score drift",
                "Share of texts with a probability up to each edge, less its share in the reference.",
                (
                    'stream_detector:drift_share:ratio6h{signal="score"} - stream_detector:drift_reference:share{signal="score"}',
                    "{{bin}}",
                ),
                unit="percentunit",
                lowest=None,
            ),
            lines(
                "Scoring",
                "Of one micro-batch.",
                (_quantile(0.5, _STAGE, where=score), "p50"),
                (_quantile(0.99, _STAGE, where=score), "p99"),
                unit="s",
            ),
            lines(
                "Network time against the cost model",
                "Cores that the network keeps busy: as measured, and as it was foretold.",
                (_rate("stream_detector_network_seconds_total", "time"), "{{time}}"),
            ),
            lines(
                "Error of the cost model",
                "Of the time that was foretold for a run; the median should stay below 0.15.",
                (_quantile(0.5, "stream_detector_cost_error_ratio"), "p50"),
                (_quantile(0.9, "stream_detector_cost_error_ratio"), "p90"),
                unit="percentunit",
            ),
            layers(
                "Runs by why they held no more",
                "side_by_side: cores; full: the hardware; deadline: the promise; backlog: behind it.",
                (_rate("stream_detector_runs_total", "reason"), "{{reason}}"),
                unit="ops",
                span=THIRD,
            ),
            layers(
                "Tokens", "Text, and padding for nothing.", (_rate("stream_detector_tokens_total", "kind"), "{{kind}}"), span=THIRD
            ),
            lines(
                "Tokens of a batch",
                "How much work is in one.",
                (_quantile(0.5, "stream_detector_batch_tokens"), "p50"),
                (_quantile(0.99, "stream_detector_batch_tokens"), "p99"),
                span=THIRD,
            ),
            lines(
                "Cache memory",
                "Bytes, as counted.",
                ("sum by (cache) (stream_detector_cache_bytes)", "{{cache}}"),
                unit="bytes",
                span=FULL,
            ),
        ],
    )


#: The dashboards by their file's name.
BOARDS = {"promise": promise, "flow": flow, "safety": safety, "model": model}
