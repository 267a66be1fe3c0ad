"""ONNX Runtime on the CPU, with the shipped graph."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from random import Random

import numpy as np
import onnxruntime as ort
import pytest
from tokenizers import Tokenizer

from stream_detector.contracts import Kind
from stream_detector.errors import ArtefactError
from stream_detector.inference.backend import WindowOutput
from stream_detector.inference.onnx import OnnxBackend
from stream_detector.inference.windowing import special_tokens


@pytest.fixture(scope="module")
def backend(shipped: Path, tokenizer: Tokenizer) -> Iterator[OnnxBackend]:
    """Two windows side by side, whatever the machine."""
    backend = OnnxBackend(shipped, special=special_tokens(tokenizer), threads=2)
    yield backend
    backend.close()


@pytest.fixture(scope="module")
def token_lists() -> list[list[int]]:
    """Windows of many lengths, so that the quick ones end before the slow ones."""
    rng = Random(3)
    return [[rng.randrange(1000, 20_000) for _ in range(length)] for length in (126, 1, 60, 2, 90, 5, 126, 3)]


def _same(left: WindowOutput, right: WindowOutput) -> bool:
    return left.logit == right.logit and np.array_equal(left.tags, right.tags)


def test_each_window_gets_its_own_answer(backend: OnnxBackend, token_lists: list[list[int]]) -> None:
    """One row of tags a token, special ones left out, and a finite logit."""
    for tokens in token_lists:
        output = backend.submit(tokens).result()
        assert output.tags.shape == (len(tokens), 1 + len(Kind))
        assert np.isfinite(output.logit)
        assert np.isfinite(output.tags).all()


def test_special_tokens_go_around_and_their_tags_away(shipped: Path, backend: OnnxBackend) -> None:
    """Each row of tags is that of its own token: one row off, and all evidence would be."""
    session = ort.InferenceSession(str(shipped / "model.onnx"), providers=["CPUExecutionProvider"])
    ids = np.array([[101, 2655, 2033, 1019, 1019, 1019, 102]])
    logits, tags = session.run(["logit", "tags"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})
    output = backend.submit(ids[0, 1:-1].tolist()).result()
    assert output.logit == pytest.approx(float(logits[0]), abs=1e-5)
    assert np.allclose(output.tags, tags[0, 1:-1], atol=1e-5)


def test_side_by_side_is_one_by_one(backend: OnnxBackend, token_lists: list[list[int]]) -> None:
    """Windows that run together come to exactly what they come to alone, and futures stay with their windows."""
    alone = [backend.submit(tokens).result() for tokens in token_lists]
    together = [future.result() for future in [backend.submit(tokens) for tokens in token_lists]]
    assert all(map(_same, alone, together))
    assert len({output.logit for output in alone}) > 1


def test_threads_may_submit_at_once(backend: OnnxBackend, token_lists: list[list[int]]) -> None:
    """The HTTP predictor scores from several threads over one backend."""
    expected = [backend.submit(tokens).result() for tokens in token_lists]

    def submit_all(_: int) -> list[Future[WindowOutput]]:
        return [backend.submit(tokens) for tokens in token_lists]

    with ThreadPoolExecutor(3) as callers:
        for futures in callers.map(submit_all, range(3)):
            assert all(map(_same, expected, [future.result() for future in futures]))


def test_an_empty_window_runs(backend: OnnxBackend) -> None:
    """Only the special tokens: an answer without tags."""
    assert backend.submit([]).result().tags.shape == (0, 1 + len(Kind))


def test_a_failure_reaches_the_caller(backend: OnnxBackend) -> None:
    """A token number that the network doesn't have is an error where the result is asked for, and the next window runs."""
    future = backend.submit([10_000_000])
    assert future.exception() is not None
    assert np.isfinite(backend.submit([1000]).result().logit)


def test_the_name_says_what_runs(backend: OnnxBackend) -> None:
    """Responses and metrics carry it."""
    assert backend.name == "onnx-cpu-2"


def test_a_broken_graph_is_an_artefact_error(tmp_path: Path) -> None:
    """Not one of ONNX Runtime's own, and it names file and remedy."""
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(ArtefactError, match=r"model\.onnx: ONNX Runtime can't load it.*export the model anew"):
        OnnxBackend(tmp_path, special=(1, 2))


def test_no_graph_is_an_artefact_error(tmp_path: Path) -> None:
    """The same where there is no file."""
    with pytest.raises(ArtefactError, match=r"model\.onnx"):
        OnnxBackend(tmp_path, special=(1, 2))


def test_close_waits_and_ends_it(shipped: Path, token_lists: list[list[int]]) -> None:
    """What runs comes to its end, what was only queued is cancelled, and nothing can be submitted any more; twice is fine."""
    backend = OnnxBackend(shipped, special=(101, 102), threads=1)
    futures = [backend.submit(tokens) for tokens in token_lists]
    backend.close()
    backend.close()
    assert all(future.done() for future in futures)
    with pytest.raises(RuntimeError):
        backend.submit([1000])
