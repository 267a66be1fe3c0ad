"""The canary decides for its share of the keys, always the same ones, and says which model it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream_detector.contracts import Event, Label, decode
from stream_detector.observability import Metrics, Readiness
from stream_detector.rollout.models import Models
from stream_detector.rollout.share import in_share
from stream_detector.settings import Settings
from stream_detector.streaming import Outcome, Record, Worker
from tests.kafka.traffic import event
from tests.rollout.artefacts import ALWAYS, NEVER, VERSION, make_artefact, rename
from tests.rollout.conftest import Open

SHARE = 0.3
KEYS = [f"L-{number}".encode() for number in range(40)]
MINE = {key for key in KEYS if in_share(key, SHARE, b"canary")}


@pytest.fixture
def models(opened: Open, folder: Path, tmp_path: Path) -> Models:
    """A model that finds nothing, and a canary that finds everything."""
    rename(folder, "v1", **NEVER)
    canary = make_artefact(tmp_path / "canary", "v2", **ALWAYS)
    return opened(canary_model=str(canary), canary_share=SHARE)


def _concluded(models: Models, metrics: Metrics, keys: list[bytes]) -> list[Outcome]:
    worker = Worker(Settings(), models.roster, metrics, Readiness())
    records = [Record("listing-updates", 0, offset, key, event(offset)) for offset, key in enumerate(keys)]
    return worker.conclude([(record, decode(Event, record.value or b"")) for record in records])


def test_the_split_is_by_key(models: Models, metrics: Metrics) -> None:
    """Each key has one model, in every batch; outcomes keep the order of their records; every violation names its model."""
    assert 0 < len(MINE) < len(KEYS)
    twice = [*KEYS, *reversed(KEYS)]
    outcomes = _concluded(models, metrics, twice)
    assert [outcome.record.offset for outcome in outcomes] == list(range(len(twice)))
    for outcome in outcomes:
        assert outcome.response is not None
        canarys = outcome.record.key in MINE
        assert outcome.response.refresh_version == ("v2" if canarys else "v1")
        assert (outcome.violation is not None) is canarys
        assert outcome.violation is None or outcome.violation.refresh_version == "v2"


def test_verdicts_are_counted_by_model(models: Models, metrics: Metrics) -> None:
    """What a canary finds beside the other, on the model's dashboard."""
    _concluded(models, metrics, KEYS)
    for role, version, label, expected in (
        ("model", "v1", Label.NON_FRAUD, len(KEYS) - len(MINE)),
        ("canary", "v2", Label.FRAUD, len(MINE)),
    ):
        labels = {"role": role, "model_version": VERSION, "refresh_version": version, "label": label.value}
        assert metrics.registry.get_sample_value("stream_detector_model_verdicts_total", labels) == expected
    shown = {sample.labels["refresh_version"] for sample in next(iter(metrics.model_info.collect())).samples}
    assert shown == {"v1", "v2"}


@pytest.mark.parametrize(("share", "mine"), [(0.0, 0), (1.0, len(KEYS))])
def test_the_ends_of_the_share(opened: Open, tmp_path: Path, metrics: Metrics, share: float, mine: int) -> None:
    """0 keeps a canary loaded that decides nothing; 1 gives it everything, without a call to the other for nothing."""
    canary = make_artefact(tmp_path / "canary", "v2")
    models = opened(canary_model=str(canary), canary_share=share)
    outcomes = _concluded(models, metrics, KEYS)
    assert sum(outcome.response is not None and outcome.response.refresh_version == "v2" for outcome in outcomes) == mine
    pairs = [(outcome.record, outcome.event) for outcome in outcomes if outcome.event is not None]
    with models.roster.divide(pairs) as shares:
        assert len(shares) == 1


def test_an_empty_batch_has_no_shares(models: Models, metrics: Metrics) -> None:
    """Such as one of tombstones alone."""
    assert _concluded(models, metrics, []) == []


def test_the_model_that_will_decide_begins_early(models: Models) -> None:
    """What is begun by the other network would be work for nothing."""
    record = Record("listing-updates", 0, 0, next(iter(MINE)), event(0, text="A text that is new to both."))
    models.roster.begin_event(record, decode(Event, record.value or b""))
    model, canary = models.roster._model.detector, models.roster._canary
    assert canary is not None
    assert len(canary.detector._reader._begun) == 1
    assert len(model._reader._begun) == 0
