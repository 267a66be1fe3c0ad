"""Distillation: one student or several, from a fixed teacher, from several, or from each other.

offline: a teacher's answers are worked out once. multi-teacher: two or more teachers' answers are mixed, by the weights that
fit the development windows' labels best. online: there is no teacher; students learn together, each from the labels and from
the mean of all their answers (Zhang et al., "Deep Mutual Learning", 2018; Guo et al., "Online Knowledge Distillation via
Collaborative Learning", 2020).
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from stream_detector.training.dataset import Batch, LabelledWindow, collate, grouped
from stream_detector.training.distill_losses import Distillation, Targets, hidden_distance, soft_tags, soft_verdict
from stream_detector.training.fit import fingerprint, hard_losses
from stream_detector.training.loop import Loss, Recipe, Report, run
from stream_detector.training.network import ContactNetwork
from stream_detector.training.soft_labels import SoftLabels

_WEIGHT_STEPS = 10


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is taught, and how.

    Attributes:
        windows: the training set; what teachers said of them is in the same order.
        special: token numbers put before and after each window.
        recipe, distillation: the hyper-parameters.
        folder: where `checkpoint.pt` is written as it goes, and read if it is there.
        report: called with a line of progress.
    """

    windows: Sequence[LabelledWindow]
    special: tuple[int, int]
    recipe: Recipe
    distillation: Distillation
    folder: Path
    report: Report

    def batch(self, group: Sequence[int]) -> Batch:
        """Some of the windows, padded."""
        return collate([self.windows[i] for i in group], self.special)

    def run(self, learners: nn.Module, loss: Callable[[list[int]], Loss], **identity: object) -> None:
        """Train for all epochs."""
        recipe, seed = self.recipe, self.recipe.seed
        plan = [
            group for epoch in range(recipe.epochs) for group in grouped(self.windows, size=recipe.batch, rng=Random(seed + epoch))
        ]
        about = asdict(recipe) | asdict(self.distillation) | {"windows": fingerprint(self.windows), "steps": len(plan)} | identity
        run(
            learners,
            plan,
            loss,
            recipe,
            identity=json.dumps(about, sort_keys=True),
            checkpoint=self.folder / "checkpoint.pt",
            report=self.report,
            clipped=list(learners.children()),
        )


@dataclass(frozen=True, slots=True)
class Teaching:
    """What teachers say of the windows, and what each one's word weighs.

    Attributes:
        labels, weights: one for each teacher.
        states: the teacher whose hidden states are matched, if any are: it is asked anew in every step, because states are too
            large to keep.
    """

    labels: Sequence[SoftLabels]
    weights: Sequence[float]
    states: ContactNetwork | None = None

    def targets(self, windows: Sequence[int], length: int) -> Targets:
        """The mixed answers to some windows: logits are averaged, and so are the tags' probabilities."""
        pairs = list(zip(self.labels, self.weights, strict=True))
        return Targets(
            torch.stack([weight * labels.verdicts(windows) for labels, weight in pairs]).sum(dim=0),
            torch.stack([weight * labels.tag_probabilities(windows, length) for labels, weight in pairs]).sum(dim=0),
        )


def choose_weights(labels: Sequence[SoftLabels], windows: Sequence[LabelledWindow]) -> tuple[float, ...]:
    """The weights, in tenths, whose mixture fits the labels of development windows best (log loss of the window logit)."""
    everything = range(len(windows))
    logits = torch.stack([part.verdicts(everything) for part in labels])
    truth = torch.tensor([window.offends for window in windows], dtype=torch.float32)

    def log_loss(weights: tuple[float, ...]) -> float:
        mixed = (torch.tensor(weights)[:, None] * logits).sum(dim=0)
        return nn.functional.binary_cross_entropy_with_logits(mixed, truth).item()

    tenths = itertools.product(range(_WEIGHT_STEPS + 1), repeat=len(labels))
    return min((tuple(t / _WEIGHT_STEPS for t in parts) for parts in tenths if sum(parts) == _WEIGHT_STEPS), key=log_loss)


def distill(student: ContactNetwork, teaching: Teaching, lesson: Lesson) -> None:
    """Teach a student, which is changed in place; goes on from a checkpoint that is there."""
    distillation, tag_weight = lesson.distillation, lesson.recipe.tag_weight
    torch.manual_seed(lesson.recipe.seed)
    learners = nn.ModuleDict({"student": student})
    projection: nn.Module = nn.Identity()
    if teaching.states is not None:
        teaching.states.eval().requires_grad_(requires_grad=False)
        projection = _projection(student, teaching.states)
        if isinstance(projection, nn.Linear):
            learners["projection"] = projection

    def loss(group: list[int]) -> Loss:
        batch = lesson.batch(group)
        tokens, mask = torch.from_numpy(batch.tokens), torch.from_numpy(batch.mask)
        hidden = student.hidden(tokens, mask)
        logits, tags = student.heads(hidden, mask)
        parts = taught(logits, tags, batch, teaching.targets(group, tokens.shape[1]), distillation)
        total = parts["window"] + tag_weight * parts["tag"]
        if teaching.states is not None:
            with torch.no_grad():
                theirs = teaching.states.hidden(tokens, mask)
            parts["hidden"] = hidden_distance(projection(hidden), theirs, mask)
            total = total + distillation.hidden * parts["hidden"]
        return Loss(total, parts)

    asked = {labels.identity: weight for labels, weight in zip(teaching.labels, teaching.weights, strict=True)}
    lesson.run(learners, loss, student=_shape(student), teachers=asked)


def distill_together(students: Mapping[str, ContactNetwork], lesson: Lesson) -> None:
    """Let students, which are changed in place, learn from the labels and from their ensemble's mean answer."""
    torch.manual_seed(lesson.recipe.seed)
    learners: Any = nn.ModuleDict(students)

    def loss(group: list[int]) -> Loss:
        batch = lesson.batch(group)
        tokens, mask = torch.from_numpy(batch.tokens), torch.from_numpy(batch.mask)
        answers = {name: student(tokens, mask) for name, student in learners.items()}
        with torch.no_grad():
            ensemble = Targets(
                torch.stack([logits for logits, _ in answers.values()]).mean(dim=0),
                torch.stack([torch.softmax(tags, dim=-1) for _, tags in answers.values()]).mean(dim=0),
            )
        totals: list[Tensor] = []
        parts: dict[str, Tensor] = {}
        for name, (logits, tags) in answers.items():
            own = taught(logits, tags, batch, ensemble, lesson.distillation)
            totals.append(own["window"] + lesson.recipe.tag_weight * own["tag"])
            parts |= {f"{name} {part}": value for part, value in own.items()}
        return Loss(torch.stack(totals).sum(), parts)

    lesson.run(learners, loss, students=[_shape(student) for student in students.values()])


def taught(logits: Tensor, tags: Tensor, batch: Batch, targets: Targets, distillation: Distillation) -> dict[str, Tensor]:
    """Both heads' losses, hard and soft together: logits (batch,), tags (batch, length, classes)."""
    hard_window, hard_tag = hard_losses(logits, tags, batch)
    inside = torch.from_numpy(batch.tags >= 0)
    soft_window = soft_verdict(logits, targets.verdicts, distillation.temperature)
    soft_tag = soft_tags(tags, targets.tags, inside, distillation.temperature)
    soft = distillation.soft
    return {"window": (1 - soft) * hard_window + soft * soft_window, "tag": (1 - soft) * hard_tag + soft * soft_tag}


def _projection(student: ContactNetwork, teacher: ContactNetwork) -> nn.Module:
    """From the student's width to the teacher's; it is thrown away afterwards."""
    ours, theirs = (network.tagger.in_features for network in (student, teacher))
    return nn.Identity() if ours == theirs else nn.Linear(ours, theirs, bias=False)


def _shape(network: ContactNetwork) -> list[int]:
    encoder: Any = network.encoder
    return [encoder.config.num_hidden_layers, network.tagger.in_features]
