"""Moments as flags: RFC 3339, or so long ago."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click

_AGO: Final = re.compile(r"(\d+)([smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment_option(flag: str, text: str) -> Callable[[Any], Any]:
    """A flag that takes a moment: `2026-11-24T10:00:00Z`, or `15m`, `2h`, `3d` ago."""
    return click.option(flag, metavar="TIME", callback=_read_moment, help=f"{text} An RFC 3339 time, or 15m, 2h, 3d ago.")


def milliseconds(moment: datetime | None) -> int | None:
    """A moment as Kafka writes it."""
    return None if moment is None else int(moment.timestamp() * 1000)


def _read_moment(_context: click.Context, _option: click.Parameter, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        if ago := _AGO.fullmatch(text):
            return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise click.BadParameter(f"{text!r} is no time with an offset from UTC; write 2026-11-24T10:00:00Z, or 15m, 2h, 3d")
    return moment
