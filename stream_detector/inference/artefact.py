"""The model artefact: a folder with the graph, the tokenizer and a manifest that says what they are.

    models/<name>/model.onnx       the network
                  tokenizer.json   how text becomes token numbers
                  model.json       the manifest: versions, window, calibration, threshold, figures, checksums
                  MODEL_CARD.md    for people

A file whose SHA-256 isn't the manifest's is not loaded.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic.alias_generators import to_camel

from stream_detector.contracts import Kind
from stream_detector.errors import ArtefactError
from stream_detector.observability.drift import Reference

MANIFEST: Final = "model.json"
GRAPH: Final = "model.onnx"
TOKENIZER: Final = "tokenizer.json"

#: Where shipped models stand: in the source tree, or inside the installed package.
_PACKAGE = Path(__file__).resolve().parent.parent
_SHIPPED = (_PACKAGE.parent / "models", _PACKAGE / "_models")


class _ManifestModel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True, protected_namespaces=())


class Calibration(_ManifestModel):
    """Platt's scaling: probability = sigmoid(slope * logit + intercept)."""

    slope: float = Field(gt=0)
    intercept: float

    def probability(self, logit: float) -> float:
        """The probability that a window with this logit holds a violation."""
        x = self.slope * logit + self.intercept
        return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


class WindowShape(_ManifestModel):
    """Most tokens in a window (special ones included), and how many two windows share inside a long sentence."""

    tokens: int = Field(ge=16)
    overlap: int = Field(ge=0)

    @model_validator(mode="after")
    def _room_for_more(self) -> Self:
        if self.overlap >= self.tokens - 2:
            raise ValueError("overlap must leave room in a window, which holds two special tokens")
        return self


class Manifest(_ManifestModel):
    """What an artefact says of itself."""

    format_version: int = Field(ge=1, le=1)
    model_code: str
    model_version: str
    refresh_version: str
    model_segment: str
    threshold: float = Field(gt=0, lt=1)
    calibration: Calibration
    window: WindowShape
    tags: tuple[Kind | None, ...]
    files: Mapping[str, str]
    evaluation: Mapping[str, Any] = Field(default_factory=dict)
    #: How the texts fell that it was made with; what drift is measured against.
    reference: Reference | None = None

    @field_validator("tags")
    @classmethod
    def _outside_first(cls, tags: tuple[Kind | None, ...]) -> tuple[Kind | None, ...]:
        if tags[:1] != (None,) or None in tags[1:]:
            raise ValueError("the first must be null (outside) and no other")
        return tags


def available() -> list[Path]:
    """The shipped artefacts' folders, sorted by name."""
    return sorted({folder.name: folder for root in reversed(_SHIPPED) for folder in _artefacts_in(root)}.values())


def _artefacts_in(root: Path) -> list[Path]:
    return [manifest.parent for manifest in root.glob(f"*/{MANIFEST}")]


def find(name_or_path: str) -> Path:
    """The folder of a shipped artefact by name, or of any by path.

    Raises:
        ArtefactError: there is none.
    """
    candidates = [root / name_or_path for root in _SHIPPED] + [Path(name_or_path)]
    for folder in candidates:
        if (folder / MANIFEST).is_file():
            return folder
    names = ", ".join(folder.name for folder in available()) or "none"
    raise ArtefactError(
        f"model {name_or_path!r}: no folder with {MANIFEST}; shipped models: {names}. Set `model` to one or to a path."
    )


def load_manifest(folder: Path) -> Manifest:
    """Read an artefact's manifest.

    Raises:
        ArtefactError: it is missing or isn't one.
    """
    file = folder / MANIFEST
    try:
        return Manifest.model_validate_json(file.read_bytes())
    except OSError as error:
        raise ArtefactError(f"{file}: {error.strerror}") from None
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        field = ".".join(map(str, fault["loc"])) or "not a manifest"
        raise ArtefactError(f"{file}: {field}: {fault['msg']}; export the model anew with stream-detector train export") from None


def verify(folder: Path) -> Manifest:
    """Check every file of an artefact against its manifest.

    Raises:
        ArtefactError: a file is missing or altered.
    """
    manifest = load_manifest(folder)
    for needed in (GRAPH, TOKENIZER):
        if needed not in manifest.files:
            raise ArtefactError(f"{folder / MANIFEST}: files: {needed} has no checksum; export the model anew")
    for name, expected in manifest.files.items():
        file = folder / name
        if Path(name).name != name:
            raise ArtefactError(f"{folder / MANIFEST}: files: {name!r} leads out of the folder")
        if not file.is_file():
            raise ArtefactError(f"{file}: missing; restore the folder or export the model anew")
        if sha256(file) != expected:
            raise ArtefactError(f"{file}: its SHA-256 is not the manifest's, so it is not loaded; restore it from where you got it")
    return manifest


def sha256(file: Path) -> str:
    """A file's checksum in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
