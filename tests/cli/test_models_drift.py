"""`models reference` and `models drift`, with the shipped network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stream_detector.inference.artefact import load_manifest
from tests.cli.calling import Call
from tests.rollout.artefacts import make_artefact

pytestmark = pytest.mark.timeout(300)

PLACES = ("station", "bay", "old town", "market", "river", "park", "harbour", "theatre")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artefact without a reference."""
    return make_artefact(tmp_path_factory.mktemp("models") / "mine", "v20990101", reference=None)


def write(file: Path, texts: list[str]) -> Path:
    """Events with these texts, one a line, and a short name that isn't one."""
    file.write_text("".join(json.dumps({"attributes": {"text": text, "room": "Whole"}}) + "\n" for text in texts), encoding="utf-8")
    return file


def test_texts_are_held_against_the_reference_that_was_made(call: Call, folder: Path, tmp_path: Path) -> None:
    """Made by one command, nothing but counts kept; other texts are told by the signals that they differ in."""
    usual = write(
        tmp_path / "usual.jsonl", [f"A bright flat {number} minutes from the {PLACES[number % 8]}." for number in range(120)]
    )
    others = write(tmp_path / "others.jsonl", [f"駅から{number}分の明るいアパートです。" for number in range(120)])
    files_before = load_manifest(folder).files

    early = call("models", "drift", str(folder), "--texts", str(usual))
    assert early.status == 2
    assert "reference: missing; make it with stream-detector models reference" in early.err

    made = call("models", "reference", str(folder), "--texts", str(usual), "--size", "100")
    assert made.status == 0, made.err
    manifest = load_manifest(folder)
    assert manifest.files == files_before
    assert manifest.reference is not None
    assert manifest.reference.source == "100 of 120 texts of usual.jsonl, seed 7"
    assert manifest.reference.counts["writing"]["latin"] == 100
    assert "bright" not in (folder / "model.json").read_text(encoding="utf-8")

    same = call("models", "drift", str(folder), "--texts", str(usual))
    assert same.status == 0, same.out
    assert "another population" not in same.out

    other = call("models", "drift", str(folder), "--texts", str(others), "--attribute", "text")
    assert other.status == 1
    lines = {line.split()[0]: line for line in other.out.splitlines()}
    assert lines["writing"].endswith("another population")
    assert lines["length"].endswith("another population")


def test_a_file_without_such_texts_is_refused(call: Call, folder: Path, tmp_path: Path) -> None:
    """The error names the attribute that nothing stands under."""
    file = write(tmp_path / "texts.jsonl", ["A bright flat near the station."])
    called = call("models", "reference", str(folder), "--texts", str(file), "--attribute", "title")
    assert called.status == 2
    assert "no texts under title in" in called.err
