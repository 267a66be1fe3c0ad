"""Tracing: off it costs nothing, on it goes where settings and the usual variables say."""

from __future__ import annotations

import subprocess
import sys

import pytest
from opentelemetry.context import Context
from opentelemetry.trace import get_current_span

from stream_detector.errors import ConfigurationError, MissingExtraError
from stream_detector.observability import Metrics
from stream_detector.observability.spans import context_in
from stream_detector.observability.tracing import tracing
from stream_detector.settings import Settings
from tests.observability.collector import Collector

_EVERYTHING = (
    "import sys, stream_detector.cli.run, stream_detector.cli.parts, stream_detector.serving\n"
    "from stream_detector.observability import Metrics\n"
    "from stream_detector.observability.tracing import tracing\n"
    "from stream_detector.settings import Settings\n"
    "with tracing(Settings(), Metrics()) as tracer: assert tracer is None\n"
    "print([name for name in sys.modules if name.startswith('opentelemetry')])\n"
)


def _settings(**options: object) -> Settings:
    return Settings.model_validate({"tracing": {"enabled": True} | options})


def _span_names(settings: Settings, collector: Collector, count: int = 1) -> list[str]:
    with tracing(settings, Metrics()) as tracer:
        assert tracer is not None
        for number in range(count):
            tracer.start_span(f"span {number}").end()
    return [span.name for span in collector.spans]


def test_off_imports_nothing() -> None:
    """Who doesn't trace pays nothing, and needs no extra."""
    done = subprocess.run([sys.executable, "-c", _EVERYTHING], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names what to install."""
    monkeypatch.setitem(sys.modules, "stream_detector.observability.spans", None)
    with pytest.raises(MissingExtraError, match=r"stream-detector\[tracing\]"), tracing(_settings(), Metrics()):
        pass


def test_the_usual_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Endpoint, name and sampler come from the environment where no setting says otherwise; settings win."""
    with Collector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=by-variable,deployment.environment.name=test")
        monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_on")
        assert _span_names(_settings(), collector) == ["span 0"]
        assert collector.resource["service.name"] == "by-variable"
        assert collector.resource["deployment.environment.name"] == "test"
        collector.spans.clear()
        assert _span_names(_settings(sample_ratio=0), collector) == []
        assert _span_names(_settings(sample_ratio=1, service_name="by-setting"), collector) == ["span 0"]
        assert collector.resource["service.name"] == "by-setting"


def test_a_share_of_traces() -> None:
    """The ratio is the share of traces that nobody else decided about."""
    with Collector() as collector:
        kept = len(_span_names(_settings(sample_ratio=0.5, otlp_endpoint=collector.url), collector, 1000))
    assert 400 < kept < 600


def test_few_traces_by_default() -> None:
    """Turning it on doesn't send a span an event."""
    with Collector() as collector:
        assert len(_span_names(_settings(otlp_endpoint=f"{collector.url}/v1/traces"), collector, 1000)) < 50


@pytest.mark.parametrize(
    "endpoint", ["localhost:4318", "ftp://collector", "http://", "http://user:secret@collector:4318", "http://a b"]
)
def test_an_endpoint_that_is_none(endpoint: str) -> None:
    """Is refused at the start with the setting's name, and what it holds isn't repeated."""
    with pytest.raises(ConfigurationError, match=r"tracing\.otlp_endpoint: .*must be a URL such as") as caught:
        Settings.load(environment={}, flags={"tracing.otlp_endpoint": endpoint})
    assert "secret@" not in str(caught.value)


@pytest.mark.parametrize(
    "headers",
    [(), (("traceparent", None),), (("traceparent", b"\xff\x00"),), (("traceparent", b"00-0-0-01"),), (("tracestate", b"a=b"),)],
)
def test_a_broken_traceparent_is_none(headers: tuple[tuple[str, bytes | None], ...]) -> None:
    """Whatever a producer writes there, its event is read; at worst its trace begins anew."""
    assert not get_current_span(context_in(headers)).get_span_context().is_valid


def test_names_of_headers_in_any_case() -> None:
    """Kafka's header names have case; traceparent's doesn't matter."""
    context: Context = context_in([("TraceParent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")])
    assert get_current_span(context).get_span_context().is_valid
