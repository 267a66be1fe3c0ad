"""The program as a whole: what it offers, what it starts without, how it leaves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import click
import pytest

from stream_detector.cli.main import COMMANDS, cli
from stream_detector.errors import ArtefactError, ConfigurationError, DeliveryError, MissingExtraError, StreamDetectorError
from tests.cli.calling import Call


def _python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_help_imports_nothing_heavy() -> None:
    """The group's help starts at once: no Kafka client, no inference runtime, no torch, no rich."""
    code = """
import sys
from stream_detector.cli.main import main
main(["--help"])
heavy = {"confluent_kafka", "onnxruntime", "torch", "rich", "numpy", "tokenizers", "prometheus_client", "sqlalchemy", "faust", "opentelemetry"}
print("HEAVY", sorted(heavy & set(sys.modules)))
"""
    assert "HEAVY []" in _python(code)


def test_validate_imports_no_kafka_client() -> None:
    """Checking events is light work: it needs neither the Kafka client nor an inference runtime."""
    code = """
import sys
import stream_detector.cli.validate
print(sorted({"confluent_kafka", "onnxruntime", "torch", "rich"} & set(sys.modules)))
"""
    assert _python(code).strip() == "[]"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(call: Call, name: str) -> None:
    """Each entry of the table leads to a command whose help works."""
    called = call(name, "--help")
    assert called.status == 0
    assert called.out.startswith(f"Usage: stream-detector {name}")


def test_help_lists_every_command(call: Call) -> None:
    """The group's help is written from the table, without importing the commands."""
    out = call("--help").out
    for name in COMMANDS:
        assert f"\n  {name} " in out


def test_version(call: Call) -> None:
    """--version names the program."""
    assert call("--version").out.startswith("stream-detector, version ")


@pytest.mark.parametrize("arguments", [("nonsense",), ("score", "--nonsense"), ("validate",), ("demo", "--rate", "0")])
def test_wrong_calls_leave_with_2(call: Call, arguments: tuple[str, ...]) -> None:
    """A wrong call is status 2 with the usage on standard error and nothing on standard output."""
    called = call(*arguments)
    assert called.status == 2
    assert called.out == ""
    assert "Usage: stream-detector" in called.err


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Make the group have one command that raises."""

    def _raising(error: BaseException) -> None:
        @click.command()
        def command() -> None:
            raise error

        monkeypatch.setattr(cli, "get_command", lambda context, name: command)

    return _raising


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConfigurationError("topics: no such\n  topic"), 2),
        (ArtefactError("model.onnx: missing"), 2),
        (MissingExtraError("training", "train"), 2),
        (DeliveryError("lost"), 1),
        (StreamDetectorError("refused"), 1),
    ],
)
def test_own_errors_are_one_line(
    call: Call, raising: Callable[[BaseException], None], error: StreamDetectorError, status: int
) -> None:
    """An error raised on purpose is one line with the program's name, and its own exit status."""
    raising(error)
    called = call("x")
    assert called.status == status
    assert called.err == f"stream-detector: {' '.join(str(error).split())}\n"


def test_unexpected_errors_hide_trace_and_message(call: Call, raising: Callable[[BaseException], None]) -> None:
    """A bug shows its type and the way to the trace; its message could quote a text, so it isn't shown."""
    raising(ZeroDivisionError("a text that nobody may see"))
    called = call("x")
    assert called.status == 1
    assert called.err.count("\n") == 1
    assert "ZeroDivisionError" in called.err
    assert "STREAM_DETECTOR_LOG_LEVEL=DEBUG" in called.err
    assert "nobody may see" not in called.err


def test_unexpected_errors_show_the_trace_on_demand(
    call: Call, raising: Callable[[BaseException], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who sets the log level to DEBUG gets the stack trace."""
    monkeypatch.setenv("STREAM_DETECTOR_LOG_LEVEL", "debug")
    raising(ZeroDivisionError())
    assert "Traceback" in call("x").err


def test_interrupt_leaves_quietly(call: Call, raising: Callable[[BaseException], None]) -> None:
    """Ctrl-C is no error to explain: status 130, no trace."""
    raising(KeyboardInterrupt())
    called = call("x")
    assert called.status == 130
    assert "Traceback" not in called.err
