"""A result as JSON, and as a table beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def write(result: dict[str, Any], file: Path) -> None:
    """Write both."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    file.with_suffix(".md").write_text(table(result), encoding="utf-8")
    print(table(result))


def table(result: dict[str, Any]) -> str:
    """The table."""
    subscriber, ledger = result["subscriber"], result["ledger"]
    faults = ", ".join(f"{count} {what}" for what, count in ledger.get("faults", {}).items()) or "none"
    rows = [
        f"| {kind} | {one['count']} | {one['recoveryMedianS']} | {one['recoveryMaxS']} | {one['neverRecovered']} |"
        for kind, one in result["faults"].items()
    ]
    return "\n".join(
        [
            f"`{result['command']}` ({result['machine']['processor']}, {result['machine']['cores']} cores)",
            "",
            f"{result['events']} events: {subscriber['lost']} lost, {subscriber['repeated']} repeated; the ledger's faults: {faults}.",
            "",
            "| fault | times | recovery, median s | max s | never |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )
