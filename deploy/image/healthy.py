"""The image's HEALTHCHECK: 0 while the command that runs in the container answers /healthz, else 1.

It asks where `run` serves metrics and where `serve` listens, by the environment. A port that only a flag or a file names it
doesn't know, and commands that end by themselves serve nothing: give such containers `--no-healthcheck`.
"""

from __future__ import annotations

import os
import sys
import urllib.request

_PORTS = {"STREAM_DETECTOR_METRICS_PORT": "9108", "STREAM_DETECTOR_HTTP_PORT": "8080"}
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - the address is asked, not listened on


def healthy(environment: dict[str, str]) -> bool:
    """Whether one of the two answers."""
    host = environment.get("STREAM_DETECTOR_HTTP_HOST", "127.0.0.1")
    return any(
        _answers(f"http://{_EVERYWHERE.get(host, host)}:{environment.get(name, port)}/healthz") for name, port in _PORTS.items()
    )


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(0 if healthy(dict(os.environ)) else 1)
