"""README.md is the contract that people read first: what it shows must be what the code takes and gives."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import orjson
import pytest
from pydantic import BaseModel

from benchmarks.summary import in_readme
from stream_detector.contracts import Event, ScoringRequest, ScoringResponse, Violation, WireModel, decode
from stream_detector.settings import Settings

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```json\n(.*?)```", README, re.DOTALL)


def _model_of(document: dict[str, object]) -> type[WireModel] | None:
    if "violationId" in document:
        return Violation
    if "probabilityScore" in document:
        return ScoringResponse
    if "eventType" in document:
        return Event
    return ScoringRequest if "attributes" in document else None


@pytest.mark.parametrize("block", [block for block in BLOCKS if "dlq.reason" not in block])
def test_examples_are_valid(block: str) -> None:
    """A producer who copies an example is not refused, and a subscriber reads what the example shows."""
    model = _model_of(orjson.loads(block))
    assert model is not None, "an example of no contract"
    decode(model, block.encode())


@pytest.mark.parametrize("block", [block for block in BLOCKS if "evidence" in block])
def test_evidence_in_examples_points_at_its_text(block: str) -> None:
    """Offsets in the examples are those of the text beside them."""
    texts = next(orjson.loads(b)["attributes"] for b in BLOCKS if "call +44 7700 900142" in b)
    for evidence in orjson.loads(block)["scoreDetails"]["evidence"]:
        piece = texts[evidence["attribute"]][evidence["start"] : evidence["end"]]
        assert len(piece) == len(evidence["surface"])
        assert piece[0] == evidence["surface"][0]


def test_the_settings_example_loads(tmp_path: Path) -> None:
    """The TOML that README.md shows for a real Kafka is accepted as it stands."""
    (block,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    file = tmp_path / "worker.toml"
    file.write_text(block, encoding="utf-8")
    assert Settings.load(file, environment={}).bootstrap_servers == tomllib.loads(block)["bootstrap_servers"]


def test_every_setting_is_in_the_table() -> None:
    """Nobody has to read the source to find a setting."""
    named = set(re.findall(r"^\| `([a-z_.]+)` \|", README, re.MULTILINE))
    fields = Settings.model_fields
    sections = [name for name in fields if isinstance(getattr(Settings(), name), BaseModel)]
    nested = {f"{name}.{inner}" for name in sections for inner in type(getattr(Settings(), name)).model_fields}
    assert set(fields).difference(sections) | nested <= named


def test_figures_are_those_that_were_measured() -> None:
    """The table of figures is written by a command, never by hand: it is what the results say."""
    assert in_readme(README) == README
