"""One fault, one call: what follows from another alert is not told beside it. Asked of a real Alertmanager."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.prometheus import ROOT, rules

CONFIG = ROOT / "deploy/compose/alertmanager.yml"
SEVERITY = {rule["alert"]: rule["labels"]["severity"] for rule in rules() if "alert" in rule}

#: A fault, all alerts that it raises, and those that are told.
FAULTS = [
    pytest.param(
        ["WorkerAbsent", "LagGrows", "PromiseBurns14x", "NoViolations", "Drift"], ["WorkerAbsent"], id="no worker is there"
    ),
    pytest.param(
        ["PromiseBurns14x", "PromiseBurns6x", "PromiseBurns3x", "PromiseBurns1x"], ["PromiseBurns14x"], id="the budget burns"
    ),
    pytest.param(["PromiseBurns3x", "PromiseBurns1x"], ["PromiseBurns3x"], id="the budget burns slowly"),
    pytest.param(["NoViolations", "VerdictsDrift", "Drift"], ["NoViolations"], id="nothing is found"),
    pytest.param(["DeadLetters", "PromiseBurns6x", "Drift"], ["DeadLetters", "PromiseBurns6x", "Drift"], id="three faults"),
]


class Alertmanager:
    """A real one, with our configuration."""

    def __init__(self, address: str) -> None:
        self._address = address

    def call(self, path: str, document: object = None) -> Any:
        """Its answer to a request; None if it gives none yet."""
        body = None if document is None else json.dumps(document).encode()
        asked = urllib.request.Request(f"http://{self._address}{path}", body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(asked, timeout=10) as answer:
                return answer.read() or b" "
        except OSError:
            return None


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[Alertmanager]:
    """It runs and answers."""
    names = ("prometheus-alertmanager", "alertmanager")
    found = next(
        (path for name in names for path in (shutil.which(name, path=ROOT / ".tools/prometheus"), shutil.which(name)) if path), None
    )
    assert found, "no Alertmanager in .tools/prometheus or PATH: run make prometheus-setup"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    command = [
        found,
        f"--config.file={CONFIG}",
        f"--storage.path={tmp_path}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log, stdout=log)
    try:
        running = Alertmanager(address)
        end = time.monotonic() + 60
        while running.call("/-/ready") is None:
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < end, "Alertmanager never answered"
            time.sleep(0.1)
        yield running
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.validators
@pytest.mark.parametrize(("raised", "told"), FAULTS)
def test_one_fault_is_told_once(alertmanager: Alertmanager, raised: list[str], told: list[str]) -> None:
    """Whatever else it raises is held back, and goes to the receiver of its severity if it is told."""
    now = datetime.now(UTC)
    alerts = [
        {
            "labels": {"alertname": f"StreamDetector{name}", "severity": SEVERITY[f"StreamDetector{name}"]},
            "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(hours=1)).isoformat(),
        }
        for name in raised
    ]
    assert alertmanager.call("/api/v2/alerts", alerts)
    active = json.loads(alertmanager.call("/api/v2/alerts?inhibited=false&active=true"))
    assert {alert["labels"]["alertname"].removeprefix("StreamDetector") for alert in active} == set(told)
    everything = json.loads(alertmanager.call("/api/v2/alerts"))
    assert len(everything) == len(raised)
    for alert in everything:
        assert [receiver["name"] for receiver in alert["receivers"]] == [alert["labels"]["severity"]]


def test_inhibitions_name_alerts_that_exist() -> None:
    """A renamed alert would be told beside its cause again."""
    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    for rule in config["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            pattern = re.fullmatch(r'alertname=~?"(.*)"', matcher)
            assert pattern, matcher
            assert any(re.fullmatch(pattern[1], name) for name in SEVERITY), matcher
