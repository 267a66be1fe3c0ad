"""Which hardware reads the windows: what the setting `backend` means on this machine."""

from __future__ import annotations

from pathlib import Path

import structlog

from stream_detector.errors import ArtefactError, ConfigurationError
from stream_detector.inference.artefact import Manifest
from stream_detector.inference.backend import Backend, Network
from stream_detector.inference.compiled import compiled_targets
from stream_detector.inference.cores import count_devices
from stream_detector.inference.dispatcher import Dispatcher
from stream_detector.inference.neuron import NeuronNetwork
from stream_detector.inference.onnx import OnnxNetwork
from stream_detector.inference.toolchains import STAND_IN, TOOLCHAINS, open_toolchain
from stream_detector.observability import Metrics
from stream_detector.settings import BackendChoice, Settings

_log = structlog.get_logger()


def open_backend(
    settings: Settings, folder: Path, manifest: Manifest, *, special: tuple[int, int], metrics: Metrics | None = None
) -> Backend:
    """The backend that the settings ask for.

    Args:
        settings: backend, inference_threads and promise_ms are read.
        folder: the artefact.
        manifest: what it says of itself.
        special: the token numbers put before and after each window.
        metrics: where runs are counted.

    Raises:
        ArtefactError: the artefact can't be run by it.
        ConfigurationError: its packages, programs or cores are missing.
    """
    network = _network(settings, folder, manifest)
    return Dispatcher(network, special=special, promise_s=settings.promise_ms / 1000, metrics=metrics)


def _network(settings: Settings, folder: Path, manifest: Manifest) -> Network:
    if settings.backend is BackendChoice.NEURON or (settings.backend is BackendChoice.AUTO and _offers_neuron(folder)):
        return _neuron(settings, folder, manifest)
    return OnnxNetwork(folder, threads=settings.inference_threads)


def _offers_neuron(folder: Path) -> bool:
    """Whether there is a device and the artefact has programs for one; a device without programs is worth a warning."""
    if not count_devices():
        return False
    if any(target != STAND_IN for target in _targets(folder)):
        return True
    _log.warning("neuron_device_unused", reason="the model has no compiled programs", remedy="stream-detector train compile-neuron")
    return False


def _targets(folder: Path) -> list[str]:
    """The targets that the artefact has programs for, the best first; the stand-in, which is for trying things out, last."""
    compiled = compiled_targets(folder)
    return [target for target in TOOLCHAINS if target in compiled]


def _neuron(settings: Settings, folder: Path, manifest: Manifest) -> Network:
    targets = _targets(folder)
    if not targets:
        raise ArtefactError(
            f"{folder}: the model has no programs for Neuron; make them with "
            f"stream-detector train compile-neuron {folder} --target inf2, or set backend to onnx"
        )
    # Where there are programs for an accelerator, the stand-in doesn't take its place.
    faults = []
    for target in [target for target in targets if target != STAND_IN] or targets:
        try:
            toolchain = open_toolchain(target)
        except ConfigurationError as error:
            faults.append(str(error))
        else:
            return NeuronNetwork(folder, manifest, toolchain, threads=settings.inference_threads)
    raise ConfigurationError("; ".join(faults))
