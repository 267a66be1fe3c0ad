"""The verdict cache: bounded by bytes, exact, and safe to share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from stream_detector.detection.cache import _OVERHEAD, BoundedCache


def _holding(entries: int, size: int = 100) -> BoundedCache[int]:
    return BoundedCache(entries * (size + _OVERHEAD))


def test_what_was_put_is_what_comes_back() -> None:
    """By the whole text: a prefix, another case or a space more is another text."""
    cache = _holding(4)
    cache.put("a flat", 1, 100)
    assert cache.get("a flat") == 1
    assert [cache.get(text) for text in ("a fla", "A flat", "a flat ", "")] == [None] * 4


def test_the_least_recently_used_goes_first() -> None:
    """Reading an entry keeps it; the one that nobody asked for makes room."""
    cache = _holding(2)
    cache.put("a", 1, 100)
    cache.put("b", 2, 100)
    assert cache.get("a") == 1
    cache.put("c", 3, 100)
    assert [cache.get(text) for text in "abc"] == [1, None, 3]


def test_room_is_counted_in_bytes() -> None:
    """One large value takes the place of several small ones."""
    cache = _holding(3)
    for text in "abc":
        cache.put(text, 0, 100)
    cache.put("d", 4, 100 + 100 + _OVERHEAD)
    assert [cache.get(text) for text in "abcd"] == [None, None, 0, 4]


def test_putting_again_replaces() -> None:
    """A text's second verdict replaces the first, and its size isn't counted twice."""
    cache = _holding(2)
    for value in range(50):
        cache.put("a", value, 100)
    cache.put("b", 1, 100)
    assert (cache.get("a"), cache.get("b")) == (49, 1)


def test_what_is_too_large_is_not_kept() -> None:
    """A value larger than the cache, or a cache of nothing, is no error."""
    cache: BoundedCache[int] = BoundedCache(0)
    cache.put("a", 1, 1)
    assert cache.get("a") is None


@given(texts=st.lists(st.text(st.characters(), max_size=3), max_size=30))
def test_any_text_is_a_key(texts: list[str]) -> None:
    """Lone surrogates among them: they come in by the Python API and must not stop a verdict."""
    cache = _holding(100)
    for text in (*texts, "\ud800", "\udfff5"):
        cache.put(text, hash(text), 100)
    assert all(cache.get(text) == hash(text) for text in (*texts, "\ud800", "\udfff5"))


@given(sizes=st.lists(st.integers(0, 2000), max_size=40))
def test_it_never_holds_more_than_it_may(sizes: list[int]) -> None:
    """Whatever is put in, the sum of what can still be read stays in bounds, and the newest is there if it fits."""
    limit = 5000
    cache: BoundedCache[int] = BoundedCache(limit)
    for at, size in enumerate(sizes):
        cache.put(str(at), size, size)
        assert cache.get(str(at)) == size
    kept = [size + _OVERHEAD for at, size in enumerate(sizes) if cache.get(str(at)) is not None]
    assert sum(kept) <= limit


def test_threads_may_share_it() -> None:
    """Threads that read and write the same few entries see values that belong to their text, and the room stays bounded."""
    cache = _holding(5)

    def use(seed: int) -> bool:
        right = True
        for step in range(2000):
            text = str((seed + step) % 11)
            right &= cache.get(text) in {None, int(text)}
            cache.put(text, int(text), 100)
        return right

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(use, range(4)))
    assert sum(cache.get(str(number)) is not None for number in range(11)) == 5
