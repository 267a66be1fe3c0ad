"""`stream-detector run`: the worker as a process."""

from __future__ import annotations

import json
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from stream_detector.streaming import EmbeddedBroker
from tests.cli.calling import Call, Start

Running = Callable[[], "tuple[subprocess.Popen[bytes], str]"]


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    """A broker in this process."""
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture
def running(start: Start, broker: EmbeddedBroker) -> Running:
    """Start the worker against the embedded broker; give the process and the address of its metrics."""

    def _running() -> tuple[subprocess.Popen[bytes], str]:
        process = start(
            "run", "--bootstrap-servers", broker.bootstrap_servers, "--delivery", "at_least_once", "--metrics-port", "0"
        )
        for line in process.stderr:
            entry = json.loads(line)
            if entry["event"] == "serving metrics":
                return process, entry["url"]
        pytest.fail("the worker ended without serving metrics")

    return _running


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def _is_ready(metrics_url: str) -> bool:
    try:
        return urllib.request.urlopen(metrics_url.replace("/metrics", "/readyz"), timeout=5).status == 200
    except urllib.error.HTTPError as error:
        error.close()
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_leaves_with_0(running: Running, number: int) -> None:
    """An orchestrator's SIGTERM, or Ctrl-C, is an ordinary end; every line of the log is JSON."""
    process, url = running()
    _until(lambda: _is_ready(url))
    process.send_signal(number)
    lines = process.stderr.read().splitlines()
    assert process.wait(30) == 0
    assert all(json.loads(line) for line in lines)


def test_sighup_has_the_model_looked_at(running: Running) -> None:
    """What would end a process by default makes it look at its model's folder, and it goes on."""
    process, url = running()
    _until(lambda: _is_ready(url))
    process.send_signal(signal.SIGHUP)
    assert any(json.loads(line)["event"] == "model swapped" for line in process.stderr)
    assert _is_ready(url)
    process.send_signal(signal.SIGTERM)
    process.stderr.read()
    assert process.wait(30) == 0


def test_model_info_is_served(running: Running) -> None:
    """Dashboards join the other metrics with the model that is loaded."""
    _, url = running()
    text = urllib.request.urlopen(url, timeout=5).read().decode()
    assert 'model_code="STAND-IN"' in text


@pytest.mark.usefixtures("stand_in")
def test_a_port_in_use_is_a_configuration_error(call: Call, running: Running) -> None:
    """Two workers on one host: the second says which setting to change."""
    _, url = running()
    port = url.split(":")[2].split("/")[0]
    called = call("run", "--metrics-port", port)
    assert called.status == 2
    assert "metrics_port" in called.err
