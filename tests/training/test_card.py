"""The card says what the files say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from stream_detector.training.card import read_fitted, write_card, write_fitted

_GROUPS: dict[str, Any] = {"en": {"share": 0.5, "n": 4}, "de": {"share": None, "n": 0}}
_PART: dict[str, Any] = {
    "violationsFound": {"share": 0.9512, "n": 1234},
    "harmlessWrong": {"share": 0.002, "n": 500},
    "spanOverlaps": {"share": None, "n": 0},
    "kindRight": {"share": 0.9, "n": 10},
    "foundByLanguage": _GROUPS,
    "foundByDisguise": _GROUPS,
    "foundByKind": _GROUPS,
}


def test_a_card_holds_the_figures_and_the_recipe(shipped: Path, tmp_path: Path) -> None:
    """Shares with what they are shares of; groups without members are left out; nothing stays to be filled in."""
    folder = tmp_path / shipped.name
    shutil.copytree(shipped, folder)
    write_fitted(tmp_path, {"base": "a small base", "pieces": 1234, "recipe": "One pass over 7 windows."})
    figures = json.loads(json.dumps(dict.fromkeys(("composed", "plain", "reviewed", "challenge"), _PART)))
    text = write_card(folder, figures, read_fitted(tmp_path)).read_text(encoding="utf-8")
    assert "| plain real texts | 95.1 % of 1,234 | 0.2 % of 500 | – | 90.0 % of 10 |" in text
    assert "| en | 50.0 % | 4 |" in text
    assert "| de |" not in text
    assert "a small base" in text
    assert "1,234 words" in text
    assert "One pass over 7 windows." in text
    assert "$" not in text
