"""`topics create`, `models list` and `models verify`."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream_detector.errors import ArtefactError, ConfigurationError
from stream_detector.inference.artefact import Calibration, Manifest, WindowShape
from stream_detector.settings import Settings
from stream_detector.streaming import TopicReport
from tests.cli.calling import Call


def test_create_reports_each_topic(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator reads what was made and what was there; the settings and counts are passed on."""
    seen = {}

    def create_topics(settings: Settings, **counts: int) -> list[TopicReport]:
        seen.update(counts, servers=settings.bootstrap_servers)
        return [TopicReport("bookings", created=True), TopicReport("violations", created=False)]

    monkeypatch.setattr("stream_detector.cli.topics.create_topics", create_topics)
    called = call("topics", "create", "--partitions", "6", "--replication-factor", "1", "--bootstrap-servers", "k:1")
    assert (called.status, called.out) == (0, "bookings: created\nviolations: exists\n")
    assert seen == {"partitions": 6, "replication_factor": 1, "servers": "k:1"}


def test_create_without_a_broker(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that isn't there is status 2 and one line."""

    def create_topics(settings: Settings, **counts: int) -> list[TopicReport]:
        raise ConfigurationError("bootstrap_servers: no Kafka broker answers")

    monkeypatch.setattr("stream_detector.cli.topics.create_topics", create_topics)
    called = call("topics", "create")
    assert (called.status, called.err) == (2, "stream-detector: bootstrap_servers: no Kafka broker answers\n")


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two shipped models, the second one altered."""
    manifest = Manifest(
        format_version=1, model_code="CODE", model_version="1.0", refresh_version="v20261124", model_segment="SUPPLY", threshold=0.5,
        calibration=Calibration(slope=1, intercept=0), window=WindowShape(tokens=128, overlap=16), tags=(None,), files={"a": "0", "b": "0"},
    )  # fmt: skip

    def verify(folder: Path) -> Manifest:
        if folder.name == "altered":
            raise ArtefactError("altered/model.onnx: its SHA-256 is not the manifest's")
        return manifest

    monkeypatch.setattr("stream_detector.cli.models.available", lambda: [tmp_path / "altered", tmp_path / "good"])
    monkeypatch.setattr("stream_detector.cli.models.find", lambda name: tmp_path / name)
    monkeypatch.setattr("stream_detector.cli.models.load_manifest", lambda folder: manifest)
    monkeypatch.setattr("stream_detector.cli.models.verify", verify)


@pytest.mark.usefixtures("shipped")
def test_list_names_versions_and_threshold(call: Call) -> None:
    """One line a model."""
    lines = call("models", "list").out.splitlines()
    assert [line.split("  ")[:3] for line in lines] == [
        ["altered", "CODE 1.0 v20261124", "threshold 0.5"],
        ["good", "CODE 1.0 v20261124", "threshold 0.5"],
    ]


@pytest.mark.usefixtures("shipped")
def test_verify_checks_all_and_fails_at_the_end(call: Call) -> None:
    """One bad artefact doesn't hide the state of the others."""
    called = call("models", "verify")
    assert called.status == 2
    assert called.out == "good: 2 files match the manifest of CODE v20261124\n"
    assert called.err == "stream-detector: altered/model.onnx: its SHA-256 is not the manifest's\n"


@pytest.mark.usefixtures("shipped")
def test_verify_one_by_name(call: Call) -> None:
    """A name checks that one only."""
    assert call("models", "verify", "good").status == 0


@pytest.mark.usefixtures("shipped")
def test_verify_checks_compiled_programs_too(call: Call, tmp_path: Path) -> None:
    """Programs that are no good are found before a worker starts with them."""
    (tmp_path / "good/neuron-inf2").mkdir(parents=True)
    (tmp_path / "good/neuron-inf2/programs.json").write_text("{}", encoding="utf-8")
    called = call("models", "verify", "good")
    assert called.status == 2
    assert "programs.json: formatVersion: Field required; compile again" in called.err


def test_verify_of_an_unknown_model(call: Call) -> None:
    """A name that doesn't exist is status 2."""
    assert call("models", "verify", "no-such-model").status == 2
