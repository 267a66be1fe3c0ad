"""The short version of `make faults`: whole processes killed and a broker killed, and the ledger proven."""

from __future__ import annotations

import pytest

from benchmarks.faults.run import Plan, carry_out

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]


def test_nothing_is_lost_or_repeated() -> None:
    """A worker killed, one paused beyond its session, a broker killed, while a subscriber reads."""
    plan = Plan(
        seed=1,
        events=300,
        rate=30,
        workers=2,
        partitions=4,
        counts={"kill": 1, "pause": 1, "broker-kill": 1},
        protocol="classic",
        slots=True,
        stand_in=True,
    )
    result = carry_out(plan)
    assert result["subscriber"] == {"lost": 0, "repeated": 0}
    assert result["proven"], result["ledger"]
    assert result["notWritten"] == 0
