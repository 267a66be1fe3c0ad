"""From teachers' folders to students' folders, by every method, on networks that are small but complete."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import MPNetConfig, MPNetModel

from stream_detector.errors import ConfigurationError
from stream_detector.training import distill_pipeline, pipeline, teacher
from stream_detector.training.card import read_fitted
from stream_detector.training.corpus.compose import Composer
from stream_detector.training.distill_losses import Distillation
from stream_detector.training.distill_pipeline import Cast, Method, run_distillation
from stream_detector.training.fit import Recipe
from stream_detector.training.network import ContactNetwork
from stream_detector.training.samples import write_corpus
from stream_detector.training.students import Student
from stream_detector.training.tokenization import build_tokenizer
from tests.training_torch import tiny

_RECIPE = Recipe(batch=8)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two dozen texts to train on and a dozen to choose by."""
    folder = tmp_path_factory.mktemp("corpus")
    samples = list(Composer([], seed=4).samples(36))
    write_corpus(samples[:24], folder / "train.jsonl.gz")
    write_corpus(samples[24:], folder / "dev.jsonl.gz")
    return folder / "train.jsonl.gz"


@pytest.fixture(scope="module")
def teachers(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> list[Path]:
    """Two of twelve layers with MPNet's shape; the second reads as the first does."""
    base, folders = tmp_path_factory.mktemp("base"), [tmp_path_factory.mktemp("teacher") for _ in range(2)]
    tokenizer = build_tokenizer(teacher.minilm_folder())
    tokenizer.save(str(base / "tokenizer.json"))
    config = MPNetConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=16, num_hidden_layers=12, num_attention_heads=2, intermediate_size=32
    )
    torch.manual_seed(1)
    MPNetModel(config).save_pretrained(base)
    samples = distill_pipeline.read_corpus(corpus)
    for seed, folder in enumerate(folders):
        read_as = folders[0] if seed else None
        recipe = Recipe(batch=8, seed=seed)
        pipeline.train(samples, base=str(base), recipe=recipe, work=folder, report=lambda _: None, read_as=read_as)
    return folders


@pytest.fixture(autouse=True)
def small_minilm(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of the pretrained one."""
    tokenizer = build_tokenizer(teacher.minilm_folder())
    shape = tiny.CONFIG | {"vocab_size": tokenizer.get_vocab_size(), "num_hidden_layers": 6, "max_position_embeddings": 130}
    monkeypatch.setattr(distill_pipeline, "open_base", lambda _: (ContactNetwork.from_config(shape), tokenizer))


def _run(cast: Cast, corpus: Path, work: Path, distillation: Distillation | None = None) -> list[str]:
    lines: list[str] = []
    how = distillation or Distillation()
    run_distillation(cast, corpus=corpus, work=work, recipe=_RECIPE, distillation=how, report=lines.append)
    return lines


@pytest.mark.parametrize(("student", "layers", "width"), [("six-layer", 6, 16), ("minilm", 6, 32), ("three-layer", 3, 32)])
def test_each_student_has_its_shape_and_reads_as_the_teacher(
    teachers: list[Path], corpus: Path, tmp_path: Path, student: str, layers: int, width: int
) -> None:
    """What is left is what `train` leaves, so that it can be exported, measured, or be a teacher itself."""
    _run(Cast(Method.OFFLINE, teachers[:1], [Student(student)]), corpus, tmp_path, Distillation(hidden=0.1))
    network = pipeline.load_network(tmp_path)
    assert (network.encoder.config.num_hidden_layers, network.tagger.in_features) == (layers, width)
    assert (tmp_path / "tokenizer.json").read_bytes() == (teachers[0] / "tokenizer.json").read_bytes()
    assert f"Distilled into {layers} layers (offline)" in read_fitted(tmp_path)["recipe"]


def test_soft_labels_are_worked_out_once(teachers: list[Path], corpus: Path, tmp_path: Path) -> None:
    """The second student on the same data finds them in the teacher's folder."""
    cast = Cast(Method.OFFLINE, teachers[1:], [Student.THREE_LAYER])
    assert any("soft labels" in line for line in _run(cast, corpus, tmp_path / "a"))
    assert not any("soft labels" in line for line in _run(cast, corpus, tmp_path / "b"))


def test_several_teachers_are_weighed_on_development_texts(teachers: list[Path], corpus: Path, tmp_path: Path) -> None:
    """The weights are said."""
    lines = _run(Cast(Method.MULTI_TEACHER, teachers, [Student.THREE_LAYER]), corpus, tmp_path)
    assert any(line.startswith("weights chosen on") for line in lines)
    assert (tmp_path / "network.safetensors").is_file()


def test_students_that_learn_together_are_all_left(teachers: list[Path], corpus: Path, tmp_path: Path) -> None:
    """Each in a folder of its own."""
    _run(Cast(Method.ONLINE, teachers[:1], [Student.SIX_LAYER, Student.THREE_LAYER]), corpus, tmp_path)
    assert all((tmp_path / name / "network.safetensors").is_file() for name in ("six-layer", "three-layer"))


def test_teachers_that_read_otherwise_are_refused(teachers: list[Path], corpus: Path, tmp_path: Path) -> None:
    """Their tags would belong to other places; the remedy is named."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "network.safetensors").write_bytes(b"")
    (other / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"reads with another tokenizer .*--tokenizer"):
        _run(Cast(Method.MULTI_TEACHER, [teachers[0], other], [Student.MINILM]), corpus, tmp_path)


@pytest.mark.parametrize(
    ("method", "teachers", "students", "message"),
    [
        (Method.OFFLINE, 2, 1, "offline: give --teacher once"),
        (Method.MULTI_TEACHER, 1, 1, "multi-teacher: give --teacher at least twice"),
        (Method.ONLINE, 1, 1, "online: give --student at least twice"),
        (Method.OFFLINE, 1, 2, "offline: give --student once"),
    ],
)
def test_a_method_says_how_many_it_takes(method: Method, teachers: int, students: int, message: str) -> None:
    """Before hours are spent."""
    with pytest.raises(ConfigurationError, match=message):
        Cast(method, [Path("teacher")] * teachers, [Student.MINILM, Student.THREE_LAYER][:students])
