"""How long the worker goes on trying."""

from __future__ import annotations

import pytest

from stream_detector.errors import FatalDeliveryError, RetryableDeliveryError
from stream_detector.streaming.patience import GIVE_UP_S, Patience

ERROR = RetryableDeliveryError("publishing: _TRANSPORT: no route")


def test_rests_grow_and_success_forgets() -> None:
    """The first retry comes at once, later ones leave Kafka alone for longer; a success starts over."""
    waits: list[float] = []
    patience = Patience(waits.append, clock=lambda: 0.0)
    for _ in range(10):
        patience.failed(ERROR)
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (0.1, 5.0)
    patience.succeeded()
    patience.failed(ERROR)
    assert waits[-1] == 0.1


def test_it_ends() -> None:
    """A worker that can't work says so by stopping, with the cause."""
    now = 0.0

    def wait(seconds: float) -> None:
        nonlocal now
        now += seconds

    patience = Patience(wait, clock=lambda: now)
    while now <= GIVE_UP_S:
        patience.failed(ERROR)
    with pytest.raises(FatalDeliveryError, match=r"no route; gave up after 12\d s"):
        patience.failed(ERROR)


def test_a_failure_long_after_the_last_is_a_new_one() -> None:
    """Only failures without a success in between add up."""
    now = 0.0
    patience = Patience(lambda _: None, clock=lambda: now)
    patience.failed(ERROR)
    patience.succeeded()
    now = 10 * GIVE_UP_S
    patience.failed(ERROR)
