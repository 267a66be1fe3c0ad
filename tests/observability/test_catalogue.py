"""The page about metrics is that of the definitions, and no label grows without bound."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.routing import Route

from stream_detector.batching.rule import CloseReason
from stream_detector.observability.catalogue import BOUNDS, Entry, bound, entries, render
from stream_detector.settings import Settings
from stream_detector.streaming import OutcomeKind
from tests.serving.asking import Served

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
ENTRIES = entries()
each = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.attribute)


def test_the_page_is_up_to_date() -> None:
    """Run `make docs` after a change of a metric."""
    assert PAGE.read_text(encoding="utf-8") == render()


@each
def test_each_metric_says_what_one_learns_from_it(entry: Entry) -> None:
    """A metric without an answer to that is one that nobody looks at; it stands as a comment above the definition."""
    assert len(entry.learns) > 30


@each
def test_each_label_has_a_bound(entry: Entry) -> None:
    """A label that holds what others send would fill Prometheus."""
    assert all(bound(entry.attribute, label) for label in entry.labels)


def test_bounds_are_those_of_what_labels_hold() -> None:
    """An outcome, a reason or a path more is a bound more."""
    assert BOUNDS["outcome"] == len(OutcomeKind)
    assert BOUNDS["batch_closed.reason"] == BOUNDS["runs.reason"] == len(CloseReason)
    assert BOUNDS["topic"] == len(Settings().topics.inputs)
    routes = [route for route in Served().app.routes if isinstance(route, Route)]
    assert BOUNDS["path"] == len(routes) + len(["other"])


def test_all_together_are_few() -> None:
    """A hundred workers must not be a burden to Prometheus."""
    assert sum(entry.series for entry in ENTRIES) < 1500


def test_the_promise_is_a_bucket_of_what_is_measured_against_it() -> None:
    """The share within 250 ms is read off."""
    for entry in ENTRIES:
        if entry.attribute in {"event_latency", "stage_latency", "http_latency"}:
            assert 0.25 in entry.buckets
