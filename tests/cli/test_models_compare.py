"""`models compare`: what is printed, and what the exit status says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stream_detector.settings import Settings
from tests.cli.calling import Call
from tests.detection.stand_in import StandInBackend, detector

LINES = [
    {"text": "the flat is bright", "label": "NonFraud"},
    {"text": "viber 206 555 0101", "label": "Fraud"},
    {"transactionContext": {"transactionId": "1"}, "attributes": {"a": "cash", "b": None}},
]


class _Loader:
    """Detectors over the stand-in network: the model "strict" has a high threshold."""

    @staticmethod
    def load(settings: Settings) -> object:
        return detector(StandInBackend(), threshold=0.99 if settings.model == "strict" else 0.5)


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream_detector.cli.models_compare.Detector", _Loader)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Lines of all sorts."""
    path = tmp_path / "lines.jsonl"
    path.write_text("\n".join(map(json.dumps, LINES)) + "\n", encoding="utf-8")
    return path


def test_a_comparison_is_told(call: Call, file: Path) -> None:
    """Agreement, recall, speed and the flips, one a line; 0, because nothing was asked for."""
    called = call("models", "compare", "lenient", "strict", file)
    assert called.status == 0, called.err
    assert "3 lines, 66.67% with the same label" in called.out
    assert "Fraud by base alone: 1; by candidate alone: 0" in called.out
    assert "candidate: recall 100.00% (0 missed), 0 wrong of 2 with a label" in called.out
    assert "line 3: Fraud by base (0.881 -> 0.881): c•••" in called.out


def test_json_has_all_of_it(call: Call, file: Path) -> None:
    """For a pipeline that decides by more than two limits."""
    called = call("models", "compare", "lenient", "strict", file, "--json")
    document = json.loads(called.out)
    assert (document["lines"], document["labelled"], document["candidate"]["missed"]) == (3, 2, 0)
    assert [flip["line"] for flip in document["flips"]] == [3]


@pytest.mark.parametrize(
    ("limits", "status"),
    [(["--max-flips", "0.4"], 0), (["--max-flips", "0.3"], 1), (["--no-worse"], 0), (["--no-worse", "--max-flips", "0"], 1)],
)
def test_limits_decide_the_status(call: Call, file: Path, limits: list[str], status: int) -> None:
    """A release can stand or fall by it."""
    called = call("models", "compare", "lenient", "strict", file, *limits)
    assert called.status == status
    assert bool("stream-detector: 33.33% of the lines flip" in called.err) is bool(status)


def test_a_worse_candidate_fails(call: Call, file: Path) -> None:
    """By its labels: a violation that the base finds is missed."""
    file.write_text(json.dumps({"text": "cash", "label": "Fraud"}), encoding="utf-8")
    called = call("models", "compare", "lenient", "strict", file, "--no-worse")
    assert (called.status, "by the labels the candidate is worse" in called.err) == (1, True)
    assert call("models", "compare", "strict", "lenient", file, "--no-worse").status == 0


def test_a_bad_line_is_named_and_the_rest_compared(call: Call, file: Path) -> None:
    """As `score` does it: status 1 and where to look."""
    with file.open("a", encoding="utf-8") as stream:
        stream.write('{"label": "Fraud"}\n{"text": "x", "label": "Spam"}\n{\n')
    called = call("models", "compare", "lenient", "strict", file)
    assert called.status == 1
    assert "lines.jsonl:4: missing_field: text: is required, or attributes" in called.err
    assert "lines.jsonl:5: invalid_value: label" in called.err
    assert "3 lines of" in called.err
    assert "3 lines, 66.67%" in called.out


def test_no_worse_without_labels_is_a_wrong_call(call: Call, file: Path) -> None:
    """A gate that can't fail would be no gate."""
    file.write_text('{"text": "cash"}\n', encoding="utf-8")
    assert call("models", "compare", "lenient", "strict", file, "--no-worse").status == 2
