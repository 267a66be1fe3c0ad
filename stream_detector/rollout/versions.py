"""Which versions of a model have series in the metrics: those that came last, so that series don't grow with the years."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Final

from stream_detector.inference.artefact import Manifest

#: The one that is in, and the one before it.
_SHOWN: Final = 2

#: modelVersion and refreshVersion.
Version = tuple[str, str]


class ShownVersions:
    """Keeps the versions that were seen last.

    Args:
        forget: takes the series of a version out of the metrics.
    """

    def __init__(self, forget: Callable[[Version], None]) -> None:
        self._forget = forget
        self._shown: list[Version] = []
        self._lock = Lock()

    def show(self, manifest: Manifest) -> Version:
        """The labels of a model; those of one that is long gone are forgotten."""
        version = manifest.model_version, manifest.refresh_version
        if version not in self._shown:
            with self._lock:
                if version not in self._shown:
                    self._shown.append(version)
                if len(self._shown) > _SHOWN:
                    self._forget(self._shown.pop(0))
        return version
