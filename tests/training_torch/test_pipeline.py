"""The pipeline's steps: which texts go where, and files that the next step reads."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from stream_detector.training.corpus.compose import Composer
from stream_detector.training.corpus.listings import HELD_BACK_CITIES, ListingText
from stream_detector.training.pipeline import load_network
from stream_detector.training.samples import Split, compose_corpus, plain_samples, read_corpus, write_corpus
from tests.training_torch import tiny

_PARTS = [Split("train"), Split("dev"), Split("test")]


def _texts(city: str, count: int) -> list[ListingText]:
    return [
        ListingText(f"{city}-{number}/{field}", city, "en", f"The flat number {number} is bright.")
        for number in range(count)
        for field in ("description", "host")
    ]


def test_each_text_is_in_one_part() -> None:
    """No text is both trained on and measured with, and all texts of a listing go together."""
    parts: dict[str, set[str]] = {}
    for text in _texts("sampletown", 400):
        (part,) = [part.name for part in _PARTS if part.holds(text)]
        parts.setdefault(text.key.split("/")[0], set()).add(part)
    assert all(len(part) == 1 for part in parts.values())
    development = sum(part == {"dev"} for part in parts.values())
    assert 0.06 < development / len(parts) < 0.2


@pytest.mark.parametrize("city", HELD_BACK_CITIES)
def test_held_back_cities_are_only_tested_on(city: str) -> None:
    """What evaluation says of them is said of texts that nothing was chosen by."""
    assert all(Split("test").holds(text) for text in _texts(city, 30))
    assert not any(Split(part).holds(text) for part in ("train", "dev") for text in _texts(city, 30))


def test_a_corpus_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Sample for sample, spans and kinds among them."""
    samples = list(Composer([], seed=4).samples(50))
    write_corpus(samples, tmp_path / "work" / "train.jsonl.gz")
    assert read_corpus(tmp_path / "work" / "train.jsonl.gz") == samples


def test_a_corpus_is_made_of_its_split(tmp_path: Path) -> None:
    """Sources are listings of the split alone; the seed makes it repeatable."""
    with gzip.open(tmp_path / "sampletown.jsonl.gz", "wt", encoding="utf-8") as stream:
        for number in range(60):
            stream.write(json.dumps({"listing_id": f"s-{number}", "description": "The flat is bright and quiet."}) + "\n")
    train = compose_corpus(tmp_path, split="train", size=80, seed=1)
    dev = compose_corpus(tmp_path, split="dev", size=80, seed=1)
    sources = [{sample.source for sample in part if sample.source.startswith("s-")} for part in (train, dev)]
    assert all(sources)
    assert sources[0].isdisjoint(sources[1])
    assert compose_corpus(tmp_path, split="train", size=80, seed=1) == train


def test_plain_samples_are_clean_and_chosen_by_seed() -> None:
    """As many as there are, without those that somebody should read first."""
    texts = [*_texts("sampletown", 20), ListingText("s/host", "sampletown", "en", "Call me any time.")]
    assert len(plain_samples(texts, 1000, 1)) == 40
    assert plain_samples(texts, 10, 1) == plain_samples(texts, 10, 1)
    assert not any(sample.offends or "Call" in sample.text for sample in plain_samples(texts, 1000, 1))


def test_a_network_is_loaded_as_it_was_saved(tmp_path: Path) -> None:
    """From weights and configuration alone, without the base model."""
    network = tiny.network()
    save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, tmp_path / "network.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(network.encoder.config.to_dict(), default=str), encoding="utf-8")
    loaded = load_network(tmp_path)
    assert all(
        torch.equal(left, right) for left, right in zip(network.state_dict().values(), loaded.state_dict().values(), strict=True)
    )
