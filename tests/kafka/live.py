"""A Prometheus that scrapes a worker at work: what dashboards are tried on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from stream_detector.settings import Settings
from tests.deploy.prometheus import ROOT, RULES
from tests.kafka.broker import _free_port as free_port
from tests.kafka.running import until

_START_S: Final = 120.0

_SMALL: Final = {"VERDICT_CACHE_BYTES": "4000", "WINDOW_CACHE_BYTES": "4000"}

#: What the console and the aggregation count, by the definitions that they count with: it takes people and days to do it for real.
OTHERS: Final = """
import sys, time
from stream_detector.observability import Metrics, ObservabilityServer, Readiness
from stream_detector.settings import Settings
metrics = Metrics()
with ObservabilityServer(Settings(metrics_port=0), metrics, Readiness()) as server:
    print(server.port, flush=True)
    while True:
        for kind in ("phone", "email"):
            metrics.reviews.labels("confirmed", "listing-update", kind).inc(3)
            metrics.reviews.labels("dismissed", "listing-update", kind).inc()
        metrics.reviews.labels("dismissed", "booking", "none").inc()
        for window in ("1d", "7d", "30d"):
            metrics.partner_violations.labels(window, "first").inc(4)
            metrics.partner_violations.labels(window, "repeat").inc()
            metrics.repeat_offenders.labels(window, "watch").inc()
        time.sleep(0.5)
"""


def environment(settings: Settings) -> dict[str, str]:
    """What a process of ours is told by its environment: where Kafka is, the names of this test's topics, and small caches.

    The examples are few, and come again and again: a worker that remembered them all would have nothing left to compute.
    """
    told = {name: value for name, value in os.environ.items() if not name.startswith("STREAM_DETECTOR_")}
    topics = {
        f"TOPICS__{name.upper()}": value for name, value in settings.topics.model_dump(exclude={"dead_letter_suffix"}).items()
    }
    ours = {"BOOTSTRAP_SERVERS": settings.bootstrap_servers, "GROUP_ID": settings.group_id, "METRICS_PORT": "0"} | topics | _SMALL
    return told | {f"STREAM_DETECTOR_{name}": value for name, value in ours.items()}


@contextmanager
def running(command: Sequence[str | Path], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process while in a with statement."""
    process = subprocess.Popen([str(part) for part in command], text=True, cwd=ROOT, **options)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@contextmanager
def worker(settings: Settings, shadow: Path) -> Iterator[str]:
    """`stream-detector run`, with a second model that looks on; gives the address of its metrics."""
    command = (sys.executable, "-m", "stream_detector", "run", "--shadow-model", shadow, "--shadow-share", "1")
    with running(command, env=environment(settings), stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        for line in process.stderr:
            entry = json.loads(line)
            if entry["event"] == "serving metrics":
                break
        else:
            raise AssertionError("the worker ended without serving metrics")
        yield entry["url"].removeprefix("http://").removesuffix("/metrics")


@contextmanager
def player(settings: Settings, rate: int) -> Iterator[None]:
    """`stream-detector play`: the example events, again and again."""
    command = (sys.executable, "-m", "stream_detector", "play", "--rate", str(rate))
    with running(command, env=environment(settings)):
        yield


@contextmanager
def others() -> Iterator[str]:
    """A process with the metrics of the console and of the aggregation; gives its address."""
    with running((sys.executable, "-c", OTHERS), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield f"127.0.0.1:{int(process.stdout.readline())}"


class Prometheus:
    """A real one, with the rules of deploy/prometheus, that scrapes and evaluates each second.

    Args:
        directory: of its configuration and data.
        targets: what it scrapes.
        past: recorded samples of earlier days in OpenMetrics' format; some queries look back a week.
    """

    def __init__(self, directory: Path, targets: Sequence[str], past: str) -> None:
        self._directory = directory
        self._address = f"127.0.0.1:{free_port()}"
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(file) for file in RULES],
            "scrape_configs": [{"job_name": "stream-detector", "static_configs": [{"targets": list(targets)}]}],
        }
        (directory / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        (directory / "past.txt").write_text(past, encoding="utf-8")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run it."""
        data = self._directory / "data"
        made = [_tool("promtool"), "tsdb", "create-blocks-from", "openmetrics", self._directory / "past.txt", data]
        subprocess.run(made, check=True, capture_output=True)
        command = (
            _tool("prometheus"),
            f"--config.file={self._directory / 'prometheus.yml'}",
            f"--storage.tsdb.path={data}",
            f"--web.listen-address={self._address}",
            "--log.level=error",
        )
        with running(command):
            until(self._is_ready, "Prometheus")
            yield

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression gives now, each with its labels and its value."""
        asked = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"http://{self._address}/api/v1/query?{asked}", timeout=30) as answer:
            document = json.load(answer)
        return [{"labels": series["metric"], "value": float(series["value"][1])} for series in document["data"]["result"]]

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self._address}/-/ready", timeout=5):
                return True
        except OSError:
            return False


def week_before(name: str, value: float) -> str:
    """Hourly samples of a series, from three days ago to eight hours ago, in OpenMetrics' format."""
    now = int(time.time())
    lines = [f"{name} {value} {now - hours * 3600}" for hours in range(72, 8, -1)]
    return "\n".join([f"# TYPE {name} gauge", *lines, "# EOF", ""])


def _tool(name: str) -> str:
    found = shutil.which(name, path=ROOT / ".tools/prometheus") or shutil.which(name)
    assert found, f"no {name} in .tools/prometheus or PATH: run make prometheus-setup"
    return found
