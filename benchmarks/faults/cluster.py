"""Three brokers, each a host of its own, so that one can be cut off from the others and from everybody else.

A host is a network namespace with one virtual cable to a bridge. Cutting off is unplugging the cable: the broker lives, hears
nothing, and still believes that it leads. That is what a broken switch does, and what a stopped process doesn't. Needs root and
iproute2 (Debian's package of that name).
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final, Self

from confluent_kafka.admin import AdminClient

from tests.kafka.broker import java

_ROOT = Path(__file__).parents[2]
_NODES: Final = (1, 2, 3)
_NETWORK: Final = "10.213.77"
_START_S: Final = 240.0
_STOP_S: Final = 30.0

#: What differs from the single node of deploy/kafka/server.properties. Copies on all three; a write is acknowledged when two have
#: it. A broker that isn't heard of for three seconds is no longer one, so that a cut shows before patience ends.
_OVERRIDES: Final = {
    "controller.quorum.voters": ",".join(f"{node}@{_NETWORK}.1{node}:9093" for node in _NODES),
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "share.coordinator.state.topic.replication.factor": "3",
    "share.coordinator.state.topic.min.isr": "2",
    "min.insync.replicas": "2",
    "replica.lag.time.max.ms": "3000",
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
}


class Cluster:
    """Three Kafka nodes, brokers and controllers in one, replicating everything. Stands in for `ApacheKafka` in fault runs."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._directory = Path(tempfile.mkdtemp(prefix="stream-detector-cluster-"))
        self._name = f"sd{os.getpid() % 100_000}"
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self.bootstrap_servers = ",".join(f"{_NETWORK}.1{node}:9092" for node in _NODES)

    def __enter__(self) -> Self:
        """Lay the cables and start all three. RuntimeError, with the remedy, where that can't be done."""
        if shutil.which("ip") is None or os.geteuid() != 0:
            raise RuntimeError("three brokers with networks of their own need root and iproute2: apt-get install iproute2")
        try:
            self._lay_cables()
            for node in _NODES:
                self._format(node)
                self._spawn(node)
            self._until_all_answer()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End all and take everything away."""
        for node in list(self._processes):
            self._end(node, signal.SIGKILL)
        for node in _NODES:
            _ip("netns", "del", f"{self._name}n{node}", check=False)
        _ip("link", "del", f"{self._name}b", check=False)
        shutil.rmtree(self._directory, ignore_errors=True)

    def leader(self, topic: str, partition: int) -> int:
        """The node that leads a partition.

        Raises:
            KafkaException: nobody knows within twenty seconds.
        """
        found = AdminClient({"bootstrap.servers": self.bootstrap_servers}).list_topics(topic, timeout=20)
        return int(found.topics[topic].partitions[partition].leader)

    def cut(self, node: int) -> None:
        """Pull a node's cable."""
        _ip("link", "set", f"{self._name}v{node}", "down")

    def mend(self, node: int) -> None:
        """Plug it in again."""
        _ip("link", "set", f"{self._name}v{node}", "up")

    def kill(self) -> None:
        """End one of the nodes as a power cut would."""
        self._end(self._chance.choice(_NODES), signal.SIGKILL)

    def stop(self) -> None:
        """Stop one of the nodes in good order."""
        self._end(self._chance.choice(_NODES), signal.SIGTERM)

    def start(self) -> None:
        """Start those that don't run, and wait until all answer."""
        for node in _NODES:
            if node not in self._processes:
                self._spawn(node)
        self._until_all_answer()

    def _lay_cables(self) -> None:
        bridge = f"{self._name}b"
        _ip("link", "add", bridge, "type", "bridge")
        _ip("addr", "add", f"{_NETWORK}.1/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for node in _NODES:
            host, cable = f"{self._name}n{node}", f"{self._name}v{node}"
            _ip("netns", "add", host)
            _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", host)
            _ip("link", "set", cable, "master", bridge, "up")
            _ip("-n", host, "addr", "add", f"{_NETWORK}.1{node}/24", "dev", "eth0")
            _ip("-n", host, "link", "set", "eth0", "up")
            _ip("-n", host, "link", "set", "lo", "up")

    def _format(self, node: int) -> None:
        folder = self._directory / str(node)
        folder.mkdir()
        listeners = f"PLAINTEXT://{_NETWORK}.1{node}:9092"
        own = {
            "node.id": str(node),
            "listeners": f"{listeners},CONTROLLER://{_NETWORK}.1{node}:9093",
            "advertised.listeners": listeners,
            "log.dirs": str(folder / "data"),
        }
        single = (_ROOT / "deploy" / "kafka" / "server.properties").read_text(encoding="utf-8")
        values = dict(line.split("=", 1) for line in single.splitlines() if "=" in line and not line.startswith("#"))
        text = "\n".join(f"{key}={value}" for key, value in (values | _OVERRIDES | own).items())
        (folder / "server.properties").write_text(text, encoding="utf-8")
        subprocess.run(
            [*java("-Xmx128m"), "kafka.tools.StorageTool", "format", "-t", "c3RyZWFtLWRldGVjdG9yMQ", "-c", "server.properties"],
            cwd=folder, check=True, capture_output=True,
        )  # fmt: skip

    def _spawn(self, node: int) -> None:
        folder = self._directory / str(node)
        host = ["ip", "netns", "exec", f"{self._name}n{node}"]
        with (folder / "broker.log").open("ab") as log:
            self._processes[node] = subprocess.Popen(
                [*host, *java("-Xmx384m"), "kafka.Kafka", "server.properties"], cwd=folder, stdout=log, stderr=log
            )

    def _until_all_answer(self) -> None:
        deadline = time.monotonic() + _START_S
        for node in _NODES:
            while not _answers(f"{_NETWORK}.1{node}"):
                if self._processes[node].poll() is not None or time.monotonic() > deadline:
                    log = (self._directory / str(node) / "broker.log").read_text(errors="replace")
                    raise RuntimeError(f"broker {node} did not start:\n{log[-3000:]}")
                time.sleep(0.2)

    def _end(self, node: int, how: signal.Signals) -> None:
        process = self._processes.pop(node, None)
        if process is None:
            return
        process.send_signal(how)  # `ip netns exec` becomes what it runs: this reaches Java itself
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_S)
        process.kill()
        process.wait()


def _ip(*words: str, check: bool = True) -> None:
    done = subprocess.run(["ip", *words], check=False, capture_output=True, text=True)  # noqa: S607 - wherever it is
    if check and done.returncode != 0:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")


def _answers(address: str) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((address, 9092), timeout=1):
        return True
    return False
