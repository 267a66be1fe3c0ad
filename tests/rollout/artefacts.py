"""Artefacts made of the shipped one: the same network under another name, with another threshold or calibration."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Final

from stream_detector.inference.artefact import GRAPH, MANIFEST, TOKENIZER, find, load_manifest
from stream_detector.settings import Settings

SHIPPED: Final = find(Settings().model)
REFRESH: Final = load_manifest(SHIPPED).refresh_version
VERSION: Final = load_manifest(SHIPPED).model_version


def make_artefact(folder: Path, refresh_version: str, **changes: Any) -> Path:
    """A model folder: the shipped network, named by its refresh version; `changes` are fields of the manifest."""
    folder.mkdir(parents=True)
    for name in (GRAPH, TOKENIZER):
        # Not a link to the same file: a test may spoil it.
        shutil.copy(SHIPPED / name, folder / name)
    rename(folder, refresh_version, **changes)
    return folder


def rename(folder: Path, refresh_version: str, **changes: Any) -> None:
    """Make another model of a folder, in one step, as a release should."""
    manifest = json.loads((SHIPPED / MANIFEST).read_text(encoding="utf-8"))
    manifest |= {"refreshVersion": refresh_version} | changes
    new = folder / "model.json.new"
    new.write_text(json.dumps(manifest), encoding="utf-8")
    new.replace(folder / MANIFEST)


#: An intercept with which every text is Fraud, whatever the network says, and one with which none is.
ALWAYS: Final = {"calibration": {"slope": 1.0, "intercept": 50.0}}
NEVER: Final = {"calibration": {"slope": 1.0, "intercept": -50.0}}
