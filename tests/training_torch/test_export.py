"""Export: the graph that ships says what the network says, and the artefact around it loads."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

from stream_detector.detection.detector import load_tokenizer
from stream_detector.detection.reference import put_reference
from stream_detector.inference.artefact import Calibration, WindowShape, find, verify
from stream_detector.inference.onnx import OnnxBackend
from stream_detector.observability.drift import Judged, Reference, tally
from stream_detector.settings import Settings
from stream_detector.training.dataset import TAGS, collate
from stream_detector.training.export import Versions, export_graph, write_manifest, write_tokenizer
from stream_detector.training.fit import Recipe, fit
from stream_detector.training.network import ContactNetwork
from stream_detector.training.pipeline import record
from stream_detector.training.tokenization import build_tokenizer
from tests.training_torch import tiny

#: The exporter warns about itself: it is the older of two, and traces sizes it takes for constants.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> ContactNetwork:
    """Fitted, so that its logits are as far apart as real ones."""
    network = tiny.network()
    recipe = Recipe(batch=16, learning_rate=5e-3, epochs=6, checkpoint_every=1000)
    fit(network, tiny.windows(320), recipe, folder=tmp_path_factory.mktemp("fit"), special=tiny.SPECIAL, report=lambda _: None)
    return network


@pytest.fixture(scope="module")
def folder(network: ContactNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exported artefact."""
    folder = tmp_path_factory.mktemp("artefact")
    export_graph(network, folder / "model.onnx")
    write_tokenizer(build_tokenizer(find(Settings().model)), folder)
    write_manifest(
        folder,
        Versions("TINY", "1.0", "v20261124"),
        calibration=Calibration(slope=1, intercept=0),
        threshold=0.5,
        window=WindowShape(tokens=32, overlap=8),
        evaluation={"violationsFound": 0.9},
    )
    return folder


def test_names_and_shapes_are_what_the_backends_expect(folder: Path) -> None:
    """Inputs and outputs by name, batch and length free."""
    session = ort.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    assert [put.name for put in session.get_inputs()] == ["input_ids", "attention_mask"]
    assert [put.name for put in session.get_outputs()] == ["logit", "tags"]
    assert not any(isinstance(size, int) for put in session.get_inputs() for size in put.shape)
    for batch, length in ((1, 2), (3, 17), (2, 40)):
        ids = np.full((batch, length), 7, dtype=np.int64)
        logits, tags = session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        assert (logits.shape, tags.shape) == ((batch,), (batch, length, len(TAGS)))


def test_the_graph_is_quantized(folder: Path) -> None:
    """Matrices run in 8 bits: most of the speed on a CPU."""
    operators = {node.op_type for node in onnx.load(str(folder / "model.onnx")).graph.node}
    assert operators & {"MatMulInteger", "DynamicQuantizeMatMul", "QAttention"}


def test_graph_and_network_agree(folder: Path, network: ContactNetwork) -> None:
    """Eight bits move a logit a little, never a verdict that is worth the name; the padded row is as good as the other."""
    session = ort.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    batch = collate(tiny.windows(64, seed=9), tiny.SPECIAL)
    network.eval()
    with torch.no_grad():
        logits, tags = (output.numpy() for output in network(torch.from_numpy(batch.tokens), torch.from_numpy(batch.mask)))
    shipped, shipped_tags = session.run(None, {"input_ids": batch.tokens, "attention_mask": batch.mask})
    spread = logits.std()
    assert np.abs(shipped - logits).mean() < 0.1 * spread
    assert np.corrcoef(shipped, logits)[0, 1] > 0.98
    sure = np.abs(logits) > spread
    assert ((shipped > 0) == (logits > 0))[sure].all()
    tokens = batch.tags >= 0
    assert (shipped_tags.argmax(-1) == tags.argmax(-1))[tokens].mean() > 0.97


def test_the_backend_runs_it(folder: Path) -> None:
    """What was exported is what is loaded: special tokens put around, and their tags cut off."""
    window = tiny.windows(1)[0]
    backend = OnnxBackend(folder, special=tiny.SPECIAL, threads=1)
    output = backend.submit(list(window.tokens)).result()
    backend.close()
    session = ort.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    batch = collate([window], tiny.SPECIAL)
    logits, tags = session.run(None, {"input_ids": batch.tokens, "attention_mask": batch.mask})
    assert output.logit == pytest.approx(float(logits[0]), abs=1e-5)
    assert np.allclose(output.tags, tags[0, 1:-1], atol=1e-5)


def test_the_manifest_vouches_for_the_files(folder: Path, tmp_path: Path) -> None:
    """It passes the check that the detector makes, and says what it was told."""
    manifest = verify(shutil.copytree(folder, tmp_path / "moved"))
    assert (manifest.model_code, manifest.refresh_version, manifest.model_segment) == ("TINY", "v20261124", "SUPPLY")
    assert (manifest.tags, manifest.evaluation["violationsFound"]) == (TAGS, 0.9)


def test_the_tokenizer_is_kept_whole(folder: Path) -> None:
    """Written and read again it cuts as before: digits one by one."""
    encoding = load_tokenizer(folder).encode("ring 555-0101", add_special_tokens=False)
    assert encoding.tokens == ["ring", *"555-0101"]


def test_figures_are_recorded_beside_the_reference(folder: Path, tmp_path: Path) -> None:
    """An evaluation after shipping leaves what drift is measured against, and the files as they are."""
    artefact = tmp_path / "artefact"
    shutil.copytree(folder, artefact)
    assert "reference" not in (artefact / "model.json").read_text(encoding="utf-8")
    reference = Reference(source="20 made-up texts", counts=tally([Judged.of("A bright flat", 0.01, ())] * 20))
    put_reference(artefact, reference)
    assert verify(artefact).reference == reference
    part = dict.fromkeys(("violationsFound", "harmlessWrong", "spanOverlaps", "kindRight"), 0.5)
    figures = {"heldBackCities": [], **dict.fromkeys(("composed", "plain", "reviewed", "challenge"), part)}
    record(artefact, figures)
    assert verify(artefact).reference == reference
    assert verify(artefact).evaluation["composed"] == part
