"""What the tests of the command line share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stream_detector.cli.main import main
from tests.cli.calling import Call, Called, Start
from tests.cli.stand_in import StandIn

SCRIPT = Path(__file__).parent / "stand_in.py"


@pytest.fixture(autouse=True)
def no_settings_around(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings in the developer's own environment don't reach the tests."""
    for name in list(os.environ):
        if name.startswith("STREAM_DETECTOR_"):
            monkeypatch.delenv(name)


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Call:
    """Call the program in this process."""

    def _call(*arguments: str | Path) -> Called:
        capfd.readouterr()
        status = main([str(argument) for argument in arguments])
        return Called(status, *capfd.readouterr())

    return _call


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls in this process score with the stand-in."""
    monkeypatch.setattr("stream_detector.cli.score.Detector", StandIn)
    monkeypatch.setattr("stream_detector.cli.parts.Detector", StandIn)


@pytest.fixture
def start() -> Iterator[Start]:
    """Start the program, with the stand-in, in a process of its own."""
    processes = []

    def _start(*arguments: str | Path, **options: Any) -> subprocess.Popen[bytes]:
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen([sys.executable, SCRIPT, *map(str, arguments)], **(pipes | options))
        processes.append(process)
        return process

    yield _start
    for process in processes:
        process.kill()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()
        process.wait()
