"""Masked evidence shows what kind of thing it is and not whose."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_detector.text.masking import mask


@pytest.mark.parametrize(
    ("surface", "masked"),
    [
        ("", ""),
        ("+1 (206) 555-0101", "+1 (•••) •••-•••1"),
        ("host@sample.example", "h•••@••••••.••••••e"),
        ("@abc", "@a••"),
        ("abcde", "a••••"),
        ("abcdef", "a••••f"),
        ("-- /", "-- /"),
        ("微信 wx1", "微• ••1"[:4] + "••"),
    ],
)
def test_shape_is_kept(surface: str, masked: str) -> None:
    """Separators stay, the first letter or digit stays, the last one only of six or more."""
    assert mask(surface) == masked


@given(surface=st.text(max_size=60))
@settings(max_examples=100, deadline=None)
def test_at_most_two_characters_are_shown(surface: str) -> None:
    """Whatever the script, no more than two letters or digits leave the service, and positions are kept."""
    masked = mask(surface)
    assert len(masked) == len(surface)
    assert sum(map(str.isalnum, masked)) <= 2
