"""Hot reload with the shipped network: what is swapped in, what is refused, and what stays behind (nothing)."""

from __future__ import annotations

import gc
import json
import shutil
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import LogCapture

from stream_detector.contracts import Event, decode
from stream_detector.inference.backend import Network
from stream_detector.inference.dispatcher import Dispatcher
from stream_detector.observability import Metrics
from stream_detector.rollout.models import Models
from stream_detector.streaming import Record
from tests.kafka.running import until
from tests.kafka.traffic import event
from tests.rollout.artefacts import ALWAYS, NEVER, SHIPPED, make_artefact, rename
from tests.rollout.conftest import Open

TEXTS = {"description": "A bright flat near the station."}


def version(models: Models) -> str:
    """The refresh version of the model that decides now."""
    return models.roster.score([TEXTS])[0].refresh_version


def told(metrics: Metrics, result: str) -> float:
    """How many changed artefacts were swapped in or refused."""
    return metrics.registry.get_sample_value("stream_detector_model_reloads_total", {"role": "model", "result": result}) or 0


def test_a_changed_manifest_is_noticed(opened: Open, folder: Path, metrics: Metrics, logs: LogCapture) -> None:
    """Without being told: the folder is looked at, and the new model decides; the metrics and the log say so."""
    models = opened(model_reload_seconds=0.02)
    assert version(models) == "v1"
    rename(folder, "v2", threshold=0.9)
    until(lambda: version(models) == "v2", "the new model")
    until(lambda: told(metrics, "swapped"), "the count")
    (line,) = [entry for entry in logs.entries if entry["event"] == "model swapped"]
    assert (line["model"].split()[-1], line["was"].split()[-1], line["threshold"]) == ("v2", "v1", 0.9)
    info = next(iter(metrics.model_info.collect())).samples
    assert [sample.labels["refresh_version"] for sample in info] == ["v2"]


def test_asked_it_looks_at_once(opened: Open, folder: Path) -> None:
    """SIGHUP's way: with polling off nothing happens until then."""
    models = opened()
    rename(folder, "v2")
    models.reload()
    until(lambda: version(models) == "v2", "the new model")


def test_a_link_to_another_folder_is_a_change(opened: Open, folder: Path, tmp_path: Path) -> None:
    """The safest release: a finished folder beside the old one, and a link set over; the same way back."""
    link = tmp_path / "current"
    link.symlink_to(folder)
    models = opened(model=str(link), model_reload_seconds=0.02)
    new = make_artefact(tmp_path / "new", "v2")
    for target, name in ((new, "v2"), (folder, "v1")):
        link.unlink()
        link.symlink_to(target)
        until(lambda name=name: version(models) == name, name)  # type: ignore[misc]


def _no_checksum(folder: Path) -> None:
    with (folder / "model.onnx").open("ab") as file:
        file.write(b" ")
    rename(folder, "v2")


def _no_manifest(folder: Path) -> None:
    (folder / "model.json").write_text("{", encoding="utf-8")


def _gone(folder: Path) -> None:
    shutil.rmtree(folder)


def _no_graph(folder: Path) -> None:
    from stream_detector.inference.artefact import sha256  # noqa: PLC0415

    (folder / "model.onnx").write_bytes(b"not a graph")
    files = json.loads((SHIPPED / "model.json").read_text(encoding="utf-8"))["files"]
    rename(folder, "v2", files=files | {"model.onnx": sha256(folder / "model.onnx")})


def _not_a_number(folder: Path) -> None:
    rename(folder, "v2", calibration={"slope": 1.0, "intercept": float("nan")})


def _same_name(folder: Path) -> None:
    rename(folder, "v1", threshold=0.9)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_no_checksum, "SHA-256"),
        (_no_manifest, "model.json"),
        (_gone, "no folder"),
        (_no_graph, "can't load it"),
        (_not_a_number, ""),
        (_same_name, "refreshVersion"),
    ],
)
def test_a_bad_artefact_is_refused(
    opened: Open, folder: Path, metrics: Metrics, logs: LogCapture, spoil: Callable[[Path], None], reason: str
) -> None:
    """One log line that says why, a count, and the model before it goes on; a good one afterwards is taken."""
    models = opened(model_reload_seconds=0.02)
    spoil(folder)
    until(lambda: told(metrics, "refused"), "the refusal")
    assert version(models) == "v1"
    lines = [entry for entry in logs.entries if entry["log_level"] == "error"]
    assert len(lines) == 1, "a folder that stays bad is told of once"
    assert lines[0]["event"] == "model refused, the one before it goes on"
    assert reason in lines[0]["reason"]
    shutil.rmtree(folder, ignore_errors=True)
    make_artefact(folder, "v3")
    until(lambda: version(models) == "v3", "the good model")


def test_figures_alone_are_no_new_model(opened: Open, folder: Path, metrics: Metrics, logs: LogCapture) -> None:
    """A manifest whose notes changed, or that was only touched, is not loaded again."""
    models = opened()
    rename(folder, "v1", evaluation={"note": 1})
    models.reload()
    until(lambda: any(entry["event"] == "model unchanged" for entry in logs.entries), "the look")
    assert told(metrics, "swapped") == told(metrics, "refused") == 0


def test_nothing_stays_behind(opened: Open, folder: Path) -> None:
    """Over many swaps threads and sessions are those of one model; each old one is gone without the garbage collector's help."""
    models = opened()
    threads = len(threading.enumerate())
    gc.disable()
    try:
        for number in range(2, 7):
            session = weakref.ref(_network(models))
            rename(folder, f"v{number}")
            models.reload()
            until(lambda name=f"v{number}": version(models) == name, "the new model")  # type: ignore[misc]
            until(lambda session=session: session() is None, "the end of the old one's session")  # type: ignore[misc]
            until(lambda: len(threading.enumerate()) == threads, "the end of the old one's threads")
    finally:
        gc.enable()


def test_a_batch_keeps_its_model(opened: Open, folder: Path) -> None:
    """Between the first and the last event of a batch, whatever is swapped meanwhile; what comes next has the new one."""
    models = opened()
    pairs = [(Record("t", 0, at, b"k", None), decode(Event, event(at))) for at in range(3)]
    with models.roster.divide(pairs) as shares:
        ((scorer, places),) = shares
        first = scorer.score([TEXTS])[0].refresh_version
        rename(folder, "v2")
        models.reload()
        until(lambda: version(models) == "v2", "the new model, for others")
        last = scorer.score([{"a": "Another text, which no cache knows."}])[0].refresh_version
    assert (first, last, list(places)) == ("v1", "v1", [0, 1, 2])
    with models.roster.divide(pairs) as shares:
        assert shares[0].scorer.score([TEXTS])[0].refresh_version == "v2"


def test_verdicts_are_the_new_models_own(opened: Open, folder: Path) -> None:
    """No cache outlives its model: the same text is judged anew, evidence and all."""
    rename(folder, "v1", **NEVER)
    models = opened()
    assert models.roster.score([TEXTS])[0].score_details.label == "NonFraud"
    rename(folder, "v2", **ALWAYS)
    models.reload()
    until(lambda: version(models) == "v2", "the new model")
    assert models.roster.score([TEXTS])[0].score_details.label == "Fraud"


def test_series_do_not_grow_with_swaps(opened: Open, folder: Path, metrics: Metrics) -> None:
    """Only the two versions that came last have series of their own."""
    models = opened()
    for number in range(1, 5):
        rename(folder, f"v{number}")
        models.reload()
        until(lambda number=number: version(models) == f"v{number}", "the new model")  # type: ignore[misc]
    samples = next(iter(metrics.model_verdicts.collect())).samples
    assert {sample.labels["refresh_version"] for sample in samples} == {"v3", "v4"}


def test_a_model_of_the_same_name_is_found_at_the_start(opened: Open, folder: Path, tmp_path: Path) -> None:
    """Two models by one name would give violations with one id and two verdicts."""
    from stream_detector.errors import ArtefactError  # noqa: PLC0415

    other = make_artefact(tmp_path / "other", "v1", threshold=0.9)
    with pytest.raises(ArtefactError, match="refreshVersion of its own"):
        opened(canary_model=str(other))


def _network(models: Models) -> Network:
    backend = models.roster._model.detector._backend
    assert isinstance(backend, Dispatcher)
    return backend._network
