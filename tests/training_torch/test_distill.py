"""Distillation: losses that are nought where both agree, students that learn from teachers and from each other."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from stream_detector.training.dataset import collate
from stream_detector.training.distill import Lesson, Teaching, choose_weights, distill, distill_together
from stream_detector.training.distill_losses import Distillation, hidden_distance, soft_tags, soft_verdict
from stream_detector.training.fit import Recipe, fit
from stream_detector.training.network import ContactNetwork
from stream_detector.training.soft_labels import SoftLabels, soft_labels
from tests.training_torch import tiny

_WINDOWS = tiny.windows(320)
_RECIPE = Recipe(batch=16, learning_rate=5e-3, epochs=6, checkpoint_every=1000)
_DISTILLATION = Distillation()


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> ContactNetwork:
    """Knows the task."""
    network = tiny.network()
    folder = tmp_path_factory.mktemp("fit")
    fit(network, _WINDOWS, _RECIPE, folder=folder, special=tiny.SPECIAL, report=lambda _: None)
    return network.eval()


def _labels(network: ContactNetwork, folder: Path) -> SoftLabels:
    return soft_labels(network, _WINDOWS, folder=folder, identity=str(folder), special=tiny.SPECIAL, report=lambda _: None)


def _lesson(folder: Path, distillation: Distillation = _DISTILLATION, recipe: Recipe = _RECIPE) -> Lesson:
    return Lesson(_WINDOWS, tiny.SPECIAL, recipe, distillation, folder, lambda _: None)


def _share_right(network: ContactNetwork) -> float:
    batch = collate(tiny.windows(60, seed=4), tiny.SPECIAL)
    network.eval()
    with torch.no_grad():
        logits, _ = network(torch.from_numpy(batch.tokens), torch.from_numpy(batch.mask))
    return float(((logits > 0).numpy() == batch.labels.astype(bool)).mean())


@pytest.mark.parametrize("temperature", [1.0, 2.0, 5.0])
def test_soft_losses_are_nought_where_student_and_teacher_agree(temperature: float) -> None:
    """And more than that where they don't."""
    logits, tags = torch.randn(4), torch.randn(4, 6, 8)
    inside = torch.ones(4, 6, dtype=torch.bool)
    said = torch.softmax(tags, dim=-1)
    assert soft_verdict(logits, logits, temperature).item() == pytest.approx(0, abs=1e-5)
    assert soft_tags(tags, said, inside, temperature).item() == pytest.approx(0, abs=1e-4)
    assert soft_verdict(logits + 1, logits, temperature).item() > 0.01
    assert soft_tags(tags.flip(-1), said, inside, temperature).item() > 0.01


def test_temperature_keeps_the_size_of_gradients() -> None:
    """The square of the temperature makes up for the division of both logits."""

    def gradient(temperature: float) -> float:
        logits = torch.zeros(1, requires_grad=True)
        soft_verdict(logits, torch.tensor([0.2]), temperature).backward()
        grad = logits.grad
        assert isinstance(grad, Tensor)
        return float(grad)

    assert gradient(4.0) == pytest.approx(gradient(1.0), rel=0.05)


def test_hidden_states_are_compared_by_direction() -> None:
    """Length doesn't count, nor does padding."""
    states, mask = torch.randn(2, 5, 8), torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    noisy = states.clone()
    noisy[0, 3:] = 9
    assert hidden_distance(3 * noisy, states, mask).item() == pytest.approx(0, abs=1e-6)
    assert hidden_distance(-states, states, mask).item() == pytest.approx(2, abs=1e-6)


@pytest.mark.parametrize("hidden", [0.0, 0.5], ids=["answers", "answers and states"])
def test_a_student_learns_from_a_teacher_alone(teacher: ContactNetwork, tmp_path: Path, hidden: float) -> None:
    """No label is shown; half as wide, it needs a projection to match states."""
    torch.manual_seed(2)
    student = ContactNetwork.from_config(tiny.CONFIG | {"hidden_size": 16})
    teaching = Teaching([_labels(teacher, tmp_path / "soft")], [1.0], teacher if hidden else None)
    distill(student, teaching, _lesson(tmp_path, Distillation(soft=1.0, hidden=hidden)))
    assert _share_right(student) > 0.9


def test_a_resumed_lesson_ends_like_an_unbroken_one(teacher: ContactNetwork, tmp_path: Path) -> None:
    """Checkpoints are the loop's, as in fitting."""
    teaching = Teaching([_labels(teacher, tmp_path / "soft")], [1.0])
    recipe = Recipe(batch=16, checkpoint_every=15)
    unbroken, begun, resumed = (tiny.network(seed) for seed in (5, 5, 6))
    distill(unbroken, teaching, _lesson(tmp_path / "a", recipe=recipe))
    distill(begun, teaching, _lesson(tmp_path / "b", recipe=recipe))
    distill(resumed, teaching, _lesson(tmp_path / "b", recipe=recipe))  # takes up step 15 of 20
    for one, other in zip(unbroken.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_the_better_teacher_weighs_more(teacher: ContactNetwork, tmp_path: Path) -> None:
    """On labels that one knows and the other doesn't; weights are tenths that sum to one."""
    weights = choose_weights([_labels(tiny.network(9), tmp_path / "a"), _labels(teacher, tmp_path / "b")], _WINDOWS)
    assert sum(weights) == pytest.approx(1)
    assert weights[1] > 0.8


def test_teachers_are_mixed(teacher: ContactNetwork, tmp_path: Path) -> None:
    """Logits and tag probabilities by weight."""
    one, other = _labels(teacher, tmp_path / "a"), _labels(tiny.network(9), tmp_path / "b")
    mixed = Teaching([one, other], [0.25, 0.75]).targets([1, 2], 30)
    assert torch.allclose(mixed.verdicts, 0.25 * one.verdicts([1, 2]) + 0.75 * other.verdicts([1, 2]))
    assert torch.allclose(mixed.tags.sum(dim=-1), torch.ones(2, 30), atol=1e-5)


def test_students_learn_together(tmp_path: Path) -> None:
    """Both end able."""
    pair = {"one": tiny.network(1), "other": tiny.network(2)}
    distill_together(pair, _lesson(tmp_path, Distillation(soft=0.5)))
    assert all(_share_right(student) > 0.9 for student in pair.values())
