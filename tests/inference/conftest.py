from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer

from stream_detector.detection.detector import load_tokenizer
from stream_detector.inference.artefact import find
from stream_detector.settings import Settings


@pytest.fixture(scope="package")
def shipped() -> Path:
    """The folder of the artefact that ships as the default."""
    return find(Settings().model)


@pytest.fixture(scope="package")
def tokenizer(shipped: Path) -> Tokenizer:
    """The shipped artefact's tokenizer."""
    return load_tokenizer(shipped)
