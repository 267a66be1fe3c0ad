"""The kinds of fault. Each is done when the thing that was broken is whole again; going on is the workers' own affair."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.faults.cluster import Cluster
from benchmarks.faults.workers import Workers
from tests.kafka.broker import ApacheKafka

#: Longer than the session time-out (6 s) and than a transaction may take (10 s).
_PAUSE_S: Final = (7.0, 13.0)
_AWAY_S: Final = (0.5, 5.0)
#: From shorter than the time in which the others take a broker for dead to longer than a transaction may take.
_CUT_S: Final = (2.0, 15.0)


@dataclass(frozen=True)
class Scene:
    """What can be broken."""

    workers: Workers
    broker: ApacheKafka | Cluster
    topics: tuple[str, ...]
    data: Path
    chance: random.Random


def kill(scene: Scene) -> None:
    """SIGKILL to a worker."""
    scene.workers.send(scene.chance.choice(scene.workers.numbers), signal.SIGKILL)


def term(scene: Scene) -> None:
    """SIGTERM to a worker."""
    scene.workers.send(scene.chance.choice(scene.workers.numbers), signal.SIGTERM)


def pause(scene: Scene) -> None:
    """SIGSTOP to a worker for longer than its session, then SIGCONT: a zombie that must be fenced."""
    number = scene.chance.choice(scene.workers.numbers)
    scene.workers.send(number, signal.SIGSTOP)
    time.sleep(scene.chance.uniform(*_PAUSE_S))
    scene.workers.send(number, signal.SIGCONT)


def broker_kill(scene: Scene) -> None:
    """SIGKILL to the broker, and a new start some seconds later."""
    scene.broker.kill()
    time.sleep(scene.chance.uniform(*_AWAY_S))
    scene.broker.start()


def broker_restart(scene: Scene) -> None:
    """The broker stopped in good order, and started again some seconds later."""
    scene.broker.stop()
    time.sleep(scene.chance.uniform(*_AWAY_S))
    scene.broker.start()


def rebalance(scene: Scene) -> None:
    """A worker more, or one less."""
    numbers = scene.workers.numbers
    if len(numbers) > 2 and scene.chance.random() < 0.6:
        scene.workers.remove(scene.chance.choice(numbers))
    else:
        scene.workers.start(max(numbers) + 1)


def disk(scene: Scene) -> None:
    """The broker's disk is full for some seconds; it is freed, and the broker started again if that ended it."""
    ballast = scene.data / "ballast"
    free = shutil.disk_usage(scene.data).free
    with ballast.open("wb") as file:
        try:
            while free > 0:
                file.write(b"\0" * 65536)
                file.flush()
        except OSError:
            pass
    time.sleep(scene.chance.uniform(*_AWAY_S) + 5)
    ballast.unlink()
    scene.broker.kill()
    scene.broker.start()


def cut_off(scene: Scene) -> None:
    """The leader of a partition, of an input or of Kafka's own topics, cut off from everybody for some seconds."""
    if not isinstance(scene.broker, Cluster):
        raise TypeError("only one broker of several can be cut off: --brokers 3")
    node = scene.broker.leader(scene.chance.choice(scene.topics), 0)
    scene.broker.cut(node)
    time.sleep(scene.chance.uniform(*_CUT_S))
    scene.broker.mend(node)


KINDS: Final[dict[str, Callable[[Scene], None]]] = {
    "kill": kill,
    "term": term,
    "pause": pause,
    "broker-kill": broker_kill,
    "broker-restart": broker_restart,
    "rebalance": rebalance,
    "disk": disk,
    "cut-off": cut_off,
}


def small_disk(folder: Path, megabytes: int) -> bool:
    """Make a folder a disk of its own; False where this machine doesn't let us."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(folder)]
    return shutil.which("mount") is not None and subprocess.run(command, check=False, capture_output=True).returncode == 0


def no_disk(folder: Path) -> None:
    """Take it away."""
    subprocess.run(["umount", "--lazy", str(folder)], check=False, capture_output=True)  # noqa: S607 - wherever it is
