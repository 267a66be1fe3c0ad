"""How long from an event's occurrence to its published outcome, on the embedded broker with the shipped model?

    python benchmarks/demo_latency.py [--rounds 3]

Runs `stream-detector demo --once --json` some times and keeps every summary and their medians.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

from machine import describe

RESULT = Path(__file__).parent / "results" / "demo_latency.json"


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    program = str(Path(sys.executable).with_name("stream-detector"))
    command = [program, "demo", "--once", "--json", "--metrics-port", "0"]
    summaries = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(rounds)]
    result = {
        "question": "latency from an event's occurrence to its published outcome in the demo, 25 events a second",
        "machine": describe(),
        "summaries": summaries,
        "medianLatencyMs": {name: statistics.median(s["latencyMs"][name] for s in summaries) for name in ("p50", "p99")},
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
