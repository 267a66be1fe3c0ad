"""The reference that drift is measured against: how texts fall when a model reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import orjson

from stream_detector.detection.detector import Detector
from stream_detector.inference.artefact import MANIFEST, load_manifest
from stream_detector.observability.drift import SIGNALS, Judged, Reference, stability_index, tally

#: Texts that a reference is made of, at most: one in a hundred offends, and their kinds are a signal too.
SIZE: Final = 10_000

# Texts read together: enough for all cores, few enough to tell how far it is.
_TOGETHER: Final = 256


def make_reference(
    detector: Detector, texts: Sequence[str], *, source: str, progress: Callable[[int], object] | None = None
) -> Reference:
    """Read texts with a model and count how they fall.

    Args:
        detector: with the model.
        texts: like those that the model will meet; violations among them as often as there.
        source: what texts these are, in words.
        progress: called with how many were read.
    """
    judged: list[Judged] = []
    for begin in range(0, len(texts), _TOGETHER):
        some = texts[begin : begin + _TOGETHER]
        for text, verdict in zip(some, detector.verdicts(some), strict=True):
            judged.append(Judged.of(text, verdict.probability, detector.kinds_told(verdict)))
        if progress is not None:
            progress(len(judged))
    return Reference(source=source, counts=tally(judged))


def compare(expected: Reference, found: Reference) -> dict[str, float]:
    """The population stability index of each signal that the expected reference knows."""
    shares = {signal: expected.shares(signal) for signal in SIGNALS}
    return {signal: stability_index(of, found.counts[signal]) for signal, of in shares.items() if of}


def put_reference(folder: Path, reference: Reference) -> None:
    """Write a reference into an artefact's manifest, and leave all else in it as it is.

    Raises:
        ArtefactError: there is no manifest.
    """
    load_manifest(folder)
    file = folder / MANIFEST
    document = orjson.loads(file.read_bytes()) | {"reference": reference.model_dump(mode="json")}
    file.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
