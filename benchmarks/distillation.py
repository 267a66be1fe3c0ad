"""Which way of distilling makes the better student, on the same data with the same number of steps?

    python benchmarks/distillation.py LISTINGS_FOLDER --teacher WORK --second WORK [--start WORK] [--student three-layer]
        [--size 8000] [--scratch .training/distillation]

Needs the `train` extra. Each WORK is a folder that `stream-detector train fit` left. Rows: labels alone (no teacher), offline
(one teacher), offline with hidden states matched, multi-teacher (both, weights chosen on development windows), online (the
student learns together with MiniLM). All begin with the same weights, see the same windows in the same order, and are measured
on the same texts of held-back cities. An interrupted run goes on. Writes results/distillation.json and .md.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from machine import describe
from model_ladder import RESULTS, Rung, cutter, kept, torch_logits

from stream_detector.training.distill_losses import Distillation
from stream_detector.training.distill_pipeline import Cast, Method, run_distillation
from stream_detector.training.fit import Recipe
from stream_detector.training.pipeline import load_network
from stream_detector.training.quality import quality
from stream_detector.training.samples import compose_corpus, write_corpus
from stream_detector.training.students import Student

_COLUMNS = {"accuracy": "accuracy", "f1": "F1", "recallAtCleanWrong": "recall at 0.2 % wrong", "ece": "ECE"}
_DEV_SHARE = 8


def ways(given: argparse.Namespace) -> dict[str, tuple[Cast, Distillation, str]]:
    """Each row's cast, how it is taught, and the folder under its own where the student is left."""
    student, start = Student(given.student), given.start
    one = Cast(Method.OFFLINE, [given.teacher], [student], start)
    found = {
        "labels alone": (one, Distillation(soft=0.0), ""),
        "offline": (one, Distillation(), ""),
        "offline, hidden states matched": (one, Distillation(hidden=0.5), ""),
        "online": (
            Cast(
                Method.ONLINE,
                [given.teacher],
                [student, Student.THREE_LAYER if student is Student.MINILM else Student.MINILM],
                start,
            ),
            Distillation(),
            student.value,
        ),
    }
    if given.second:
        found["multi-teacher"] = (
            Cast(Method.MULTI_TEACHER, [given.teacher, given.second], [student], start),
            Distillation(),
            "",
        )
    return found


def corpora(given: argparse.Namespace) -> Path:
    """The training texts, with development texts beside them."""
    file: Path = given.scratch / "train.jsonl.gz"
    for split, size in (("train", given.size), ("dev", given.size // _DEV_SHARE)):
        if not (made := file.with_name(f"{split}.jsonl.gz")).is_file():
            write_corpus(compose_corpus(given.listings, split=split, size=size, seed=given.seed), made)
    return file


def table(rows: dict[str, dict[str, Any]], student: str) -> str:
    """Markdown."""
    lines = [f"| {student} taught | {' | '.join(_COLUMNS.values())} |", "|---" * (len(_COLUMNS) + 1) + "|"]
    for name, figures in rows.items():
        cells = [f"{figures[key]:.4f}" if key == "ece" else f"{100 * figures[key]:.1f} %" for key in _COLUMNS]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Teach, measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("listings", type=Path)
    parser.add_argument("--teacher", type=Path, required=True)
    parser.add_argument("--second", type=Path, help="another teacher that reads with the same tokenizer")
    parser.add_argument("--start", type=Path, help="what the student begins with instead of the pretrained MiniLM")
    parser.add_argument("--student", choices=["three-layer", "minilm"], default="three-layer")
    for name, default in (("size", 8000), ("composed", 1000), ("plain", 2000), ("seed", 7), ("batch", 24)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--learning-rate", type=float, default=1.2e-4)
    parser.add_argument("--scratch", type=Path, default=Path(".training/distillation"))
    given = parser.parse_args()
    corpus = corpora(given)
    cut = cutter(given.listings, given.composed, given.plain, given.seed)
    rows: dict[str, dict[str, Any]] = {}
    for name, (cast, distillation, inside) in ways(given).items():
        work = given.scratch / name.replace(" ", "-").replace(",", "")
        left = work / inside
        if not (left / "network.safetensors").is_file():
            work.mkdir(parents=True, exist_ok=True)
            recipe = Recipe(learning_rate=given.learning_rate, batch=given.batch, seed=given.seed)
            run_distillation(cast, corpus=corpus, work=work, recipe=recipe, distillation=distillation, report=print)
        rung = Rung(name, left, left / "network.safetensors", torch_logits(load_network(left)))
        texts = cut(left)
        logits = {part: kept(rung, texts[part], part, given.scratch) for part in texts}
        rows[name] = quality(texts["dev"], logits["dev"], texts["test"], logits["test"])
        print(f"{name}: {rows[name]}", flush=True)
    told = table(rows, given.student)
    result = {
        "question": "which way of distilling makes the better student, on the same data with the same number of steps",
        "machine": describe() | {"torch": torch.__version__},
        "student": given.student,
        "texts": given.size,
        "rows": rows,
    }
    (RESULTS / "distillation.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (RESULTS / "distillation.md").write_text(told + "\n", encoding="utf-8")
    print(told)


if __name__ == "__main__":
    main()
