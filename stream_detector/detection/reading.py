"""Texts on their way through the network."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock
from typing import Final

from tokenizers import Tokenizer

from stream_detector.detection.window_cache import WindowCache
from stream_detector.inference.artefact import WindowShape
from stream_detector.inference.backend import WindowOutput
from stream_detector.inference.windowing import TokenizedView, view_windows
from stream_detector.text.view import NormalizedView, Normalizer

# Texts that were begun and never asked for, such as those of a partition that went to another worker.
_MOST: Final = 4096


@dataclass(frozen=True, slots=True)
class Reading:
    """A text, its view, its windows, and what the network says or will say of each.

    Attributes:
        fresh_tokens: tokens in the windows that nobody had asked for before.
    """

    view: NormalizedView
    cut: TokenizedView
    outputs: Sequence[Future[WindowOutput]]
    fresh_tokens: int


class Reader:
    """Begins texts, each once: what was begun ahead of its batch is found again by its text."""

    def __init__(self, normalizer: Normalizer, tokenizer: Tokenizer, shape: WindowShape, windows: WindowCache) -> None:
        self._normalizer = normalizer
        self._tokenizer = tokenizer
        self._shape = shape
        self._windows = windows
        self._begun: OrderedDict[str, Reading] = OrderedDict()
        self._lock = Lock()

    def begin(self, text: str, *, deadline: float | None = None) -> Reading:
        """Make view, tokens and windows, and set the network to work on those that it hasn't read; return at once.

        Args:
            text: any text.
            deadline: as `Backend.submit` takes it; a text that was begun before keeps the one that it has.
        """
        with self._lock:
            begun = self._begun.get(text)
        if begun is not None:
            return begun
        view, cut = self.cut(text)
        reads = [self._windows.read(cut.ids[window.start : window.stop], deadline=deadline) for window in cut.windows]
        fresh = sum(len(window) for window, read in zip(cut.windows, reads, strict=True) if read.fresh)
        reading = Reading(view, cut, [read.output for read in reads], fresh)
        with self._lock:
            self._begun[text] = reading
            if len(self._begun) > _MOST:
                self._begun.popitem(last=False)
        return reading

    def cut(self, text: str) -> tuple[NormalizedView, TokenizedView]:
        """A text's view, its tokens and its windows."""
        view = self._normalizer.view(text)
        return view, view_windows(view, self._tokenizer, self._shape)

    def forget(self, text: str) -> None:
        """Let go of a text whose verdict is known, or can't be."""
        with self._lock:
            self._begun.pop(text, None)
