"""A micro-batch while it is being filled."""

from __future__ import annotations

from datetime import UTC, datetime

from stream_detector.contracts import Event, decode
from stream_detector.streaming.batch import MicroBatch
from stream_detector.streaming.records import Outcome, OutcomeKind, Record
from tests.kafka.traffic import event


def filled() -> MicroBatch:
    """Records of two partitions; in the first of them an event that is older than the others."""
    batch = MicroBatch(promise_s=0.25)
    for partition, offset, second in [(0, 5, 10), (1, 7, 20), (0, 9, 30)]:
        moment = datetime.fromtimestamp(second, UTC)
        batch.add(Record("t", partition, offset, None, b""), decode(Event, event(1)).model_copy(update={"occurred_at": moment}))
    batch.add(Record("t", 1, 8, None, None), Outcome(Record("t", 1, 8, None, None), OutcomeKind.TOMBSTONE))
    return batch


def test_what_is_committed_is_behind_the_last_record() -> None:
    """The position to commit is the next offset to read, per partition, records without an event included."""
    batch = filled()
    assert {(at.topic, at.partition): at.offset for at in batch.positions} == {("t", 0): 10, ("t", 1): 9}
    assert batch.first_offsets == {("t", 0): 5, ("t", 1): 7}
    assert batch.oldest_deadline == 10.25


def test_revoked_partitions_leave_nothing_behind() -> None:
    """Another worker reads those records: publishing or committing them here would repeat them."""
    batch = filled()
    batch.drop({("t", 0), ("other", 1)})
    assert [record.offset for record, _ in batch.entries] == [7, 8]
    assert batch.first_offsets == {("t", 1): 7}
    assert batch.oldest_deadline == 20.25
    batch.drop({("t", 1)})
    assert len(batch) == 0
    assert batch.oldest_deadline is None
