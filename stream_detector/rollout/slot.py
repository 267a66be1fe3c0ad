"""The model in one role, and who is using it: one that was replaced is released when nobody uses it any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from threading import Condition

from stream_detector.detection import Detector
from stream_detector.inference.artefact import GRAPH, TOKENIZER, Manifest


class Role(StrEnum):
    """What a model is there for; the name of the setting that names it."""

    MODEL = "model"
    CANARY = "canary"
    SHADOW = "shadow"


@dataclass(eq=False, slots=True)
class _Held:
    detector: Detector
    users: int = 0


class Slot:
    """Holds a detector that may be swapped while others use it.

    Args:
        role: what it is there for.
        detector: the first one; the slot closes it.
    """

    def __init__(self, role: Role, detector: Detector) -> None:
        self.role = role
        self._held = _Held(detector)
        self._changed = Condition()

    @property
    def detector(self) -> Detector:
        """The one that is in now. It may be closed at any moment: for what takes time, `hold` it."""
        return self._held.detector

    @contextmanager
    def hold(self) -> Iterator[Detector]:
        """The one that is in now, which stays usable until this is left, whatever is swapped meanwhile."""
        with self._changed:
            held = self._held
            held.users += 1
        try:
            yield held.detector
        finally:
            with self._changed:
                held.users -= 1
                if held.users == 0 and held is not self._held:
                    self._changed.notify_all()

    def swap(self, detector: Detector) -> None:
        """Put another one in at once; return when the last user of the old one has left and it is closed."""
        with self._changed:
            old, self._held = self._held, _Held(detector)
            self._changed.wait_for(lambda: old.users == 0)
        old.detector.close()

    def close(self) -> None:
        """Close the one that is in, whoever uses it: what they wait for is cancelled."""
        self.detector.close()


def same_model(one: Manifest, other: Manifest) -> bool:
    """Whether two artefacts go by the same name, which violation ids are made of."""
    return (one.model_code, one.model_version, one.refresh_version) == (
        other.model_code, other.model_version, other.refresh_version,
    )  # fmt: skip


def same_verdicts(one: Manifest, other: Manifest) -> bool:
    """Whether two artefacts say the same of every text: whatever else their manifests hold are figures and notes."""
    return _substance(one) == _substance(other)


def _substance(manifest: Manifest) -> tuple[object, ...]:
    files = [manifest.files.get(name) for name in (GRAPH, TOKENIZER)]
    return (manifest.threshold, manifest.calibration, manifest.window, manifest.tags, manifest.model_segment, files)


def name_of(manifest: Manifest) -> str:
    """A model's name in logs and tables."""
    return f"{manifest.model_code} {manifest.model_version} {manifest.refresh_version}"
