"""The tokenizer that training builds and the one that the detector loads are the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from stream_detector.detection.detector import load_tokenizer
from stream_detector.training.tokenization import build_tokenizer


@pytest.fixture(scope="module")
def loaded(shipped: Path) -> Tokenizer:
    """As the detector loads it."""
    return load_tokenizer(shipped)


@given(text=st.text(max_size=60) | st.sampled_from(["[SEP] 555", "a" * 300, "b00k 555-0101", "привет微信"]))
def test_training_and_detection_read_alike(tokenizer: Tokenizer, loaded: Tokenizer, text: str) -> None:
    """Token for token: a network is only as good as what it was trained to read."""
    text = text.encode("utf-8", "ignore").decode()
    trained, served = (one.encode(text, add_special_tokens=False) for one in (tokenizer, loaded))
    assert (trained.ids, trained.offsets) == (served.ids, served.offsets)


def test_nothing_is_cut_off(tokenizer: Tokenizer) -> None:
    """Base models come with a limit on length and with padding; neither stays."""
    assert len(tokenizer.encode("flat " * 2000, add_special_tokens=False).ids) == 2000
    assert {len(one.ids) for one in tokenizer.encode_batch(["flat", "flat flat"], add_special_tokens=False)} == {1, 2}


def test_a_base_with_limits_loses_them(shipped: Path, tmp_path: Path) -> None:
    """As a hub's tokenizer has them."""
    base = Tokenizer.from_file(str(shipped / "tokenizer.json"))
    base.enable_truncation(16)
    base.enable_padding(length=16)
    base.save(str(tmp_path / "tokenizer.json"))
    assert len(build_tokenizer(tmp_path).encode("flat " * 20, add_special_tokens=False).ids) == 20
