"""What all pages work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from stream_detector.detection.redaction import Scorer
from stream_detector.review.store import Store
from stream_detector.review.web.live import Pulses
from stream_detector.review.web.reading import Reader
from stream_detector.settings import Settings


@dataclass(frozen=True, slots=True)
class Desk:
    """What all pages work with.

    Attributes:
        pulses: says when pages should look again.
        reader: reads a text as the model does.
        scorer: gives what scores a redaction.
    """

    settings: Settings
    store: Store
    pulses: Pulses
    reader: Reader
    scorer: Callable[[], Scorer]
    clock: Callable[[], datetime]
