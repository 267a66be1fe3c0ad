"""Fine-tuning: binary cross-entropy on windows, cross-entropy on tokens, one pass over fresh samples."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from stream_detector.training.dataset import Batch, LabelledWindow, batches
from stream_detector.training.loop import Loss, Recipe, run
from stream_detector.training.network import ContactNetwork

__all__ = ["Recipe", "fingerprint", "fit", "hard_losses"]


def fit(
    network: ContactNetwork,
    windows: Sequence[LabelledWindow],
    recipe: Recipe,
    *,
    folder: Path,
    special: tuple[int, int],
    report: Any = print,
) -> None:
    """Fit a network, writing `checkpoint.pt` as it goes; goes on from one that is there.

    Args:
        network: changed in place.
        windows: the training set.
        recipe: the hyper-parameters; a checkpoint made with others is refused.
        folder: where the checkpoint stands.
        special: token numbers put before and after each window.
        report: called with a line of progress.

    Raises:
        ConfigurationError: the checkpoint belongs to another recipe or other data.
    """
    torch.manual_seed(recipe.seed)
    plan = [batch for epoch in range(recipe.epochs) for batch in _epoch(windows, recipe, epoch, special)]
    identity = json.dumps(asdict(recipe) | {"steps": len(plan), "windows": fingerprint(windows)}, sort_keys=True)

    def loss(batch: Batch) -> Loss:
        verdict, tag = _loss(network, batch)
        return Loss(verdict + recipe.tag_weight * tag, {"window": verdict, "tag": tag})

    run(network, plan, loss, recipe, identity=identity, checkpoint=folder / "checkpoint.pt", report=report)


def fingerprint(windows: Sequence[LabelledWindow]) -> int:
    """Tells one training set from another."""
    checksum = 0
    for window in windows:
        checksum = zlib.crc32(window.tags, zlib.crc32(window.tokens.tobytes(), checksum))
    return checksum


def hard_losses(logits: Tensor, tags: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """The losses of both heads against the labels: logits (batch,), tags (batch, length, classes)."""
    verdict = nn.functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(batch.labels))
    tag = nn.functional.cross_entropy(tags.flatten(0, 1), torch.from_numpy(batch.tags).flatten(), ignore_index=-100)
    return verdict, tag


def _epoch(windows: Sequence[LabelledWindow], recipe: Recipe, epoch: int, special: tuple[int, int]) -> list[Batch]:
    return list(batches(windows, size=recipe.batch, rng=Random(recipe.seed + epoch), special=special))


def _loss(network: ContactNetwork, batch: Batch) -> tuple[Tensor, Tensor]:
    logits, tags = network(torch.from_numpy(batch.tokens), torch.from_numpy(batch.mask))
    return hard_losses(logits, tags, batch)
