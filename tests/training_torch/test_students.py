"""Students: evenly spread layers, and everything else as the network they were taken from."""

from __future__ import annotations

import pytest
import torch

from stream_detector.errors import ConfigurationError
from stream_detector.training.network import ContactNetwork
from stream_detector.training.students import shortened, spread
from tests.training_torch import tiny


@pytest.mark.parametrize(
    ("count", "total", "layers"),
    [(6, 12, [0, 2, 4, 7, 9, 11]), (3, 6, [0, 2, 5]), (6, 6, list(range(6))), (2, 12, [0, 11])],
    ids=str,
)
def test_layers_are_spread_evenly(count: int, total: int, layers: list[int]) -> None:
    """The first and the last among them; DistilBERT's choice where twelve become six."""
    assert spread(count, total) == layers


def test_more_layers_than_there_are_is_an_error() -> None:
    """Nothing could be taken."""
    with pytest.raises(ConfigurationError, match="a student of 6 layers"):
        spread(6, 2)


def test_a_student_has_the_layers_of_its_origin() -> None:
    """And its embeddings and heads; the origin is left whole, the configuration says how many layers there are."""
    torch.manual_seed(1)
    origin = ContactNetwork.from_config(tiny.CONFIG | {"num_hidden_layers": 6})
    student = shortened(origin, 3)
    layers, kept = origin.encoder.encoder.layer, student.encoder.encoder.layer
    assert (len(layers), len(kept), student.encoder.config.num_hidden_layers) == (6, 3, 3)
    for place, source in enumerate((0, 2, 5)):
        ours, theirs = kept[place].state_dict().values(), layers[source].state_dict().values()
        assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
    assert torch.equal(student.verdict.weight, origin.verdict.weight)
    rebuilt = ContactNetwork.from_config(student.encoder.config.to_dict())
    rebuilt.load_state_dict(student.state_dict())


def test_all_layers_are_the_same_network() -> None:
    """Taken whole, a network says what it said."""
    origin = tiny.network().eval()
    ids = torch.randint(10, 2000, (2, 8))
    assert torch.equal(shortened(origin, 2)(ids, torch.ones_like(ids))[0], origin(ids, torch.ones_like(ids))[0])
