"""The review console beside the demo, over a store that goes when the demo ends."""

from __future__ import annotations

import secrets
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog
from pydantic import SecretStr

from stream_detector.settings import ReviewSettings, Settings

_LOOPBACK = "127.0.0.1"


class ReviewBeside:
    """Runs a console from entering to leaving, without making anybody wait for it: it starts on a thread of its own.

    Args:
        settings: of the demo.
        on_ready: called with the console's address.
    """

    def __init__(self, settings: Settings, on_ready: Callable[[str], None]) -> None:
        self._settings = settings
        self._on_ready = on_ready
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo-console", daemon=True)

    def __enter__(self) -> Self:
        """Start to start it."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop it."""
        self._leave.set()
        self._thread.join()

    def _run(self) -> None:
        # Imported here: what the console is made of takes a second to load, and the first violation doesn't wait for that.
        from stream_detector.review.web import ConsoleThread  # noqa: PLC0415

        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stream-detector-")))
            try:
                console = stack.enter_context(ConsoleThread(self._of_the_demo(folder)))
            except Exception as error:  # noqa: BLE001 - the demo is about the stream; it goes on without a console
                structlog.get_logger().warning("the demo goes on without its console", error=type(error).__name__)
                return
            if not self._leave.is_set():
                self._on_ready(console.url)
            self._leave.wait()

    def _of_the_demo(self, folder: Path) -> Settings:
        """The demo's settings with a store of its own, whatever the settings around say of another console's."""
        return self._settings.model_copy(
            update={
                "http_host": _LOOPBACK,
                "http_port": 0,
                "review": ReviewSettings(folder=folder),
                "fingerprint_key": self._settings.fingerprint_key or SecretStr(secrets.token_hex(32)),
            }
        )
