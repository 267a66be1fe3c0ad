"""The audit log keeps what was done."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from stream_detector.review.audit import Action
from stream_detector.review.store import Store
from tests.review.conftest import SetClock
from tests.review.made import only_case, put, violation


@pytest.mark.parametrize(
    "statement", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit", "DELETE FROM audit WHERE sequence = 2"]
)
def test_the_database_refuses_to_change_it(store: Store, statement: str) -> None:
    """Not even who can write to the database can change or remove a line by a plain statement."""
    store.audit.record("ann", Action.SIGNED_IN)
    store.audit.record("ben", Action.SIGNED_IN)
    with pytest.raises(DBAPIError, match="only ever added to"), store.database.write() as connection:
        connection.execute(text(statement))
    assert [entry.actor for entry in store.audit.page()] == ["ben", "ann"]


def test_tampering_shows(store: Store) -> None:
    """Who removes the triggers and changes a line breaks the chain of hashes there."""
    for number in range(5):
        store.audit.record("ann", Action.SIGNED_IN, detail={"number": number})
    assert store.audit.verify() is None
    with store.database.write() as connection:
        sqlite = store.database.is_sqlite
        connection.execute(text("DROP TRIGGER audit_keeps" if sqlite else "DROP TRIGGER audit_stays ON audit"))
        connection.execute(text("UPDATE audit SET detail = '{}' WHERE sequence = 3"))
    assert store.audit.verify() == 3


def test_each_unmasking_is_in_it(store: Store) -> None:
    """Who saw a text in the clear is known, and which."""
    put(store, violation(1))
    clear = store.cases.unmask(only_case(store), by="ann")
    assert "sunny-loft" in clear["V-1"]["description"]
    (entry,) = store.audit.page(action=Action.UNMASKED)
    assert (entry.actor, entry.case_id, entry.detail) == ("ann", only_case(store), {"violations": ["V-1"]})


def test_it_is_exported_as_json_lines(store: Store, clock: SetClock) -> None:
    """Oldest first, a line each, with the hashes that hold it together; from and until bound it."""
    start = clock()
    for actor in ("ann", "ben", "cid"):
        store.audit.record(actor, Action.SIGNED_IN, detail={"text": "ü\n"})
        clock.advance(60)
    lines = [json.loads(line) for line in store.audit.export()]
    assert [line["actor"] for line in lines] == ["ann", "ben", "cid"]
    assert [line["previous"] for line in lines[1:]] == [line["hash"] for line in lines[:-1]]
    part = [json.loads(line) for line in store.audit.export(since=start.replace(minute=1), until=start.replace(minute=2))]
    assert part == lines[1:2]


def test_it_is_read_by_who_what_and_which(store: Store) -> None:
    """Pages of the log, the newest first, narrowed as an auditor asks."""
    for number in range(6):
        store.audit.record("ann" if number % 2 else "ben", Action.SIGNED_IN if number < 3 else Action.EXPORTED, case_id=number)
    assert [entry.case_id for entry in store.audit.page(size=2)] == [5, 4]
    assert [entry.case_id for entry in store.audit.page(before=5, size=2)] == [3, 2]
    assert [entry.case_id for entry in store.audit.page(actor="ann")] == [5, 3, 1]
    assert [entry.case_id for entry in store.audit.page(action=Action.EXPORTED, actor="ben")] == [4]
    assert [entry.actor for entry in store.audit.page(case_id=2)] == ["ben"]


def test_many_writers_make_one_chain(store: Store) -> None:
    """Lines that are written at once follow each other without a gap."""
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda number: store.audit.record(f"r-{number}", Action.SIGNED_IN), range(30)))
    assert [entry.sequence for entry in store.audit.page()] == list(range(30, 0, -1))
    assert store.audit.verify() is None
