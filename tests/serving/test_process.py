"""`stream-detector serve` as a process: it answers, drains, and leaves with 0."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.serving.asking import request

ROOT = Path(__file__).parents[2]
Serving = Callable[..., "tuple[subprocess.Popen[bytes], str]"]


@pytest.fixture
def serving() -> Iterator[Serving]:
    """Start the predictor on a free port; give the process and its address, once it is ready."""
    processes = []

    def _serving(*arguments: str) -> tuple[subprocess.Popen[bytes], str]:
        command = [sys.executable, "-m", "tests.serving.stand_in", "serve", "--http-port", "0", *arguments]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        processes.append(process)
        for line in process.stderr or ():
            entry = json.loads(line)
            if entry["event"] == "serving":
                url = str(entry["url"])
                _until(partial(_is_ready, url))
                return process, url
        pytest.fail("the predictor ended without serving")

    yield _serving
    for process in processes:
        process.kill()
        process.communicate()


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def _is_ready(url: str) -> bool:
    return bool(_ask(url, "/readyz")[0] == 200)


def _ask(url: str, path: str, document: object = None) -> tuple[int, Any]:
    body = None if document is None else json.dumps(document).encode()
    asked = urllib.request.Request(url + path, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_leaves_with_0(serving: Serving, number: int) -> None:
    """What is in flight is answered, and what comes before the port closes too, but readiness goes first."""
    process, url = serving("--http-drain-ms", "3000")
    assert process.stdout
    with ThreadPoolExecutor(1) as pool:
        in_flight = pool.submit(_ask, url, "/score", request(a="slow"))
        assert process.stdout.readline() == b"scoring\n"
        process.send_signal(number)
        _until(lambda: _ask(url, "/readyz") == (503, {"ready": False, "reason": "draining"}))
        status, verdict = _ask(url, "/score", request(a="call +44 7700 900142"))
        assert (status, verdict["scoreDetails"]["label"]) == (200, "Fraud")
        assert in_flight.result()[0] == 200
    assert process.stderr
    assert all(json.loads(line) for line in process.stderr)
    assert process.wait(30) == 0


def test_a_second_signal_leaves_at_once(serving: Serving) -> None:
    """Who can't wait needn't."""
    process, url = serving("--http-drain-ms", "60000")
    process.send_signal(signal.SIGTERM)
    _until(lambda: _ask(url, "/readyz")[0] == 503)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 128 + signal.SIGTERM


def test_sighup_has_the_model_looked_at(serving: Serving) -> None:
    """It is swapped for what its folder holds, and requests are answered as before."""
    process, url = serving()
    process.send_signal(signal.SIGHUP)
    assert any(json.loads(line)["event"] == "model swapped" for line in process.stderr or ())
    status, verdict = _ask(url, "/score", request(a="call +44 7700 900142"))
    assert (status, verdict["scoreDetails"]["label"]) == (200, "Fraud")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def test_a_port_in_use_is_a_configuration_error(serving: Serving) -> None:
    """Two predictors on one host: the second says which setting to change."""
    _, url = serving()
    command = [sys.executable, "-m", "tests.serving.stand_in", "serve", "--http-port", url.rpartition(":")[2]]
    second = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=False)
    assert second.returncode == 2
    assert b"http_port" in second.stderr
    assert b"Traceback" not in second.stderr


def test_a_model_that_cannot_be_loaded_ends_it() -> None:
    """With its own message and status, not as a server that is never ready."""
    command = [sys.executable, "-m", "tests.serving.stand_in", "serve", "--http-port", "0", "--model", "broken"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert b"model.json: missing; name another model" in ended.stderr
    assert b"Traceback" not in ended.stderr


def test_an_open_door_is_warned_of(serving: Serving) -> None:
    """On all addresses and without a token, anyone may score."""
    process, _ = serving("--http-host", "0.0.0.0")
    process.send_signal(signal.SIGTERM)
    assert process.stderr
    assert b"http_token" in process.stderr.read()
