"""What makes and loads programs for Inferentia: two functions a target, and the one place that knows AWS's packages.

A `Toolchain` has `trace` (network and shape to a file) and `load` (a file onto cores, to something that can be called). There is
one for Inferentia 2 (torch-neuronx), one for Inferentia 1 (torch-neuron), and a stand-in that traces for this machine's CPU, so
that all the rest can be tried and tested without an accelerator. Another one is another entry in `TOOLCHAINS`.

torch is imported when a toolchain is opened, never before: what runs by ONNX Runtime does without it.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from stream_detector.batching import Shape
from stream_detector.errors import ConfigurationError
from stream_detector.inference.cores import count_devices, visible_cores

#: A loaded program: (rows, length) token numbers and mask to (rows,) logits and (rows, length, classes) tags.
Program = Callable[[NDArray[np.int64], NDArray[np.int64]], tuple[NDArray[np.float32], NDArray[np.float32]]]

STAND_IN: Final = "cpu-stand-in"

#: Where the real packages are. What bears their names on PyPI raises an error when it is imported.
NEURON_INDEX: Final = "https://pip.repos.neuron.amazonaws.com"


@dataclass(frozen=True, slots=True)
class CompileOptions:
    """How a network is compiled.

    Attributes:
        auto_cast: none, matmult or all: which operations of 32 bits are cast to `auto_cast_type`.
        auto_cast_type: bf16, fp16 or tf32.
        cores_each: cores that one program is spread over.
    """

    auto_cast: str = "matmult"
    auto_cast_type: str = "bf16"
    cores_each: int = 1


class Toolchain(Protocol):
    """Makes and loads the programs of one target."""

    @property
    def target(self) -> str:
        """Its name, in folders and in responses."""

    def check(self, options: CompileOptions) -> None:
        """See whether the target can do that.

        Raises:
            ConfigurationError: it can't.
        """

    def trace(self, network: Any, shape: Shape, file: Path, options: CompileOptions) -> None:
        """Compile a torch module of (ids, mask) for one shape, and write the program."""

    def load(self, file: Path, cores: range) -> Program:
        """Load a program onto cores, which are counted from the first that this process may use. Not from two threads at once."""

    def cores(self) -> int:
        """How many cores this process may use.

        Raises:
            ConfigurationError: there is none, or the environment names some that aren't there.
        """

    def versions(self) -> Mapping[str, str]:
        """Of what compiles, for the manifest."""


@dataclass(frozen=True, slots=True)
class TorchToolchain:
    """A toolchain whose programs are TorchScript, as those of both Neuron SDKs are.

    Attributes:
        target: its name.
        compile: (module, example inputs, options) to a script module.
        placed: what programs are loaded in, for them to lie on cores.
        count: the cores that there are for this process.
        arguments: what the options are for the compiler; raises ConfigurationError for those it doesn't have.
        packages: whose versions are of interest.
    """

    target: str
    compile: Callable[[Any, tuple[Any, Any], CompileOptions], Any]
    placed: Callable[[range], AbstractContextManager[Any]]
    count: Callable[[], int]
    arguments: Callable[[CompileOptions], list[str]]
    packages: tuple[str, ...]

    def check(self, options: CompileOptions) -> None:
        """See whether the compiler can do that."""
        self.arguments(options)

    def trace(self, network: Any, shape: Shape, file: Path, options: CompileOptions) -> None:
        """Compile for one shape, and write the program."""
        torch = _torch()
        network.eval()
        ids = torch.ones(tuple(shape), dtype=torch.int64)
        # Some padding, or a network might be traced as one that never looks at the mask.
        mask = torch.ones_like(ids)
        mask[:, -1] = 0
        with torch.no_grad():
            program = self.compile(network, (ids, mask), options)
        torch.jit.save(program, str(file))

    def load(self, file: Path, cores: range) -> Program:
        """Load onto cores."""
        torch = _torch()
        with self.placed(cores):
            program = torch.jit.load(str(file))

        def run(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
            # TorchScript lets go of the interpreter's lock, so that cores run side by side.
            with torch.inference_mode():
                logits, tags = program(torch.from_numpy(ids), torch.from_numpy(mask))
            return logits.float().numpy(), tags.float().numpy()

        return run

    def cores(self) -> int:
        """How many cores this process may use."""
        return self.count()

    def versions(self) -> Mapping[str, str]:
        """Of the packages that are installed."""
        found = {}
        for package in self.packages:
            try:
                found[package] = version(package)
            except PackageNotFoundError:
                continue
        return found


def _inf2() -> Toolchain:
    neuron = _neuron_package("torch_neuronx", "torch-neuronx", "inf2")

    def arguments(options: CompileOptions) -> list[str]:
        if options.cores_each != 1:
            raise ConfigurationError("--cores-each: a traced program runs on one core of an Inferentia 2; leave it at 1")
        casts = ["--auto-cast", options.auto_cast, "--auto-cast-type", options.auto_cast_type]
        return ["--target", "inf2", "--model-type", "transformer", *casts]

    def compile_(network: Any, inputs: tuple[Any, Any], options: CompileOptions) -> Any:
        # Where there is no device, as on a build machine, the tracing goes by the CPU; the program is the same.
        elsewhere = {} if count_devices() else {"cpu_backend": True}
        return neuron.trace(network, inputs, compiler_args=arguments(options), **elsewhere)

    return TorchToolchain(
        "inf2", compile_, _placement(neuron), lambda: visible_cores(os.environ, count_devices() * 2),
        arguments, ("torch", "torch-neuronx", "neuronx-cc"),
    )  # fmt: skip


def _inf1() -> Toolchain:
    neuron = _neuron_package("torch_neuron", "torch-neuron", "inf1")

    def arguments(options: CompileOptions) -> list[str]:
        kinds = {
            ("matmult", "bf16"): "fp32-cast-matmult-bf16", ("matmult", "fp16"): "fp32-cast-matmult-fp16",
            ("all", "bf16"): "fp32-cast-all", ("all", "fp16"): "fp32-cast-all-fp16",
        }  # fmt: skip
        kind = "none" if options.auto_cast == "none" else kinds.get((options.auto_cast, options.auto_cast_type))
        if kind is None:
            raise ConfigurationError(f"--auto-cast-type: Inferentia 1 has no {options.auto_cast_type}; give bf16 or fp16")
        return ["--fast-math", kind, "--neuroncore-pipeline-cores", str(options.cores_each)]

    def compile_(network: Any, inputs: tuple[Any, Any], options: CompileOptions) -> Any:
        return neuron.trace(network, example_inputs=inputs, compiler_args=arguments(options))

    return TorchToolchain(
        "inf1", compile_, _placement(neuron), lambda: visible_cores(os.environ, count_devices() * 4),
        arguments, ("torch", "torch-neuron", "neuron-cc"),
    )  # fmt: skip


def _cpu_stand_in() -> Toolchain:
    """Named in every response, so that nobody takes it for an accelerator. It casts nothing."""
    torch = _torch()

    def compile_(network: Any, inputs: tuple[Any, Any], _options: CompileOptions) -> Any:
        return torch.jit.trace(network, inputs, check_trace=False)

    @contextmanager
    def placed(_cores: range) -> Iterator[None]:
        # As a core of an accelerator would: one run at a time, and none of it on another core.
        torch.set_num_threads(1)
        yield

    return TorchToolchain(
        STAND_IN, compile_, placed, lambda: visible_cores(os.environ, len(os.sched_getaffinity(0))), lambda _options: [], ("torch",)
    )


#: By target, the best first.
TOOLCHAINS: Final[dict[str, Callable[[], Toolchain]]] = {"inf2": _inf2, "inf1": _inf1, STAND_IN: _cpu_stand_in}


def open_toolchain(target: str) -> Toolchain:
    """The toolchain of a target, its packages imported.

    Raises:
        ConfigurationError: the target isn't known, or its packages aren't there.
    """
    make = TOOLCHAINS.get(target)
    if make is None:
        raise ConfigurationError(f"Neuron target {target!r}: there is none of that name; there are {', '.join(TOOLCHAINS)}")
    return make()


def _placement(neuron: Any) -> Callable[[range], AbstractContextManager[Any]]:
    def placed(cores: range) -> AbstractContextManager[Any]:
        context: AbstractContextManager[Any] = neuron.experimental.neuron_cores_context(start_nc=cores.start, nc_count=len(cores))
        return context

    return placed


def _neuron_package(module: str, package: str, target: str) -> Any:
    try:
        found = importlib.import_module(module)
    except ImportError as error:
        # The stub's own message, or what of the real one is missing; a path or a line number helps nobody here.
        reason = "isn't installed" if isinstance(error, ModuleNotFoundError) and error.name == module else f"says: {error}"
        raise ConfigurationError(f"{target} needs AWS's {package}, which {reason}. {_remedy(package)}") from None
    if not hasattr(found, "trace"):
        raise ConfigurationError(f"{target} needs AWS's {package}, but the {module} found here has no trace. {_remedy(package)}")
    return found


def _remedy(package: str) -> str:
    return (
        f"PyPI's package of that name is an empty stub: pip uninstall {package}, then "
        f"pip install {package} --extra-index-url {NEURON_INDEX}; see deploy/inferentia/README.md"
    )


def _torch() -> Any:
    try:
        return importlib.import_module("torch")
    except ImportError:
        raise ConfigurationError(
            "compiled programs need torch, which isn't installed: that of AWS's Neuron image or index on Inferentia, "
            "else pip install 'stream-detector[train]'"
        ) from None
