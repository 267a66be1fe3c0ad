"""From an artefact to programs for Inferentia: one for every shape, with a manifest beside them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from stream_detector.batching import Shape
from stream_detector.detection.detector import load_tokenizer
from stream_detector.errors import ArtefactError, ConfigurationError
from stream_detector.inference.artefact import GRAPH, MANIFEST, TOKENIZER, Manifest, sha256, verify
from stream_detector.inference.compiled import PROGRAMS, Bucket, Parity, Programs, programs_folder
from stream_detector.inference.onnx import OnnxNetwork
from stream_detector.inference.padding import pad
from stream_detector.inference.toolchains import CompileOptions, Toolchain
from stream_detector.inference.windowing import special_tokens, view_windows
from stream_detector.settings import PolicySettings
from stream_detector.text.view import Normalizer
from stream_detector.training.graph_network import GraphNetwork

#: Lengths that shapes usually have.
LENGTHS: Final = (64, 128, 256, 512)
#: A row alone for when little comes, and eight for when much does.
ROWS: Final = (1, 8)

# More windows than this share on the other side of the threshold mean other weights, not another way of rounding.
_OTHER_VERDICTS: Final = 0.02


def shapes_of(window: int, lengths: Sequence[int] = (), rows: Sequence[int] = ROWS) -> list[Shape]:
    """Every length with every number of rows.

    Args:
        window: tokens of the model's longest window.
        lengths: tokens of a row; none: the usual ones up to the first that holds a whole window, for none that is longer would
            ever be filled.
        rows: windows in a run.
    """
    shorter = [length for length in LENGTHS if length < window]
    lengths = lengths or [*shorter, min((length for length in LENGTHS if length >= window), default=window)]
    return [Shape(number, length) for length in sorted(set(lengths)) for number in sorted(set(rows))]


def compile_programs(
    artefact: Path,
    toolchain: Toolchain,
    shapes: Sequence[Shape],
    *,
    options: CompileOptions,
    out: Path | None = None,
    checkpoint: Path | None = None,
    texts: Sequence[str],
    report: Callable[[str], None],
) -> Programs:
    """Compile an artefact for a target: a program for every shape.

    Args:
        artefact: the folder of the model; it is checked first.
        toolchain: of the target.
        shapes: by rising length and rows, as `shapes_of` gives them.
        options: how to compile.
        out: the artefact's folder with the programs, made if it isn't there; None: the artefact itself.
        checkpoint: folder of the checkpoint to take the weights of; None: those of the artefact's graph.
        texts: read by both the artefact's graph and the network that will be compiled; their verdicts must agree.
        report: called with a line of progress.

    Raises:
        ArtefactError: the artefact is altered, isn't of a shape that can be read, or its folder can't be written to.
        ConfigurationError: the target can't do what is asked.
    """
    toolchain.check(options)
    manifest = verify(artefact)
    if shapes[-1].length < manifest.window.tokens:
        raise ConfigurationError(
            f"--lengths: the model's windows have up to {manifest.window.tokens} tokens, so the longest must be that at least"
        )
    network = _load_checkpoint(checkpoint) if checkpoint else GraphNetwork(artefact / GRAPH)
    parity = compare(artefact, manifest, network, texts)
    report(
        f"{parity.windows} windows read as {GRAPH} reads them: probabilities differ by {parity.largest_difference:.4f} at most, "
        f"{parity.other_verdicts} verdicts differ"
    )
    if parity.other_verdicts > _OTHER_VERDICTS * parity.windows:
        raise ArtefactError(
            f"{checkpoint or artefact / GRAPH}: {parity.other_verdicts} of {parity.windows} verdicts are not those of "
            f"{artefact / GRAPH}: other weights; give the checkpoint that the model was exported from, or none"
        )
    with _written(artefact, out or artefact, toolchain.target) as folder:
        buckets = []
        for shape in shapes:
            file = folder / f"{shape.rows}x{shape.length}.pt"
            toolchain.trace(network, shape, file, options)
            buckets.append(Bucket(rows=shape.rows, length=shape.length, file=file.name, sha256=sha256(file)))
            report(f"{file.name}: {shape.rows} rows of {shape.length} tokens, {file.stat().st_size / 1e6:.1f} MB")
        programs = Programs(
            format_version=1,
            target=toolchain.target,
            graph=manifest.files[GRAPH],
            auto_cast=options.auto_cast,
            auto_cast_type=options.auto_cast_type,
            cores_each=options.cores_each,
            compiler=toolchain.versions(),
            parity=parity,
            buckets=tuple(buckets),
        )
        text = json.dumps(programs.model_dump(mode="json", by_alias=True), indent=2)
        (folder / PROGRAMS).write_text(text + "\n", encoding="utf-8")
    return programs


def compare(artefact: Path, manifest: Manifest, network: Any, texts: Sequence[str]) -> Parity:
    """How a network reads texts, beside how the artefact's graph does; before it is compiled, so on this machine's CPU."""
    tokenizer, policy = load_tokenizer(artefact), PolicySettings()
    normalizer, special = Normalizer(policy.platform_names, policy.platform_domains), special_tokens(tokenizer)
    graph = OnnxNetwork(artefact, threads=1)
    differences, others = [], 0
    network.eval()
    for text in texts:
        read = view_windows(normalizer.view(text), tokenizer, manifest.window)
        for window in read.windows:
            tokens = read.ids[window.start : window.stop]
            ids, mask = pad([tokens], Shape(1, len(tokens) + 2), special)
            with torch.no_grad():
                logit = float(network(torch.from_numpy(ids), torch.from_numpy(mask))[0][0])
            here, there = (manifest.calibration.probability(value) for value in (float(graph.run(ids, mask)[0][0]), logit))
            differences.append(abs(here - there))
            others += (here >= manifest.threshold) != (there >= manifest.threshold)
    return Parity(windows=len(differences), largest_difference=float(np.max(differences, initial=0.0)), other_verdicts=others)


@contextmanager
def _written(artefact: Path, out: Path, target: str) -> Iterator[Path]:
    """A folder to write to, which takes its place once all is in it: nobody loads half of a set of programs."""
    folder = programs_folder(out, target)
    half = out / f".{folder.name}.half"
    try:
        out.mkdir(parents=True, exist_ok=True)
        if out.resolve() != artefact.resolve():
            for name in (*verify(artefact).files, "MODEL_CARD.md", MANIFEST):
                if (artefact / name).exists():
                    shutil.copyfile(artefact / name, out / name)
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir()
    except OSError as error:
        raise ArtefactError(f"{out}: {error.strerror}; give --out, a folder that can be written to") from None
    try:
        yield half
        shutil.rmtree(folder, ignore_errors=True)
        half.rename(folder)
    finally:
        shutil.rmtree(half, ignore_errors=True)


def _load_checkpoint(folder: Path) -> Any:
    for name in ("network.safetensors", "config.json", TOKENIZER):
        if not (folder / name).is_file():
            raise ConfigurationError(f"--work: {folder / name}: missing; give the folder that train fit left")
    from stream_detector.training.pipeline import load_network  # noqa: PLC0415 - needs transformers, which the graph's weights don't

    return load_network(folder)
