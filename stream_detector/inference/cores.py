"""Which cores of an accelerator this process may use, by the rules of AWS's Neuron runtime.

The runtime reads two variables of the environment: NEURON_RT_VISIBLE_CORES names cores ("3", "0-3", "0,2,4-5") and
NEURON_RT_NUM_CORES asks for a number of them, whichever are free (0: all). Where both are set the first one counts. With neither
the process takes all there are. Either way it counts its own from zero.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from stream_detector.errors import ConfigurationError

VISIBLE: Final = "NEURON_RT_VISIBLE_CORES"
NUMBER: Final = "NEURON_RT_NUM_CORES"


def count_devices(folder: Path = Path("/dev")) -> int:
    """Neuron devices that this machine, or this container, has."""
    return sum(1 for file in folder.glob("neuron*") if re.fullmatch(r"neuron\d+", file.name))


def visible_cores(environment: Mapping[str, str], available: int) -> int:
    """How many cores this process may use.

    Args:
        environment: of the process.
        available: cores of all devices together.

    Raises:
        ConfigurationError: there is none, or a variable can't be read or asks for more than there are.
    """
    if available < 1:
        raise ConfigurationError(
            "backend neuron: no Neuron device here (no /dev/neuron0); start it on an inf1 or inf2 instance whose driver is loaded, "
            "give the container the device, or set backend to onnx"
        )
    if text := environment.get(VISIBLE, "").strip():
        named = _named(text)
        if max(named) >= available:
            raise ConfigurationError(f"{VISIBLE}: names core {max(named)}, but there are {available}, counted from 0")
        return len(named)
    text = environment.get(NUMBER, "").strip() or "0"
    if not text.isascii() or not text.isdecimal() or int(text) > available:
        raise ConfigurationError(f"{NUMBER}: must be a number from 0 (all) to {available}, the cores that there are")
    return int(text) or available


def _named(text: str) -> set[int]:
    cores: set[int] = set()
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d{1,4})\s*(?:-\s*(\d{1,4}))?\s*", part, re.ASCII)
        if found is None or (found[2] and int(found[2]) < int(found[1])):
            raise ConfigurationError(f"{VISIBLE}: must be cores such as 3, 0-3 or 0,2; without the variable all are used")
        cores.update(range(int(found[1]), int(found[2] or found[1]) + 1))
    return cores
