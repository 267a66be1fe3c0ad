"""Fine-tuning: binary cross-entropy on windows, cross-entropy on tokens, one pass over fresh samples."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import nn

from stream_detector.errors import ConfigurationError
from stream_detector.training.dataset import Batch, LabelledWindow, batches
from stream_detector.training.network import ContactNetwork


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is fitted."""

    learning_rate: float = 2e-4
    weight_decay: float = 0.01
    clip: float = 1.0
    batch: int = 32
    warmup: float = 0.05
    epochs: int = 1
    seed: int = 7
    tag_weight: float = 1.0
    checkpoint_every: int = 200


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
    groups = _parameter_groups(network, recipe)
    optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate)
    plan = [batch for epoch in range(recipe.epochs) for batch in _epoch(windows, recipe, epoch, special)]
    steps = len(plan)
    warm = max(1, int(steps * recipe.warmup))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm, max(0.0, (steps - step) / (steps - warm + 1)))
    )
    identity = json.dumps(asdict(recipe) | {"steps": steps, "windows": _fingerprint(windows)}, sort_keys=True)
    done = _resume(folder / "checkpoint.pt", identity, network, optimizer, schedule)
    network.train()
    started, losses = time.monotonic(), [0.0, 0.0]
    for step in range(done, steps):
        verdict, tag = _loss(network, plan[step])
        (verdict + recipe.tag_weight * tag).backward()
        nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        losses = [0.98 * losses[0] + 0.02 * verdict.item(), 0.98 * losses[1] + 0.02 * tag.item()]
        if (step + 1) % 50 == 0:
            rate = (step + 1 - done) / (time.monotonic() - started)
            weight = 1 - 0.98 ** (step + 1 - done)
            report(
                f"step {step + 1}/{steps} window loss {losses[0] / weight:.4f} tag loss {losses[1] / weight:.4f}, {(steps - step - 1) / rate / 60:.1f} min left"
            )
        if (step + 1) % recipe.checkpoint_every == 0:
            _save(folder / "checkpoint.pt", identity, network, optimizer, schedule, step + 1)


def _fingerprint(windows: Sequence[LabelledWindow]) -> int:
    """Tells one training set from another."""
    checksum = 0
    for window in windows:
        checksum = zlib.crc32(window.tags, zlib.crc32(window.tokens.tobytes(), checksum))
    return checksum


def _epoch(windows: Sequence[LabelledWindow], recipe: Recipe, epoch: int, special: tuple[int, int]) -> list[Batch]:
    return list(batches(windows, size=recipe.batch, rng=Random(recipe.seed + epoch), special=special))


def _loss(network: ContactNetwork, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    logits, tags = network(torch.from_numpy(batch.tokens), torch.from_numpy(batch.mask))
    verdict = nn.functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(batch.labels))
    tag = nn.functional.cross_entropy(tags.flatten(0, 1), torch.from_numpy(batch.tags).flatten(), ignore_index=-100)
    return verdict, tag


def _parameter_groups(network: ContactNetwork, recipe: Recipe) -> list[dict[str, Any]]:
    decayed = [p for p in network.parameters() if p.ndim > 1]
    plain = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": plain, "weight_decay": 0.0}]


def _save(path: Path, identity: str, network: nn.Module, optimizer: Any, schedule: Any, step: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "identity": identity,
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(),
        "step": step,
    }
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def _resume(path: Path, identity: str, network: nn.Module, optimizer: Any, schedule: Any) -> int:
    if not path.is_file():
        return 0
    state = torch.load(path, weights_only=True)
    if state["identity"] != identity:
        raise ConfigurationError(f"{path}: made with another recipe or other data; remove it to begin anew")
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    step: int = state["step"]
    return step
