"""Which keys belong to a share: the same ones in every worker and after every restart."""

from __future__ import annotations

from hashlib import blake2b

from stream_detector.contracts import Event


def key_of(key: bytes | None, event: Event) -> bytes:
    """What an event is told apart by: its record's key, else what a producer should have keyed it by."""
    return key if key is not None else (event.listing_id or event.client_id or event.partner_id).encode()


def in_share(key: bytes, share: float, salt: bytes) -> bool:
    """Whether a key is among the share (0 to 1) of all keys.

    The share grows without changing its members: a key in 5 % is also in 20 %. Another salt (at most 16 bytes) draws others.
    """
    return int.from_bytes(blake2b(key, digest_size=8, person=salt).digest()) < share * 2**64
