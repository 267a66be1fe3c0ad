"""What a log line looks like, and how many there are."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from stream_detector.observability.logs import RateLimit, configure


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_lines_are_json_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Ours and libraries' lines alike are one JSON object each, with timestamp, level and event."""
    configure("INFO")
    structlog.get_logger().info("worker started", slot=3)
    structlog.get_logger().debug("not this one")
    logging.getLogger("librdkafka").warning("%s [%s] %s", "FAIL", "client", "no route")
    out, err = capsys.readouterr()
    first, second = map(json.loads, err.splitlines())
    assert out == ""
    assert first.pop("timestamp").endswith("Z")
    assert first == {"event": "worker started", "level": "info", "slot": 3}
    assert second["event"] == "FAIL [client] no route"
    assert second["level"] == "warning"


def test_a_flood_is_held_back_and_counted() -> None:
    """One line of a sort in ten seconds goes out; the next says how many didn't. Other sorts aren't affected."""
    now = 0.0
    limit = RateLimit(10, clock=lambda: now)

    def line(facility: str) -> logging.LogRecord:
        return logging.LogRecord("librdkafka", logging.ERROR, "", 0, "%s [%s] %s", (facility, "client", "text"), None)

    assert limit.filter(line("FAIL"))
    for _ in range(5):
        assert not limit.filter(line("FAIL"))
    assert limit.filter(line("AUTH"))
    now = 10.0
    again = line("FAIL")
    assert limit.filter(again)
    assert again.getMessage() == "FAIL [client] text (5 more like it held back)"
    now = 20.0
    quiet = line("FAIL")
    assert limit.filter(quiet)
    assert quiet.getMessage() == "FAIL [client] text"
