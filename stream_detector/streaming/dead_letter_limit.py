"""When so many records are refused that the topic itself, or this worker, must be wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from stream_detector.errors import DeadLetterLimitError
from stream_detector.settings import Settings

_WINDOW = 1000


@dataclass(frozen=True, slots=True)
class DeadLetterLimit:
    """Counts refusals. A value: a batch that is aborted and read again is counted once, because its count is thrown away.

    Attributes:
        max_consecutive: so many in a row are too many; 0: never.
        max_ratio: more than this share of the last 1,000 is too many.
    """

    max_consecutive: int
    max_ratio: float
    consecutive: int = 0
    seen: int = 0
    # The last 1,000 records, one bit each, set where refused.
    window: int = 0

    @classmethod
    def of(cls, settings: Settings) -> DeadLetterLimit:
        """The limit that the settings ask for."""
        return cls(settings.dead_letter_limit_consecutive, settings.dead_letter_limit_ratio)

    def after(self, refusals: Iterable[bool]) -> DeadLetterLimit:
        """The count after more records.

        Raises:
            DeadLetterLimitError: the limit is passed on the way.
        """
        consecutive, seen, window = self.consecutive, self.seen, self.window
        for refused in refusals:
            consecutive = consecutive + 1 if refused else 0
            seen = min(seen + 1, _WINDOW)
            window = (window << 1 | refused) & (1 << _WINDOW) - 1
            if self.max_consecutive and consecutive >= self.max_consecutive:
                raise DeadLetterLimitError(f"{consecutive} records in a row were refused (dead_letter_limit_consecutive)")
            if seen == _WINDOW and window.bit_count() > self.max_ratio * _WINDOW:
                raise DeadLetterLimitError(
                    f"{window.bit_count()} of the last {_WINDOW} records were refused (dead_letter_limit_ratio {self.max_ratio:g})"
                )
        return replace(self, consecutive=consecutive, seen=seen, window=window)
