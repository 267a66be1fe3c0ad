"""`stream-detector console` as a process: violations come in, decisions go out, and it leaves when it is told to."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from confluent_kafka import Consumer, Producer

from stream_detector.contracts import encode
from stream_detector.streaming import EmbeddedBroker
from tests.review.web.fictional import violation

ROOT = Path(__file__).parents[3]


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    """A broker."""
    with EmbeddedBroker() as broker:
        yield broker


def _command(folder: Path, *arguments: str) -> list[str]:
    flags = ("--review.folder", str(folder), "--http-port", "0", "--http-drain-ms", "0", "--review.undo-seconds", "0")
    return [sys.executable, "-m", "stream_detector", "console", *flags, *arguments]


def test_from_a_violation_to_a_review(broker: EmbeddedBroker, tmp_path: Path) -> None:
    """The whole way, without a browser: read, shown, decided in a form, published; SIGTERM leaves with 0."""
    command = _command(tmp_path, "--bootstrap-servers", broker.bootstrap_servers, "--kafka", "fetch.wait.max.ms=5")
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stderr
        url = next(entry["url"] for entry in map(json.loads, process.stderr) if entry["event"] == "serving")
        producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
        producer.produce("violations", encode(violation(1, {"houseRules": "call [[phone:+44 7700 900142]]"})), "P-7")
        producer.flush(10)
        with httpx.Client(base_url=url, timeout=60) as client:
            page = _until(client, "Case 1")
            token = re.search(r'name="csrf" value="([^"]+)"', page)
            assert token
            decided = client.post("/cases/1/decide", data={"csrf": token[1], "confirm": "yes"})
            assert decided.status_code == 303
        review = _one(broker, "reviews")
        assert (review["violationId"], review["decision"]) == ("V-1", "confirmed")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()


def _until(client: httpx.Client, text: str) -> str:
    end = time.monotonic() + 60
    while text not in (page := client.get("/queue").text):
        assert time.monotonic() < end
        time.sleep(0.1)
    return page


def _one(broker: EmbeddedBroker, topic: str) -> dict[str, object]:
    config = {"bootstrap.servers": broker.bootstrap_servers, "group.id": "test", "auto.offset.reset": "earliest"}
    consumer = Consumer(config)
    consumer.subscribe([topic])
    try:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            message = consumer.poll(0.5)
            if message is not None and message.error() is None:
                read: dict[str, object] = json.loads(message.value() or b"")
                return read
        pytest.fail("no review was published")
    finally:
        consumer.close()


def test_local_mode_on_every_address_is_refused(tmp_path: Path) -> None:
    """Before anything is opened to the network, with status 2 and the remedy."""
    command = _command(tmp_path, "--http-host", "0.0.0.0")
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=100, check=False)
    assert ended.returncode == 2
    assert b"review.user_header" in ended.stderr
    assert b"Traceback" not in ended.stderr
