"""The artefact: what is not exactly what was exported is not loaded, and the error says which file and what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_detector.contracts import Kind
from stream_detector.errors import ArtefactError
from stream_detector.inference import artefact
from stream_detector.inference.artefact import Calibration, Manifest, WindowShape, available, find, load_manifest, sha256, verify


def _manifest(folder: Path, **changes: Any) -> dict[str, Any]:
    return {
        "formatVersion": 1,
        "modelCode": "SAMPLE",
        "modelVersion": "1.0",
        "refreshVersion": "v20261124",
        "modelSegment": "SUPPLY",
        "threshold": 0.5,
        "calibration": {"slope": 1.5, "intercept": -3.0},
        "window": {"tokens": 128, "overlap": 32},
        "tags": [None, *Kind],
        "files": {name: sha256(folder / name) for name in ("model.onnx", "tokenizer.json")},
    } | changes


def _write(folder: Path, manifest: object) -> Path:
    (folder / "model.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An artefact whose files are stand-ins."""
    folder = tmp_path / "sample-model"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"graph")
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    return _write(folder, _manifest(folder))


def test_a_manifest_survives_being_written(folder: Path) -> None:
    """What is exported is what is read back, field by field, under its wire names."""
    manifest = verify(folder)
    assert (manifest.model_code, manifest.threshold, manifest.window.overlap) == ("SAMPLE", 0.5, 32)
    assert manifest.tags == (None, *Kind)
    again = Manifest.model_validate_json(json.dumps(manifest.model_dump(mode="json", by_alias=True)))
    assert again == manifest


def test_fields_of_later_versions_are_ignored(folder: Path) -> None:
    """A manifest may say more than this version knows."""
    _write(folder, _manifest(folder, teacher="sample"))
    assert verify(folder).model_code == "SAMPLE"


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_an_altered_file_is_refused(folder: Path, name: str) -> None:
    """One more byte in either file, and the error names the file and the remedy."""
    with (folder / name).open("ab") as file:
        file.write(b"\n")
    with pytest.raises(ArtefactError, match=rf"{name}: its SHA-256 is not the manifest's.*restore it"):
        verify(folder)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_missing_file_is_refused(folder: Path, name: str) -> None:
    """A file that the manifest names and that isn't there."""
    (folder / name).unlink()
    with pytest.raises(ArtefactError, match=rf"{name}: missing; restore the folder"):
        verify(folder)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_file_without_a_checksum_is_refused(folder: Path, name: str) -> None:
    """Leaving a file out of the manifest is no way around its checksum."""
    manifest = _manifest(folder)
    del manifest["files"][name]
    with pytest.raises(ArtefactError, match=rf"files: {name} has no checksum; export the model anew"):
        verify(_write(folder, manifest))


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "sub/model.bin"])
def test_files_outside_the_folder_are_not_read(folder: Path, name: str) -> None:
    """A manifest from elsewhere can't have files outside its folder opened, even where they exist."""
    (folder.parent / "secret").write_text("secret", encoding="utf-8")
    manifest = _manifest(folder)
    manifest["files"][name] = "0" * 64
    with pytest.raises(ArtefactError, match="leads out of the folder"):
        verify(_write(folder, manifest))


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_folders_are_no_files(folder: Path, name: str) -> None:
    """Names that are folders are refused like files that are missing."""
    manifest = _manifest(folder)
    manifest["files"][name] = "0" * 64
    with pytest.raises(ArtefactError):
        verify(_write(folder, manifest))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tags": [None, "phone", "carrier-pigeon"]}, "tags.2"),
        ({"tags": ["phone", None]}, "tags"),
        ({"tags": [None, "phone", None]}, "tags"),
        ({"tags": []}, "tags"),
        ({"formatVersion": 2}, "formatVersion"),
        ({"threshold": 0}, "threshold"),
        ({"threshold": 1}, "threshold"),
        ({"calibration": {"slope": 0, "intercept": 0}}, "calibration.slope"),
        ({"calibration": {"slope": -1, "intercept": 0}}, "calibration.slope"),
        ({"window": {"tokens": 8, "overlap": 0}}, "window.tokens"),
        ({"window": {"tokens": 128, "overlap": 126}}, "window"),
        ({"window": {"tokens": 128, "overlap": -1}}, "window.overlap"),
        ({"files": None}, "files"),
    ],
    ids=str,
)
def test_a_wrong_field_is_named(folder: Path, change: dict[str, Any], field: str) -> None:
    """Each of these would go wrong later, far from its cause; it is refused on loading, by name."""
    with pytest.raises(ArtefactError) as error:
        load_manifest(_write(folder, _manifest(folder, **change)))
    assert str(error.value).startswith(f"{folder / 'model.json'}: {field}")
    assert str(error.value).endswith("export the model anew with stream-detector train export")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"null"], ids=repr)
def test_what_is_no_manifest_is_refused(folder: Path, content: bytes) -> None:
    """Broken or foreign JSON is an error that names the file, not a stack trace."""
    (folder / "model.json").write_bytes(content)
    with pytest.raises(ArtefactError, match=r"model\.json: not a manifest: "):
        load_manifest(folder)


def test_no_manifest_is_an_error(tmp_path: Path) -> None:
    """A folder without one is named."""
    with pytest.raises(ArtefactError, match=r"model\.json: No such file"):
        load_manifest(tmp_path)


def test_find_takes_a_path_and_names_the_choice(folder: Path) -> None:
    """A path will do; for what isn't there the error lists what is."""
    assert find(str(folder)) == folder
    with pytest.raises(ArtefactError, match=r"model 'no-such-model'.*shipped models: .*Set `model` to one or to a path"):
        find("no-such-model")


def test_shipped_models_are_found_by_name(shipped: Path) -> None:
    """The default model is among those available, and each of them is found under its name."""
    assert shipped.name in {folder.name for folder in available()}
    assert all(find(folder.name) == folder for folder in available())


def test_the_source_tree_comes_before_the_package(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model in both places is listed once and found where it was last exported to; names are sorted."""
    packaged = tmp_path / "_models"
    for name in ("sample-model", "another-model"):
        (packaged / name).mkdir(parents=True)
        (packaged / name / "model.json").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(artefact, "_SHIPPED", (tmp_path, packaged))
    assert available() == [packaged / "another-model", folder]
    assert find("sample-model") == folder


def test_shipped_models_are_whole() -> None:
    """What ships passes its own check, and its window is one that can be cut."""
    assert available()
    for folder in available():
        manifest = verify(folder)
        assert manifest.tags[1:] == tuple(Kind)


@given(slope=st.floats(1e-3, 100), intercept=st.floats(-100, 100), logits=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=2))
def test_a_probability_rises_with_the_logit(slope: float, intercept: float, logits: list[float]) -> None:
    """Whatever the network says, the probability is one, and a higher logit is never less probable."""
    calibration = Calibration(slope=slope, intercept=intercept)
    low, high = (calibration.probability(logit) for logit in sorted(logits))
    assert 0 <= low <= high <= 1


@pytest.mark.parametrize(("logit", "probability"), [(1e6, 1.0), (-1e6, 0.0), (0.0, 0.5), (1e308, 1.0), (-1e308, 0.0)])
def test_extreme_logits_have_probabilities(logit: float, probability: float) -> None:
    """The exponential must not overflow at either end."""
    assert Calibration(slope=1, intercept=0).probability(logit) == probability


def test_calibration_is_platts() -> None:
    """The form that training fits: a logistic of a line."""
    assert Calibration(slope=2, intercept=-1).probability(1.5) == pytest.approx(0.880797, abs=1e-6)


def test_an_overlap_leaves_room() -> None:
    """The largest overlap that still lets windows move on."""
    assert WindowShape(tokens=16, overlap=13).overlap == 13
