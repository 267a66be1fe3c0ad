"""Soft labels: what is kept is what the teacher said, and an interruption costs one shard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from stream_detector.errors import ConfigurationError
from stream_detector.training import soft_labels as module
from stream_detector.training.dataset import collate
from stream_detector.training.network import ContactNetwork
from stream_detector.training.soft_labels import SoftLabels, soft_labels
from tests.training_torch import tiny

_WINDOWS = tiny.windows(50)


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four shards of fifty windows."""
    monkeypatch.setattr(module, "_SHARD", 16)


def _ask(folder: Path, network: ContactNetwork | None = None, identity: str = "teacher") -> tuple[SoftLabels, list[str]]:
    lines: list[str] = []
    asked = network or tiny.network()
    kept = soft_labels(asked, _WINDOWS, folder=folder, identity=identity, special=tiny.SPECIAL, report=lines.append)
    return kept, lines


def test_answers_are_kept_in_the_windows_order(tmp_path: Path) -> None:
    """To float16: logits as they are, the three likeliest tags exactly, the others sharing what is left."""
    network = tiny.network().eval()
    labels, _ = _ask(tmp_path)
    group = [3, 40, 17]
    batch = collate([_WINDOWS[i] for i in group], tiny.SPECIAL)
    with torch.no_grad():
        logits, tags = network(torch.from_numpy(batch.tokens), torch.from_numpy(batch.mask))
    assert torch.allclose(labels.verdicts(group), logits, atol=2e-3)
    kept, said = labels.tag_probabilities(group, batch.tokens.shape[1]), torch.softmax(tags, dim=-1)
    inside = torch.from_numpy(batch.tags >= 0)
    likeliest = said.topk(3, dim=-1).indices
    assert torch.allclose(kept.gather(-1, likeliest)[inside], said.gather(-1, likeliest)[inside], atol=2e-3)
    assert torch.allclose(kept.sum(dim=-1), torch.ones(kept.shape[:2]), atol=1e-5)


def test_an_interrupted_call_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards that are there aren't worked out again, and the whole is what an unbroken call makes."""
    unbroken, lines = _ask(tmp_path / "a")
    assert len(lines) == 4
    _ask(tmp_path / "b")
    (tmp_path / "b" / "00000032.npz").unlink()
    (tmp_path / "b" / "00000048.partial").write_bytes(b"half")
    resumed, lines = _ask(tmp_path / "b")
    assert len(lines) == 1
    assert np.array_equal(resumed.logits, unbroken.logits)
    assert np.array_equal(resumed.tags, unbroken.tags)


def test_another_teachers_labels_are_refused(tmp_path: Path) -> None:
    """A mixture of two teachers' shards would be neither's."""
    _ask(tmp_path)
    with pytest.raises(ConfigurationError, match="soft labels of another teacher or for other data; remove it"):
        _ask(tmp_path, identity="another")
