"""A vocabulary that grows: more words in one piece, nothing that was known lost."""

from __future__ import annotations

import torch
from tokenizers import Tokenizer

from stream_detector.inference.artefact import find
from stream_detector.training.vocabulary import extend_vocabulary, extended_embeddings
from tests.training_torch import tiny

_TEXTS = ["Пишите нам в вотсап", "перевод на карту", "直接加威信", "예약은 직접 하세요", "the flat is bright"] * 40


def _before() -> Tokenizer:
    return Tokenizer.from_file(str(find("contact-minilm-l6") / "tokenizer.json"))


def test_words_that_were_spelt_are_read_whole() -> None:
    """Fewer tokens for what the base had to take apart, the same for what it knew; old numbers stay."""
    before = Tokenizer.from_str(_before().to_str().replace('"вотсап"', '"вотсап-was-here"'))
    after = extend_vocabulary(before, _TEXTS, pieces=500)
    assert len(after.encode("вотсап", add_special_tokens=False).ids) < 6
    assert after.encode("the flat", add_special_tokens=False).ids == before.encode("the flat", add_special_tokens=False).ids
    known = after.get_vocab(with_added_tokens=True)
    assert all(known[piece] == number for piece, number in before.get_vocab(with_added_tokens=True).items())
    assert sorted(known.values()) == list(range(len(known)))


def test_rare_words_are_not_added() -> None:
    """A piece seen twice would never be learnt."""
    before = _before()
    after = extend_vocabulary(before, ["zzyzxquuxwort zzyzxquuxwort"], pieces=500)
    assert after.get_vocab_size() == before.get_vocab_size()


def test_new_words_begin_as_what_they_were_read_as() -> None:
    """The mean of the old pieces; the old rows untouched."""
    before = _before()
    after = extend_vocabulary(before, ["zzyzxquuxwort"] * 50, pieces=1)
    old = torch.randn(before.get_vocab_size(), 4)
    new = extended_embeddings(old, before, after)
    assert torch.equal(new[: len(old)], old)
    (piece,) = (piece for piece, number in after.get_vocab().items() if number >= len(old))
    if not piece.startswith("##"):
        assert torch.allclose(new[-1], old[before.encode(piece, add_special_tokens=False).ids].mean(dim=0))


def test_a_network_reads_more_without_reading_worse() -> None:
    """Logits for old tokens are the same before and after."""
    before = _before()
    after = extend_vocabulary(before, ["zzyzxquuxwort"] * 50, pieces=3)
    network = tiny.network()
    ids = torch.randint(10, 2000, (2, 8))
    mask = torch.ones_like(ids)
    logits = network(ids, mask)[0]
    short = Tokenizer.from_str(before.to_str())
    grown = extended_embeddings(network.encoder.get_input_embeddings().weight.detach(), short, short)
    assert len(grown) == 2048
    network.encoder.get_input_embeddings().weight.data = torch.cat([grown, torch.zeros(len(before.get_vocab()) - 2048, 32)])
    network.read_more(before, after)
    assert network.encoder.config.vocab_size == after.get_vocab_size()
    assert torch.allclose(network(ids, mask)[0], logits, atol=1e-6)
