"""What does a request of 512 tokens cost over HTTP, here and elsewhere? The load tables of the published system, by Apache JMeter.

    make jmeter-setup
    python benchmarks/http_load.py LISTINGS_FOLDER [--runs 12] [--requests 60] [--tokens 512] [--threads 1]
        [--teacher FOLDER] [--student FOLDER] [--student-onnx ARTEFACT] [--peers PYTHON]

The published system's table has, for each run of 60 requests of 512 tokens: label, requests, avg, tp90, tp99, min, max,
throughput. Here every server gets the same requests in the same order, no sentence twice (no cache helps), one after the other
from one client (`--threads` for more); servers and the raw engine take turns within each run, so that a slow minute of the machine
hits all, and whoever has no turn is stopped. A server whose folder wasn't given is named as missing. Peers run from a Python of
their own: `uv venv P && uv pip install -p P/bin/python -r benchmarks/http_load_servers/requirements.txt`, then
`--peers P/bin/python`. `--teacher` and `--student` are folders of `stream-detector train fit` or `distill` and need the extra
`train`; `--student-onnx` is an artefact.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from http_load_server import Folders, Running, Server, servers
from http_load_table import Sample, markdown, of_raw, read, row, total
from http_load_texts import bodies, texts
from machine import describe

from stream_detector.inference.artefact import find
from stream_detector.settings import Settings

HERE = Path(__file__).parent
JMETER = HERE.parent / ".jmeter" / "bin" / "ApacheJMeter.jar"
RESULT = HERE / "results" / "http_load.json"
SHIPPED = "shipped model, stream-detector serve"
WARM_UPS = 5

Runs = list[list[Sample]]


def jmeter(port: int, lines: list[str], label: str, threads: int, scratch: Path) -> list[Sample]:
    """One run: warm-up, then the rest of the bodies."""
    file, results = scratch / "bodies.csv", scratch / "results.jtl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    results.unlink(missing_ok=True)
    given = {
        "port": port,
        "bodies": file,
        "label": label,
        "threads": threads,
        "loops": (len(lines) - WARM_UPS) // threads,
        "warm_ups": WARM_UPS,
        "jmeter.save.saveservice.output_format": "csv",
    }
    command = ["java", "-Xmx256m", "-Djava.awt.headless=true", "-jar", str(JMETER), "-n", "-t", str(HERE / "jmeter" / "score.jmx")]
    command += ["-l", str(results), "-j", str(scratch / "jmeter.log"), *(f"-J{name}={value}" for name, value in given.items())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    samples = read(results, label) if results.exists() else []
    if len(samples) != given["loops"] * threads:
        raise SystemExit(f"JMeter made {len(samples)} requests instead of {given['loops'] * threads}:\n{done.stdout}{done.stderr}")
    return samples


def raw(file: Path, first: int, count: int) -> dict[str, Any]:
    """The engine alone on the same texts, in a process of its own."""
    command = [sys.executable, str(HERE / "http_load_raw.py"), str(file), str(first), str(count)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return found


def measure(given: argparse.Namespace, there: list[Server]) -> tuple[dict[str, Runs], dict[str, Runs], float]:
    """All runs of all servers, those of the raw engine by way, and the mean windows of a text."""
    each = WARM_UPS + given.requests
    lines = bodies(texts(given.listings, given.runs * each + 1, given.tokens))
    over_http: dict[str, Runs] = {server.name: [] for server in there}
    engine: dict[str, Runs] = {}
    windows = []
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        scratch = Path(name)
        file = scratch / "all.jsonl"
        file.write_text("\n".join(lines), encoding="utf-8")
        running = {}
        for number, server in enumerate(there):
            running[server.name] = Running(server, lines[-1].encode(), scratch / f"{number}.log")
            stack.callback(running[server.name].close)
            print(f"{server.name}: ready", file=sys.stderr)
        for run in range(given.runs):
            alone = raw(file, run * each + WARM_UPS, given.requests)
            windows.append(alone["windows"])
            for way, milliseconds in alone["milliseconds"].items():
                engine.setdefault(way, []).append(of_raw(milliseconds))
            for server in there:
                with running[server.name].turn():
                    label = f"run {run + 1}"
                    samples = jmeter(running[server.name].port, lines[run * each :][:each], label, given.threads, scratch)
                over_http[server.name].append(samples)
                print(f"{server.name}: {row(label, samples)}", file=sys.stderr)
    return over_http, engine, sum(windows) / len(windows)


def ratio(above: Runs, below: Runs, figure: str) -> float:
    """The median over the runs of one figure to another's in the same run."""
    pairs = zip(above, below, strict=True)
    return round(median(row("", one)[figure] / row("", other)[figure] for one, other in pairs), 3)


def goals(there: list[Server], over_http: dict[str, Runs], engine: dict[str, Runs]) -> dict[str, float]:
    """The ratios that were aimed at, as far as their servers are there."""
    best = min(engine.values(), key=lambda runs: total(runs)["avg"])
    shipped = over_http[SHIPPED]
    found = {
        "tp99 to the raw engine's (goal: at most 1.3)": ratio(shipped, best, "tp99"),
        "throughput to the raw engine's (goal: at least 0.9)": ratio(shipped, best, "throughput"),
    }
    for server in there:
        ours = {"shipped": SHIPPED, "student": "6-layer student in PyTorch, stream-detector serve"}.get(server.group)
        if server.name.endswith("stream-detector serve") or ours is None:
            continue
        found[f"throughput to that of {server.name} (goal: at least 2)"] = ratio(
            over_http[ours], over_http[server.name], "throughput"
        )
    for server in there:
        if server.group == "teacher":
            found["tp99 of the teacher to the shipped model's (goal: at least 20)"] = ratio(over_http[server.name], shipped, "tp99")
            found["throughput to the teacher's (goal: at least 20)"] = ratio(shipped, over_http[server.name], "throughput")
    return found


def main() -> None:
    """Measure and write the result, as JSON and as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("listings", type=Path)
    for name, default in (("runs", 12), ("requests", 60), ("tokens", 512), ("threads", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    for name in ("teacher", "student", "student-onnx", "peers"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--out", type=Path, default=RESULT)
    given = parser.parse_args()
    if not JMETER.exists():
        raise SystemExit(f"{JMETER}: missing; run make jmeter-setup")
    folders = Folders(find(Settings().model), given.teacher, given.student, given.student_onnx, given.peers)
    there, missing = servers(folders)
    over_http, engine, windows = measure(given, there)
    tables = {name: [*(row(f"run {n + 1}", run) for n, run in enumerate(runs)), total(runs)] for name, runs in over_http.items()}
    alone = {way: total(runs) for way, runs in engine.items()}
    result = {
        "question": "what a request of a fixed number of tokens costs over HTTP, against the raw engine and other servers",
        "machine": describe(),
        "client": "Apache JMeter",
        "runs": given.runs,
        "requestsARun": given.requests,
        "tokens": given.tokens,
        "clientThreads": given.threads,
        "windowsAText": round(windows, 2),
        "ratios": goals(there, over_http, engine),
        "missing": missing,
        "rawEngine": alone,
        "servers": tables,
    }
    given.out.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    summary = [{**rows[-1], "label": name} for name, rows in tables.items()]
    summary += [{**found, "label": f"raw engine, {way}"} for way, found in alone.items()]
    parts = [
        f"# Load tables: {given.tokens} tokens, {given.runs} runs of {given.requests} requests, {given.threads} client thread(s)"
    ]
    parts += [f"Measured on {result['machine']}.", "Times over HTTP are JMeter's, in whole milliseconds."]
    parts += [f"- {name}: {value}" for name, value in result["ratios"].items()] + [f"- missing: {name}" for name in missing]
    parts += ["", markdown("Summary", summary), *(markdown(name, rows) for name, rows in tables.items())]
    given.out.with_suffix(".md").write_text("\n".join(parts), encoding="utf-8")
    print(json.dumps({"ratios": result["ratios"], "missing": missing, "summary": summary}, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
