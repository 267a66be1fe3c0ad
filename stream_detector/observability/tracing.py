"""Whether traces are kept. Where they aren't, nothing of OpenTelemetry is imported, and no event costs more for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from stream_detector.errors import MissingExtraError
from stream_detector.observability.metrics import Metrics
from stream_detector.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer


@contextmanager
def tracing(settings: Settings, metrics: Metrics) -> Iterator[Tracer | None]:
    """What makes spans, while in a with statement; None where tracing is off.

    Leaving sends what was kept, for a bounded time.

    Args:
        settings: the section `tracing`.
        metrics: where spans that were sent, and those that couldn't be, are counted.

    Raises:
        MissingExtraError: the extra `tracing` isn't installed.
    """
    if not settings.tracing.enabled:
        yield None
        return
    try:
        from stream_detector.observability.spans import exporting  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError("tracing", "tracing") from None
    with exporting(settings.tracing, metrics.spans) as tracer:
        yield tracer
