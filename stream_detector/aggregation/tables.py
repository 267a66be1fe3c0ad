"""Faust's tables, written so that it is known when a change is safe: each write gives a future that ends with Kafka's word."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Iterator
from typing import Any

import faust


def raw_topic(app: faust.App, name: str, **options: Any) -> Any:
    """A topic whose keys and values are bytes to Faust: our own codec reads them."""
    return app.topic(name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw", **options)


class KeptTable:
    """A table of bytes by bytes, kept in a changelog topic whose partitions are those of the input."""

    def __init__(self, app: faust.App, name: str, topic: str, partitions: int, *, store: str | None = None) -> None:
        changelog = raw_topic(app, topic, partitions=partitions, acks=False, internal=True, compacting=True)
        self._table: Any = app.Table(
            name, key_type=bytes, value_type=bytes, partitions=partitions, changelog_topic=changelog, store=store
        )

    def put(self, partition: int, key: bytes, value: bytes) -> Future[Any]:
        """Write; done when Kafka has it. What this process reads changes at once."""
        written: Future[Any] = self._table.send_changelog(partition, key, value)
        self._table.data[key] = value
        return written

    async def put_first(self, partition: int, key: bytes, value: bytes) -> None:
        """Write, and only then let this process know it."""
        await self._table.send_changelog(partition, key, value)
        self._table.data[key] = value

    def remove(self, partition: int, key: bytes) -> Future[Any]:
        """Remove; done when Kafka has it."""
        written: Future[Any] = self._table.send_changelog(partition, key, None, value_serializer="raw")
        if key in self._table.data:
            del self._table.data[key]
        return written

    def values(self) -> Iterator[bytes]:
        """The same, without the keys."""
        yield from self._table.data.values()

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """All that this process holds."""
        yield from self._table.data.items()
