from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from stream_detector.detection import Detector
from stream_detector.observability import Metrics
from stream_detector.rollout.models import Models, open_models
from stream_detector.settings import Settings
from tests.rollout.artefacts import make_artefact

Open = Callable[..., Models]


@pytest.fixture
def logs() -> Iterator[LogCapture]:
    """What was logged, line by line."""
    capture = LogCapture()
    before = structlog.get_config()
    structlog.configure(processors=[capture], cache_logger_on_first_use=False)
    yield capture
    structlog.configure(**before)


@pytest.fixture
def metrics() -> Metrics:
    """Where a test's process counts."""
    return Metrics()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The artefact that decides."""
    return make_artefact(tmp_path / "model", "v1")


def load(settings: Settings, metrics: Metrics) -> Detector:
    """The detector that settings name; not timed, for nothing here rests on it."""
    return Detector.load(settings, metrics)


@pytest.fixture
def opened(folder: Path, metrics: Metrics) -> Iterator[Open]:
    """Open the models of some settings; all are closed in the end, and no thread of theirs stays."""
    before = set(threading.enumerate())
    with ExitStack() as stack:

        def open_(**values: Any) -> Models:
            settings = Settings.model_validate({"model": str(folder), "inference_threads": 1, "model_reload_seconds": 0} | values)
            return stack.enter_context(open_models(settings, metrics, load))

        yield open_
    assert set(threading.enumerate()) <= before
