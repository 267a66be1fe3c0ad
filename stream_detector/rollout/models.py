"""The models of a process: what decides, what is tried beside it, and what takes their place while events flow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from stream_detector.detection import Detector
from stream_detector.inference.artefact import Manifest
from stream_detector.observability import Metrics
from stream_detector.rollout.reload import Reloader, Watched, check_name, look_of
from stream_detector.rollout.roster import Roster, show_models
from stream_detector.rollout.shadow import Shadow
from stream_detector.rollout.slot import Role, Slot, name_of, same_model
from stream_detector.settings import Settings
from stream_detector.streaming import Outcome

#: Bound of each cache of a shadow, which reads a sample of the keys.
_SHADOW_CACHE_BYTES: Final = 8 * 1024 * 1024

#: Loads the detector that settings name and times it, with its counts in the given metrics.
Load = Callable[[Settings, Metrics], Detector]

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Models:
    """The models that are open.

    Attributes:
        roster: gives verdicts.
        manifest: of the one that decides, as it was at the start.
        backend_name: what runs it.
        reload: has changed artefacts swapped in now; safe in a signal handler.
        offer: takes a committed outcome for the shadow to look at; None if there is no shadow.
    """

    roster: Roster
    manifest: Manifest
    backend_name: str
    reload: Callable[[], None]
    offer: Callable[[Outcome], None] | None


@contextmanager
def open_models(settings: Settings, metrics: Metrics, load: Load) -> Iterator[Models]:
    """Load the models that the settings name, and keep them up to date until left.

    Raises:
        ArtefactError: one is missing, altered or can't be run, or two of them go by one name.
        ConfigurationError: a Kafka key is wrong.
    """
    watched: list[Watched] = []
    with ExitStack() as stack:
        in_metrics = partial(_load_in, metrics, load)

        def enter(role: Role, name: str, load_one: Callable[[Settings], Detector] = in_metrics) -> Slot:
            own, look = settings.model_copy(update={"model": name}), look_of(name)
            slot = Slot(role, load_one(own))
            stack.callback(slot.close)
            check_roles(role, slot.detector, watched)
            watched.append(Watched(slot, load_one, own, look))
            return slot

        model = enter(Role.MODEL, settings.model)
        canary = enter(Role.CANARY, settings.canary_model) if settings.canary_model else None
        roster = Roster(model, canary, settings.canary_share, metrics)
        offer = None
        if settings.shadow_model:
            slot = enter(Role.SHADOW, settings.shadow_model, partial(_load_aside, load))
            shadow = Shadow(settings, slot, lambda: roster.seconds_left > 0, metrics)
            stack.callback(shadow.close)
            offer = shadow.offer
        show = partial(show_models, metrics, [one.slot for one in watched])
        show()
        reloader = Reloader(watched, settings.model_reload_seconds, metrics, show)
        stack.callback(reloader.close)
        yield Models(roster, model.detector.manifest, model.detector.backend_name, reloader.ask, offer)


def check_roles(role: Role, detector: Detector, others: list[Watched]) -> None:
    """Refuse a model whose name another one has, and warn of one that is there already.

    Raises:
        ArtefactError: two models go by one name.
    """
    manifests = [other.slot.detector.manifest for other in others]
    check_name(detector.manifest, manifests)
    if any(same_model(detector.manifest, other) for other in manifests):
        _log.warning("the same model twice: there is nothing to compare", role=role.value, model=name_of(detector.manifest))


def _load_in(metrics: Metrics, load: Load, settings: Settings) -> Detector:
    return load(settings, metrics)


def _load_aside(load: Load, settings: Settings) -> Detector:
    """A shadow: one window at a time, small caches, and its runs aren't counted among those that the promise waits for."""
    small = {"verdict_cache_bytes": _SHADOW_CACHE_BYTES, "window_cache_bytes": _SHADOW_CACHE_BYTES, "inference_threads": 1}
    return load(settings.model_copy(update=small), Metrics())
