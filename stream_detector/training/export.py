"""From a checkpoint to an artefact: ONNX, fused, int8, calibrated, with a manifest."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from onnxruntime.transformers.fusion_options import FusionOptions
from tokenizers import Tokenizer

from stream_detector.inference.artefact import GRAPH, MANIFEST, TOKENIZER, Calibration, Manifest, WindowShape, sha256
from stream_detector.observability.drift import Reference
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


class Precision(StrEnum):
    """How a graph's weights are kept. INT8_REDUCED ships; the others are for comparison.

    INT8_REDUCED uses 7 of the 8 bits, because on processors without VNNI the 8-bit multiply saturates, and a verdict would
    depend on the machine.
    """

    FP32 = "fp32"
    INT8 = "int8"
    INT8_REDUCED = "int8-reduced"


def export_graph(network: ContactNetwork, destination: Path, precision: Precision = Precision.INT8_REDUCED) -> None:
    """Write a network as a fused ONNX graph, quantized with one scale a channel."""
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
        model = optimizer.optimize_model(
            str(plain), model_type="bert", num_heads=heads, hidden_size=width, opt_level=1, optimization_options=options
        )
        model.save_model_to_file(str(destination if precision is Precision.FP32 else fused))
        if precision is Precision.FP32:
            return
        quantize_dynamic(
            str(fused),
            str(destination),
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=precision is Precision.INT8_REDUCED,
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )


def write_manifest(
    folder: Path,
    versions: Versions,
    *,
    calibration: Calibration,
    threshold: float,
    window: WindowShape,
    evaluation: Mapping[str, Any],
    reference: Reference | None = None,
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
        reference=reference,
    )
    text = json.dumps(
        manifest.model_dump(mode="json", by_alias=True, exclude={"reference"} if reference is None else None),
        indent=2,
        ensure_ascii=False,
    )
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
    return manifest


def write_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Write tokenizer.json."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / TOKENIZER), pretty=False)
