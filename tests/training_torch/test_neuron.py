"""Compiling for Inferentia, with torch.jit on the CPU in the place of AWS's compilers: what is compiled judges as the graph does."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from click.testing import CliRunner
from onnx import TensorProto, helper
from tokenizers import Tokenizer

from stream_detector.batching import Shape
from stream_detector.cli.train import train
from stream_detector.detection import Detector
from stream_detector.detection.detector import load_tokenizer
from stream_detector.errors import ArtefactError, ConfigurationError
from stream_detector.inference import toolchains
from stream_detector.inference.artefact import Calibration, WindowShape, find, sha256, verify
from stream_detector.inference.compiled import Programs, verify_programs
from stream_detector.inference.neuron import NeuronNetwork
from stream_detector.inference.padding import pad
from stream_detector.inference.toolchains import STAND_IN, CompileOptions, open_toolchain
from stream_detector.settings import BackendChoice, Settings
from stream_detector.training.dataset import collate
from stream_detector.training.export import Precision, Versions, export_graph, write_manifest, write_tokenizer
from stream_detector.training.fit import Recipe, fit
from stream_detector.training.graph_network import GraphNetwork
from stream_detector.training.network import ContactNetwork
from stream_detector.training.neuron import compile_programs, shapes_of
from stream_detector.training.pipeline import save_network
from stream_detector.training.tokenization import build_tokenizer
from tests.training_torch import tiny

#: torch warns of what its own tracer and exporter do.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(600)]

SHAPES = (Shape(1, 16), Shape(4, 16), Shape(1, 32), Shape(2, 32))
TEXTS = ["a flat near the sea", "ring 555-0101 and pay by card", "quiet rooms", "write to host@example.org"]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> ContactNetwork:
    """Fitted, so that its logits are as far apart as real ones."""
    network = tiny.network()
    recipe = Recipe(batch=16, learning_rate=5e-3, epochs=4, checkpoint_every=1000)
    fit(network, tiny.windows(320), recipe, folder=tmp_path_factory.mktemp("fit"), special=tiny.SPECIAL, report=lambda _: None)
    return network


@pytest.fixture(scope="module", params=[Precision.FP32, Precision.INT8_REDUCED])
def artefact(network: ContactNetwork, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """An artefact of each precision, its vocabulary cut to what the small network knows."""
    folder = tmp_path_factory.mktemp("artefact")
    export_graph(network, folder / "model.onnx", request.param)
    tokenizer = json.loads(build_tokenizer(find(Settings().model)).to_str())
    tokenizer["model"]["vocab"] = {piece: number for piece, number in tokenizer["model"]["vocab"].items() if number < 2048}
    write_tokenizer(Tokenizer.from_str(json.dumps(tokenizer)), folder)
    write_manifest(
        folder, Versions("TINY", "1.0", "v20261124"), calibration=Calibration(slope=1, intercept=0), threshold=0.5,
        window=WindowShape(tokens=32, overlap=8), evaluation={},
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def compiled(artefact: Path) -> Programs:
    """Its programs for the stand-in, beside it."""
    toolchain = open_toolchain(STAND_IN)
    return compile_programs(artefact, toolchain, SHAPES, options=CompileOptions(), texts=TEXTS, report=lambda _: None)


def _session(artefact: Path) -> ort.InferenceSession:
    return ort.InferenceSession(str(artefact / "model.onnx"), providers=["CPUExecutionProvider"])


def test_the_graphs_weights_are_the_networks(artefact: Path, network: ContactNetwork) -> None:
    """Read back out of fused operators, of 32 bits exactly and of 8 nearly, padding and all."""
    batch = collate(tiny.windows(64, seed=9), tiny.SPECIAL)
    inputs = (torch.from_numpy(batch.tokens), torch.from_numpy(batch.mask))
    network.eval()
    with torch.no_grad():
        logits, tags = network(*inputs)
        again, tags_again = GraphNetwork(artefact / "model.onnx").eval()(*inputs)
    exact = "Attention_0_qkv_weight_quantized" not in (artefact / "model.onnx").read_bytes().decode("latin-1")
    tokens = batch.mask.astype(bool)
    if exact:
        assert torch.allclose(logits, again, atol=1e-4)
        assert np.allclose(tags.numpy()[tokens], tags_again.numpy()[tokens], atol=1e-4)
    else:
        assert (logits - again).abs().mean() < 0.1 * logits.std()
        assert np.corrcoef(logits, again)[0, 1] > 0.98


def test_programs_judge_as_the_graph_does(artefact: Path, compiled: Programs) -> None:
    """Every shape, filled and half empty: logits and tags are those that ONNX Runtime gives for the windows one by one."""
    runner = NeuronNetwork(artefact, verify(artefact), open_toolchain(STAND_IN), threads=2)
    session = _session(artefact)
    for shape in compiled.limits.shapes:
        windows = [
            list(window.tokens) for window in tiny.windows(shape.rows, seed=shape.length) if len(window.tokens) <= shape.length - 2
        ]
        logits, tags = runner.run(*pad(windows, shape, tiny.SPECIAL))
        for row, window in enumerate(windows):
            ids, mask = pad([window], Shape(1, len(window) + 2), tiny.SPECIAL)
            logit, tag = session.run(None, {"input_ids": ids, "attention_mask": mask})
            # An int8 graph rounds activations, which a program doesn't.
            assert logits[row] == pytest.approx(float(logit[0]), abs=0.6)
            assert (tags[row, : len(window) + 2].argmax(-1) == tag[0].argmax(-1)).mean() > 0.8


def test_they_are_stored_with_a_manifest(artefact: Path, compiled: Programs) -> None:
    """Read back and checked: shapes, settings, checksums, the graph they were made from, and how they compare."""
    assert verify_programs(artefact, verify(artefact), STAND_IN) == compiled
    assert compiled.limits.shapes == SHAPES
    assert (compiled.auto_cast, compiled.auto_cast_type, compiled.cores_each) == ("matmult", "bf16", 1)
    assert set(compiled.compiler) == {"torch"}
    assert compiled.parity is not None
    assert compiled.parity.windows >= len(TEXTS)
    assert compiled.parity.other_verdicts == 0
    assert not list(artefact.glob(".*"))


def test_the_detector_runs_them(artefact: Path, compiled: Programs) -> None:
    """The setting selects them, responses say so, and verdicts are those of the CPU."""
    verdicts = {}
    for choice in (BackendChoice.ONNX, BackendChoice.NEURON, BackendChoice.AUTO):
        with Detector.load(Settings(model=str(artefact), backend=choice, inference_threads=2)) as detector:
            verdicts[choice] = detector.score([{"text": text} for text in TEXTS])
    assert {response.score_details.backend for response in verdicts[BackendChoice.NEURON]} == {"neuron-cpu-stand-in-2"}
    assert {response.score_details.backend for response in verdicts[BackendChoice.AUTO]} == {"onnx-cpu-2"}
    labels = {choice: [response.score_details.label for response in responses] for choice, responses in verdicts.items()}
    assert labels[BackendChoice.NEURON] == labels[BackendChoice.ONNX]


def _fake_neuron(where: list[tuple[int, int]]) -> types.ModuleType:
    """torch_neuronx as far as it is used here, tracing for the CPU: another stand-in, in the place of the package itself."""
    module = types.ModuleType("torch_neuronx")

    @contextlib.contextmanager
    def neuron_cores_context(start_nc: int, nc_count: int) -> Iterator[None]:
        where.append((start_nc, nc_count))
        yield

    def trace(network: Any, inputs: Any, *, compiler_args: list[str], cpu_backend: bool = False) -> Any:
        assert "--auto-cast" in compiler_args
        return torch.jit.freeze(torch.jit.trace(network, inputs, check_trace=False))

    module.trace, module.experimental = trace, types.SimpleNamespace(neuron_cores_context=neuron_cores_context)  # type: ignore[attr-defined]
    return module


def test_another_stand_in_takes_its_place(
    artefact: Path, compiled: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is only behind trace and load can be replaced there: here the package of Inferentia 2, with a different program inside."""
    where: list[tuple[int, int]] = []
    monkeypatch.setitem(sys.modules, "torch_neuronx", _fake_neuron(where))
    monkeypatch.setattr(toolchains, "count_devices", lambda: 2)
    toolchain = open_toolchain("inf2")
    compile_programs(artefact, toolchain, SHAPES, options=CompileOptions("none"), out=tmp_path, texts=TEXTS, report=lambda _: None)
    with monkeypatch.context() as environment:
        environment.setenv("NEURON_RT_VISIBLE_CORES", "1-3")
        runner = NeuronNetwork(tmp_path, verify(tmp_path), toolchain)
    assert runner.name == "neuron-inf2-3"
    assert where == [(core, 1) for core in range(3) for _ in SHAPES]
    ids, mask = pad([[7, 8, 9]], Shape(1, 16), tiny.SPECIAL)
    stand_in = NeuronNetwork(artefact, verify(artefact), open_toolchain(STAND_IN), threads=1)
    assert runner.run(ids, mask)[0] == pytest.approx(stand_in.run(ids, mask)[0], abs=1e-4)


def test_an_altered_program_is_not_loaded(artefact: Path, compiled: Programs, tmp_path: Path) -> None:
    """TorchScript is code: the checksum comes first."""
    folder = shutil.copytree(artefact, tmp_path / "altered")
    with (folder / f"neuron-{STAND_IN}/2x32.pt").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ArtefactError, match=r"2x32\.pt: its SHA-256"):
        Detector.load(Settings(model=str(folder), backend=BackendChoice.NEURON))


def test_a_program_that_is_none_is_an_error(artefact: Path, compiled: Programs, tmp_path: Path) -> None:
    """With a right checksum and a wrong content: named, without a stack trace."""
    folder = shutil.copytree(artefact, tmp_path / "garbage")
    file = folder / f"neuron-{STAND_IN}/1x16.pt"
    file.write_bytes(b"garbage")
    programs = compiled.model_dump(mode="json", by_alias=True)
    programs["buckets"][0]["sha256"] = sha256(file)
    (file.parent / "programs.json").write_text(json.dumps(programs), encoding="utf-8")
    with pytest.raises(ArtefactError, match=r"1x16\.pt: can't be loaded on cpu-stand-in"):
        Detector.load(Settings(model=str(folder), backend=BackendChoice.NEURON))


def test_weights_may_come_from_the_checkpoint(artefact: Path, network: ContactNetwork, tmp_path: Path) -> None:
    """Of the same network they agree with the graph; of another one the verdicts differ, and nothing is written."""
    work, out = tmp_path / "work", tmp_path / "out"
    save_network(network, load_tokenizer(artefact), work)
    toolchain = open_toolchain(STAND_IN)
    one = [Shape(1, 32)]
    compile_programs(
        artefact, toolchain, one, options=CompileOptions(), out=out, checkpoint=work, texts=TEXTS, report=lambda _: None
    )
    assert verify_programs(out, verify(out), STAND_IN).limits.shapes == tuple(one)
    with pytest.raises(ConfigurationError, match=r"--work: .*network\.safetensors: missing"):
        compile_programs(
            artefact, toolchain, one, options=CompileOptions(), checkpoint=tmp_path, texts=TEXTS, report=lambda _: None
        )


def test_other_weights_are_refused(artefact: Path, network: ContactNetwork, tmp_path: Path) -> None:
    """A checkpoint of another run would judge otherwise than threshold and calibration were set for."""
    work = tmp_path / "work"
    other = tiny.network(seed=5)
    other.verdict.bias.data += 20.0 if float(network.verdict.bias) < 1 else -20.0
    save_network(other, load_tokenizer(artefact), work)
    texts = [f"{text} {number}" for number in range(8) for text in TEXTS]
    with pytest.raises(ArtefactError, match=r"verdicts are not those of .*other weights"):
        compile_programs(
            artefact, open_toolchain(STAND_IN), [Shape(1, 32)], options=CompileOptions(), out=tmp_path / "out", checkpoint=work,
            texts=texts, report=lambda _: None,
        )  # fmt: skip
    assert not (tmp_path / "out").exists()


def test_shapes_that_are_too_short_are_refused(artefact: Path) -> None:
    """Before minutes of compiling."""
    with pytest.raises(ConfigurationError, match=r"--lengths: the model's windows have up to 32 tokens"):
        compile_programs(
            artefact, open_toolchain(STAND_IN), [Shape(1, 16)], options=CompileOptions(), texts=TEXTS, report=lambda _: None
        )


@pytest.mark.parametrize(
    ("window", "lengths", "expected"),
    [
        (32, (), [64]),
        (64, (), [64]),
        (128, (), [64, 128]),
        (512, (), [64, 128, 256, 512]),
        (600, (), [64, 128, 256, 512, 600]),
        (128, (256,), [256]),
    ],
)
def test_usual_lengths_go_as_far_as_windows_do(window: int, lengths: tuple[int, ...], expected: list[int]) -> None:
    """Longer programs would take memory and never be filled."""
    assert shapes_of(window, lengths, (8, 1)) == [Shape(rows, length) for length in expected for rows in (1, 8)]


def test_a_graph_of_another_shape_is_named(tmp_path: Path) -> None:
    """What has other operators can still be compiled from its checkpoint, and the error says so."""
    value = helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1])
    graph = helper.make_graph(
        [helper.make_node("Identity", ["input_ids"], ["logit"])],
        "other",
        [value],
        [helper.make_tensor_value_info("logit", TensorProto.INT64, [1])],
    )
    onnx.save(helper.make_model(graph), str(tmp_path / "model.onnx"))
    with pytest.raises(ArtefactError, match=r"not a graph of BERT's shape.*give --work"):
        GraphNetwork(tmp_path / "model.onnx")


def test_the_command_compiles(artefact: Path, tmp_path: Path) -> None:
    """Flags to files: the model and its programs in a folder of their own."""
    arguments = [
        "compile-neuron",
        str(artefact),
        "--target",
        STAND_IN,
        "--lengths",
        "32",
        "--rows",
        "2",
        "--out",
        str(tmp_path / "out"),
    ]
    done = CliRunner().invoke(train, arguments)
    assert done.exit_code == 0, done.output
    assert "1 programs for cpu-stand-in" in done.output
    assert verify_programs(tmp_path / "out", verify(tmp_path / "out"), STAND_IN).limits.shapes == (Shape(2, 32),)


@pytest.mark.parametrize("rows", ["0", "1,,2", "a", "-1", "٣"])
def test_the_command_refuses_what_are_no_numbers(rows: str) -> None:
    """By the flag."""
    done = CliRunner().invoke(train, ["compile-neuron", "--target", STAND_IN, "--rows", rows])
    assert done.exit_code == 2
    assert "must be whole numbers from 1" in done.output
