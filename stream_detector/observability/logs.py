"""Structured logs: one JSON object a line on standard error, with timestamp, level, event and fields.

No field ever holds a text that is scored, a key or a header: logs travel further than the data they are about.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Hashable
from typing import Any

import orjson
import structlog

_SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="timestamp"),
]


def configure(level: str = "INFO") -> None:
    """Send this program's logs, and those of the libraries it uses, to standard error as JSON."""
    structlog.configure(
        processors=[*_SHARED, structlog.processors.JSONRenderer(serializer=_to_json)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_to_json),
            ],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)


def _to_json(event: Any, **_: object) -> str:
    return orjson.dumps(event, default=str).decode()


class RateLimit(logging.Filter):
    """Lets one line of a sort through in a while, and says in the next how many it held back.

    An unreachable broker makes librdkafka write hundreds of lines a minute that say the same.
    """

    def __init__(self, seconds: float = 10.0, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._seconds = seconds
        self._clock = clock
        self._last: dict[Hashable, float] = {}
        self._held_back: dict[Hashable, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line goes out."""
        # librdkafka's first argument is its facility ("FAIL", "GETSUBSCRIPTION"): the sort of line it is.
        sort = (record.levelno, record.args[0] if isinstance(record.args, tuple) and record.args else record.msg)
        held_back = self.admit(sort)
        if held_back is None:
            return False
        if held_back:
            record.msg, record.args = f"{record.getMessage()} ({held_back} more like it held back)", None
        return True

    def admit(self, sort: Hashable) -> int | None:
        """How many of a sort were held back since the last that went out, or None if this one is held back too."""
        now = self._clock()
        if now - self._last.get(sort, float("-inf")) < self._seconds:
            self._held_back[sort] = self._held_back.get(sort, 0) + 1
            return None
        self._last[sort] = now
        return self._held_back.pop(sort, 0)
