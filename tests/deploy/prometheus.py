"""Prometheus's own tool, and the names that rules and dashboards may rest on."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from stream_detector.observability import Metrics

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "deploy/prometheus/rules").glob("*.yml"))


def promtool(*arguments: str | Path) -> None:
    """Run promtool; where it is missing, or finds a fault, the test fails and says so."""
    found = shutil.which("promtool", path=ROOT / ".tools/prometheus") or shutil.which("promtool")
    assert found, "no promtool in .tools/prometheus or PATH: run make prometheus-setup"
    done = subprocess.run([found, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def rules() -> list[dict[str, Any]]:
    """All rules, those that record and those that alert."""
    documents = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in RULES]
    return [rule for document in documents for group in document["groups"] for rule in group["rules"]]


def unknown_names(text: str) -> set[str]:
    """The names in a query, or in a page, that no metric and no rule has."""
    exported = {name for metric in Metrics().registry.collect() for name in _series(metric.name, metric.type)}
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    return set(re.findall(r"\bstream_detector[_:][\w:]+", text)) - exported - recorded


def _series(name: str, kind: str) -> set[str]:
    match kind:
        case "counter":
            return {f"{name}_total"}
        case "histogram":
            return {name, f"{name}_bucket", f"{name}_sum", f"{name}_count"}
        case _:
            return {name}
