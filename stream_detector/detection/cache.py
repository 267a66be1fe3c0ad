"""What was found out before, bounded in bytes: verdicts by text, because bookings repeat their listing's description thousands
of times, and outputs by window (`window_cache.py`), because an edit leaves most windows of a text as they were.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")

#: What an entry takes beside its value: key, links, tuple (measured with sys.getsizeof on CPython 3.11).
_OVERHEAD = 400


@dataclass(frozen=True, slots=True)
class CacheBytes:
    """Bounds of what a detector remembers; 0: nothing."""

    verdicts: int = 64 * 1024 * 1024
    windows: int = 64 * 1024 * 1024


class BoundedCache(Generic[Value]):
    """Least recently used entries go first when the entries' sizes pass `max_bytes`.

    A cache belongs to one model, so the key is the text alone (or a window's bytes); of it only a 128-bit hash is kept.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._entries: OrderedDict[bytes, tuple[Value, int]] = OrderedDict()
        self._lock = Lock()

    @property
    def held_bytes(self) -> int:
        """What the entries take together."""
        return self._bytes

    def get(self, text: str | bytes) -> Value | None:
        """The value kept for a text, or None."""
        key = _key(text)
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry[0]

    def put(self, text: str | bytes, value: Value, size: int) -> None:
        """Keep a value of about `size` bytes."""
        key, size = _key(text), size + _OVERHEAD
        with self._lock:
            if key in self._entries:
                self._bytes -= self._entries.pop(key)[1]
            self._entries[key] = (value, size)
            self._bytes += size
            while self._bytes > self._max_bytes and self._entries:
                self._bytes -= self._entries.popitem(last=False)[1][1]


def _key(text: str | bytes) -> bytes:
    # surrogatepass: a lone surrogate can come in by the Python API, and must not stop a verdict.
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text, digest_size=16).digest()
