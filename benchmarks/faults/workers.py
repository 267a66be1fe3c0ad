"""Worker processes under a supervisor of the simplest sort: who ends is started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from stream_detector.settings import Settings

_ROOT = Path(__file__).parents[2]


class Workers:
    """A changing number of `stream-detector run`."""

    def __init__(self, settings: Settings, folder: Path, *, slots: bool, stand_in: bool) -> None:
        self._folder, self._slots = folder, slots
        self._program = [sys.executable, "tests/cli/stand_in.py" if stand_in else "-m", *([] if stand_in else ["stream_detector"])]
        self._flags = self._settings_as_flags(settings)
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._held: set[int] = set()
        self._lock = threading.Lock()
        self.endings: Counter[int] = Counter()
        self._closed = threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    @property
    def numbers(self) -> list[int]:
        """Which there are."""
        with self._lock:
            return sorted(self._processes)

    def start(self, number: int) -> None:
        """Have one more."""
        with self._lock:
            self._processes[number] = self._spawn(number)

    def send(self, number: int, what: signal.Signals) -> None:
        """Send one a signal; if it ends by it, it is started again."""
        self._processes[number].send_signal(what)

    def remove(self, number: int) -> None:
        """Have one less, in good order."""
        with self._lock:
            process = self._processes.pop(number)
        process.send_signal(signal.SIGTERM)
        try:
            self.endings[process.wait(60)] += 1
        except subprocess.TimeoutExpired:
            process.kill()

    def close(self) -> None:
        """End all, in good order."""
        self._closed.set()
        self._keeper.join()
        for number in self.numbers:
            self.remove(number)

    def _keep(self) -> None:
        while not self._closed.wait(0.2):
            with self._lock:
                for number, process in self._processes.items():
                    status = process.poll()
                    if status is not None:
                        self.endings[status] += 1
                        self._processes[number] = self._spawn(number)
            time.sleep(0)

    def _spawn(self, number: int) -> subprocess.Popen[bytes]:
        slot = ["--slot", str(number)] if self._slots else []
        command = [*self._program, "run", *self._flags, *slot]
        with (self._folder / f"worker-{number}.log").open("ab") as log:  # the worker has its own copy
            return subprocess.Popen(command, cwd=_ROOT, stdout=log, stderr=log, env=os.environ | {"PYTHONPATH": str(_ROOT)})

    @staticmethod
    def _settings_as_flags(settings: Settings) -> list[str]:
        topics = [part for name, topic in settings.topics for part in (f"--topics.{name.replace('_', '-')}", topic)]
        kafka = [part for key, value in settings.kafka.items() for part in ("--kafka", f"{key}={value}")]
        return [
            "--bootstrap-servers", settings.bootstrap_servers, "--group-id", settings.group_id, "--metrics-port", "0",
            "--publish-scores", "--inference-threads", "1", *topics, *kafka,
        ]  # fmt: skip
