"""A network must not learn the blocks of numbers that are reserved for fiction."""

from __future__ import annotations

from array import array
from collections import Counter
from random import Random

from tokenizers import Tokenizer

from stream_detector.training.corpus.fillers import Fillers
from stream_detector.training.corpus.packs import packs, world
from stream_detector.training.dataset import LabelledWindow, vary_digits


def test_digits_change_and_nothing_else_does(tokenizer: Tokenizer) -> None:
    """Same length, same labels, digits in the same places; over many draws every digit comes up."""
    digits = [tokenizer.token_to_id(digit) for digit in "0123456789"]
    ids = tokenizer.encode("call 020 7946 0123 after six", add_special_tokens=False).ids
    window = LabelledWindow(array("i", ids), bytes(len(ids)), offends=True, sample=7)
    seen: Counter[int] = Counter()
    for seed in range(200):
        varied = vary_digits(window, digits, Random(seed))
        assert (varied.tags, varied.offends, varied.sample) == (window.tags, True, 7)
        for before, after in zip(ids, varied.tokens, strict=True):
            assert (before in digits) == (after in digits)
            assert before in digits or before == after
        seen.update(token for token in varied.tokens if token in digits)
    assert set(seen) == set(digits)
    assert max(seen.values()) < 3 * min(seen.values())


def test_harmless_numbers_share_digits_with_phones() -> None:
    """Else "555" alone would mean a violation."""
    fillers = Fillers(Random(1), packs()["en"], world())
    registrations = [fillers.fill("registration") for _ in range(2000)]
    assert 0.02 < sum("555" in "".join(c for c in number if c.isdigit()) for number in registrations) / len(registrations) < 0.5
