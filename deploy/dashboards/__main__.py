"""Write the dashboards into a folder: `python -m deploy.dashboards deploy/grafana`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.dashboards.boards import BOARDS


def documents() -> dict[str, dict[str, Any]]:
    """Each dashboard as Grafana reads it, by its file's name."""
    return {f"{name}.json": json.loads(JSONEncoder(sort_keys=True).encode(make().build())) for name, make in BOARDS.items()}


if __name__ == "__main__":
    for file, document in documents().items():
        Path(sys.argv[1], file).write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8")
