"""Dead letters on their topics."""

from __future__ import annotations

import pytest

from stream_detector.errors import DecodeReason
from stream_detector.streaming.letters import EXPLANATIONS, Address


@pytest.mark.parametrize("reason", DecodeReason)
def test_every_reason_is_explained(reason: DecodeReason) -> None:
    """Nobody is left alone with a word."""
    assert len(EXPLANATIONS[reason]) > 30


def test_an_address_is_read_as_it_is_written() -> None:
    """Topic names may hold colons as little as they may here; everything else does."""
    address = Address("a.b-c_d.dlq", 3, 14)
    assert Address.parse(str(address)) == address
    for text in ("a:1", "a:b:1", "1"):
        with pytest.raises(ValueError, match=r"."):
            Address.parse(text)
