"""What do scheduling rules make of the same traffic on the same hardware? Simulated time: no figure depends on this machine.

    python benchmarks/scheduler_sim.py [--rounds 3] [--small]

Six traces (Poisson at 50, 80 and 95 % of what the hardware can do at best, bursts of fifty times the usual rate, a backlog of
100,000 behind fresh events, one giant text a second among small ones) on two cost curves (a CPU on which batches gain nothing,
and an accelerator on which they gain everything), under five rules:

- deadline: `stream_detector.batching.next_run`, the very function that serves.
- deadlineWaiting: the same, but it keeps hardware idle for as long as the most urgent deadline allows, to fill its runs.
- fixedBatch: up to 32 together, or whatever is there after 50 ms, in order of arrival (Triton's dynamic batcher).
- tokenBudget: in order of arrival, as many as have room in 16,384 padded tokens, at once (text-embeddings-inference); on the
  CPU at most 4 rows, which is that server's own limit there.
- oneByOne: each window alone, in order of arrival.

Told are the share of the events that were not late from the beginning and are done within 250 ms, and events a second until
all is done.
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random
from typing import NamedTuple

from stream_detector.batching import RunLimits, Waiting, next_run

RESULT = Path(__file__).parent / "results" / "scheduler_sim.json"
PROMISE_S = 0.25


@dataclass(frozen=True)
class Hardware:
    """Runs side by side, what a run costs, and how a rule may batch on it."""

    name: str
    servers: int
    fixed: float
    token: float
    squared: float
    max_rows: int
    peer_rows: int

    def seconds(self, rows: int, length: int) -> float:
        """Seconds of one run."""
        return self.fixed + rows * (self.token * length + self.squared * length**2)


#: Like two cores with an int8 network of 6 layers; like one accelerator with the same in bf16.
CPU = Hardware("cpu", 2, 0.0002, 60e-6, 1e-7, max_rows=1, peer_rows=4)
ACCELERATOR = Hardware("accelerator", 1, 0.004, 1.5e-6, 3e-9, max_rows=128, peer_rows=10**6)


class Event(NamedTuple):
    """When it reaches the queue, when it occurred, and its windows' lengths."""

    arrives: float
    occurred: float
    lengths: tuple[int, ...]


class Choice(NamedTuple):
    """Positions in the queue that run now; none: ask again at `again`, or when something arrives."""

    members: Sequence[int]
    length: int = 0
    again: float = math.inf


Rule = Callable[[Sequence[Waiting], float], Choice]


def deadline(hardware: Hardware) -> Rule:
    """The scheduler that serves."""
    limits = RunLimits(max_rows=hardware.max_rows)

    def rule(queue: Sequence[Waiting], now: float) -> Choice:
        run = next_run(queue, now, hardware, limits)
        return Choice(run.members, run.shape.length) if run else Choice(())

    return rule


def deadline_waiting(hardware: Hardware) -> Rule:
    """The same, in no hurry."""
    limits, at_once = RunLimits(max_rows=hardware.max_rows), deadline(hardware)

    def rule(queue: Sequence[Waiting], now: float) -> Choice:
        run = next_run(queue, now, hardware, limits)
        if run is None:
            return Choice(())
        rows = len(run.members)
        latest = min(queue[at].deadline for at in run.members) - hardware.seconds(rows + 1, run.shape.length)
        if rows < limits.room(run.shape.length) and now < latest - 1e-9:
            return Choice((), again=latest)
        return at_once(queue, now)

    return rule


def fixed_batch(hardware: Hardware, rows: int = 32, delay: float = 0.05) -> Rule:  # noqa: ARG001 - rules are made alike
    """Triton's."""

    def rule(queue: Sequence[Waiting], now: float) -> Choice:
        if not queue:
            return Choice(())
        # A backlog has waited already; the others wait from their arrival, which is their deadline less the promise.
        full_at = queue[0].deadline - PROMISE_S + delay
        if len(queue) < rows and now < full_at - 1e-9:
            return Choice((), again=full_at)
        taken = range(min(rows, len(queue)))
        return Choice(taken, max(queue[at].length for at in taken))

    return rule


def token_budget(hardware: Hardware, budget: int = 16_384) -> Rule:
    """Text-embeddings-inference's."""

    def rule(queue: Sequence[Waiting], _now: float) -> Choice:
        taken, longest = 0, 0
        for waiting in queue[: hardware.peer_rows]:
            if max(longest, waiting.length) * (taken + 1) > budget:
                break
            taken, longest = taken + 1, max(longest, waiting.length)
        return Choice(range(taken), longest)

    return rule


def one_by_one(hardware: Hardware) -> Rule:  # noqa: ARG001 - rules are made alike
    """No batches."""
    return lambda queue, _now: Choice((0,), queue[0].length) if queue else Choice(())


RULES = {
    "deadline": deadline,
    "deadlineWaiting": deadline_waiting,
    "fixedBatch": fixed_batch,
    "tokenBudget": token_budget,
    "oneByOne": one_by_one,
}


class Played(NamedTuple):
    """What came of a trace: when each event was done, and the share of the tokens that were padding."""

    done: list[float]
    padding: float


def play(events: Sequence[Event], hardware: Hardware, rule: Rule) -> Played:
    """Let a rule serve a trace, event by event of simulated time.

    Args:
        events: by rising arrival.
        hardware: what runs.
        rule: asked whenever a server is free.
    """
    queue: list[tuple[Waiting, int]] = []
    left = [len(event.lengths) for event in events]
    done = [math.inf] * len(events)
    running: list[tuple[float, int, list[int]]] = []
    tie = count()
    free, now, arrived, again = hardware.servers, 0.0, 0, math.inf
    text = padded = 0
    while arrived < len(events) or queue or running:
        coming = events[arrived].arrives if arrived < len(events) else math.inf
        now = max(now, min(coming, running[0][0] if running else math.inf, again))
        while running and running[0][0] <= now:
            free += 1
            for event in heapq.heappop(running)[2]:
                left[event] -= 1
                if not left[event]:
                    done[event] = now
        while arrived < len(events) and events[arrived].arrives <= now:
            event = events[arrived]
            fresh = [(Waiting(event.occurred + PROMISE_S, length), arrived) for length in event.lengths]
            if queue and queue[-1][0].deadline > fresh[0][0].deadline:
                queue = list(heapq.merge(queue, fresh, key=lambda entry: entry[0].deadline))
            else:
                queue += fresh
            arrived += 1
        again = math.inf
        while free and queue:
            choice = rule(_Waitings(queue), now)
            if not choice.members:
                again = choice.again
                break
            rows = _taken(queue, sorted(choice.members))
            text += sum(waiting.length for waiting, _ in rows)
            padded += len(rows) * choice.length
            free -= 1
            heapq.heappush(running, (now + hardware.seconds(len(rows), choice.length), next(tie), [at for _, at in rows]))
    return Played(done, 1 - text / padded)


def _taken(queue: list[tuple[Waiting, int]], members: Sequence[int]) -> list[tuple[Waiting, int]]:
    """Take entries out of the queue."""
    rows = [queue[at] for at in members]
    if members[-1] == len(members) - 1:
        del queue[: len(members)]
    else:
        for at in reversed(members):
            del queue[at]
    return rows


class _Waitings(Sequence[Waiting]):
    """The queue as rules see it, without copying a hundred thousand entries for each decision."""

    def __init__(self, entries: list[tuple[Waiting, int]]) -> None:
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, at):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204 - an index or a slice
        return [waiting for waiting, _ in self._entries[at]] if isinstance(at, slice) else self._entries[at][0]


def length_of(rng: Random) -> int:
    """A window's tokens: most are near full, titles and short notes are not."""
    return min(128, max(6, round(rng.lognormvariate(math.log(75), 0.6))))


def best_rate(hardware: Hardware) -> float:
    """Windows a second that the hardware can do at best, with full runs of like lengths."""
    rng = Random(0)
    lengths = [length_of(rng) for _ in range(2000)]
    rows = hardware.max_rows
    return hardware.servers / statistics.fmean(hardware.seconds(rows, length) / rows for length in lengths)


def poisson(rng: Random, rate: Callable[[float], float], peak: float, seconds: float) -> list[Event]:
    """Arrivals at a rate that may change: those of the peak rate, thinned out."""
    events, now = [], 0.0
    while (now := now + rng.expovariate(peak)) < seconds:
        if rng.random() < rate(now) / peak:
            events.append(Event(now, now, (length_of(rng),)))
    return events


def traces(hardware: Hardware, rng: Random, *, scale: float) -> dict[str, list[Event]]:
    """The traces, each made for what the hardware can do."""
    best = best_rate(hardware)
    found = {
        f"poisson{share}": poisson(rng, lambda _, share=share: best * share / 100, best * share / 100, 60 * scale)  # type: ignore[misc]
        for share in (50, 80, 95)
    }
    usual = 0.1 * best
    # A fifth of a second in five at fifty times the usual rate: five times what the hardware can do, with time to recover.
    found["bursts"] = poisson(rng, lambda now: usual * (50 if now % 5 < 0.2 else 1), usual * 50, 60 * scale)
    behind = round(100_000 * scale)
    backlog = [Event(0.0, -3600 * (1 - at / behind) - 1, (length_of(rng),)) for at in range(behind)]
    fresh = poisson(rng, lambda _: 0.3 * best, 0.3 * best, behind / best)
    found["backlog"] = backlog + fresh
    small = poisson(rng, lambda _: 0.5 * best, 0.5 * best, 60 * scale)
    # A listing with everything in it: as much as a tenth of a second of all the hardware, and at least a dozen windows.
    windows = max(12, round(0.1 * best))
    giants = [Event(second + 0.5, second + 0.5, (128,) * windows) for second in range(int(60 * scale))]
    found["giant"] = list(heapq.merge(small, giants))
    return found


def judge(events: Sequence[Event], played: Played) -> dict[str, float]:
    """Share within the promise of those that could be, throughput, and the share of padding."""
    fresh = [end - event.occurred for event, end in zip(events, played.done, strict=True) if event.arrives <= event.occurred]
    span = max(played.done) - events[0].arrives
    return {
        "within": sum(latency <= PROMISE_S for latency in fresh) / len(fresh),
        "perSecond": len(events) / span,
        "p50Ms": 1000 * statistics.median(fresh),
        "p99Ms": 1000 * sorted(fresh)[int(0.99 * len(fresh))],
        "padding": played.padding,
    }


def measure(rounds: int, scale: float) -> list[dict[str, object]]:
    """Play everything; one row a curve, trace and rule, each figure the mean of the rounds."""
    found: list[dict[str, object]] = []
    for hardware in (CPU, ACCELERATOR):
        made = [traces(hardware, Random(seed), scale=scale) for seed in range(rounds)]
        for trace in made[0]:
            for name, rule in RULES.items():
                judged = [judge(round_[trace], play(round_[trace], hardware, rule(hardware))) for round_ in made]
                figures = {key: round(statistics.fmean(figure[key] for figure in judged), 4) for key in judged[0]}
                found.append({"hardware": hardware.name, "trace": trace, "rule": name} | figures)
    return found


def table(rows: Sequence[dict[str, object]]) -> str:
    """Markdown: for each trace the share within the promise and the throughput of every rule."""
    lines = ["| hardware | trace | " + " | ".join(RULES) + " |", "|---" * (len(RULES) + 2) + "|"]
    for hardware, trace in dict.fromkeys((row["hardware"], row["trace"]) for row in rows):
        cells = [
            f"{100 * float(str(row['within'])):.1f} %, {float(str(row['perSecond'])):.0f}/s"
            for row in rows
            if (row["hardware"], row["trace"]) == (hardware, trace)
        ]
        lines.append(f"| {hardware} | {trace} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Simulate, write the result, print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--small", action="store_true", help="a twentieth of everything, and no result is written")
    given = parser.parse_args()
    rows = measure(given.rounds, 0.05 if given.small else 1.0)
    print(table(rows))
    if not given.small:
        result = {"question": "share within 250 ms and events a second under scheduling rules, in simulated time", "rows": rows}
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
