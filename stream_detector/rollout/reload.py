"""Hot reload: a changed artefact is loaded beside the working model, and swapped in if it is sound."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final

import structlog

from stream_detector.detection import Detector
from stream_detector.errors import ArtefactError
from stream_detector.inference.artefact import Manifest, find, load_manifest
from stream_detector.observability import Metrics
from stream_detector.rollout.slot import Role, Slot, name_of, same_model, same_verdicts
from stream_detector.settings import Settings

#: A folder that has changed is left alone until it has been the same for so long: its files come one after the other.
_SETTLED_S: Final = 1.0
_LEAVE_S: Final = 10.0
_RESULTS: Final = ("swapped", "refused")

#: What a folder looks like from outside: name, time of change, size and number of each file.
Look = tuple[tuple[str, int, int, int], ...]

_log = structlog.get_logger()


@dataclass(slots=True)
class Watched:
    """A slot and the folder that it is loaded from.

    Attributes:
        load: loads and times the detector that settings name.
        settings: name the folder, as `model`.
        seen: how the folder looked when it was last loaded or refused.
    """

    slot: Slot
    load: Callable[[Settings], Detector]
    settings: Settings
    seen: Look


class _Wish(Enum):
    LOOK = auto()
    LEAVE = auto()


class Reloader:
    """Looks at folders from a thread of its own, and swaps what has changed in them.

    Args:
        watched: the slots.
        every_s: seconds between two looks; 0: it only looks when asked to.
        metrics: where swaps and refusals are counted.
        swapped: called after each swap or refusal.
    """

    def __init__(self, watched: Sequence[Watched], every_s: float, metrics: Metrics, swapped: Callable[[], None]) -> None:
        self._watched = watched
        self._every_s = every_s
        self._metrics = metrics
        self._swapped = swapped
        for one in watched:
            for result in _RESULTS:
                # There from the start: the first refusal must be a rise, or no alert would see it.
                metrics.model_reloads.labels(one.slot.role.value, result)
        # A simple queue: what `ask` does must be safe in a signal handler, whatever its thread was doing just then.
        self._asked: SimpleQueue[_Wish] = SimpleQueue()
        self._thread = Thread(target=self._run, name="model-reload", daemon=True)
        self._thread.start()

    def ask(self) -> None:
        """Look now. Safe from any thread and from a signal handler."""
        self._asked.put(_Wish.LOOK)

    def close(self) -> None:
        """End the thread, after the model that it is loading just now; but one whose loading hangs isn't waited for."""
        self._asked.put(_Wish.LEAVE)
        self._thread.join(_LEAVE_S)

    def _run(self) -> None:
        changed: dict[int, Look] = {}
        while True:
            wait = min(self._every_s, _SETTLED_S) if changed else self._every_s
            try:
                if self._asked.get(timeout=wait or None) is _Wish.LEAVE:
                    return
                changed = {}
                for watched in self._watched:
                    self._replace(watched, look_of(watched.settings.model))
            except Empty:
                changed = self._look(changed)

    def _look(self, before: dict[int, Look]) -> dict[int, Look]:
        """Replace what has changed and settled; return what hasn't settled yet."""
        unsettled = {}
        for number, watched in enumerate(self._watched):
            look = look_of(watched.settings.model)
            if look == watched.seen:
                continue
            if look == before.get(number):
                self._replace(watched, look)
            else:
                unsettled[number] = look
        return unsettled

    def _replace(self, watched: Watched, look: Look) -> None:
        """Swap in what is in the folder now, or refuse it; whatever happens, this thread goes on looking."""
        slot, working = watched.slot, watched.slot.detector
        watched.seen = look
        try:
            detector = self._load(watched, look)
        except Exception as error:  # noqa: BLE001 - whatever a bad artefact raises, the working model goes on
            self._refused(slot.role, working.manifest, error)
        else:
            if detector is None:
                return
            facts = {"model": name_of(detector.manifest), "was": name_of(working.manifest), "threshold": detector.threshold}
            facts |= {"window_ms": _window_ms(detector), "window_ms_was": _window_ms(working)}
            # Nothing here may keep the old one once the slot has let it go.
            del working
            with suppress(Exception):  # the new one decides already; what the old one says on leaving changes nothing
                slot.swap(detector)
            self._metrics.model_reloads.labels(slot.role.value, "swapped").inc()
            _log.info("model swapped", role=slot.role.value, **facts)
        self._swapped()

    def _load(self, watched: Watched, look: Look) -> Detector | None:
        """The detector to swap in, checked, warm and timed; None if it is the working one."""
        # One folder from beginning to end, even if a link is set to another one meanwhile.
        folder = find(watched.settings.model).resolve()
        manifest = load_manifest(folder)
        check_name(manifest, [other.slot.detector.manifest for other in self._watched])
        if same_model(manifest, watched.slot.detector.manifest):
            _log.info("model unchanged", role=watched.slot.role.value, model=name_of(manifest))
            return None
        detector = watched.load(watched.settings.model_copy(update={"model": str(folder)}))
        if look_of(watched.settings.model) != look:
            detector.close()
            raise ArtefactError(f"{folder}: changed while it was being loaded; put a finished folder in place at once")
        return detector

    def _refused(self, role: Role, working: Manifest, error: Exception) -> None:
        self._metrics.model_reloads.labels(role.value, "refused").inc()
        # What is not our own may quote anything.
        reason = str(error) if isinstance(error, ArtefactError) else f"loading it raised {type(error).__name__}"
        _log.error("model refused, the one before it goes on", role=role.value, reason=reason, model=name_of(working))


def look_of(name_or_path: str) -> Look:
    """What a model's folder looks like now; empty if there is none."""
    try:
        folder = find(name_or_path)
        return tuple(sorted(_look_of(file) for file in folder.iterdir()))
    except (ArtefactError, OSError):
        return ()


def check_name(manifest: Manifest, others: Iterable[Manifest]) -> None:
    """Refuse a model that goes by the name of another one: a violation's id would stand for two verdicts.

    Raises:
        ArtefactError: it has other files, another threshold or calibration.
    """
    for other in others:
        if same_model(manifest, other) and not same_verdicts(manifest, other):
            raise ArtefactError(
                f"model.json: refreshVersion: {name_of(manifest)} is the name of a model that is working, which has other files,"
                " another threshold or calibration; give the new one a refreshVersion of its own"
            )


def _look_of(file: Path) -> tuple[str, int, int, int]:
    status = file.stat()
    return file.name, status.st_mtime_ns, status.st_size, status.st_ino


def _window_ms(detector: Detector) -> float:
    """What the longest window is expected to take, in milliseconds."""
    return round(detector.costs.seconds(1, detector.manifest.window.tokens) * 1000, 1)
