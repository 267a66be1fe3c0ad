"""What one console at a time may do for a store, however many serve its pages: read Kafka into it and publish from it."""

from __future__ import annotations

import os
import secrets
import socket
from typing import Final

from sqlalchemy import Connection, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from stream_detector.errors import StreamDetectorError
from stream_detector.review.database import Database
from stream_detector.review.schema import LeaseRow

#: How long a console that says nothing is taken to be alive.
LEASE_MS: Final = 10_000
_NAME: Final = "background"


class LeaseLostError(StreamDetectorError):
    """Another console does this now; this one's transaction is undone."""


class Lease:
    """The right of one thread to do it. What it writes without having the right is undone: `hold` is part of the transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._holder = f"{socket.gethostname()[:32]}:{os.getpid()}:{secrets.token_hex(4)}"

    def acquire(self) -> bool:
        """Take it if nobody has it, or whoever had it is silent or dead."""
        now_ms = self._database.now_ms()
        with self._database.write() as connection:
            holder = connection.scalar(select(LeaseRow.holder).where(LeaseRow.name == _NAME).with_for_update())
            if holder is None:
                try:
                    with connection.begin_nested():
                        connection.execute(insert(LeaseRow).values(name=_NAME, holder=self._holder, until_ms=now_ms + LEASE_MS))
                except IntegrityError:  # another one was faster
                    return False
                return True
            free = or_(LeaseRow.holder == self._holder, LeaseRow.until_ms <= now_ms)
            query = update(LeaseRow).where(LeaseRow.name == _NAME)
            if not self._is_dead(holder):
                query = query.where(free)
            return bool(connection.execute(query.values(holder=self._holder, until_ms=now_ms + LEASE_MS)).rowcount)

    def hold(self, connection: Connection) -> None:
        """Keep it, and make sure in a transaction that it was kept until that ends.

        Raises:
            LeaseLostError: somebody else has it.
        """
        kept = connection.execute(
            update(LeaseRow)
            .where(LeaseRow.name == _NAME, LeaseRow.holder == self._holder)
            .values(until_ms=self._database.now_ms() + LEASE_MS)
        )
        if not kept.rowcount:
            raise LeaseLostError("another console reads Kafka into this store now; this one goes on with its pages")

    def renew(self) -> None:
        """Keep it while there is nothing to write. Raises LeaseLostError."""
        with self._database.write() as connection:
            self.hold(connection)

    def release(self) -> None:
        """Give it back."""
        with self._database.write() as connection:
            connection.execute(update(LeaseRow).where(LeaseRow.name == _NAME, LeaseRow.holder == self._holder).values(until_ms=0))

    def _is_dead(self, holder: str) -> bool:
        """Whether the holder was a process of this machine that is no more: it needn't be waited for.

        Wrong only where two machines have one name; then two take turns, and what `hold` guards is guarded still.
        """
        host, _, rest = holder.partition(":")
        process = rest.partition(":")[0]
        if host != socket.gethostname()[:32] or not process.isdecimal() or int(process) == os.getpid():
            return False
        try:
            os.kill(int(process), 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return False
