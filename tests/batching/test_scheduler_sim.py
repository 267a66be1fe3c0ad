"""The simulator, and what it is for: the scheduler against its peers' rules on the same traffic. Simulated time only."""

from __future__ import annotations

from random import Random

import pytest

from benchmarks.scheduler_sim import ACCELERATOR, CPU, RULES, Event, Hardware, judge, one_by_one, play, traces


def test_one_server_one_queue() -> None:
    """Three windows of known length on one server: done when arithmetic says so, events when their last window is."""
    hardware = Hardware("test", 1, 0.0, 0.001, 0.0, max_rows=1, peer_rows=1)
    events = [Event(0.0, 0.0, (100, 50)), Event(0.12, 0.12, (10,)), Event(1.0, 1.0, (10,))]
    played = play(events, hardware, one_by_one(hardware))
    assert played.done == pytest.approx([0.15, 0.16, 1.01])
    assert played.padding == 0
    assert judge(events, played)["perSecond"] == pytest.approx(4 / 1.01 * 3 / 4)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("hardware", [CPU, ACCELERATOR], ids=lambda hardware: hardware.name)
def test_every_rule_serves_everything(hardware: Hardware, rule: str) -> None:
    """No event is lost, and none is done before it arrived."""
    for trace in traces(hardware, Random(1), scale=0.004).values():
        played = play(trace, hardware, RULES[rule](hardware))
        assert all(event.arrives < end < float("inf") for event, end in zip(trace, played.done, strict=True))


@pytest.mark.parametrize("hardware", [CPU, ACCELERATOR], ids=lambda hardware: hardware.name)
def test_ahead_or_equal_on_every_trace(hardware: Hardware) -> None:
    """Share within the promise and throughput, against its peers' rules; less than a percent is the grain of a short trace's ends."""
    for name, trace in traces(hardware, Random(2), scale=0.02).items():
        peers = ("fixedBatch", "tokenBudget")
        judged = {rule: judge(trace, play(trace, hardware, RULES[rule](hardware))) for rule in ("deadline", *peers)}
        for peer in peers:
            assert judged["deadline"]["within"] >= judged[peer]["within"] - 0.001, (name, peer)
            assert judged["deadline"]["perSecond"] >= 0.995 * judged[peer]["perSecond"], (name, peer)
