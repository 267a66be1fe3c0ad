"""Tests of fitting and export. The default run leaves this folder out; `make test-training` runs it."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

_NEEDED = ("torch", "transformers", "onnx", "safetensors")
_FOLDER = Path(__file__).parent


def _missing() -> list[str]:
    missing = []
    for name in _NEEDED:
        try:
            importlib.import_module(name)
        except ImportError:
            missing.append(name)
    return missing


if absent := _missing():
    raise pytest.UsageError(f"tests/training_torch needs {', '.join(absent)}, which aren't installed: run `make test-training`")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """A tiny network on many threads spends its time waiting for them, and the more so the busier the machine is."""
    importlib.import_module("torch").set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands here."""
    for item in items:
        if _FOLDER in item.path.parents:
            item.add_marker(pytest.mark.torch)
