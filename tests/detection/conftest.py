from __future__ import annotations

from pathlib import Path

import pytest

from stream_detector.inference.artefact import find
from stream_detector.settings import Settings
from tests.detection.stand_in import StandInBackend


@pytest.fixture
def backend() -> StandInBackend:
    """A network whose verdicts are known beforehand."""
    return StandInBackend()


@pytest.fixture(scope="package")
def shipped() -> Path:
    """The folder of the artefact that ships as the default."""
    return find(Settings().model)
