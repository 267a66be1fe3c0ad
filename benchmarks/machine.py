"""What a figure was measured on: it stands in every result."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path


def describe() -> dict[str, object]:
    """Processor, cores, instruction sets that matter to int8, system and versions."""
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    model = next(
        (line.split(":", 1)[1].strip() for line in info.splitlines() if line.startswith("model name")), platform.processor()
    )
    flags = next((line for line in info.splitlines() if line.startswith("flags")), "")
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "vectorInstructions": [name for name in ("avx2", "avx512f", "avx512_vnni", "avx_vnni") if name in flags.split()],
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "onnxruntime": version("onnxruntime"),
        "measuredAt": datetime.now(UTC).isoformat(timespec="seconds"),
    }
