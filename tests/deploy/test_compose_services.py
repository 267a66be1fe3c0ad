"""What docker-compose.yml starts beside Kafka and our own image, started by hand with its commands and its files."""

from __future__ import annotations

import http.client
import http.server
import json
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.containers import ROOT

pytestmark = [pytest.mark.validators, pytest.mark.timeout(240)]


def _service(name: str) -> dict[str, Any]:
    service: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"][name]
    return service


def _program(name: str) -> str:
    found = shutil.which(name, path=ROOT / ".tools/prometheus") or shutil.which(name)
    assert found, f"no {name} in .tools/prometheus or PATH: run make prometheus-setup"
    return found


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _mounted(service: dict[str, Any], text: str, volume: Path) -> str:
    """A text with the container's paths replaced by what is mounted there; named volumes are a folder of the test."""
    places = {}
    for mount in service["volumes"]:
        source, target, *_ = mount.split(":")
        places[target] = str(ROOT / source) if source.startswith(".") else str(volume)
    # All at once, the longest first: what was put in isn't looked at again.
    return re.sub("|".join(map(re.escape, sorted(places, key=len, reverse=True))), lambda found: places[found[0]], text)


@contextmanager
def _running(*command: str | Path, port: int, log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(list(map(str, command)), stdout=output, stderr=output, cwd=log.parent)
    try:
        end = time.monotonic() + 180
        while time.monotonic() < end:
            assert process.poll() is None, log.read_text(encoding="utf-8")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(60)


def _get(port: int, path: str) -> bytes:
    end = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as response:
                content: bytes = response.read()
                return content
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def test_prometheus_starts_with_its_command_and_has_the_rules(tmp_path: Path) -> None:
    """A flag that it doesn't know, or a file that isn't where the configuration says, would leave everybody without alerts."""
    service, port = _service("prometheus"), _free_port()
    told = [_mounted(service, argument, tmp_path) for argument in service["command"]]
    config = (ROOT / "deploy/compose/prometheus.yml").read_text(encoding="utf-8")
    # What the configuration names is mounted, too.
    (tmp_path / "prometheus.yml").write_text(_mounted(service, config, tmp_path), encoding="utf-8")
    told = [argument.replace(str(ROOT / "deploy/compose/prometheus.yml"), str(tmp_path / "prometheus.yml")) for argument in told]
    listening = f"--web.listen-address=127.0.0.1:{port}"
    with _running(_program("prometheus"), *told, listening, port=port, log=tmp_path / "log"):
        assert b"Ready" in _get(port, "/-/ready")
        groups = json.loads(_get(port, "/api/v1/rules"))["data"]["groups"]
        assert {group["file"] for group in groups} == {str(file) for file in (ROOT / "deploy/prometheus/rules").glob("*.yml")}
        jobs = {
            job["job_name"]
            for job in yaml.safe_load(json.loads(_get(port, "/api/v1/status/config"))["data"]["yaml"])["scrape_configs"]
        }
        assert {"stream-detector-worker", "stream-detector-console", "stream-detector-aggregate"} <= jobs


def test_alertmanager_starts_with_its_command(tmp_path: Path) -> None:
    """With its configuration, which has somewhere to send alerts to."""
    service, port = _service("alertmanager"), _free_port()
    told = [_mounted(service, argument, tmp_path).replace("/alertmanager", str(tmp_path)) if argument.startswith("--storage")
            else _mounted(service, argument, tmp_path) for argument in service["command"]]  # fmt: skip
    listening = (f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=")
    with _running(_program("prometheus-alertmanager"), *told, *listening, port=port, log=tmp_path / "log"):
        assert _get(port, "/-/ready").strip() == b"OK"
        assert "receiver: page" in json.loads(_get(port, "/api/v2/status"))["config"]["original"]


@pytest.fixture
def console() -> Iterator[int]:
    """Something in the place of the console that answers with the headers it was sent."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps([[name.lower(), value] for name, value in self.headers.items()]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_the_sign_in_proxy_says_who_asks_and_believes_nobody(console: int, tmp_path: Path) -> None:
    """The console gets the one name from the proxy whatever the browser sends, and the address that the browser asked for."""
    port = _free_port()
    site = (ROOT / "deploy/compose/sign-in.conf").read_text(encoding="utf-8")
    site = site.replace("listen 8081;", f"listen 127.0.0.1:{port};").replace("console:8080", f"127.0.0.1:{console}")
    (tmp_path / "site.conf").write_text(site, encoding="utf-8")
    temporary = "".join(f"{kind}_temp_path {tmp_path};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; pid {tmp_path}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; {temporary} include {tmp_path}/site.conf; }}\n",
        encoding="utf-8",
    )
    with _running(
        _program("nginx"), "-p", tmp_path, "-c", tmp_path / "nginx.conf", "-e", "stderr", port=port, log=tmp_path / "log"
    ):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        forged = {"Host": "localhost:8081", "X-Forwarded-Email": "other@example.com", "X-Forwarded-Groups": "none"}
        connection.request("GET", "/", headers=forged)
        sent = json.loads(connection.getresponse().read())
        connection.close()
    who = [value for name, value in sent if name in {"x-forwarded-email", "x-forwarded-groups"}]
    assert who == ["reviewer@example.org", "reviewer,lead,auditor,admin"]
    assert dict(sent)["host"] == "localhost:8081"
