"""Whether work can be given to this process, and if not, why."""

from __future__ import annotations

import threading
from enum import StrEnum


class State(StrEnum):
    """What a process is doing, in the words that /readyz answers with."""

    STARTING = "starting"
    READY = "ready"
    KAFKA_UNREACHABLE = "kafka unreachable"
    REGISTRY_UNREACHABLE = "schema registry unreachable"
    DRAINING = "draining"
    STOPPED = "stopped"


#: From these on there is no way back, so a late answer from Kafka can't make a leaving process look ready again.
_LEAVING = (State.DRAINING, State.STOPPED)


class Readiness:
    """The state of a process: written by the worker, read by probes from other threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state = State.STARTING
        self._obstacle: State | None = None

    @property
    def state(self) -> State:
        """The state now."""
        state, obstacle = self._state, self._obstacle
        return obstacle if obstacle is not None and state is State.READY else state

    @property
    def ready(self) -> bool:
        """Whether work can be given to the process."""
        return self.state is State.READY

    def block(self, obstacle: State | None) -> None:
        """Name what stands in the way of a process that would be ready otherwise; None: nothing any more."""
        self._obstacle = obstacle

    def set(self, state: State) -> bool:
        """Go to a state; say whether that changed anything."""
        with self._lock:
            if state is self._state or (self._state in _LEAVING and state not in _LEAVING):
                return False
            self._state = state
            return True
