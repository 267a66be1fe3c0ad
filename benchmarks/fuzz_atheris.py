"""Does any input that coverage leads to crash the codec, the normalized view, the windows or the reading of contacts?

    pip install 'stream-detector[fuzz]'
    python -m benchmarks.fuzz_atheris [--target codec|text] [--seconds 60] [--corpus FOLDER]

Atheris is libFuzzer for Python: it keeps the inputs that reach code which none before reached, and mutates those. `codec` gives
bytes to the worker's own reading; `text` gives texts to the view, to sentences and windows, and to the identifiers of contacts,
and holds the view's map to what it promises. An exception ends the run and leaves the input in a file.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.machine import describe
from stream_detector.errors import MissingExtraError

try:
    import atheris
except ImportError:
    raise SystemExit(str(MissingExtraError("fuzzing", "fuzz"))) from None

with atheris.instrument_imports(include=["stream_detector.contracts", "stream_detector.text", "stream_detector.detection", "json"]):
    from benchmarks.hostile_payloads import HOSTILE, payloads
    from stream_detector.contracts import Event, Kind, decode, encode
    from stream_detector.detection.contacts import identify
    from stream_detector.settings import PolicySettings, Settings
    from stream_detector.streaming.records import Record, messages_of, read
    from stream_detector.text.masking import mask
    from stream_detector.text.view import Normalizer
    from stream_detector.text.windows import sentence_ends, windows

RESULT = Path(__file__).parent / "results" / "fuzz_atheris.json"
_NOW = datetime(2026, 11, 24, tzinfo=UTC)
_SETTINGS = Settings(publish_scores=True)
_POLICY = PolicySettings()
_NORMALIZER = Normalizer(_POLICY.platform_names, _POLICY.platform_domains)
_KINDS = tuple(Kind)


def codec(data: bytes) -> None:
    """Every payload is an event, or has outcomes that can be published; an event survives being written and read."""
    outcome = read(Record("bookings", 0, 0, b"key", data), _SETTINGS, now=_NOW)
    if isinstance(outcome, Event):
        # Written to the millisecond: what was sent more finely differs once, and never again.
        written = encode(outcome)
        if encode(decode(Event, written)) != written:
            raise AssertionError("an event is another one after writing and reading")
    else:
        messages_of(outcome, _SETTINGS, now=_NOW)


def text(data: bytes) -> None:
    """Every text has a view whose spans lie in the original, sentences and windows that cover it, and contacts or none."""
    sent = data.decode("utf-8", "ignore")
    view = _NORMALIZER.view(sent)
    last = 0
    for at in range(len(view.text)):
        start, end = view.to_original(at, at + 1)
        if not last <= start < end <= len(sent):
            raise AssertionError(f"character {at} of the view maps to {start}:{end} of {len(sent)}")
        last = start
    ends = sentence_ends(view.text)
    if ends != sorted(set(ends)) or (view.text and ends[-1] != len(view.text)):
        raise AssertionError(f"sentences end at {ends[:20]} of {len(view.text)}")
    spans = [(at, at + 1) for at in range(len(view.text))]
    covered = {token for window in windows(view.text, spans, budget=24, overlap=6) for token in window}
    if covered != set(range(len(spans))):
        raise AssertionError("windows leave tokens out")
    identify(view.text, _KINDS[len(sent) % len(_KINDS)])
    mask(sent)


TARGETS = {"codec": codec, "text": text}


def main() -> int:
    """Fuzz in a process of its own, since libFuzzer ends it, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", choices=TARGETS, help="one target instead of all")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--corpus", type=Path, help="folder that keeps inputs from run to run")
    parser.add_argument("--fuzzer", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.fuzzer is not None:
        atheris.Setup([sys.argv[0], *given.fuzzer], TARGETS[given.target])
        atheris.Fuzz()
    results = {target: _run(target, given.seconds, given.corpus) for target in ([given.target] if given.target else TARGETS)}
    result = {"question": "does any input that coverage leads to crash it?", "machine": describe(), "targets": results}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))
    return 0 if all(one["crashes"] == 0 for one in results.values()) else 1


def _run(target: str, seconds: int, corpus: Path | None) -> dict[str, Any]:
    folder = (corpus or Path(tempfile.mkdtemp(prefix="stream-detector-fuzz-"))) / target
    _sow(folder)
    command = [sys.executable, "-m", "benchmarks.fuzz_atheris", "--target", target, "--fuzzer"]
    limits = [f"-max_total_time={seconds}", "-max_len=4096", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]
    done = subprocess.run(
        [*command, *limits, f"-artifact_prefix={folder.parent}/", str(folder)],
        check=False, capture_output=True, text=True, errors="replace",
    )  # fmt: skip
    if done.returncode != 0:
        sys.stderr.write(done.stderr[-4000:])
    lines = [line.removeprefix("stat::").split(":") for line in done.stderr.splitlines() if line.startswith("stat::")]
    stats = {name.strip(): int(value) for name, value in lines}
    return {
        "seconds": seconds,
        "inputs": stats.get("number_of_executed_units", 0),
        "inputsKept": len(list(folder.iterdir())),
        "peakRssMb": stats.get("peak_rss_mb", 0),
        "crashes": int(done.returncode != 0),
    }


def _sow(folder: Path) -> None:
    """Inputs to begin with: what the other fuzzer makes."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, payload in enumerate((*payloads(random.Random(1), 200), *HOSTILE)):
        (folder / f"seed-{number}").write_bytes(payload)


if __name__ == "__main__":
    sys.exit(main())
