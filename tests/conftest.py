"""What every test needs, whoever runs it and in whatever order."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator

import hypothesis
import pytest
import structlog

# A busy machine is slow, which is no fault of what is tested.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


def pytest_configure() -> None:
    """Hear SIGINT: a shell's background job ignores it, and so would the programs that tests start and interrupt."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _no_logs_to_closed_streams() -> Iterator[None]:
    """Undo what a test configured: its logs would go to a stream that pytest closes after it."""
    yield
    structlog.reset_defaults()
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if type(handler) is logging.StreamHandler:
            root.removeHandler(handler)
