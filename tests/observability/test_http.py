"""What probes and Prometheus get."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from stream_detector.errors import ConfigurationError
from stream_detector.observability import Metrics, ObservabilityServer, Readiness, State
from stream_detector.settings import Settings

SETTINGS = Settings(metrics_port=0)


@pytest.fixture
def readiness() -> Readiness:
    """A process that is starting."""
    return Readiness()


@pytest.fixture
def server(readiness: Readiness) -> Iterator[ObservabilityServer]:
    """A server on a free port."""
    with ObservabilityServer(SETTINGS, Metrics(), readiness) as running:
        yield running


def ask(server: ObservabilityServer, path: str, method: str = "GET") -> tuple[int, bytes]:
    """Status and body."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_alive_whatever_the_state(server: ObservabilityServer, readiness: Readiness) -> None:
    """A process that can't work now must not be killed for it."""
    for state in State:
        readiness.set(state)
        assert ask(server, "/healthz")[0] == 200


def test_readiness_gives_its_reason(server: ObservabilityServer, readiness: Readiness) -> None:
    """Only a ready process gets a 200; the others say in one line what they are at."""
    for state in State:
        readiness.set(state)
        status, body = ask(server, "/readyz")
        assert status == (200 if state is State.READY else 503)
        assert body.count(b"\n") == 1
        assert json.loads(body) == {"ready": state is State.READY, "reason": state.value}


def test_metrics_are_served(server: ObservabilityServer) -> None:
    """Prometheus's text format, under the path that it looks for."""
    status, body = ask(server, "/metrics?name[]=x")
    assert status == 200
    assert b"# TYPE stream_detector_event_latency_seconds histogram" in body


def test_other_requests_are_refused(server: ObservabilityServer) -> None:
    """Unknown paths and methods get an answer, and HEAD gets no body."""
    assert ask(server, "/")[0] == 404
    assert ask(server, "/metrics", "POST")[0] == 501
    assert ask(server, "/healthz", "HEAD") == (200, b"")


def test_a_client_that_says_nothing_holds_nobody_up(server: ObservabilityServer) -> None:
    """One silent connection doesn't keep others from their answer, nor the server from closing."""
    with socket.create_connection(("127.0.0.1", server.port)):
        assert ask(server, "/healthz")[0] == 200
        server.close()
    with pytest.raises(ConnectionRefusedError):
        ask(server, "/healthz")


def test_a_taken_port_is_explained(server: ObservabilityServer, readiness: Readiness) -> None:
    """The error names the setting and the remedy."""
    with pytest.raises(ConfigurationError, match=r"metrics_port: can't listen on 127\.0\.0\.1:\d+ .*0 takes a free one"):
        ObservabilityServer(SETTINGS.model_copy(update={"metrics_port": server.port}), Metrics(), readiness)


def test_a_leaving_process_stays_unready(readiness: Readiness) -> None:
    """An answer from Kafka that comes late doesn't call traffic back."""
    assert readiness.set(State.READY)
    assert not readiness.set(State.READY)
    readiness.set(State.DRAINING)
    assert not readiness.set(State.READY)
    assert readiness.state is State.DRAINING
    assert readiness.set(State.STOPPED)
    assert not readiness.set(State.KAFKA_UNREACHABLE)
