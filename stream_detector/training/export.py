"""From a checkpoint to an artefact: ONNX, fused, int8, calibrated, with a manifest."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from onnxruntime.transformers.fusion_options import FusionOptions
from tokenizers import Tokenizer

from stream_detector.inference.artefact import GRAPH, MANIFEST, TOKENIZER, Calibration, Manifest, WindowShape, sha256
from stream_detector.training.dataset import TAGS
from stream_detector.training.network import ContactNetwork

_OPSET = 17


@dataclass(frozen=True, slots=True)
class Versions:
    """What the artefact calls itself."""

    model_code: str
    model_version: str
    refresh_version: str
    model_segment: str = "SUPPLY"


def export_graph(network: ContactNetwork, destination: Path) -> None:
    """Write a network as a fused int8 ONNX graph.

    Per-channel weights; 7 of 8 bits (`reduce_range`), because on processors without VNNI the 8-bit multiply saturates and
    a verdict would depend on the machine.
    """
    network.eval()
    heads = network.encoder.config.num_attention_heads
    width = network.encoder.config.hidden_size
    with tempfile.TemporaryDirectory() as scratch:
        plain, fused = Path(scratch, "plain.onnx"), Path(scratch, "fused.onnx")
        ids = torch.randint(1000, 2000, (2, 16))
        axes = {0: "batch", 1: "length"}
        torch.onnx.export(
            network,
            (ids, torch.ones_like(ids)),
            str(plain),
            input_names=["input_ids", "attention_mask"],
            output_names=["logit", "tags"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "logit": {0: "batch"}, "tags": axes},
            opset_version=_OPSET,
            dynamo=False,
        )
        options = FusionOptions("bert")
        model = optimizer.optimize_model(str(plain), model_type="bert", num_heads=heads, hidden_size=width, opt_level=1, optimization_options=options)
        model.save_model_to_file(str(fused))
        quantize_dynamic(
            str(fused),
            str(destination),
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )


def platt(logits: NDArray[np.float64], labels: NDArray[np.bool_], *, prior: float) -> Calibration:
    """Fit probability = sigmoid(slope * logit + intercept) at a given share of violations.

    The development set holds many more violations than the stream does, so examples are weighted until violations make up
    `prior` of the weight (Platt 1999; Elkan 2001 on priors). Newton's method on the weighted log loss.
    """
    positive = labels.mean()
    weights = np.where(labels, prior / positive, (1 - prior) / (1 - positive))
    design = np.stack([logits, np.ones_like(logits)], axis=1)
    theta = np.array([1.0, 0.0])
    for _ in range(100):
        p = 1 / (1 + np.exp(-np.clip(design @ theta, -40, 40)))
        gradient = design.T @ (weights * (p - labels)) + 1e-4 * theta
        hessian = (design * (weights * p * (1 - p))[:, None]).T @ design + 1e-4 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        theta -= np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-8:
            break
    return Calibration(slope=float(max(theta[0], 1e-3)), intercept=float(theta[1]))


def write_manifest(
    folder: Path,
    versions: Versions,
    *,
    calibration: Calibration,
    threshold: float,
    window: WindowShape,
    evaluation: Mapping[str, Any],
) -> Manifest:
    """Write model.json with the checksums of the files that stand in the folder."""
    manifest = Manifest(
        format_version=1,
        model_code=versions.model_code,
        model_version=versions.model_version,
        refresh_version=versions.refresh_version,
        model_segment=versions.model_segment,
        threshold=threshold,
        calibration=calibration,
        window=window,
        tags=TAGS,
        files={name: sha256(folder / name) for name in (GRAPH, TOKENIZER)},
        evaluation=evaluation,
    )
    text = json.dumps(manifest.model_dump(mode="json", by_alias=True), indent=2, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
    return manifest


def write_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Write tokenizer.json."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / TOKENIZER), pretty=False)


def copy_graph(source: Path, folder: Path) -> None:
    """Put a graph into an artefact's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, folder / GRAPH)
