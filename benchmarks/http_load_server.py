"""The servers that http_load.py puts under load: how each is started, stopped, and kept still while another one is measured."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent / "http_load_servers"
_PATIENCE_S = 300


@dataclass(frozen=True)
class Server:
    """One line of the comparison.

    Attributes:
        name: as tables show it.
        command: to start it; PORT stands for the port.
        group: the weights it runs: peers are compared on the same ones.
    """

    name: str
    command: tuple[str, ...]
    group: str


@dataclass(frozen=True)
class Folders:
    """What the caller gave: fitted networks, an artefact of the student, and the peers' Python."""

    shipped: Path
    teacher: Path | None
    student: Path | None
    student_onnx: Path | None
    peers: Path | None


def servers(given: Folders) -> tuple[list[Server], list[str]]:
    """The servers there are, and the names of those for which something wasn't given."""
    python, program = sys.executable, str(Path(sys.executable).with_name("stream-detector"))
    peers = str(given.peers) if given.peers else None
    torch = (python, str(_HERE / "torch_predictor.py"))
    wanted: list[tuple[str, str, tuple[str | Path | None, ...]]] = [
        ("shipped model, stream-detector serve", "shipped", (program, "serve", "--http-port", "PORT")),
        ("12-layer teacher in PyTorch, stream-detector serve", "teacher", (*torch, given.teacher, "PORT")),
        ("6-layer student in PyTorch, stream-detector serve", "student", (*torch, given.student, "PORT")),
        (
            "6-layer student in ONNX int8, stream-detector serve",
            "student-onnx",
            (program, "serve", "--http-port", "PORT", "--model", given.student_onnx),
        ),
        ("shipped model, LitServe", "shipped", (peers, str(_HERE / "litserve_peer.py"), given.shipped, "PORT")),
        (
            "shipped model, FastAPI and transformers' pipeline",
            "shipped",
            (peers, str(_HERE / "fastapi_peer.py"), "onnx", given.shipped, "PORT"),
        ),
        (
            "6-layer student in PyTorch, FastAPI and transformers' pipeline",
            "student",
            (peers, str(_HERE / "fastapi_peer.py"), "torch", given.student, "PORT"),
        ),
    ]
    there = [Server(name, tuple(map(str, command)), group) for name, group, command in wanted if None not in command]
    missing = [name for name, _, command in wanted if None in command]
    return there, missing


class Running:
    """A server that answers, held still until it is its turn."""

    def __init__(self, server: Server, body: bytes, log: Path) -> None:
        self.port = _free_port()
        command = [str(self.port) if part == "PORT" else part for part in server.command]
        with log.open("wb") as output:
            # A group of its own: LitServe, for one, is several processes.
            self._process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
        end = time.monotonic() + _PATIENCE_S
        while not _answers(self.port, body):
            if self._process.poll() is not None or time.monotonic() > end:
                self.close()
                raise SystemExit(f"{server.name}: doesn't answer:\n{log.read_text(encoding='utf-8')[-3000:]}")
            time.sleep(0.2)
        self._signal(signal.SIGSTOP)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Let it work meanwhile. The others are stopped, or their idle loops would take part in every measurement."""
        self._signal(signal.SIGCONT)
        time.sleep(0.5)
        try:
            yield
        finally:
            self._signal(signal.SIGSTOP)

    def close(self) -> None:
        """End it and all that it started."""
        for number in (signal.SIGCONT, signal.SIGTERM):
            self._signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(20)
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _answers(port: int, body: bytes) -> bool:
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/score", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310 - as above
            return bool(answer.status == 200)
    except OSError:
        return False
