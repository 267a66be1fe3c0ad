"""The console's store and a real Apache Kafka: nothing lost, nothing repeated, in either direction, whatever is killed when."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from stream_detector.contracts import Decision, Reason, RepeatOffender, Review, crossing_id, decode, encode, review_id
from stream_detector.observability import Metrics
from stream_detector.review.background import Background
from stream_detector.review.cases import State
from stream_detector.review.decisions import Verdict
from stream_detector.review.store import Store
from stream_detector.settings import Settings
from stream_detector.streaming.topics import create_topics
from tests.kafka.broker import ApacheKafka
from tests.kafka.conftest import unique_settings
from tests.kafka.running import until
from tests.kafka.traffic import Sent, received, send
from tests.review.conftest import KEY
from tests.review.made import NOON, cases, violation

pytestmark = pytest.mark.kafka


@pytest.fixture
def settings(apache: ApacheKafka, tmp_path: Path) -> Settings:
    """Settings of a console with a store of its own; decisions are due at once."""
    review = {"folder": str(tmp_path / "review"), "quality_share": 0.0, "undo_seconds": 0}
    settings = unique_settings(bootstrap_servers=apache.bootstrap_servers, review=review, fingerprint_key=KEY)
    create_topics(settings, partitions=2, replication_factor=1)
    return settings


def publish(settings: Settings, numbers: range, **values: object) -> None:
    """Write violations."""
    send(
        settings,
        [Sent(settings.topics.violations, encode(violation(n, **values)), str(n % 5).encode()) for n in numbers],
    )


def published(settings: Settings) -> list[Review]:
    """The reviews that a subscriber reads."""
    return [decode(Review, message.value() or b"") for message in received(settings, settings.topics.reviews)]


@contextmanager
def running(settings: Settings, store: Store, metrics: Metrics | None = None) -> Iterator[Background]:
    """A console without pages, in this process."""
    background = Background(settings, store, metrics)
    background.start()
    try:
        yield background
    finally:
        background.stop()
    assert background.failure is None


def process(settings: Settings, file: Path, *point: str) -> subprocess.Popen[str]:
    """The same in a process of its own."""
    document = settings.model_dump(mode="json") | {"fingerprint_key": KEY}
    file.write_text(Settings.model_validate(document).model_dump_json(), encoding="utf-8")
    file.write_text(file.read_text(encoding="utf-8").replace('"**********"', f'"{KEY}"'), encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, "-m", "tests.kafka.mortal_console", str(file), *point],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def kill(console: subprocess.Popen[str]) -> None:
    """End it with SIGKILL: it has no time for anything."""
    console.kill()
    console.communicate()


def rows(store: Store) -> int:
    """How many violations are stored."""
    with store.database.read() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM violations")) or 0)


def unpublished(store: Store) -> int:
    """How many reviews are not known to be published."""
    query = "SELECT count(*) FROM outbox WHERE sequence > coalesce((SELECT CAST(value AS bigint) FROM marks WHERE name = 'published_sequence'), 0)"
    with store.database.read() as connection:
        return int(connection.scalar(text(query)) or 0)


def test_from_a_violation_to_its_review(settings: Settings) -> None:
    """A violation comes in, is decided, and its review goes out: with the contract's fields, keyed by partner, counted once."""
    publish(settings, range(3))
    metrics = Metrics()
    with Store.open(settings) as store, running(settings, store, metrics):
        until(lambda: rows(store) == 3, "the violations")
        first, second, third = sorted(cases(store))
        store.decisions.decide(first, Verdict(Decision.CONFIRMED, note="ask host@sunny-loft.example"), reviewer="ann")
        store.decisions.decide(second, Verdict(Decision.DISMISSED, Reason.THIRD_PARTY), reviewer="ben")
        until(lambda: len(published(settings)) == 2, "the reviews")
        reviews = {review.reviewer: review for review in published(settings)}
        until(lambda: not unpublished(store), "the note")
        assert store.queue.totals()[State.OPEN] == 1
        assert store.queue.summary(third).state is State.OPEN
    assert reviews["ann"].decision is Decision.CONFIRMED
    assert reviews["ben"].reason is Reason.THIRD_PARTY
    for message in received(settings, settings.topics.reviews):
        review = decode(Review, message.value() or b"")
        assert message.key() == review.partner_id.encode()
        assert review.review_id == review_id(review.violation_id, 1)
        assert b"sunny-loft" not in (message.value() or b"")
    assert metrics.registry.get_sample_value(
        "stream_detector_reviews_total", {"decision": "confirmed", "event_type": "listing-update", "kind": "email"}
    ) == 1  # fmt: skip


def test_a_decision_goes_out_again_only_when_it_was_opened_again(settings: Settings) -> None:
    """A case that a lead opens again is published under the next revision, after the first one."""
    publish(settings, range(1))
    with Store.open(settings) as store, running(settings, store):
        until(lambda: rows(store) == 1, "the violation")
        (case_id,) = cases(store)
        store.decisions.decide(case_id, Verdict(Decision.CONFIRMED), reviewer="ann")
        until(lambda: len(published(settings)) == 1, "the first review")
        until(lambda: store.queue.summary(case_id).state is State.CONFIRMED, "the state")
        store.decisions.reopen(case_id, by="lea")
        store.decisions.decide(case_id, Verdict(Decision.DISMISSED, Reason.OTHER), reviewer="lea")
        until(lambda: len(published(settings)) == 2, "the second review")
    assert [(review.revision, review.decision) for review in published(settings)] == [
        (1, Decision.CONFIRMED),
        (2, Decision.DISMISSED),
    ]


def test_repeat_offenders_come_in(settings: Settings) -> None:
    """The newest report on a partner is kept, by length of window."""
    reports = [_offender("7d", "notice", 3), _offender("7d", "warning", 8), _offender("1d", "notice", 2)]
    send(settings, [Sent(settings.topics.repeat_offenders, encode(report), b"k") for report in reports])
    with Store.open(settings) as store, running(settings, store):
        until(lambda: len(store.offenders.of("P-1")) == 2, "the reports")
        until(lambda: store.offenders.top()[0].level == "warning", "the newest level")
        assert store.cases.partner("P-1").offender == {"7d": "warning", "1d": "notice"}


def test_what_cannot_be_read_is_passed_over(settings: Settings) -> None:
    """A record that isn't a violation stops nothing."""
    send(settings, [Sent(settings.topics.violations, b"{", b"k"), Sent(settings.topics.violations, None, b"k")])
    publish(settings, range(1))
    with Store.open(settings) as store, running(settings, store):
        until(lambda: rows(store) == 1, "the violation behind it")


def test_kills_while_reading_lose_and_repeat_nothing(settings: Settings, tmp_path: Path) -> None:
    """SIGKILL again and again while violations come in: each is stored once, and every case's count is right."""
    same = {"partner_id": "P", "listing_id": "L"}
    with Store.open(settings) as store:
        for round_ in range(4):
            publish(settings, range(round_ * 300, (round_ + 1) * 300))
            publish(settings, range(10_000 + round_ * 50, 10_050 + round_ * 50), **same)
            before = rows(store)
            console = process(settings, tmp_path / "settings.json")
            until(lambda before=before: rows(store) > before, "some violations")
            kill(console)
        with running(settings, store):
            until(lambda: rows(store) == 1400, "all violations")
        with store.database.read() as connection:
            counted = connection.execute(
                text(
                    "SELECT c.violations, count(*) FROM cases c JOIN violations v USING (case_id) GROUP BY c.case_id, c.violations"
                )
            ).all()
            assert len(counted) == 1201
            assert all(told == there for told, there in counted)
            ends = dict(connection.execute(text("SELECT partition, next_offset FROM positions WHERE topic = :t"), {"t": settings.topics.violations}).all())  # fmt: skip
        assert sum(ends.values()) == 1400


@pytest.mark.parametrize("point", ["produced", "sent", "committed"])
def test_a_kill_while_publishing_loses_and_repeats_nothing(settings: Settings, tmp_path: Path, point: str) -> None:
    """SIGKILL between any two steps of publishing: the next console publishes each review once, in order."""
    publish(settings, range(40))
    with Store.open(settings) as store:
        with running(settings, store):
            until(lambda: rows(store) == 40, "the violations")
        for case_id in sorted(cases(store)):
            store.decisions.decide(case_id, Verdict(Decision.CONFIRMED), reviewer="ann")
        console = process(settings, tmp_path / "settings.json", point)
        assert console.stdout is not None
        assert console.stdout.readline() == "here\n"
        assert unpublished(store) == 40
        kill(console)
        with running(settings, store):
            until(lambda: not unpublished(store), "the rest")
    assert Counter(review.violation_id for review in published(settings)) == Counter({f"V-{n}": 1 for n in range(40)})


def test_a_store_put_back_from_a_copy_goes_on(settings: Settings, tmp_path: Path) -> None:
    """An older copy of the store doesn't take another one's mark for its own: what is decided from then on is published."""
    publish(settings, range(2))
    with Store.open(settings) as store, running(settings, store):
        until(lambda: rows(store) == 2, "the violations")
    file = tmp_path / "review" / "review.sqlite3"
    copy = file.read_bytes()
    assert not Path(f"{file}-wal").exists()
    for decision in (Verdict(Decision.CONFIRMED), Verdict(Decision.DISMISSED, Reason.OTHER)):
        with Store.open(settings) as store, running(settings, store):
            case_id = cases(store)[0 if decision.reason is None else 1]
            store.decisions.decide(case_id, decision, reviewer="ann")
            until(lambda: not unpublished(store) and store.queue.totals()[State.PENDING] == 0, "the review")
        file.write_bytes(copy)
    assert Counter(review.decision for review in published(settings)) == {Decision.CONFIRMED: 1, Decision.DISMISSED: 1}


def test_two_consoles_on_one_store_take_turns(settings: Settings) -> None:
    """While one reads, the other stands by; when the first one ends, it goes on: nothing twice, nothing left."""
    publish(settings, range(20))
    with Store.open(settings) as store, running(settings, store) as first:
        until(lambda: rows(store) == 20, "the first violations")
        with running(settings, store):
            publish(settings, range(20, 40))
            until(lambda: rows(store) == 40, "the next ones")
            first.stop()
            publish(settings, range(40, 60))
            until(lambda: rows(store) == 60, "the last ones")
            for case_id in cases(store):
                store.decisions.decide(case_id, Verdict(Decision.CONFIRMED), reviewer="ann")
            until(lambda: len(published(settings)) == 60, "the reviews")
            time.sleep(0.5)
    assert len({review.review_id for review in published(settings)}) == len(published(settings)) == 60


def _offender(window: str, level: str, points: float) -> RepeatOffender:
    return RepeatOffender(
        crossing_id=crossing_id("P-1", level, window, NOON),
        partner_id="P-1",
        level=level,
        level_points=points,
        window_length=window,
        window_start=NOON,
        window_end=NOON,
        points=points,
        offences=2,
        violations=3,
        confirmed=0,
        listings=1,
        contacts=1,
        kinds={"email": 3},
        first_occurred_at=NOON,
        last_occurred_at=NOON,
        violation_ids=("V-1",),
        reported_at=NOON,
    )
