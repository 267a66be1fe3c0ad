"""`stream-detector reviews`: the audit log without the console."""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import text

from stream_detector.review.audit import Action
from stream_detector.review.store import Store
from tests.cli.calling import Call
from tests.review.conftest import make_settings


def test_the_log_is_exported_and_checked(call: Call, tmp_path: Path) -> None:
    """Each line is an object, the export itself is logged, and a line that was changed is found."""
    settings = make_settings({"folder": str(tmp_path)})
    with Store.open(settings) as store:
        store.audit.record("ann", Action.SIGNED_IN)
    for number in (1, 2):
        called = call("reviews", "export-audit", "--review.folder", tmp_path)
        assert called.status == 0
        lines = [json.loads(line) for line in called.out.splitlines()]
        assert [line["action"] for line in lines] == ["signed_in", *["exported"] * (number - 1)]
    assert call("reviews", "verify-audit", "--review.folder", tmp_path).out == "the chain holds\n"
    with Store.open(settings) as store, store.database.write() as connection:
        connection.execute(text("DROP TRIGGER audit_keeps"))
        connection.execute(text("UPDATE audit SET actor = 'nobody' WHERE sequence = 2"))
    called = call("reviews", "verify-audit", "--review.folder", tmp_path)
    assert (called.status, called.out) == (1, "line 2 was tampered with\n")


def test_no_store_is_made_where_there_is_none(call: Call, tmp_path: Path) -> None:
    """A misspelt folder is told, and left empty."""
    called = call("reviews", "export-audit", "--review.folder", tmp_path / "none")
    assert called.status == 2
    assert "no such file; name the console's store" in called.err
    assert not (tmp_path / "none" / "review.sqlite3").exists()
