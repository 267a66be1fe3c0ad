"""Starts the worker again when it has ended in a way that a new process can mend; `run --supervise`.

For where nothing else does: systemd, Kubernetes, ECS and compose have supervisors of their own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Final

import structlog

from stream_detector.errors import START_AGAIN

FLAG: Final = "--supervise"
#: A worker that has lived for so long was well: the next end is a new story.
_WELL_S: Final = 60.0
_REST_S: Final = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0)

_log = structlog.get_logger()


def own_command() -> list[str]:
    """The command that this process was called with, but for the supervising."""
    return [argument for argument in sys.orig_argv if argument != FLAG]


class Supervisor:
    """Runs a command until it ends for good.

    It is started again after status 75 (it hung, or gave up) and when a signal killed it; other ends are its own: done, a wrong
    call, or something that a person must see to. Between two starts it rests, longer each time.
    """

    def __init__(
        self, command: Sequence[str], *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._command = list(command)
        self._clock = clock
        self._sleep = sleep
        self._child: subprocess.Popen[bytes] | None = None
        self._stopping = False

    def run(self) -> int:
        """The status that the command ended with at last."""
        signals = (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.signal(number, self._pass_on) for number in signals}
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, self._tell)
        try:
            return self._run()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _run(self) -> int:
        failures = 0
        while True:
            began = self._clock()
            status = self._once()
            if self._stopping or not (status == START_AGAIN or status < 0):
                return 128 - status if status < 0 else status
            failures = 0 if self._clock() - began > _WELL_S else failures
            rest = _REST_S[min(failures, len(_REST_S) - 1)]
            failures += 1
            _log.warning("worker ended, starting it again", status=status, rest_s=rest)
            self._rest(rest)
            if self._stopping:
                return 0

    def _once(self) -> int:
        # A group of its own: Ctrl-C in a terminal would reach the child twice, and twice means at once.
        self._child = subprocess.Popen(self._command, process_group=0)  # noqa: S603 - this very program
        if self._stopping:
            self._child.send_signal(signal.SIGTERM)
        return self._child.wait()

    def _rest(self, seconds: float) -> None:
        end = self._clock() + seconds
        while not self._stopping and self._clock() < end:
            self._sleep(0.1)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True
        self._tell(number, frame)

    def _tell(self, number: int, _frame: FrameType | None) -> None:
        child = self._child
        if child is not None and child.returncode is None:
            os.kill(child.pid, number)
