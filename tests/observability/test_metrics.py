"""The names that alerts and dashboards rest on."""

from __future__ import annotations

from stream_detector.observability import Metrics
from stream_detector.observability.metrics import LATENCY_BUCKETS

NAMES = {
    "event_latency_seconds": ("event_type",),
    "stage_latency_seconds": ("stage",),
    "events": ("event_type", "outcome"),
    "violations": ("event_type", "kind"),
    "probability": ("event_type",),
    "deadline_missed": ("event_type",),
    "batch_size": (),
    "batch_tokens": (),
    "batch_closed": ("reason",),
    "runs": ("reason",),
    "tokens": ("kind",),
    "cost_error_ratio": (),
    "network_seconds": ("time",),
    "cache_requests": ("result",),
    "window_cache_requests": ("result",),
    "cache_bytes": ("cache",),
    "consumer_lag": ("topic", "partition"),
    "dead_letters": ("topic", "reason"),
    "paused_partitions": (),
    "kafka_reachable": (),
    "http_requests": ("path", "status"),
    "http_request_seconds": ("path",),
    "http_in_flight": (),
    "http_refusals": ("reason",),
    "http_scores": ("label",),
    "reviews": ("decision", "event_type", "kind"),
    "partner_violations": ("window", "partner"),
    "aggregation_records": ("record", "outcome"),
    "aggregation_refused": ("record", "reason"),
    "aggregation_age_seconds": (),
    "aggregation_lag": ("topic", "partition"),
    "aggregation_partners": (),
    "aggregation_cases": (),
    "repeat_offenders": ("window", "level"),
    "drift_texts": ("signal", "bin"),
    "drift_reference_share": ("signal", "bin"),
    "model_verdicts": ("role", "model_version", "refresh_version", "label"),
    "model_reloads": ("role", "result"),
    "shadow_events": ("model_version", "refresh_version", "result"),
    "shadow_shift": (),
    "shadow_dropped": ("reason",),
    "spans": ("result",),
    "model_info": ("model_code", "model_version", "refresh_version", "backend"),
}


def test_names_and_labels_are_those_of_the_design() -> None:
    """A renamed metric silently disarms an alert."""
    metrics = Metrics()
    found = {
        metric._name.removeprefix("stream_detector_"): metric._labelnames
        for metric in vars(metrics).values()
        if hasattr(metric, "_labelnames")
    }
    assert found == NAMES


def test_the_promise_is_a_bucket() -> None:
    """The share of events within 250 ms must be read off, not interpolated."""
    assert 0.25 in LATENCY_BUCKETS
    metrics = Metrics()
    metrics.event_latency.labels("booking").observe(0.2)
    assert b'stream_detector_event_latency_seconds_bucket{event_type="booking",le="0.25"} 1.0' in metrics.render()


def test_two_in_one_process_do_not_mix() -> None:
    """Each has its own registry."""
    first, second = Metrics(), Metrics()
    first.batch_closed.labels("idle").inc()
    assert second.registry.get_sample_value("stream_detector_batch_closed_total", {"reason": "idle"}) is None


def test_counters_are_rendered_with_their_suffix() -> None:
    """What Prometheus scrapes has the documented names, _total included."""
    metrics = Metrics()
    metrics.events.labels("booking", "clean").inc()
    metrics.consumer_lag.labels("bookings", "0").set(-1)
    text = metrics.render().decode()
    assert 'stream_detector_events_total{event_type="booking",outcome="clean"} 1.0' in text
    assert 'stream_detector_consumer_lag{partition="0",topic="bookings"} -1.0' in text
    assert "process_cpu_seconds_total" in text
