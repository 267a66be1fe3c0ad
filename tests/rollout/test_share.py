"""Shares of keys: sticky, about as large as asked, and growing without changing their members."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream_detector.contracts import Event
from stream_detector.rollout.share import in_share, key_of
from tests.contracts.examples import BOOKING, CLIENT_UPDATE

_KEYS = [f"L-{number}".encode() for number in range(4000)]
_shares = st.floats(0, 1)


@given(st.binary(), _shares, _shares)
def test_a_share_grows_without_changing_its_members(key: bytes, one: float, other: float) -> None:
    """Raising a canary's share must not send a listing that it decides for back to the other model."""
    smaller, larger = sorted((one, other))
    assert in_share(key, larger, b"canary") or not in_share(key, smaller, b"canary")


@given(st.binary())
def test_the_ends(key: bytes) -> None:
    """0 is nobody, 1 is everybody."""
    assert not in_share(key, 0.0, b"canary")
    assert in_share(key, 1.0, b"canary")


def test_a_share_is_as_large_as_asked() -> None:
    """5 % of some thousand keys, give or take what chance does: four standard deviations."""
    for share in (0.05, 0.5):
        found = sum(in_share(key, share, b"canary") for key in _KEYS) / len(_KEYS)
        assert abs(found - share) < 4 * (share * (1 - share) / len(_KEYS)) ** 0.5


def test_another_salt_draws_others() -> None:
    """A shadow that looked only at the canary's keys would compare the canary with itself."""
    both = sum(in_share(key, 0.5, b"canary") and in_share(key, 0.5, b"shadow") for key in _KEYS) / len(_KEYS)
    assert 0.2 < both < 0.3


def test_which_keys_are_in_is_fixed() -> None:
    """All workers, of all releases to come, must agree: a change here would move keys from one model to the other."""
    assert [number for number in range(40) if in_share(f"L-{number}".encode(), 0.1, b"canary")] == [8, 11, 26, 36]


def test_an_event_without_a_key_goes_by_its_listing() -> None:
    """Then by its client: what its producer should have keyed it by."""
    booking, client = (Event.model_validate(document, by_alias=True, by_name=False) for document in (BOOKING, CLIENT_UPDATE))
    assert key_of(b"key", booking) == b"key"
    assert key_of(b"", booking) == b""
    assert key_of(None, booking) == str(BOOKING["listingId"]).encode()
    assert key_of(None, client.model_copy(update={"listing_id": None})) == str(CLIENT_UPDATE["clientId"]).encode()
