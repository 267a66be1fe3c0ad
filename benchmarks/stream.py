"""A real Apache Kafka, a real worker, and what goes in and comes out: what the benchmarks of the stream share."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from confluent_kafka import Producer

from stream_detector.settings import Settings, TopicSettings
from stream_detector.streaming import create_topics

# The broker of the tests: `make kafka-setup` brings what it needs.
sys.path.append(str(Path(__file__).resolve().parents[1]))
from tests.kafka.broker import ApacheKafka

__all__ = ["ApacheKafka", "RunningWorker", "event", "producer", "topics"]

_PATIENCE_S = 60.0


def topics(bootstrap_servers: str, partitions: int, **values: object) -> Settings:
    """Settings with topics and a group of their own, which exist."""
    tag = uuid.uuid4().hex[:8]
    names = {name: f"{name}-{tag}" for name in TopicSettings.model_fields if name != "dead_letter_suffix"}
    settings = Settings.model_validate(
        {"bootstrap_servers": bootstrap_servers, "group_id": f"group-{tag}", "topics": names, "metrics_port": _free_port()} | values
    )
    create_topics(settings, partitions=partitions, replication_factor=1)
    return settings


def event(number: int, texts: Mapping[str, str], occurred: float) -> bytes:
    """A listing update that occurred at a moment, in seconds since the epoch."""
    return json.dumps(
        {
            "eventId": str(number),
            "eventType": "listing-update",
            "occurredAt": datetime.fromtimestamp(occurred, UTC).isoformat(timespec="microseconds"),
            "transactionContext": {"transactionId": str(number)},
            "partnerId": "P-1",
            "listingId": str(number),
            "attributes": dict(texts),
        }
    ).encode()


def producer(settings: Settings) -> Producer:
    """One that sends at once."""
    return Producer({"bootstrap.servers": settings.bootstrap_servers, "linger.ms": 0, "acks": 1})


class RunningWorker:
    """`stream-detector run` in a process of its own, while in a with statement."""

    def __init__(self, settings: Settings) -> None:
        self._url = f"http://127.0.0.1:{settings.metrics_port}"
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        # Benchmarks say which settings they need; the rest of the environment is none of theirs.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("STREAM_DETECTOR_")}
        program = Path(sys.executable).with_name("stream-detector")
        self._began = time.monotonic()
        self._process = subprocess.Popen(
            [str(program), "run", *_flags(settings)], env=environment, stdout=self._log, stderr=self._log
        )  # fmt: skip

    def __enter__(self) -> RunningWorker:  # noqa: PYI034 - nobody inherits from it
        """Wait until it is ready."""
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it in good order."""
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(30)
        self._process.kill()
        self._process.wait()
        self._log.close()

    @property
    def peak_mib(self) -> float:
        """The most memory that it held at once."""
        return self._memory("VmHWM")

    @property
    def resident_mib(self) -> float:
        """What it holds now."""
        return self._memory("VmRSS")

    def _memory(self, name: str) -> float:
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith(name))

    def metric(self, name: str, **labels: str) -> float:
        """The sum of one of its metrics over all labels that aren't given."""
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        return sum(
            float(line.rsplit(" ", 1)[1])
            for line in self._get("/metrics").splitlines()
            if line.startswith(f"stream_detector_{name}")
            and line[len(f"stream_detector_{name}")] in "{ "
            and all(one in line for one in wanted)
        )

    def done(self, count: int, *, at_most_s: float) -> None:
        """Wait until so many events are done."""
        deadline = time.monotonic() + at_most_s
        while self.metric("events_total") < count:
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError(f"{self.metric('events_total'):.0f} of {count} events done in {at_most_s} s\n{self._tail()}")
            time.sleep(0.02)

    def _wait(self) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError, urllib.error.URLError):
                self._get("/readyz")
                return
            time.sleep(0.02)
        raise RuntimeError(f"the worker didn't get ready\n{self._tail()}")

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(self._url + path, timeout=5) as answer:  # noqa: S310 - always http, always this machine
            body: bytes = answer.read()
        return body.decode()

    def _tail(self) -> str:
        self._log.seek(0)
        return self._log.read()[-3000:].decode(errors="replace")


def _flags(settings: Settings) -> Iterator[str]:
    """What differs from the defaults, as flags."""
    plain = Settings()
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, TopicSettings):
            for topic, topic_name in value:
                yield from (f"--topics.{topic.replace('_', '-')}", topic_name)
        elif value != getattr(plain, name):
            flag = name.replace("_", "-")
            yield from ((f"--{flag}" if value else f"--no-{flag}",) if isinstance(value, bool) else (f"--{flag}", str(value)))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
