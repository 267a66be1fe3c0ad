"""Masking: contact data that may be shown, because its shape is left and its content gone."""

from __future__ import annotations

MASK = "•"
#: Below so many letters and digits the last one would give away too much.
_LONG = 6


def mask(surface: str) -> str:
    """Hide letters and digits, all but the first and, in long ones, the last.

    >>> mask("+1 (206) 555-0101")
    '+1 (•••) •••-•••1'
    """
    places = [at for at, character in enumerate(surface) if character.isalnum()]
    shown = {*places[:1], *(places[-1:] if len(places) >= _LONG else ())}
    hidden = set(places) - shown
    return "".join(MASK if at in hidden else character for at, character in enumerate(surface))
