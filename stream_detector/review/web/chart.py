"""The threshold page's chart, drawn on the server: shares against thresholds, as points of an SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from stream_detector.review.thresholds import ThresholdRow

WIDTH: Final = 640
HEIGHT: Final = 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 24, 12, 34


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis, and where it stands in pixels."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines in pixels of an SVG of `WIDTH` by `HEIGHT`.

    Attributes:
        precision, kept: points of these shares' lines, as SVG writes them.
        sent: the same of the cases that would have come, as a share of the most.
        band: the outline of the precision's interval.
        in_use: where the threshold in use stands; None outside the axis.
    """

    precision: str
    kept: str
    sent: str
    band: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    in_use: float | None
    left: int = _LEFT
    top: int = _TOP
    right: int = WIDTH - _RIGHT
    bottom: int = HEIGHT - _BOTTOM
    width: int = WIDTH
    height: int = HEIGHT

    @classmethod
    def of(cls, rows: Sequence[ThresholdRow], in_use: float | None) -> Self | None:
        """The chart of some rows; None if they are too few for a line."""
        if len(rows) < 2 or rows[0].threshold >= rows[-1].threshold:
            return None
        low, high = rows[0].threshold, rows[-1].threshold

        def x(threshold: float) -> float:
            return round(_LEFT + (threshold - low) / (high - low) * (WIDTH - _LEFT - _RIGHT), 1)

        def y(share: float) -> float:
            return round(_TOP + (1 - share) * (HEIGHT - _TOP - _BOTTOM), 1)

        most = max(row.sent for row in rows)
        known = [row for row in rows if row.low is not None and row.high is not None]
        band = [(x(row.threshold), y(row.high or 0.0)) for row in known]
        band += [(x(row.threshold), y(row.low or 0.0)) for row in reversed(known)]
        return cls(
            precision=_points([(x(row.threshold), y(row.precision)) for row in rows if row.precision is not None]),
            kept=_points([(x(row.threshold), y(row.kept)) for row in rows if row.kept is not None]),
            sent=_points([(x(row.threshold), y(row.sent / max(1, most))) for row in rows]),
            band=_points(band),
            x_ticks=tuple(Tick(x(low + (high - low) * part / 4), f"{low + (high - low) * part / 4:.3g}") for part in range(5)),
            y_ticks=tuple(Tick(y(part / 4), f"{part * 25} %") for part in range(5)),
            in_use=x(in_use) if in_use is not None and low <= in_use <= high else None,
        )


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{across:g},{down:g}" for across, down in points)
