"""The shapes of students, and how each begins: with evenly spread layers of a network that knows something already.

Taking every second layer of the teacher is how DistilBERT began (Sanh et al., "DistilBERT, a distilled version of BERT",
2019; its six were layers 0, 2, 4, 7, 9 and 11 of twelve). A student of another width can't take the teacher's layers and takes
MiniLM's (Wang et al., "MiniLM: Deep Self-Attention Distillation", 2020).
"""

from __future__ import annotations

import copy
from enum import StrEnum
from typing import Any

from torch import nn

from stream_detector.errors import ConfigurationError
from stream_detector.training.network import ContactNetwork


class Student(StrEnum):
    """Who learns: 6 layers as wide as the teacher, MiniLM (6 layers, 384 wide; the one that ships), 3 layers of it."""

    SIX_LAYER = "six-layer"
    MINILM = "minilm"
    THREE_LAYER = "three-layer"

    @property
    def layers(self) -> int:
        """How many it has."""
        return 3 if self is Student.THREE_LAYER else 6

    @property
    def from_teacher(self) -> bool:
        """Whether it begins with the teacher's layers."""
        return self is Student.SIX_LAYER


def spread(count: int, total: int) -> list[int]:
    """`count` of `total` layers, evenly, the first and the last among them.

    >>> spread(6, 12), spread(3, 6)
    ([0, 2, 4, 7, 9, 11], [0, 2, 5])
    """
    if not 1 < count <= total:
        raise ConfigurationError(f"a student of {count} layers can't be taken from a network of {total}")
    return [round(i * (total - 1) / (count - 1)) for i in range(count)]


def shortened(network: ContactNetwork, layers: int) -> ContactNetwork:
    """A copy with so many of a network's layers; embeddings and heads are the same."""
    short = copy.deepcopy(network)
    encoder: Any = short.encoder
    total: int = encoder.config.num_hidden_layers
    stack = next(m for m in encoder.modules() if isinstance(m, nn.ModuleList) and len(m) == total)
    kept = [stack[i] for i in spread(layers, total)]
    del stack[layers:]
    for place, layer in enumerate(kept):
        stack[place] = layer
    encoder.config.num_hidden_layers = layers
    return short
