"""The loop that every network is trained in, whatever its loss: warm-up, linear decay, clipping, checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from stream_detector.errors import ConfigurationError

Report = Callable[[str], None]

_Step = TypeVar("_Step")

#: Losses in the log are running means over about fifty steps.
_MEMORY = 0.98


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is fitted."""

    learning_rate: float = 1.2e-4
    weight_decay: float = 0.01
    clip: float = 1.0
    batch: int = 24
    warmup: float = 0.05
    epochs: int = 1
    seed: int = 7
    tag_weight: float = 1.0
    checkpoint_every: int = 200


@dataclass(frozen=True, slots=True)
class Loss:
    """What a step is to lower, and the parts of it that the log names."""

    total: Tensor
    parts: Mapping[str, Tensor]


def run(
    network: nn.Module,
    plan: Sequence[_Step],
    loss: Callable[[_Step], Loss],
    recipe: Recipe,
    *,
    identity: str,
    checkpoint: Path,
    report: Report,
    clipped: Sequence[nn.Module] = (),
) -> None:
    """Train a network, writing a checkpoint as it goes; goes on from one that is there.

    Args:
        network: changed in place.
        plan: what each step works on.
        loss: of one step.
        recipe: the hyper-parameters.
        identity: says which run this is; a checkpoint of another one is refused.
        checkpoint: the file.
        report: called with a line of progress.
        clipped: the parts whose gradients are clipped each on its own; the network as a whole if there are none.

    Raises:
        ConfigurationError: the checkpoint belongs to another recipe or other data.
    """
    optimizer = torch.optim.AdamW(_parameter_groups(network, recipe), lr=recipe.learning_rate, fused=True)
    steps = len(plan)
    warm = max(1, int(steps * recipe.warmup))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm, max(0.0, (steps - step) / (steps - warm + 1)))
    )
    done = resume(checkpoint, identity, network, optimizer, schedule)
    network.train()
    started = time.monotonic()
    means: dict[str, float] = {}
    for step in range(done, steps):
        found = loss(plan[step])
        found.total.backward()
        for part in clipped or (network,):
            nn.utils.clip_grad_norm_(part.parameters(), recipe.clip)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        for name, part_loss in found.parts.items():
            means[name] = _MEMORY * means.get(name, 0.0) + (1 - _MEMORY) * part_loss.item()
        if (step + 1) % 50 == 0:
            rate = (step + 1 - done) / (time.monotonic() - started)
            weight = 1 - _MEMORY ** (step + 1 - done)
            losses = " ".join(f"{name} loss {mean / weight:.4f}" for name, mean in means.items())
            report(f"step {step + 1}/{steps} {losses}, {(steps - step - 1) / rate / 60:.1f} min left")
        if (step + 1) % recipe.checkpoint_every == 0:
            save(checkpoint, identity, network, optimizer, schedule, step + 1)


def _parameter_groups(network: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    decayed = [p for p in network.parameters() if p.ndim > 1]
    plain = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": plain, "weight_decay": 0.0}]


def save(path: Path, identity: str, network: nn.Module, optimizer: Any, schedule: Any, step: int) -> None:
    """Write a checkpoint; a crash while it is written leaves the one before it."""
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


def resume(path: Path, identity: str, network: nn.Module, optimizer: Any, schedule: Any) -> int:
    """Take up a checkpoint where there is one, and say how many steps it has done."""
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
