"""The model card: what an artefact was made of and how good it is, from the files that say so."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

from stream_detector.inference.artefact import GRAPH, load_manifest
from stream_detector.training.corpus.listings import reviews

CARD = "MODEL_CARD.md"

#: What `pipeline.train` leaves in its work folder: how the network was fitted.
FITTED = "fitted.json"

_PARTS = {
    "composed": "composed texts, real backgrounds and packs",
    "plain": "plain real texts",
    "reviewed": "real texts that were read",
    "challenge": "written by hand",
}
_COLUMNS = ("violationsFound", "harmlessWrong", "spanOverlaps", "kindRight")
_TITLES = (
    "| texts of the held-back cities, or written apart | violations found | harmless flagged | evidence overlaps | kind right |"
)


def write_card(folder: Path, figures: Mapping[str, Any], fitted: Mapping[str, Any]) -> Path:
    """Write MODEL_CARD.md into an artefact's folder.

    Args:
        folder: the artefact.
        figures: what `pipeline.evaluate` found.
        fitted: what `pipeline.train` left in `fitted.json`.
    """
    manifest = load_manifest(folder)
    labels = Counter("open" if not review.settled else "fraud" if review.spans else "harmless" for review in reviews().values())
    written = figures["challenge"]
    text = Template((resources.files("stream_detector.training") / "card.md").read_text(encoding="utf-8")).substitute(
        name=folder.name,
        code=manifest.model_code,
        version=manifest.model_version,
        refresh=manifest.refresh_version,
        threshold=manifest.threshold,
        window=manifest.window.tokens,
        size=f"{(folder / GRAPH).stat().st_size / 1e6:.1f}",
        base=fitted["base"],
        pieces=f"{fitted['pieces']:,}",
        recipe=fitted["recipe"],
        reviewed=f"{sum(labels.values()):,}",
        reviewed_fraud=f"{labels['fraud']:,}",
        reviewed_harmless=f"{labels['harmless']:,}",
        reviewed_open=f"{labels['open']:,}",
        headline=_headline(figures),
        written_fraud=written["violationsFound"]["n"],
        written_harmless=written["harmlessWrong"]["n"],
        by_language=_groups(written["foundByLanguage"], "language"),
        by_disguise=_groups(written["foundByDisguise"], "disguise"),
        by_kind=_groups(figures["composed"]["foundByKind"], "kind"),
        composed_by_disguise=_groups(figures["composed"]["foundByDisguise"], "disguise"),
        composed_by_language=_groups(figures["composed"]["foundByLanguage"], "language"),
    )
    (folder / CARD).write_text(text, encoding="utf-8")
    return folder / CARD


def read_fitted(work: Path) -> dict[str, Any]:
    """What `pipeline.train` left about the network in a work folder."""
    fitted: dict[str, Any] = json.loads((work / FITTED).read_text(encoding="utf-8"))
    return fitted


def write_fitted(work: Path, fitted: Mapping[str, Any]) -> None:
    """Leave how a network was fitted: `base` in words, `pieces` added to its vocabulary, and the `recipe` of each pass."""
    (work / FITTED).write_text(json.dumps(fitted, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _headline(figures: Mapping[str, Any]) -> str:
    rows = [
        f"| {title} | " + " | ".join(_share(figures[part][column]) for column in _COLUMNS) + " |" for part, title in _PARTS.items()
    ]
    return "\n".join([_TITLES, "|---|---|---|---|---|", *rows, ""])


def _share(share: Mapping[str, Any]) -> str:
    return "–" if share["share"] is None else f"{share['share']:.1%} of {share['n']:,}".replace("%", " %")


def _groups(groups: Mapping[str, Any], title: str) -> str:
    rows = [
        f"| {group} | {share['share']:.1%} | {share['n']:,} |".replace("%", " %") for group, share in groups.items() if share["n"]
    ]
    return "\n".join([f"| {title} | share | of |", "|---|---|---|", *rows, ""])
