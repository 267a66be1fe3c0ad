"""What changes while a page is open, by server-sent events.

One task asks the store for its pulse while anybody listens, however many do. A listener looks again when the pulse has changed:
how many new cases its filter has, which are announced and never put under the reader's eyes, and whose claim or state changed,
which is shown in place.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from typing import Final

import structlog
from starlette.concurrency import run_in_threadpool

from stream_detector.review.cases import Pulse
from stream_detector.review.store import Store

#: How often the store is asked. It is also the shortest time between two events to one page.
_EVERY_S: Final = 1.0
#: Proxies close what is silent.
_SILENT_S: Final = 15.0


class Pulses:
    """The store's pulse, to any number of listeners.

    Args:
        store: whose.
        every_s: seconds between two looks.
    """

    def __init__(self, store: Store, *, every_s: float = _EVERY_S) -> None:
        self._store = store
        self._every_s = every_s
        self._changed = asyncio.Condition()
        self._pulse: Pulse | None = None
        self._listeners = 0
        self._closed = False

    async def run(self) -> None:
        """Look, until cancelled."""
        while True:
            if self._listeners:
                try:
                    await self._set(await run_in_threadpool(self._store.queue.pulse))
                except Exception as error:  # noqa: BLE001 - a database that is away for a moment must not end it for good
                    structlog.get_logger().warning("the store's pulse could not be read", error=type(error).__name__)
            await asyncio.sleep(self._every_s)

    async def close(self) -> None:
        """End all listening, so that the server can leave."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

    async def changes(self, known: Pulse | None = None) -> AsyncIterator[Pulse | None]:
        """Each pulse that differs from the one before; None where nothing came for a while. Ends when the server leaves."""
        self._listeners += 1
        try:
            while not self._closed:
                async with self._changed:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._changed.wait_for(partial(self._has_news, known)), _SILENT_S)
                    if self._closed:
                        return
                    news = self._has_news(known)
                    known = self._pulse
                yield known if news else None
        finally:
            self._listeners -= 1

    def _has_news(self, known: Pulse | None) -> bool:
        return self._closed or (self._pulse is not None and self._pulse != known)

    async def _set(self, pulse: Pulse) -> None:
        async with self._changed:
            if pulse != self._pulse:
                self._pulse = pulse
                self._changed.notify_all()


def event(name: str, html: str) -> bytes:
    """A server-sent event; each line of its data has a prefix of its own."""
    data = "".join(f"data: {line}\n" for line in html.splitlines()) or "data: \n"
    return f"event: {name}\n{data}\n".encode()


#: A comment: it keeps the connection, and shows a client that has gone.
KEEP_ALIVE: Final = b": \n\n"
