"""The step from fitted teachers to fitted students: corpus and networks read, soft labels worked out, students written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from stream_detector.detection.detector import load_tokenizer
from stream_detector.errors import ConfigurationError
from stream_detector.inference.artefact import TOKENIZER, sha256
from stream_detector.inference.windowing import special_tokens
from stream_detector.training.card import FITTED, read_fitted, write_fitted
from stream_detector.training.dataset import LabelledWindow, label_windows
from stream_detector.training.distill import Lesson, Teaching, choose_weights, distill, distill_together
from stream_detector.training.distill_losses import Distillation
from stream_detector.training.fit import Recipe, fingerprint
from stream_detector.training.loop import Report
from stream_detector.training.network import ContactNetwork
from stream_detector.training.pipeline import WINDOW, load_network, policy_normalizer, save_network
from stream_detector.training.samples import read_corpus
from stream_detector.training.soft_labels import SoftLabels, soft_labels
from stream_detector.training.students import Student, shortened
from stream_detector.training.teacher import describe_base, open_base


class Method(StrEnum):
    """Who teaches: one fixed teacher, several, or the students each other."""

    OFFLINE = "offline"
    MULTI_TEACHER = "multi-teacher"
    ONLINE = "online"


@dataclass(frozen=True, slots=True)
class Cast:
    """Who teaches whom.

    Attributes:
        method: how.
        teachers: folders of fitted networks. Online the first one gives its tokenizer and a six-layer student its layers.
        students: one, or several online.
        start: folder of a fitted network that MiniLM-shaped students begin with instead of the pretrained one.
    """

    method: Method
    teachers: Sequence[Path]
    students: Sequence[Student]
    start: Path | None = None

    def __post_init__(self) -> None:
        """Check that the method fits the numbers of teachers and students."""
        teachers, students = len(self.teachers), len(set(self.students))
        if self.method is Method.MULTI_TEACHER and teachers < 2:
            raise ConfigurationError("multi-teacher: give --teacher at least twice")
        if self.method is Method.OFFLINE and teachers != 1:
            raise ConfigurationError("offline: give --teacher once; multi-teacher takes several")
        if self.method is Method.ONLINE and students < 2:
            raise ConfigurationError("online: give --student at least twice; one has nobody to learn with")
        if self.method is not Method.ONLINE and students != 1:
            raise ConfigurationError(f"{self.method.value}: give --student once; online takes several")


def run_distillation(cast: Cast, *, corpus: Path, work: Path, recipe: Recipe, distillation: Distillation, report: Report) -> None:
    """Teach students; each is left as `train` leaves a network: in `work`, or online in `work`/<student>.

    Args:
        cast: who teaches whom.
        corpus: train.jsonl.gz; for several teachers dev.jsonl.gz stands beside it.
        work: folder of the checkpoint and of the result.
        recipe: how a step is made.
        distillation: how the teachers' word counts.
        report: called with a line of progress.
    """
    tokenizer = _tokenizer(cast.teachers)
    windows = _windows(corpus, tokenizer)
    lesson = Lesson(windows, special_tokens(tokenizer), recipe, distillation, work, report)
    networks = {student.value: _begin(student, cast, tokenizer) for student in cast.students}
    report(f"{len(windows)} windows; {cast.method.value}: {', '.join(networks)}")
    if cast.method is Method.ONLINE:
        distill_together(networks, lesson)
        for name, network in networks.items():
            save_network(network, tokenizer, work / name)
            write_fitted(
                work / name, _fitted(Student(name), cast, lesson, "from the mean answer of the students that learn together")
            )
        return
    labels = [_ask(folder, windows, lesson) for folder in cast.teachers]
    weights: Sequence[float] = (1.0,)
    if cast.method is Method.MULTI_TEACHER:
        development = _windows(corpus.with_name("dev.jsonl.gz"), tokenizer)
        weights = choose_weights([_ask(folder, development, lesson) for folder in cast.teachers], development)
        report(f"weights chosen on {len(development)} development windows: {', '.join(map(str, weights))}")
    (student,) = networks.values()
    states = load_network(cast.teachers[0]) if distillation.hidden else None
    distill(student, Teaching(labels, weights, states), lesson)
    save_network(student, tokenizer, work)
    said = " and ".join(
        f"{weight:g} of the answers of {folder.name}" for folder, weight in zip(cast.teachers, weights, strict=True)
    )
    write_fitted(work, _fitted(cast.students[0], cast, lesson, f"from {said}"))


def _tokenizer(teachers: Sequence[Path]) -> Tokenizer:
    """The one that all teachers read with."""
    for folder in teachers:
        if not (folder / "network.safetensors").is_file():
            raise ConfigurationError(f"{folder}: no fitted network; run stream-detector train fit --work {folder} first")
        if sha256(folder / TOKENIZER) != sha256(teachers[0] / TOKENIZER):
            raise ConfigurationError(
                f"{folder}: reads with another tokenizer than {teachers[0]}; fit it with --tokenizer {teachers[0]}"
            )
    return load_tokenizer(teachers[0])


def _windows(corpus: Path, tokenizer: Tokenizer) -> list[LabelledWindow]:
    if not corpus.is_file():
        raise ConfigurationError(f"{corpus}: missing; run stream-detector train corpus first")
    return list(label_windows(read_corpus(corpus), policy_normalizer(), tokenizer, WINDOW))


def _begin(student: Student, cast: Cast, tokenizer: Tokenizer) -> ContactNetwork:
    """A student with its first layers, reading what the teacher reads."""
    if student.from_teacher:
        return shortened(load_network(cast.teachers[0]), student.layers)
    network, before = (load_network(cast.start), load_tokenizer(cast.start)) if cast.start else open_base(None)
    network.read_as(before, tokenizer)
    return shortened(network, student.layers)


def _ask(folder: Path, windows: Sequence[LabelledWindow], lesson: Lesson) -> SoftLabels:
    """A teacher's soft labels, kept in its folder for whoever learns from these windows."""
    data = f"{fingerprint(windows):08x}"
    return soft_labels(
        load_network(folder),
        windows,
        folder=folder / "soft-labels" / data,
        identity=f"{sha256(folder / 'network.safetensors')} {data}",
        special=lesson.special,
        report=lesson.report,
    )


def _fitted(student: Student, cast: Cast, lesson: Lesson, source: str) -> dict[str, Any]:
    """What the card says of a student."""
    origin = cast.teachers[0] if student.from_teacher else cast.start
    reads = _told(cast.teachers[0])["pieces"]
    earlier = _told(origin) if origin else {"base": describe_base(None), "recipe": ""}
    recipe, how = lesson.recipe, lesson.distillation
    line = (
        f"Distilled into {student.layers} layers ({cast.method.value}) over {len(lesson.windows):,} windows, {how.soft:.0%} {source} at "
        f"temperature {how.temperature:g}, the rest from the labels: AdamW, learning rate {recipe.learning_rate:g}, "
        f"batch {recipe.batch}, seed {recipe.seed}."
    )
    return earlier | {"pieces": reads, "recipe": "\n".join(filter(None, [earlier["recipe"], line]))}


def _told(folder: Path) -> dict[str, Any]:
    if (folder / FITTED).is_file():
        return read_fitted(folder)
    return {"base": f"the network of {folder.name}", "pieces": 0, "recipe": ""}
