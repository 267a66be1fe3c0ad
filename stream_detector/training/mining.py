"""Hard examples: of many composed texts, those that a model gets wrong or isn't sure of.

After a first pass most composed texts teach nothing any more. As in bootstrapping for detectors (Sung and Poggio, 1998; "hard
negative mining"), a second, shorter pass is spent on what the shipped form of the network still gets wrong, beside as many
texts taken at random so that what is right stays right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from random import Random

from stream_detector.detection import Detector
from stream_detector.settings import Settings
from stream_detector.training.corpus.compose import Sample

_CHUNK = 512


def hardest(samples: Sequence[Sample], folder: Path, *, keep: int, seed: int) -> list[Sample]:
    """Half of `keep` are the samples with the largest loss under an artefact, half are others at random; shuffled.

    Args:
        samples: composed texts.
        folder: the artefact.
        keep: how many to return at most.
        seed: of the random half and of the order.
    """
    with Detector.load(Settings(model=str(folder))) as detector:
        threshold = detector.manifest.threshold
        losses: list[float] = []
        for start in range(0, len(samples), _CHUNK):
            chunk = samples[start : start + _CHUNK]
            verdicts = detector.verdicts([sample.text for sample in chunk])
            losses += [_loss(v.probability, threshold, offends=s.offends) for v, s in zip(verdicts, chunk, strict=True)]
    order = sorted(range(len(samples)), key=lambda i: -losses[i])
    half = keep // 2
    rng = Random(seed)
    chosen = order[:half] + rng.sample(order[half:], min(half, len(order[half:])))
    rng.shuffle(chosen)
    return [samples[i] for i in chosen]


def _loss(probability: float, threshold: float, *, offends: bool) -> float:
    """How far, in logits, a verdict is on the wrong side of the threshold; negative on the right one."""
    distance = _logit(probability) - _logit(threshold)
    return -distance if offends else distance


def _logit(probability: float) -> float:
    clipped = min(max(probability, 1e-12), 1 - 1e-12)
    return math.log(clipped / (1 - clipped))
