"""A network small enough to be fitted in a second."""

from __future__ import annotations

from array import array
from random import Random
from typing import Any, Final

import torch

from stream_detector.training.dataset import LabelledWindow
from stream_detector.training.network import ContactNetwork

#: The export traces with token numbers up to 2,000.
CONFIG: Final[dict[str, Any]] = {
    "model_type": "bert",
    "vocab_size": 2048,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
SPECIAL: Final = (1, 2)


def network(seed: int = 1) -> ContactNetwork:
    """An untrained network, the same for the same seed."""
    torch.manual_seed(seed)
    return ContactNetwork.from_config(CONFIG)


def windows(count: int, seed: int = 3) -> list[LabelledWindow]:
    """A task that can be learnt: a window offends if it holds token 7, which is tagged."""
    rng = Random(seed)
    made = []
    for number in range(count):
        tokens = [rng.randrange(10, 2000) for _ in range(rng.randrange(4, 20))]
        offends = number % 2 == 0
        if offends:
            tokens[rng.randrange(len(tokens))] = 7
        made.append(LabelledWindow(array("i", tokens), bytes(int(token == 7) for token in tokens), offends, number))
    return made
