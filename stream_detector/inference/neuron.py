"""AWS Inferentia: programs compiled for fixed shapes, a copy of each on every core.

The scheduler fills the shapes, the dispatcher pads what is left and asks for as many runs at once as there are cores; `run`
picks the program by the shape of the arrays and takes whichever core is free.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from stream_detector.batching import Shape
from stream_detector.errors import ArtefactError, ConfigurationError
from stream_detector.inference.artefact import Manifest
from stream_detector.inference.compiled import programs_folder, verify_programs
from stream_detector.inference.toolchains import Program, Toolchain


class NeuronNetwork:
    """Runs an artefact's compiled programs on the cores that this process may use.

    Args:
        folder: the artefact.
        manifest: what it says of itself.
        toolchain: loads the programs of its target.
        threads: cores (or groups of them, where a program takes several) to use at most; 0: all.

    Raises:
        ArtefactError: programs are missing, altered, of another export, too short, or can't be loaded.
        ConfigurationError: there is no core.
    """

    def __init__(self, folder: Path, manifest: Manifest, toolchain: Toolchain, *, threads: int = 0) -> None:
        programs = verify_programs(folder, manifest, toolchain.target)
        groups = _groups(toolchain.cores(), programs.cores_each, threads)
        self.limits = programs.limits
        self.sessions = len(groups)
        self._target = toolchain.target
        where = programs_folder(folder, toolchain.target)
        self._free: SimpleQueue[dict[Shape, Program]] = SimpleQueue()
        # One after the other: placing is not safe to do from several threads.
        for cores in groups:
            self._free.put({bucket.shape: _load(toolchain, where / bucket.file, cores) for bucket in programs.buckets})

    @property
    def name(self) -> str:
        """Says "neuron", the target, and how many runs go on side by side."""
        return f"neuron-{self._target}-{self.sessions}"

    def run(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Run some windows on the next free core; waits for one if more threads ask than there are cores.

        Raises:
            ArtefactError: no program is compiled for the shape of the arrays.
        """
        shape = Shape(*ids.shape)
        if shape not in self.limits.shapes:
            raise ArtefactError(f"no program for {shape.rows} rows of {shape.length} tokens; compile one: --lengths, --rows")
        core = self._free.get()
        try:
            return core[shape](ids, mask)
        finally:
            self._free.put(core)


def _groups(cores: int, each: int, most: int) -> Sequence[range]:
    count = cores // each
    if not count:
        raise ConfigurationError(
            f"backend neuron: a program takes {each} cores, but this process may use {cores}; widen NEURON_RT_VISIBLE_CORES "
            "or NEURON_RT_NUM_CORES, or compile with a smaller --cores-each"
        )
    return [range(at * each, (at + 1) * each) for at in range(min(count, most or count))]


def _load(toolchain: Toolchain, file: Path, cores: range) -> Program:
    try:
        return toolchain.load(file, cores)
    except (RuntimeError, OSError, ValueError) as error:
        raise ArtefactError(
            f"{file}: can't be loaded on {toolchain.target} ({type(error).__name__}); compile it with the packages that are "
            "installed here, and see that no other process holds the cores"
        ) from error
