"""Fitting: it learns, and an interruption costs nothing but the steps since the last checkpoint."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from stream_detector.errors import ConfigurationError
from stream_detector.training import fit as fitting
from stream_detector.training import loop
from stream_detector.training.dataset import collate
from stream_detector.training.fit import Recipe, fit
from stream_detector.training.network import ContactNetwork
from tests.training_torch import tiny

_RECIPE = Recipe(batch=8, checkpoint_every=3, learning_rate=1e-3)


class _StoppedError(Exception):
    """Stands for a power cut."""


def _fit(network: ContactNetwork, folder: Path, recipe: Recipe = _RECIPE, count: int = 80) -> list[str]:
    lines: list[str] = []
    fit(network, tiny.windows(count), recipe, folder=folder, special=tiny.SPECIAL, report=lines.append)
    return lines


def _same(left: ContactNetwork, right: ContactNetwork) -> bool:
    return all(torch.equal(a, b) for a, b in zip(left.state_dict().values(), right.state_dict().values(), strict=True))


@pytest.fixture
def stop_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run ends in the middle of its fifth step: two steps after the checkpoint of the third are lost."""
    steps = iter(range(100))
    loss = fitting._loss

    def _loss(network: ContactNetwork, batch: fitting.Batch) -> tuple[torch.Tensor, torch.Tensor]:
        if next(steps) == 4:
            raise _StoppedError
        return loss(network, batch)

    monkeypatch.setattr(fitting, "_loss", _loss)


def test_a_resumed_run_ends_like_an_unbroken_one(tmp_path: Path, stop_at: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weight for weight: data, schedule and optimizer go on where the checkpoint left them, in a network that began anew."""
    with pytest.raises(_StoppedError):
        _fit(tiny.network(), tmp_path / "broken")
    monkeypatch.undo()
    resumed, unbroken = tiny.network(seed=99), tiny.network()
    _fit(resumed, tmp_path / "broken")
    _fit(unbroken, tmp_path / "unbroken")
    assert _same(resumed, unbroken)
    assert not _same(resumed, tiny.network())


def test_a_finished_run_is_not_run_again(tmp_path: Path) -> None:
    """Ten steps and a checkpoint at the last: what was fitted is loaded, nothing is learnt twice."""
    recipe = Recipe(batch=8, checkpoint_every=10)
    first, second = tiny.network(), tiny.network(seed=99)
    _fit(first, tmp_path, recipe)
    _fit(second, tmp_path, recipe)
    assert _same(first, second)


@pytest.mark.parametrize(
    ("recipe", "count"),
    [(Recipe(batch=8, checkpoint_every=3, learning_rate=2e-3), 80), (Recipe(batch=8, checkpoint_every=3, learning_rate=1e-3, seed=8), 80), (_RECIPE, 96)],
    ids=["learning rate", "seed", "data"],
)  # fmt: skip
def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path, recipe: Recipe, count: int) -> None:
    """Going on with another recipe or more data would be neither run; the error names the file and the remedy."""
    _fit(tiny.network(), tmp_path)
    with pytest.raises(ConfigurationError, match=r"checkpoint\.pt: made with another recipe or other data; remove it"):
        _fit(tiny.network(), tmp_path, recipe, count)


def test_half_a_checkpoint_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash while a checkpoint is written leaves the one before it."""
    _fit(tiny.network(), tmp_path)
    before = (tmp_path / "checkpoint.pt").read_bytes()

    def _crash(state: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise _StoppedError

    monkeypatch.setattr(torch, "save", _crash)
    network = tiny.network()
    optimizer = torch.optim.SGD(network.parameters())
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)
    with pytest.raises(_StoppedError):
        loop.save(tmp_path / "checkpoint.pt", "another", network, optimizer, schedule, 1)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


def test_it_learns(tmp_path: Path) -> None:
    """Both heads: which windows offend, and where."""
    network = tiny.network()
    lines = _fit(network, tmp_path, Recipe(batch=16, learning_rate=5e-3, epochs=8, checkpoint_every=1000), count=320)
    assert lines[0].startswith("step 50/160 window loss ")
    batch = collate(tiny.windows(60, seed=4), tiny.SPECIAL)
    network.eval()
    with torch.no_grad():
        logits, tags = network(torch.from_numpy(batch.tokens), torch.from_numpy(batch.mask))
    assert ((logits > 0).numpy() == batch.labels.astype(bool)).mean() > 0.9
    places = batch.tags == 1
    assert (tags.argmax(-1).numpy()[places] == 1).mean() > 0.9


def test_the_same_seed_fits_the_same_network(tmp_path: Path) -> None:
    """A model can be built again from its recipe."""
    first, second = tiny.network(), tiny.network()
    _fit(first, tmp_path / "a")
    _fit(second, tmp_path / "b")
    assert _same(first, second)


def test_padding_changes_no_verdict() -> None:
    """A window beside a longer one in a batch says what it says alone."""
    network = tiny.network().eval()
    short, long = tiny.windows(2)[0], tiny.windows(40)[-1]
    pair, alone = collate([short, long], tiny.SPECIAL), collate([short], tiny.SPECIAL)
    with torch.no_grad():
        together, tags = network(torch.from_numpy(pair.tokens), torch.from_numpy(pair.mask))
        single, single_tags = network(torch.from_numpy(alone.tokens), torch.from_numpy(alone.mask))
    assert together[0].item() == pytest.approx(single[0].item(), abs=1e-5)
    assert torch.allclose(tags[0, : single_tags.shape[1]], single_tags[0], atol=1e-5)
