"""Compiled programs: shapes, cores and checks, with a stand-in that needs no torch; tests/training_torch has the one that does."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from stream_detector.batching import Shape
from stream_detector.contracts import Kind
from stream_detector.detection import backends
from stream_detector.errors import ArtefactError, ConfigurationError
from stream_detector.inference import toolchains
from stream_detector.inference.artefact import Manifest, load_manifest, sha256
from stream_detector.inference.compiled import compiled_targets, verify_programs
from stream_detector.inference.dispatcher import Dispatcher
from stream_detector.inference.neuron import NeuronNetwork
from stream_detector.inference.toolchains import CompileOptions, open_toolchain
from stream_detector.settings import Settings
from tests.inference.stand_in import SPECIAL, SumToolchain

SHAPES = (Shape(1, 16), Shape(4, 16), Shape(1, 32), Shape(2, 32))


@pytest.fixture
def artefact(tmp_path: Path) -> Path:
    """An artefact with programs for the stand-in."""
    folder = tmp_path / "sample-model"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"graph")
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    manifest = {
        "formatVersion": 1, "modelCode": "SAMPLE", "modelVersion": "1.0", "refreshVersion": "v20261124", "modelSegment": "SUPPLY",
        "threshold": 0.5, "calibration": {"slope": 1.0, "intercept": 0.0}, "window": {"tokens": 32, "overlap": 8},
        "tags": [None, *Kind], "files": {name: sha256(folder / name) for name in ("model.onnx", "tokenizer.json")},
    }  # fmt: skip
    (folder / "model.json").write_text(json.dumps(manifest), encoding="utf-8")
    compile_for(folder, SumToolchain())
    return folder


def compile_for(artefact: Path, toolchain: SumToolchain, **changes: Any) -> None:
    """Leave what `train compile-neuron` leaves."""
    folder = artefact / f"neuron-{toolchain.target}"
    folder.mkdir()
    buckets = []
    for shape in SHAPES:
        file = folder / f"{shape.rows}x{shape.length}.pt"
        toolchain.trace(None, shape, file, CompileOptions())
        buckets.append({"rows": shape.rows, "length": shape.length, "file": file.name, "sha256": sha256(file)})
    programs = {
        "formatVersion": 1, "target": toolchain.target, "graph": sha256(artefact / "model.onnx"), "autoCast": "matmult",
        "autoCastType": "bf16", "coresEach": 1, "buckets": buckets,
    }  # fmt: skip
    (folder / "programs.json").write_text(json.dumps(programs | changes), encoding="utf-8")


def _manifest(artefact: Path) -> Manifest:
    return load_manifest(artefact)


def _change(artefact: Path, change: Callable[[dict[str, Any]], object]) -> None:
    file = artefact / "neuron-sum/programs.json"
    programs = json.loads(file.read_text(encoding="utf-8"))
    change(programs)
    file.write_text(json.dumps(programs), encoding="utf-8")


def test_every_program_is_on_every_core(artefact: Path) -> None:
    """Cores are counted from the first that is visible, and each can take any shape; the name says what runs where."""
    toolchain = SumToolchain(3)
    network = NeuronNetwork(artefact, _manifest(artefact), toolchain)
    assert (network.name, network.sessions, network.limits.shapes) == ("neuron-sum-3", 3, SHAPES)
    names = [f"{shape.rows}x{shape.length}.pt" for shape in SHAPES]
    assert toolchain.loaded == [(name, range(core, core + 1)) for core in range(3) for name in names]


@pytest.mark.parametrize(
    ("cores", "each", "threads", "sessions"), [(4, 1, 0, 4), (4, 1, 3, 3), (4, 1, 9, 4), (5, 2, 0, 2), (4, 4, 1, 1)]
)
def test_programs_take_as_many_cores_as_they_were_made_for(
    artefact: Path, cores: int, each: int, threads: int, sessions: int
) -> None:
    """Groups of cores don't overlap, a rest that is too small is left alone, and inference_threads is an upper bound."""
    _change(artefact, lambda programs: programs.update(coresEach=each))
    toolchain = SumToolchain(cores)
    assert NeuronNetwork(artefact, _manifest(artefact), toolchain, threads=threads).sessions == sessions
    taken = [core for name, group in toolchain.loaded if name == "1x16.pt" for core in group]
    assert taken == list(range(sessions * each))


def test_cores_run_side_by_side(artefact: Path) -> None:
    """Three runs are under way at once, each on a core of its own; one at a time they would wait for each other for ever."""
    toolchain = SumToolchain(3, together=3)
    network = NeuronNetwork(artefact, _manifest(artefact), toolchain)
    ids = np.ones((4, 16), dtype=np.int64)
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda _: network.run(ids, ids), range(3)))
    assert {core.start for core, _ in toolchain.ran} == {0, 1, 2}


def test_a_core_takes_one_run_at_a_time(artefact: Path) -> None:
    """More threads than cores wait their turn, and a core that failed is used again."""
    toolchain = SumToolchain(1)
    network = NeuronNetwork(artefact, _manifest(artefact), toolchain)
    ids = np.ones((1, 32), dtype=np.int64)
    with pytest.raises(AttributeError):
        network.run(ids, None)  # type: ignore[arg-type]
    with ThreadPoolExecutor(4) as threads:
        assert [output[0][0] for output in threads.map(lambda _: network.run(ids, ids), range(8))] == [32] * 8


def test_windows_are_padded_into_the_shapes_there_are(artefact: Path) -> None:
    """Behind the dispatcher: every window its own answer, in shapes that were compiled and no others."""
    toolchain = SumToolchain(2)
    backend = Dispatcher(NeuronNetwork(artefact, _manifest(artefact), toolchain), special=SPECIAL)
    rng = Random(4)
    windows = [[rng.randrange(1, 500) for _ in range(rng.randint(1, 30))] for _ in range(80)]
    futures = [backend.submit(window) for window in windows]
    for window, future in zip(windows, futures, strict=True):
        output = future.result(30)
        assert (output.logit, output.tags[:, 0].tolist()) == (sum(window) + sum(SPECIAL), window)
    backend.close()
    assert {shape for _, shape in toolchain.ran} <= {tuple(shape) for shape in SHAPES}


def test_a_shape_that_was_not_compiled_is_an_error(artefact: Path) -> None:
    """Whoever goes past the scheduler hears what is missing, not what a compiled program makes of it."""
    network = NeuronNetwork(artefact, _manifest(artefact), SumToolchain())
    ids = np.ones((3, 16), dtype=np.int64)
    with pytest.raises(ArtefactError, match=r"no program for 3 rows of 16 tokens; compile one: --lengths, --rows"):
        network.run(ids, ids)


def test_an_altered_program_is_not_loaded(artefact: Path) -> None:
    """It would be run as code: the check comes before anything is loaded."""
    with (artefact / "neuron-sum/1x32.pt").open("ab") as file:
        file.write(b"\n")
    toolchain = SumToolchain()
    with pytest.raises(ArtefactError, match=r"1x32\.pt: its SHA-256 is not the one in programs\.json.*train compile-neuron"):
        NeuronNetwork(artefact, _manifest(artefact), toolchain)
    assert toolchain.loaded == []


def test_a_missing_program_is_named(artefact: Path) -> None:
    """By its shape and its file, before the first window needs it."""
    (artefact / "neuron-sum/4x16.pt").unlink()
    with pytest.raises(ArtefactError, match=r"4x16\.pt: the program for 4 rows of 16 tokens is missing; compile again"):
        verify_programs(artefact, _manifest(artefact), "sum")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda programs: programs.update(graph="0" * 64), "graph: the programs were made from another export"),
        (lambda programs: programs.update(target="inf2"), "target: inf2, but the folder is for sum"),
        (
            lambda programs: programs.update(buckets=programs["buckets"][:2]),
            "longest takes 16 tokens, but the model's windows have",
        ),
        (lambda programs: programs.update(buckets=[]), "buckets: "),
        (lambda programs: programs["buckets"].reverse(), "must stand by rising length and rows"),
        (lambda programs: programs["buckets"].append(programs["buckets"][-1]), "each once"),
        (lambda programs: programs["buckets"][0].update(file="../model.onnx"), "buckets.0.file"),
        (lambda programs: programs["buckets"][0].update(rows=0), "buckets.0.rows"),
        (lambda programs: programs.update(coresEach=0), "coresEach"),
        (lambda programs: programs.update(formatVersion=2), "formatVersion"),
    ],
)
def test_programs_that_do_not_belong_are_refused(artefact: Path, change: Callable[[dict[str, Any]], object], message: str) -> None:
    """Of another export, for another target, too short, or with a manifest that says nonsense: by file, field and remedy."""
    _change(artefact, change)
    with pytest.raises(ArtefactError) as error:
        verify_programs(artefact, _manifest(artefact), "sum")
    assert message in str(error.value)
    assert "programs.json" in str(error.value)
    assert f"stream-detector train compile-neuron {artefact} --target sum" in str(error.value)


def test_no_programs_at_all(artefact: Path) -> None:
    """The error says how to make them."""
    with pytest.raises(ArtefactError, match=r"neuron-inf2/programs\.json: No such file.*--target inf2"):
        verify_programs(artefact, _manifest(artefact), "inf2")


def test_too_few_cores_for_one_program(artefact: Path) -> None:
    """A pipeline over four cores can't start on two."""
    _change(artefact, lambda programs: programs.update(coresEach=4))
    with pytest.raises(ConfigurationError, match="takes 4 cores, but this process may use 2"):
        NeuronNetwork(artefact, _manifest(artefact), SumToolchain(2))


def _stub(folder: Path, module: str) -> None:
    """What PyPI has under the name of AWS's package: nothing but an error."""
    (folder / module).mkdir()
    (folder / module / "__init__.py").write_text('raise ImportError("WRONG PACKAGE")\n', encoding="utf-8")


@pytest.mark.parametrize(
    ("target", "module", "package"), [("inf2", "torch_neuronx", "torch-neuronx"), ("inf1", "torch_neuron", "torch-neuron")]
)
class TestPackages:
    """AWS's packages are found by importing them; those of the same names on PyPI are empty."""

    def test_a_stub_is_called_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, module: str, package: str
    ) -> None:
        """Who installed it from PyPI hears that, and where the real one is."""
        _stub(tmp_path, module)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, module, raising=False)
        with pytest.raises(ConfigurationError, match=rf"{target} needs AWS's {package}, which says: WRONG PACKAGE") as error:
            open_toolchain(target)
        assert f"PyPI's package of that name is an empty stub: pip uninstall {package}" in str(error.value)
        assert f"pip install {package} --extra-index-url https://pip.repos.neuron.amazonaws.com" in str(error.value)

    def test_none_is_an_error_with_the_same_remedy(
        self, monkeypatch: pytest.MonkeyPatch, target: str, module: str, package: str
    ) -> None:
        """Before anybody installs the stub."""
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(ConfigurationError, match=rf"{target} needs AWS's {package}.*empty stub.*--extra-index-url"):
            open_toolchain(target)

    def test_an_empty_module_is_no_toolchain(self, monkeypatch: pytest.MonkeyPatch, target: str, module: str, package: str) -> None:
        """A package that can be imported and can do nothing."""
        monkeypatch.setitem(sys.modules, module, types.ModuleType(module))
        with pytest.raises(ConfigurationError, match=f"the {module} found here has no trace"):
            open_toolchain(target)


class _Recorder(types.ModuleType):
    """What a Neuron package is called with."""

    def __init__(self) -> None:
        super().__init__("recorder")
        self.calls: list[Any] = []
        self.experimental = self

    def trace(self, *arguments: Any, **named: Any) -> str:
        self.calls.append(named)
        return "program"

    def neuron_cores_context(self, **where: int) -> str:
        self.calls.append(where)
        return "context"


@pytest.mark.parametrize(
    ("target", "module", "options", "arguments"),
    [
        (
            "inf2", "torch_neuronx", CompileOptions("matmult", "bf16"),
            ["--target", "inf2", "--model-type", "transformer", "--auto-cast", "matmult", "--auto-cast-type", "bf16"],
        ),
        (
            "inf2", "torch_neuronx", CompileOptions("none", "tf32"),
            ["--target", "inf2", "--model-type", "transformer", "--auto-cast", "none", "--auto-cast-type", "tf32"],
        ),
        ("inf1", "torch_neuron", CompileOptions("matmult", "fp16", 2), ["--fast-math", "fp32-cast-matmult-fp16", "--neuroncore-pipeline-cores", "2"]),
        ("inf1", "torch_neuron", CompileOptions("all", "bf16"), ["--fast-math", "fp32-cast-all", "--neuroncore-pipeline-cores", "1"]),
        ("inf1", "torch_neuron", CompileOptions("none", "tf32"), ["--fast-math", "none", "--neuroncore-pipeline-cores", "1"]),
    ],
)  # fmt: skip
def test_options_reach_the_compiler_in_its_own_words(
    monkeypatch: pytest.MonkeyPatch, target: str, module: str, options: CompileOptions, arguments: list[str]
) -> None:
    """The two compilers name the same things differently; cores are counted as each SDK's placement counts them."""
    recorder = _Recorder()
    monkeypatch.setitem(sys.modules, module, recorder)
    monkeypatch.setattr(toolchains, "count_devices", lambda: 1)
    toolchain = open_toolchain(target)
    toolchain.check(options)
    assert isinstance(toolchain, toolchains.TorchToolchain)
    assert toolchain.compile("network", ("ids", "mask"), options) == "program"
    assert recorder.calls[-1]["compiler_args"] == arguments
    assert toolchain.placed(range(2, 4)) == "context"
    assert recorder.calls[-1] == {"start_nc": 2, "nc_count": 2}
    monkeypatch.delenv("NEURON_RT_VISIBLE_CORES", raising=False)
    monkeypatch.delenv("NEURON_RT_NUM_CORES", raising=False)
    assert toolchain.cores() == {"inf2": 2, "inf1": 4}[target]


def test_inf2_is_traced_without_a_device_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs are made where images are built, which have no accelerator."""
    recorder = _Recorder()
    monkeypatch.setitem(sys.modules, "torch_neuronx", recorder)
    monkeypatch.setattr(toolchains, "count_devices", lambda: 0)
    toolchain = open_toolchain("inf2")
    assert isinstance(toolchain, toolchains.TorchToolchain)
    toolchain.compile("network", ("ids", "mask"), CompileOptions())
    assert recorder.calls[-1]["cpu_backend"] is True
    with pytest.raises(ConfigurationError, match="no Neuron device here"):
        toolchain.cores()


@pytest.mark.parametrize(
    ("target", "module", "options", "message"),
    [
        ("inf2", "torch_neuronx", CompileOptions(cores_each=2), "--cores-each: a traced program runs on one core"),
        ("inf1", "torch_neuron", CompileOptions("all", "tf32"), "--auto-cast-type: Inferentia 1 has no tf32"),
    ],
)
def test_what_a_target_can_not_do_is_refused(
    monkeypatch: pytest.MonkeyPatch, target: str, module: str, options: CompileOptions, message: str
) -> None:
    """By the flag, before minutes of compiling."""
    monkeypatch.setitem(sys.modules, module, _Recorder())
    with pytest.raises(ConfigurationError, match=message):
        open_toolchain(target).check(options)


def test_an_unknown_target_lists_those_there_are() -> None:
    """In the order in which they are preferred."""
    with pytest.raises(ConfigurationError, match="there are inf2, inf1, cpu-stand-in"):
        open_toolchain("inf3")


class TestChoice:
    """What the setting `backend` means."""

    @pytest.fixture(autouse=True)
    def _toolchains(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made = {"inf2": lambda: SumToolchain(target="inf2"), "cpu-stand-in": lambda: SumToolchain(target="cpu-stand-in")}
        self._offer(monkeypatch, made)
        # The real one reads a graph, which these artefacts haven't.
        monkeypatch.setattr(backends, "OnnxNetwork", lambda *_, **__: types.SimpleNamespace(name="onnx", sessions=0))

    def _offer(self, monkeypatch: pytest.MonkeyPatch, made: dict[str, Callable[[], Any]]) -> None:
        for module in (toolchains, backends):
            monkeypatch.setattr(module, "TOOLCHAINS", made)

    def _name(self, artefact: Path, backend: str) -> str:
        settings = Settings(backend=backend)  # type: ignore[arg-type]
        opened = backends.open_backend(settings, artefact, _manifest(artefact), special=SPECIAL)
        opened.close()
        return opened.name

    @pytest.mark.parametrize(
        ("devices", "compiled", "backend", "name"),
        [
            (0, ["inf2"], "auto", "onnx"),
            (1, [], "auto", "onnx"),
            (1, ["cpu-stand-in"], "auto", "onnx"),
            (1, ["inf2"], "auto", "neuron-inf2-2"),
            (1, ["inf2"], "onnx", "onnx"),
            (0, ["inf2", "cpu-stand-in"], "neuron", "neuron-inf2-2"),
            (0, ["cpu-stand-in"], "neuron", "neuron-cpu-stand-in-2"),
        ],
    )
    def test_each_case(
        self, artefact: Path, monkeypatch: pytest.MonkeyPatch, devices: int, compiled: list[str], backend: str, name: str
    ) -> None:
        """A device and programs for one: Neuron. The stand-in only if it is asked for and nothing else is there."""
        monkeypatch.setattr(backends, "count_devices", lambda: devices)
        for target in compiled:
            compile_for(artefact, SumToolchain(target=target))
        assert compiled_targets(artefact) == sorted([*compiled, "sum"])
        assert self._name(artefact, backend) == name

    def test_asked_for_without_programs(self, artefact: Path) -> None:
        """What to do is a command."""
        with pytest.raises(ArtefactError, match=r"no programs for Neuron.*train compile-neuron .* --target inf2"):
            self._name(artefact, "neuron")

    def test_asked_for_without_packages(self, artefact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The error is that of the package, not a fall back to the CPU that nobody notices."""
        compile_for(artefact, SumToolchain(target="inf2"))
        self._offer(monkeypatch, {"inf2": toolchains._inf2})
        monkeypatch.setitem(sys.modules, "torch_neuronx", None)
        with pytest.raises(ConfigurationError, match="inf2 needs AWS's torch-neuronx"):
            self._name(artefact, "neuron")
