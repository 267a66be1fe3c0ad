"""Windows hold every token, keep to their budget, and survive edits."""

from __future__ import annotations

import re
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_detector.text.windows import cut, sentence_ends, windows

_WORDS = "flat bright sea bed key bus walk town quiet garden kitchen towel view street market stairs".split()  # noqa: SIM905 - reads better


def _tokens(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]


def _texts_of(text: str, *, budget: int = 126, overlap: int = 32) -> list[str]:
    spans = _tokens(text)
    return [text[spans[window[0]][0] : spans[window[-1]][1]] for window in windows(text, spans, budget=budget, overlap=overlap)]


def _sentence(random: Random) -> str:
    return " ".join(random.choices(_WORDS, k=random.randint(4, 25))).capitalize() + ". "


sizes = st.lists(st.integers(1, 40), max_size=40)


@given(sizes=sizes, budget=st.integers(1, 30), overlap=st.integers(0, 29), seed=st.integers(0, 99))
@settings(max_examples=200, deadline=None)
def test_every_token_is_read_within_the_budget(sizes: list[int], budget: int, overlap: int, seed: int) -> None:
    """Windows are in order, none is empty or over budget, each goes on where the one before ended or overlaps it as asked."""
    overlap %= budget
    random = Random(seed)
    found = cut(sizes, [random.getrandbits(32) for _ in sizes], budget=budget, overlap=overlap)
    assert all(0 < len(window) <= budget for window in found)
    assert sorted({token for window in found for token in window}) == [*range(sum(sizes))]
    assert all(
        behind.start in {before.stop, before.stop - overlap} and behind.stop > before.stop for before, behind in pairwise(found)
    )


@given(sizes=st.lists(st.integers(1, 10), max_size=40), seed=st.integers(0, 99))
@settings(max_examples=100, deadline=None)
def test_windows_end_where_sentences_do(sizes: list[int], seed: int) -> None:
    """Where every sentence fits, no sentence is cut and no token is read twice."""
    random = Random(seed)
    ends = {sum(sizes[: at + 1]) for at in range(len(sizes))}
    found = cut(sizes, [random.getrandbits(32) for _ in sizes], budget=20, overlap=5)
    assert all(window.stop in ends for window in found)
    assert all(before.stop == behind.start for before, behind in pairwise(found))


def test_a_text_that_fits_is_one_window() -> None:
    """Short texts, which most are, cost one run of the network."""
    assert cut([5, 5, 5], [3, 1, 2], budget=15, overlap=4) == [range(15)]
    assert cut([], [], budget=15, overlap=4) == []
    assert windows("", [], budget=15, overlap=4) == []
    assert windows("   ", [], budget=15, overlap=4) == []


def test_long_sentences_are_cut_inside() -> None:
    """A sentence longer than the budget is read in overlapping pieces; what stands before it gets a window of its own."""
    assert cut([3, 20, 2], [1, 2, 3], budget=10, overlap=4) == [range(3), range(3, 13), range(9, 19), range(15, 25)]


def test_the_smallest_hash_in_the_second_half_decides() -> None:
    """The cut depends on the sentences near it and not on how far the text goes on."""
    hashes = [9, 1, 7, 2, 8, 3, 3, 3]
    assert cut([3] * 8, hashes, budget=12, overlap=0)[0] == range(6)
    assert cut([3] * 8, [*hashes[:1], 5, *hashes[2:]], budget=12, overlap=0)[0] == range(12)


@pytest.mark.parametrize(("budget", "overlap"), [(0, 0), (10, 10), (10, -1)])
def test_impossible_budgets_are_refused(budget: int, overlap: int) -> None:
    """A budget that can't hold a token, or an overlap that would never move on, is an error."""
    with pytest.raises(ValueError, match="budget"):
        cut([5], [0], budget=budget, overlap=overlap)


def test_an_edit_changes_few_windows() -> None:
    """After an edit of one sentence the cuts meet the old ones again: nearly all windows come from the cache."""
    random = Random(7)
    changed = []
    for _ in range(60):
        sentences = [_sentence(random) for _ in range(120)]
        before = set(_texts_of("".join(sentences)))
        sentences[random.randrange(20)] = _sentence(random)
        after = _texts_of("".join(sentences))
        assert len(after) > 12
        changed.append(sum(window not in before for window in after))
    assert min(changed) >= 1
    assert sum(changed) / len(changed) < 3
    assert sorted(changed)[-6] <= 6  # nine times of ten


def test_tokens_belong_to_the_sentence_they_start_in() -> None:
    """Tokens are told apart by where they begin, and those behind the last sentence aren't lost."""
    text = "One two. Three"
    assert sentence_ends(text) == [9, 14]
    assert windows(text, [(0, 3), (4, 7), (7, 8), (9, 14), (14, 14)], budget=3, overlap=0) == [range(3), range(3, 5)]
