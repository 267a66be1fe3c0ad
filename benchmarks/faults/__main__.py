"""Run it: `make faults`, or `python -m benchmarks.faults` with other numbers.

    python -m benchmarks.faults [--seed 1] [--events 50000] [--rate 100] [--workers 2] [--partitions 4] [--plan full|small]
        [--fault KIND=COUNT]... [--brokers 1|3] [--protocol classic|consumer] [--no-slots] [--stand-in] [--output FILE]

Workers are `stream-detector run` with the shipped model (--stand-in: with a stand-in for it, which starts sooner). Each kind of
fault comes alone first; then all kinds come mixed, half as many again. The next fault comes when output of events sent after
the last one has been seen from every partition. At the end `stream-detector verify` reads inputs and outputs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.faults.kinds import KINDS
from benchmarks.faults.run import Plan, carry_out
from benchmarks.faults.table import write

_FULL = {"kill": 100, "term": 50, "pause": 20, "broker-kill": 20, "broker-restart": 20, "rebalance": 50, "disk": 3}
_SMALL = {"kill": 2, "term": 1, "pause": 1, "broker-kill": 1, "broker-restart": 1, "rebalance": 1}
_THREE_BROKERS = {"cut-off": 20, "broker-kill": 20, "broker-restart": 10, "kill": 20}
_RESULTS = Path(__file__).parents[1] / "results"


def main() -> int:
    """Carry out a plan and write its results; 0 if nothing was lost, repeated or out of order."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--events", type=int, default=50_000, help="at least so many")
    parser.add_argument("--rate", type=float, default=100.0, help="events a second")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--partitions", type=int, default=4, help="of each of the three input topics")
    parser.add_argument("--plan", choices=["full", "small"], default="full")
    parser.add_argument("--fault", action="append", metavar="KIND=COUNT", help=f"instead of the plan's: {', '.join(KINDS)}")
    parser.add_argument("--brokers", type=int, choices=[1, 3], default=1, help="three, with networks of their own, need root")
    parser.add_argument("--protocol", choices=["classic", "consumer"], default="classic")
    parser.add_argument("--no-slots", action="store_true", help="workers without a stable identity")
    parser.add_argument("--stand-in", action="store_true")
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    counts = dict(_SMALL if given.plan == "small" else _FULL if given.brokers == 1 else _THREE_BROKERS)
    if given.fault:
        counts = {kind: int(count) for kind, _, count in (text.partition("=") for text in given.fault)}
    if unknown := set(counts) - set(KINDS):
        parser.error(f"--fault: {', '.join(unknown)}: there are {', '.join(KINDS)}")
    plan = Plan(
        seed=given.seed, events=given.events, rate=given.rate, workers=given.workers, partitions=given.partitions, counts=counts,
        protocol=given.protocol, slots=not given.no_slots, stand_in=given.stand_in,
        brokers=given.brokers,
    )  # fmt: skip
    name = f"faults-{given.protocol}{'' if given.brokers == 1 else '-three-brokers'}{'' if plan.slots else '-no-slots'}{'' if given.plan == 'full' else '-small'}.json"
    result = carry_out(plan)
    write(result, given.output or _RESULTS / name)
    return 0 if result["proven"] else 1


if __name__ == "__main__":
    sys.exit(main())
