"""`stream-detector dlq` on a real Apache Kafka: dead letters listed, explained, and replayed once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

import pytest

from stream_detector.cli.main import main
from stream_detector.contracts import ScoringResponse
from stream_detector.errors import FatalDeliveryError
from stream_detector.settings import Settings
from stream_detector.streaming import replay as replaying
from stream_detector.streaming.letters import Letter, Selection, find
from stream_detector.streaming.reading import Reader
from stream_detector.streaming.replay import Replay
from tests.cli.calling import Called
from tests.kafka.running import RunningWorker
from tests.kafka.stand_in import POISON, StandInScorer
from tests.kafka.traffic import Sent, event, received, send, violations

pytestmark = pytest.mark.kafka

Dlq = Callable[..., Called]
HEADERS = (("traceparent", b"00-1-2-01"), ("bytes", b"\xff"))


@pytest.fixture
def dlq(exactly_once: Settings, capsys: pytest.CaptureFixture[str]) -> Dlq:
    """Call the command against the test's topics."""

    def _dlq(*arguments: str) -> Called:
        topics = [part for name, topic in exactly_once.topics for part in (f"--topics.{name.replace('_', '-')}", topic)]
        where = ["--bootstrap-servers", exactly_once.bootstrap_servers, "--group-id", exactly_once.group_id]
        capsys.readouterr()
        status = main(["dlq", arguments[0], *where, *topics, *arguments[1:]])
        return Called(status, *capsys.readouterr())

    return _dlq


@pytest.fixture
def letters(exactly_once: Settings) -> Settings:
    """A group that has refused three records, one of them because its model failed."""
    topics = exactly_once.topics
    send(
        exactly_once,
        [
            Sent(topics.bookings, b'{"eventId": "x', b"key\xff", HEADERS),
            Sent(topics.listing_updates, event(1).replace(b"partnerId", b"partner"), b"field"),
            Sent(topics.listing_updates, event(2, text=f"on whatsapp, {POISON}"), b"poison", HEADERS),
        ],
    )
    with RunningWorker(exactly_once) as running:
        running.has(3)
    return exactly_once


def addresses(dlq: Dlq, *arguments: str) -> dict[str, dict[str, object]]:
    """The listed dead letters by their reasons."""
    lines = map(json.loads, dlq("list", "--json", *arguments).out.splitlines())
    return {line["reason"]: line for line in lines}


def test_dead_letters_are_listed_by_reason_topic_and_time(letters: Settings, dlq: Dlq) -> None:
    """What an operator looks for is found, and nothing of the text is shown."""
    everything = addresses(dlq)
    assert set(everything) == {"invalid_json", "missing_field", "scoring_failed"}
    assert everything["missing_field"]["field"] == "partnerId"
    assert everything["scoring_failed"]["field"] is None
    assert set(addresses(dlq, "--reason", "missing_field", "--reason", "oversize")) == {"missing_field"}
    assert set(addresses(dlq, "--topic", letters.topics.bookings)) == {"invalid_json"}
    assert set(addresses(dlq, "--topic", letters.topics.dead_letters_of(letters.topics.bookings))) == {"invalid_json"}
    assert addresses(dlq, "--until", "1h") == {}
    assert len(addresses(dlq, "--since", "1h")) == 3
    assert len(dlq("list", "--limit", "2").out.splitlines()) == 2
    assert POISON not in dlq("list").out


def test_a_dead_letter_is_explained(letters: Settings, dlq: Dlq) -> None:
    """Why, which field, what to mend, and whether it would be taken now."""
    found = addresses(dlq)
    called = dlq("explain", str(found["missing_field"]["deadLetter"]), str(found["scoring_failed"]["deadLetter"]))
    assert called.status == 0
    for part in ("field     partnerId", "add it at the producer", "refused again: missing_field", "would be taken; replay it"):
        assert part in called.out
    assert POISON not in called.out


def test_a_replay_happens_once(letters: Settings, dlq: Dlq) -> None:
    """Key, value and headers as they were, to the partition they came from, marked; a second replay does nothing."""
    settings, topic = letters, letters.topics.listing_updates
    before = {message.key(): message for message in received(settings, topic)}
    assert dlq("replay", "--reason", "scoring_failed", "--dry-run").out == "1 would be replayed, 0 were replayed before\n"
    assert dlq("replay", "--reason", "scoring_failed").out.endswith("1 replayed, 0 were replayed before\n")
    assert "1 were replayed before" in dlq("replay", "--reason", "scoring_failed").out
    assert dlq("replay", "--all", "--dry-run").out == "2 would be replayed, 1 were replayed before\n"

    again = [message for message in received(settings, topic) if message.key() == b"poison"]
    assert len(again) == 2
    first, second = sorted(again, key=lambda message: message.offset() or 0)
    assert first.offset() == before[b"poison"].offset()
    assert (second.key(), second.value(), second.partition()) == (first.key(), first.value(), first.partition())
    letter = addresses(dlq, "--reason", "scoring_failed")["scoring_failed"]
    assert second.headers() == [*HEADERS, ("dlq.replayed", str(letter["deadLetter"]).encode())]
    assert letter["replayedAt"]

    with RunningWorker(settings, _Mended()) as running:
        running.has(1)
    assert violations(settings) == {"E-2": 1}


def test_a_forced_replay_happens_again(letters: Settings, dlq: Dlq) -> None:
    """On purpose, and only then."""
    topic = letters.topics.bookings
    for arguments, count in ((), 2), ((), 2), (("--force",), 3):
        dlq("replay", "--topic", topic, *arguments)
        assert len(received(letters, topic)) == count


def test_what_is_refused_again_is_a_letter_of_its_own(letters: Settings, dlq: Dlq) -> None:
    """It can be replayed in its turn, once."""
    dlq("replay", "--reason", "invalid_json")
    with RunningWorker(letters) as running:
        running.has(1)
    lines = [json.loads(line) for line in dlq("list", "--json", "--reason", "invalid_json").out.splitlines()]
    assert [bool(line["replayedAt"]) for line in lines] == [True, False]
    assert "1 replayed, 1 were replayed before" in dlq("replay", "--reason", "invalid_json").out


def test_of_two_replays_at_once_the_first_is_fenced(letters: Settings) -> None:
    """Both have read the notes before either has replayed: the later one takes over, and each letter goes back once."""
    with Reader(letters) as reader, Replay(reader, letters) as first:
        found = [letter for letter in find(reader, letters, Selection()) if isinstance(letter, Letter)]
        with Replay(reader, letters) as second:
            with pytest.raises(FatalDeliveryError, match="another replay"):
                list(first.run(found, force=False))
            assert len(list(second.run(found, force=False))) == 3
    assert len(received(letters, letters.topics.bookings)) == 2


def test_a_missing_replays_topic_is_made(letters: Settings, dlq: Dlq) -> None:
    """Topics that were created before there were replays are no obstacle."""
    topics = letters.topics.model_copy(update={"replays": letters.topics.replays + "-late"})
    settings = letters.model_copy(update={"topics": topics})
    with Reader(settings) as reader:
        assert replaying.replayed_before(reader, settings) == {}
        with Replay(reader, settings) as replay:
            found = [letter for letter in find(reader, settings, Selection()) if isinstance(letter, Letter)]
            assert len(list(replay.run(found, force=False))) == 3
        assert len(replaying.replayed_before(reader, settings)) == 3


def test_what_no_worker_put_there_is_told_apart(letters: Settings, dlq: Dlq) -> None:
    """A record without the headers can't be replayed, and stops nothing."""
    send(letters, [Sent(letters.topics.dead_letters_of(letters.topics.bookings), b"x", b"foreign")])
    called = dlq("list")
    assert len(called.out.splitlines()) == 3
    assert "no dead letter of a worker's: has no header dlq." in called.err


@pytest.mark.parametrize(
    "arguments",
    [("replay",), ("explain", "x"), ("explain", "{dlq}:0:99"), ("list", "--topic", "nonesuch"), ("replay", "{dlq}:0:99")],
)
def test_a_wrong_call_is_named(exactly_once: Settings, dlq: Dlq, arguments: tuple[str, ...]) -> None:
    """Status 2, and nothing is sent."""
    topic = exactly_once.topics.dead_letters_of(exactly_once.topics.bookings)
    called = dlq(*(argument.format(dlq=topic) for argument in arguments))
    assert called.status == 2
    assert called.err


class _Mended(StandInScorer):
    """The model after its bug was mended."""

    def score(self, texts: Sequence[Mapping[str, str]]) -> list[ScoringResponse]:
        return super().score([{name: text.replace(POISON, "") for name, text in attributes.items()} for attributes in texts])
