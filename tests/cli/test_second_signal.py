"""The second signal ends the worker at once, whatever it is doing."""

from __future__ import annotations

import signal
import subprocess
import sys

HANGING = r"""
import os, time
from stream_detector.cli.run import _stopped_by_signals
class Worker:
    def stop(self):
        os.write(1, b"stopping\n")  # print may be interrupted by itself here
with _stopped_by_signals(Worker()):
    os.write(1, b"running\n")
    while True:
        time.sleep(0.1)
"""


def test_second_signal_ends_the_process() -> None:
    """A worker that can't drain, because Kafka is away, needn't be killed."""
    with subprocess.Popen([sys.executable, "-c", HANGING], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"running\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == b"stopping\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 128 + signal.SIGINT
