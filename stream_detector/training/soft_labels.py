"""What a teacher says of every window, worked out once and kept.

A teacher of twelve layers takes longer over a window than the student takes to learn it, so its answers are kept in a folder
of compressed shards: the window's logit as float16, and per token the three likeliest tags with their log probabilities as
float16; what is left of the probability is shared evenly by the other tags. An interruption costs one shard.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stream_detector.errors import ConfigurationError
from stream_detector.training.dataset import TAGS, LabelledWindow, collate
from stream_detector.training.loop import Report
from stream_detector.training.network import ContactNetwork

_SHARD = 2048
_BATCH = 32
_TOP = 3
_IDENTITY = "identity.json"


@dataclass(frozen=True, slots=True)
class SoftLabels:
    """A teacher's answers to a list of windows.

    Attributes:
        identity: tells this teacher and these windows from others.
        logits: (windows,) float16.
        starts: (windows + 1,), where each window's tokens begin in the two below.
        tags: (tokens, 3) uint8, the likeliest tags.
        log_probabilities: (tokens, 3) float16, theirs.
    """

    identity: str
    logits: NDArray[np.float16]
    starts: NDArray[np.int64]
    tags: NDArray[np.uint8]
    log_probabilities: NDArray[np.float16]

    def verdicts(self, windows: Sequence[int]) -> Tensor:
        """The logits of some windows, (batch,)."""
        return torch.from_numpy(self.logits[list(windows)].astype(np.float32))

    def tag_probabilities(self, windows: Sequence[int], length: int) -> Tensor:
        """The tags' probabilities, (batch, length, classes), shifted by the special token; padding is evenly spread."""
        found = np.full((len(windows), length, len(TAGS)), 1 / len(TAGS), dtype=np.float32)
        for row, window in enumerate(windows):
            part = slice(self.starts[window], self.starts[window + 1])
            top = np.exp(self.log_probabilities[part].astype(np.float32))
            rest = np.clip(1 - top.sum(axis=1, keepdims=True), 0, 1) / (len(TAGS) - _TOP)
            dense = np.repeat(np.maximum(rest, 1e-7), len(TAGS), axis=1)
            np.put_along_axis(dense, self.tags[part].astype(np.int64), top, axis=1)
            found[row, 1 : len(dense) + 1] = dense / dense.sum(axis=1, keepdims=True)
        return torch.from_numpy(found)


def soft_labels(
    network: ContactNetwork,
    windows: Sequence[LabelledWindow],
    *,
    folder: Path,
    identity: str,
    special: tuple[int, int],
    report: Report,
) -> SoftLabels:
    """Ask a teacher about windows, or read what it said before; an interrupted call goes on where it stopped.

    Args:
        network: the teacher.
        windows: what it is asked about.
        folder: where the shards are kept.
        identity: tells this teacher and these windows from others.
        special: token numbers put before and after each window.
        report: called with a line of progress.

    Raises:
        ConfigurationError: the folder holds another teacher's labels or other windows'.
    """
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / _IDENTITY
    if note.is_file() and json.loads(note.read_text(encoding="utf-8")) != identity:
        raise ConfigurationError(f"{folder}: soft labels of another teacher or for other data; remove it to begin anew")
    note.write_text(json.dumps(identity), encoding="utf-8")
    network.eval()
    shards: list[dict[str, NDArray[Any]]] = []
    started, asked = time.monotonic(), 0
    for start in range(0, len(windows), _SHARD):
        file = folder / f"{start:08d}.npz"
        part = windows[start : start + _SHARD]
        if not file.is_file():
            answers = _ask(network, part, special)
            partial = file.with_suffix(".partial")
            with partial.open("wb") as stream:
                np.savez_compressed(stream, **answers)  # type: ignore[arg-type]  # numpy's stub has another argument in the way
            partial.replace(file)
            asked += len(part)
            rate = asked / (time.monotonic() - started)
            left = (len(windows) - start - len(part)) / rate / 60
            report(f"soft labels {start + len(part)}/{len(windows)}, {rate:.1f} windows/s, {left:.1f} min left")
        with np.load(file) as kept:
            shards.append(dict(kept))
    sizes = np.array([0, *(len(window.tokens) for window in windows)], dtype=np.int64)
    whole: dict[str, NDArray[Any]] = {name: np.concatenate([shard[name] for shard in shards]) for name in shards[0]}
    return SoftLabels(identity, whole["logits"], np.cumsum(sizes), whole["tags"], whole["log_probabilities"])


def _ask(network: ContactNetwork, windows: Sequence[LabelledWindow], special: tuple[int, int]) -> dict[str, NDArray[Any]]:
    """One shard: windows of like length together, answers in the windows' order."""
    logits = np.zeros(len(windows), dtype=np.float16)
    tags: list[NDArray[np.uint8]] = [np.zeros((0, _TOP), dtype=np.uint8)] * len(windows)
    likely: list[NDArray[np.float16]] = [np.zeros((0, _TOP), dtype=np.float16)] * len(windows)
    order = sorted(range(len(windows)), key=lambda i: len(windows[i].tokens))
    for start in range(0, len(order), _BATCH):
        group = order[start : start + _BATCH]
        batch = collate([windows[i] for i in group], special)
        with torch.inference_mode():
            verdicts, tagged = network(torch.from_numpy(batch.tokens), torch.from_numpy(batch.mask))
            best = torch.log_softmax(tagged, dim=-1).topk(_TOP, dim=-1)
        logits[group] = verdicts.numpy()
        for row, window in enumerate(group):
            inside = slice(1, len(windows[window].tokens) + 1)
            tags[window] = best.indices[row, inside].numpy().astype(np.uint8)
            likely[window] = best.values[row, inside].numpy().astype(np.float16)
    return {"logits": logits, "tags": np.concatenate(tags), "log_probabilities": np.concatenate(likely)}
