"""Types of the fixtures that call the program."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Called:
    """How a call of the program ended."""

    status: int
    out: str
    err: str


Call = Callable[..., Called]
Start = Callable[..., "subprocess.Popen[bytes]"]
