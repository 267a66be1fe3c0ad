"""`stream-detector aggregate` in a process of its own, to be killed; and what its page says."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from stream_detector.settings import Settings
from tests.kafka.partners import Expected, ms

_ROOT = Path(__file__).parents[2]
_PATIENCE_S = 180.0


class MortalAggregate:
    """One life of the process. Its log is JSON, line by line."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        file = folder / "aggregate.toml"
        file.write_text(_toml(settings), encoding="utf-8")
        command = [sys.executable, "-m", "stream_detector", "aggregate", "--config", str(file)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, cwd=_ROOT)
        self.log: list[dict[str, Any]] = []
        self._arrived = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, event: str, *, count: int = 1) -> dict[str, Any]:
        """The log's first (or later) line of a sort. AssertionError, with the log, if it never comes."""
        deadline = time.monotonic() + _PATIENCE_S
        with self._arrived:
            while len(found := [line for line in self.log if line["event"] == event]) < count:
                alive = self._reader.is_alive()
                assert alive, f"ended without {event!r}: {self.log}"
                assert time.monotonic() < deadline, f"no {event!r} in time: {self.log}"
                self._arrived.wait(0.5)
        return found[count - 1]

    def page(self, query: str = "") -> dict[str, Any]:
        """What the page says, as JSON."""
        url = self.wait_for("serving the top partners")["url"]
        with urllib.request.urlopen(f"{url}partners.json{query}", timeout=20) as answer:
            document: dict[str, Any] = json.load(answer)
            return document

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of one of the pages about the process: /metrics, /healthz, /readyz."""
        url = self.wait_for("serving metrics")["url"].replace("/metrics", path)
        try:
            with urllib.request.urlopen(url, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def ended(self) -> tuple[int, str]:
        """Wait until it ends by itself: its exit status, and the last line of its log."""
        status = self._end()
        return status, self.log[-1]["event"]

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self._end()

    def stop(self) -> int:
        """Tell it to stop; its exit status."""
        self.process.terminate()
        return self._end()

    def _end(self) -> int:
        status = self.process.wait(60)
        self._reader.join(60)
        assert self.process.stderr is not None
        self.process.stderr.close()
        return status

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._arrived:
                self.log.append(json.loads(line) if line.startswith(b"{") else {"event": line.decode().strip()})
                self._arrived.notify_all()


def differences(aggregate: MortalAggregate, expected: Expected) -> list[str]:
    """Where the page doesn't say what counting all records at once says, for each length of windows and each partner."""
    found = []
    for window in ("1d", "7d", "30d"):
        page = aggregate.page(f"?window={window}")
        start, end = ms(str(page["windowStart"])), ms(str(page["windowEnd"]))
        got = {row["partnerId"]: {name: row[name] for name in row if name not in {"level", "kinds"}} for row in page["partners"]}
        for partner in expected.partners:
            row = expected.row(partner, start, end)
            if row["points"] and got.get(partner) != row:
                found.append(f"{window} {partner}: {got.get(partner)} instead of {row}")
            if not row["points"] and partner in got:
                found.append(f"{window} {partner}: {got[partner]} instead of nothing")
    return found


def _toml(settings: Settings) -> str:
    """Settings as a file; only of the sorts of values that there are."""
    document = settings.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    tables = {name: value for name, value in document.items() if isinstance(value, dict)}
    lines = [f"{name} = {json.dumps(value)}" for name, value in document.items() if name not in tables]
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{json.dumps(key)} = {json.dumps(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"
