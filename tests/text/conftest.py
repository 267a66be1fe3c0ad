from __future__ import annotations

import pytest

from stream_detector.text.view import Normalizer


@pytest.fixture(scope="package")
def normalizer() -> Normalizer:
    """A normalizer for a platform with names of every shape: with a space, a hyphen, a dot, a digit."""
    return Normalizer(
        ["Airbnb", "Air BnB", "Booking.com", "FeWo-direkt", "9flats", "Trip.com", "爱彼迎"],
        ["airbnb.com", "airbnb.co.uk", "abnb.me", "booking.com", "trip.com"],
    )
