"""What a student is taught by: the labels, a teacher's softened answers, and a teacher's hidden states.

Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network" (2015): both sides' answers are softened by a
temperature, and the loss is multiplied by its square, so that its gradients keep their size beside the hard loss. The cosine
between last hidden states is DistilBERT's (Sanh et al., 2019).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

#: Softened probabilities are never nought, or their logarithm would be infinite.
_LEAST = 1e-8


@dataclass(frozen=True, slots=True)
class Distillation:
    """How a student is taught.

    Attributes:
        temperature: by which both sides' logits are divided.
        soft: share of the soft loss; the labels have the rest.
        hidden: weight of hidden-state matching; 0 leaves it out.
    """

    temperature: float = 2.0
    soft: float = 0.7
    hidden: float = 0.0


@dataclass(frozen=True, slots=True)
class Targets:
    """A teacher's answers to a batch: logits (batch,), tag probabilities (batch, length, classes)."""

    verdicts: Tensor
    tags: Tensor


def soft_verdict(logits: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Kullback-Leibler divergence of the softened window verdicts, from logits (batch,): nought where they agree."""
    target = torch.sigmoid(teacher / temperature)
    ours = functional.binary_cross_entropy_with_logits(logits / temperature, target)
    least = functional.binary_cross_entropy_with_logits(teacher / temperature, target)
    return (ours - least) * temperature**2


def soft_tags(tags: Tensor, teacher: Tensor, inside: Tensor, temperature: float) -> Tensor:
    """The same of the tags, mean over tokens.

    Args:
        tags: the student's logits, (batch, length, classes).
        teacher: the teacher's probabilities, (batch, length, classes).
        inside: (batch, length), true where there is a token with a label.
        temperature: a probability p counts as p^(1/temperature).
    """
    target = torch.softmax(teacher.clamp_min(_LEAST).log() / temperature, dim=-1)
    ours = torch.log_softmax(tags / temperature, dim=-1)
    divergence = (target * (target.clamp_min(_LEAST).log() - ours)).sum(dim=-1)
    return divergence[inside].mean() * temperature**2


def hidden_distance(hidden: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
    """One less the cosine between states (batch, length, width), mean over the tokens that `mask` (batch, length) has."""
    cosine = functional.cosine_similarity(hidden, teacher, dim=-1)
    return (1 - cosine)[mask.bool()].mean()
