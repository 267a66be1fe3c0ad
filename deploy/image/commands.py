"""Every command of the image, started as an orchestrator would: not as root, on a read-only root file system.

Those that need Kafka get a real one: the tests' (`make kafka-setup`), outside the image, on loopback.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

# By its whole path: what runs inside has a PATH of its own.
_CHROOT = shutil.which("chroot") or "/usr/sbin/chroot"

_KAFKA, _METRICS, _HTTP, _PAGE = 19392, 19308, 19380, 19382
#: Where the image keeps what must outlive it; a volume in earnest.
_DATA = "var/lib/stream-detector"
_KEY = "only-for-the-rehearsal-of-the-image"
_SERVERS = ["--bootstrap-servers", f"127.0.0.1:{_KAFKA}"]
_TEXT = "Call me on +44 7700 900142 for a better price"
_REQUEST = {"transactionContext": {"transactionId": "T-1"}, "attributes": {"title": _TEXT}}
_EVENT = {
    "eventId": "E-1", "eventType": "client-update", "occurredAt": "2026-11-24T10:00:00Z", "partnerId": "P-1", "clientId": "C-1",
    "transactionContext": {"transactionId": "T-1"}, "attributes": {"profile": _TEXT},
}  # fmt: skip


class Image(Protocol):
    """What the build ended with."""

    folder: Path
    environment: dict[str, str]
    user: str
    entrypoint: list[str]
    command: list[str]
    healthcheck: list[str]


class Container:
    """Starts commands in the image."""

    def __init__(self, image: Image) -> None:
        self._image = image
        self.tried: set[str] = set()

    def start(self, *arguments: str, **settings: str) -> subprocess.Popen[bytes]:
        """Start the image with arguments; settings go into the environment."""
        self.tried.add(arguments[0] if arguments else "")
        return self._start([*self._image.entrypoint, *(arguments or self._image.command)], settings)

    def run(self, *arguments: str, status: int = 0, given: str = "", **settings: str) -> str:
        """Run the image to its end, expect a status, give its output."""
        process = self.start(*arguments, **settings)
        out, err = process.communicate(given.encode(), timeout=300)
        _say(f"{' '.join(arguments[:4])} -> {process.returncode}")
        if process.returncode != status:
            sys.exit(f"rehearse: {arguments} left with {process.returncode}, not {status}:\n{out.decode()}{err.decode()}")
        return out.decode()

    def data(self, folder: str) -> list[Path]:
        """What a command left in its folder on the volume."""
        return list((self._image.folder / _DATA / folder).iterdir())

    def healthy(self, **settings: str) -> bool:
        """What HEALTHCHECK says."""
        return self._start(self._image.healthcheck, settings).wait(30) == 0

    def _start(self, command: list[str], settings: dict[str, str]) -> subprocess.Popen[bytes]:
        environment = self._image.environment | {f"STREAM_DETECTOR_{name.upper()}": value for name, value in settings.items()}
        where = [_CHROOT, f"--userspec={self._image.user}", str(self._image.folder)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen([*where, *command], env=environment, **pipes)


def start_every_command(image: Image, sources: Path) -> None:
    """Start each; leave with a message at the first that doesn't do what it should."""
    _mount(image.folder)
    container = Container(image)
    commands = set(re.findall(r"^  (\w+) ", container.run().partition("Commands:\n")[2].partition("\n\n")[0], re.MULTILINE))
    if not container.run("score", "--text", _TEXT).count('"Fraud"'):
        sys.exit("rehearse: score finds nothing in a text that names a number")
    if "Read-only" not in _try_to_write(image):
        sys.exit("rehearse: the root file system can be written to")
    container.run("--version")
    container.run("models", "verify")
    container.run("validate", "-", given=json.dumps(_EVENT))
    container.run("demo", "--once", "--json", "--rate", "100", "--metrics-port", "0")
    _serve(container)
    with _kafka(sources):
        _work(container)
        # All of the above has worked without.
        _mount_volume(image.folder)
        _review(container)
        _aggregate(container)
    # What isn't tried above (train needs an extra that the image hasn't) shows at least that it is there.
    for name in sorted(commands - container.tried):
        container.run(name, "--help")
    _say(f"all commands started: {', '.join(sorted(commands))}")


def _serve(container: Container) -> None:
    settings = {"http_port": str(_HTTP), "http_token": "0123456789abcdef"}
    process = container.start("serve", **settings)
    _until_ready(process, _HTTP)
    body = json.dumps(_REQUEST).encode()
    headers = {"Content-Type": "application/json", "Authorization": "Bearer 0123456789abcdef"}
    request = urllib.request.Request(f"http://127.0.0.1:{_HTTP}/score", body, headers)
    label = json.load(urllib.request.urlopen(request))["scoreDetails"]["label"]
    _say(f"serve: ready, answers {label}, healthy: {container.healthy(**settings)}, {_memory(process)} MB")
    _stop("serve", process)


def _work(container: Container) -> None:
    container.run("topics", "create", "--partitions", "6", "--replication-factor", "1", *_SERVERS)
    settings = {"metrics_port": str(_METRICS), "slot": "0", "inference_threads": "2", "publish_scores": "true"}
    process = container.start("run", *_SERVERS, **settings)
    _until_ready(process, _METRICS)
    _say(f"run: ready, healthy: {container.healthy(**settings)}")
    _say(container.run("play", "--once", "--rate", "25", *_SERVERS).strip())
    _until(lambda: _done(_METRICS) >= 366, process, "the events to be done")
    _say(f"run: {_done(_METRICS):.0f} records done, {_memory(process)} MB")
    _stop("run", process)
    _say(container.run("verify", "--to-end", "--publish-scores", *_SERVERS).strip().splitlines()[-1])
    _say(f"dlq list: {len(container.run('dlq', 'list', *_SERVERS).splitlines())} dead letters")


def _review(container: Container) -> None:
    """The console behind its proxy, which is this program: violations of the worker are in its queue, its store on the volume."""
    settings = {
        "http_port": str(_HTTP),
        "review__user_header": "X-Forwarded-Email",
        "review__groups_header": "X-Forwarded-Groups",
        "review__session_secret": _KEY,
        "fingerprint_key": _KEY,
    }
    process = container.start("console", *_SERVERS, **settings)
    _until_ready(process, _HTTP)
    headers = {"X-Forwarded-Email": "reviewer@example.org", "X-Forwarded-Groups": "reviewer"}
    request = urllib.request.Request(f"http://127.0.0.1:{_HTTP}/", headers=headers)
    with urllib.request.urlopen(request) as response:
        length = len(response.read())
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{_HTTP}/")
        sys.exit("rehearse: the console lets in whom the proxy didn't name")
    except urllib.error.HTTPError as error:
        refused = error.code
    _say(f"console: ready, a page of {length} bytes, {refused} without the proxy's word; healthy: {container.healthy(**settings)}")
    _stop("console", process)
    _say(f"console: left {', '.join(sorted(path.name for path in container.data('review')))} on its volume")


def _aggregate(container: Container) -> None:
    """The Faust application reads the worker's violations and keeps its state on the volume."""
    settings = {
        "metrics_port": str(_METRICS),
        "aggregation__web_port": str(_PAGE),
        "aggregation__store": "rocksdb",
        "fingerprint_key": _KEY,
    }
    process = container.start("aggregate", *_SERVERS, **settings)
    _until_ready(process, _METRICS)
    _until(lambda: _total(_METRICS, "stream_detector_aggregation_cases") > 0, process, "violations to be counted")
    page = len(_get(_PAGE, "") or "")
    cases = _total(_METRICS, "stream_detector_aggregation_cases")
    _say(f"aggregate: {cases:.0f} cases, a page of {page} bytes, healthy: {container.healthy(**settings)}, {_memory(process)} MB")
    _stop("aggregate", process)


def _stop(name: str, process: subprocess.Popen[bytes]) -> None:
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    if process.returncode != 0:
        sys.exit(f"rehearse: {name} left with {process.returncode} after SIGTERM:\n{err.decode()}")
    _say(f"{name}: drained and left with 0 within {time.monotonic() - began:.1f} s of SIGTERM")


def _until_ready(process: subprocess.Popen[bytes], port: int) -> None:
    _until(lambda: _get(port, "readyz") is not None, process, "/readyz")


def _until(done, process: subprocess.Popen[bytes], what: str) -> None:  # noqa: ANN001 - a condition
    end = time.monotonic() + 180
    while not done():
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            sys.exit(f"rehearse: waited in vain for {what}:\n{process.communicate()[1].decode()}")
        time.sleep(0.2)


def _get(port: int, page: str) -> str | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{page}", timeout=5) as response:
            return response.read().decode()
    except OSError:
        return None


def _done(port: int) -> float:
    return _total(port, "stream_detector_events_total")


def _total(port: int, metric: str) -> float:
    found = re.findall(rf"^{metric}(?:\{{.*\}})? (\S+)$", _get(port, "metrics") or "", re.MULTILINE)
    return sum(map(float, found))


def _memory(process: subprocess.Popen[bytes]) -> int:
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) // 1024


@contextmanager
def _kafka(sources: Path) -> Iterator[None]:
    python = os.environ.get("PYTHON", str(sources / ".venv/bin/python"))
    command = [python, "-m", "tests.kafka.broker", "--port", str(_KAFKA)]
    broker = subprocess.Popen(command, cwd=sources, stdout=subprocess.PIPE)
    try:
        # Its first line says that it answers, or it ends and says why.
        if not broker.stdout.readline():
            sys.exit("rehearse: no Kafka; run make kafka-setup (PYTHON names an interpreter with the package, else .venv's)")
        yield
    finally:
        broker.send_signal(signal.SIGTERM)
        broker.wait(60)


def _mount(folder: Path) -> None:
    """As in a container: /proc is there, and the root file system can't be written to."""
    for arguments in (
        ["--bind", folder, folder],
        ["--types", "proc", "proc", folder / "proc"],
        ["--options", "remount,bind,ro", folder],
    ):
        subprocess.run(["mount", *arguments], check=True)


def _mount_volume(folder: Path) -> None:
    """What console and aggregate are given: a volume, which takes over who owns the image's folder, and a /tmp."""
    for where, options in ((folder / _DATA, "uid=10001,gid=10001,mode=0700"), (folder / "tmp", "mode=1777")):
        subprocess.run(["mount", "--types", "tmpfs", "--options", options, "tmpfs", where], check=True)


def _try_to_write(image: Image) -> str:
    tries = [_CHROOT, str(image.folder), "/bin/sh", "-c", "touch /tmp/file /opt/stream-detector/file"]
    return subprocess.run(tries, capture_output=True, text=True, check=False).stderr


def _say(line: str) -> None:
    print(f"rehearse: {line}", flush=True)
