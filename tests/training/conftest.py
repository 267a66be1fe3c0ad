from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer

from stream_detector.inference.artefact import find
from stream_detector.settings import PolicySettings, Settings
from stream_detector.text.view import Normalizer
from stream_detector.training.tokenization import build_tokenizer


@pytest.fixture(scope="package")
def shipped() -> Path:
    """The folder of the artefact that ships as the default."""
    return find(Settings().model)


@pytest.fixture(scope="package")
def tokenizer(shipped: Path) -> Tokenizer:
    """The tokenizer that training makes, of the one that ships."""
    return build_tokenizer(shipped)


@pytest.fixture(scope="package")
def normalizer() -> Normalizer:
    """The view under default settings, which is the one that is trained on."""
    policy = PolicySettings()
    return Normalizer(policy.platform_names, policy.platform_domains)
