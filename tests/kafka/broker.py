"""A real Apache Kafka on this machine: for tests, and in the foreground for a person (`python -m tests.kafka.broker`)."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import socket
import string
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

_ROOT = Path(__file__).resolve().parents[2]
LIBS = _ROOT / ".kafka" / "libs"
_DEPLOY = _ROOT / "deploy" / "kafka"
_REMEDY = "run make kafka-setup"
_START_S = 240.0
_STOP_S = 20.0


class ApacheKafka:
    """One node with a data directory of its own. Starts anew on the same data and port after `stop` or `kill`."""

    def __init__(self, port: int = 0, *, directory: Path | None = None) -> None:
        self._directory = directory or Path(tempfile.mkdtemp(prefix="stream-detector-kafka-"))
        self._port = port or _free_port()
        self._controller_port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.bootstrap_servers = f"127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        """Start it."""
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it and remove its data."""
        self.stop()
        shutil.rmtree(self._directory, ignore_errors=True)

    @property
    def log(self) -> Path:
        """What the broker wrote."""
        return self._directory / "broker.log"

    def start(self) -> None:
        """Start it and wait until it answers. RuntimeError, with the remedy, if it can't be started."""
        properties = self._directory / "server.properties"
        if not properties.exists():
            self._format(properties)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*java("-Xmx512m", *self._options()), "kafka.Kafka", str(properties)], cwd=self._directory, stdout=log, stderr=log
            )
        deadline = time.monotonic() + _START_S
        while not _answers(self._port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"Apache Kafka did not start:\n{self.log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop it in good order, or kill it if it takes too long."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_S)
            self.kill()

    def kill(self) -> None:
        """End it as a power cut would, without a word to anyone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def wait(self) -> None:
        """Wait until it ends by itself."""
        if self._process is not None:
            self._process.wait()

    def _format(self, properties: Path) -> None:
        properties.write_text(self._properties(), encoding="utf-8")
        command = [*java("-Xmx128m"), "kafka.tools.StorageTool", "format", "-t", "c3RyZWFtLWRldGVjdG9yMQ", "-c", str(properties)]
        done = subprocess.run([*command, *self._scram()], capture_output=True, text=True, check=False, cwd=self._directory)
        if done.returncode != 0:
            properties.unlink()
            raise RuntimeError(f"Apache Kafka's storage can't be formatted:\n{done.stdout}{done.stderr}")

    def _properties(self) -> str:
        values = {"port": self._port, "controller_port": self._controller_port, "data": self._directory / "data"}
        template = string.Template((_DEPLOY / "server.properties").read_text(encoding="utf-8"))
        # "${…}" in the template's comment stays as it is.
        return template.safe_substitute(values)

    def _options(self) -> list[str]:
        """Options of its Java."""
        return []

    def _scram(self) -> list[str]:
        """Users to make when the storage is formatted."""
        return []


def java(*options: str) -> list[str]:
    """How to run a class of Apache Kafka. RuntimeError, with the remedy, where Java or the jars are missing."""
    java = shutil.which("java")
    if java is None:
        raise RuntimeError(f"Apache Kafka needs Java 17: {_REMEDY}")
    if not any(LIBS.glob("kafka_2.13-*.jar")):
        raise RuntimeError(f"Apache Kafka's jars are not in {LIBS}: {_REMEDY}")
    # Compiling less eagerly and a plain collector: the broker lives for a minute or two, on few cores.
    quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"]
    return [java, *options, *quick, f"-Dlog4j2.configurationFile={_DEPLOY / 'log4j2.properties'}", "-cp", f"{LIBS}/*"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def main() -> int:
    """Run a broker until it is interrupted."""
    parser = argparse.ArgumentParser(description="Apache Kafka on this machine, until Ctrl-C; its data is gone afterwards.")
    parser.add_argument("--port", type=int, default=9092)
    port = parser.parse_args().port
    if _answers(port):
        sys.stderr.write(f"port {port} is taken; choose another with --port\n")
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with ApacheKafka(port) as kafka:
            sys.stdout.write(
                f"Apache Kafka answers at {kafka.bootstrap_servers}; Ctrl-C ends it. Next, in another terminal:\n"
                f"  stream-detector topics create --replication-factor 1 --bootstrap-servers {kafka.bootstrap_servers}\n"
            )
            sys.stdout.flush()
            kafka.wait()
            sys.stderr.write(kafka.log.read_text(errors="replace")[-3000:])
            return 1
    except RuntimeError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
