"""The topics: creating them, and saying at the start which are missing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, _metadata
from confluent_kafka.cimpl import NewTopic

from stream_detector.contracts import Score, Violation
from stream_detector.errors import ConfigurationError
from stream_detector.settings import Settings
from stream_detector.streaming.clients import ClientErrors, make_admin
from stream_detector.streaming.faults import kafka_error

_TIMEOUT_S: Final = 10.0
# How long a topic that was created just now may take to be known to the broker that is asked, and to get its leader.
_CREATION_S: Final = 10.0
#: How long repeat offenders are kept at least.
_OFFENDERS_DAYS: Final = 90
#: What a violation or dead letter holds beside the event's own bytes: verdict, evidence, headers.
_OVERHEAD_BYTES: Final = 64 * 1024


class UnreachableError(ConfigurationError):
    """No broker answers: the address is wrong, or Kafka is away."""


class KnowsTopics(Protocol):
    """Any Kafka client: a consumer only asks about a topic, others make the broker create it where it allows that."""

    def list_topics(self, topic: str | None = None, timeout: float = -1) -> _metadata.ClusterMetadata:
        """The cluster's metadata."""
        ...

    def poll(self, timeout: float = -1) -> object:
        """Serve callbacks."""
        ...


@dataclass(frozen=True, slots=True)
class TopicReport:
    """One topic after `create_topics`; one that existed before was left as it was."""

    name: str
    created: bool


def output_topics(settings: Settings) -> tuple[str, ...]:
    """The topics that the worker writes to."""
    topics = settings.topics
    scores = (topics.scores,) if settings.publish_scores else ()
    shadow = (topics.shadow,) if settings.shadow_model else ()
    return (topics.violations, *scores, *shadow, *map(topics.dead_letters_of, topics.inputs))


def verdict_topics(settings: Settings) -> dict[str, type[Violation | Score]]:
    """The topics of verdicts, and what each holds."""
    topics = settings.topics
    return {topics.violations: Violation} | ({topics.scores: Score} if settings.publish_scores else {})


def aggregation_topics(settings: Settings) -> dict[str, dict[str, str]]:
    """The topics of reviews and of repeat offenders, with their configuration. All but reviews need the same number of partitions."""
    topics = settings.topics
    # A level that was told must be known to have been told for as long as its windows may still change.
    days = max(_OFFENDERS_DAYS, settings.aggregation.keep_days + _OFFENDERS_DAYS // 3)
    return {
        topics.reviews: {},
        topics.partner_cases: {},
        topics.partner_cases_state: {"cleanup.policy": "compact"},
        topics.partner_episodes_state: {"cleanup.policy": "compact"},
        topics.repeat_offenders: {"cleanup.policy": "compact,delete", "retention.ms": str(days * 24 * 60 * 60 * 1000)},
    }


def create_topics(settings: Settings, *, partitions: int, replication_factor: int) -> list[TopicReport]:
    """Create the topics that workers, console and aggregate read and write, as far as they don't exist yet.

    Raises:
        ConfigurationError: no broker answers, or it refuses to create a topic.
    """
    errors = ClientErrors()
    admin = make_admin(settings, {"error_cb": errors})
    _reach(admin, settings, errors)
    return list(_create(admin, settings, partitions, replication_factor))


def create_replays_topic(settings: Settings) -> None:
    """Create the topic that says which dead letters were replayed, with the broker's own replication, if it doesn't exist.

    Raises:
        ConfigurationError: the broker refuses.
    """
    admin = make_admin(settings, {})
    topic = NewTopic(settings.topics.replays, num_partitions=1, replication_factor=-1, config={"cleanup.policy": "compact"})
    list(_created(admin, [topic]))


def require_topics(client: KnowsTopics, names: tuple[str, ...], errors: ClientErrors, settings: Settings) -> None:
    """Refuse to start while topics are missing: a misspelt name would otherwise look like an input without events.

    Raises:
        ConfigurationError: naming the missing topics.
        UnreachableError: no broker answers.
    """
    end = time.monotonic() + _CREATION_S
    try:
        missing = [name for name in names if not _exists(client, name, until=end)]
    except KafkaException as exception:
        client.poll(0)  # serves the error callback, which knows the cause
        raise _unreachable(settings, errors, kafka_error(exception)) from None
    if missing:
        raise ConfigurationError(
            f"topics: {', '.join(missing)}: not on {settings.bootstrap_servers}; create with stream-detector topics create,"
            " or correct the name in the settings' [topics] table"
        )


def _exists(client: KnowsTopics, name: str, *, until: float) -> bool:
    while (error := client.list_topics(name, timeout=_TIMEOUT_S).topics[name].error) is not None:
        if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            raise ConfigurationError(
                f"topics: {name}: {error.name()}: this user may not use it: grant READ on input topics and WRITE on output topics;"
                " what a worker needs stands in deploy/kafka/acls"
            )
        if time.monotonic() > until:
            # With another error it is there, and its leader isn't yet.
            return error.code() not in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC)  # noqa: SLF001 - its public name
        time.sleep(0.05)
    return True


def _reach(admin: AdminClient, settings: Settings, errors: ClientErrors) -> None:
    try:
        admin.list_topics(timeout=_TIMEOUT_S)
    except KafkaException as exception:
        admin.poll(0)  # serves the error callback, which knows the cause
        raise _unreachable(settings, errors, kafka_error(exception)) from None


def _unreachable(settings: Settings, errors: ClientErrors, error: KafkaError) -> UnreachableError:
    what = errors.explain(f"no Kafka broker answers at {settings.bootstrap_servers}: {error.str()}")
    return UnreachableError(f"bootstrap_servers: {what}; check the address, and the [kafka] table for security settings")


def _create(admin: AdminClient, settings: Settings, partitions: int, replication_factor: int) -> Iterator[TopicReport]:
    topics = settings.topics
    # A violation carries the texts of its event and evidence on them, a dead letter all its bytes: outputs must be
    # allowed to be larger than the largest event.
    large = {"max.message.bytes": str(2 * settings.max_event_bytes + _OVERHEAD_BYTES)}
    wanted: dict[str, dict[str, str]] = {name: {} for name in topics.inputs}
    wanted |= dict.fromkeys((topics.violations, topics.scores, topics.shadow, *map(topics.dead_letters_of, topics.inputs)), large)
    new = [
        NewTopic(name, num_partitions=partitions, replication_factor=replication_factor, config=config)
        for name, config in wanted.items()
    ]
    new += [
        NewTopic(name, num_partitions=partitions, replication_factor=replication_factor, config=config)
        for name, config in aggregation_topics(settings).items()
    ]
    # Small, and kept for good: a dead letter that was replayed must be known to be so for as long as it is there.
    new.append(
        NewTopic(topics.replays, num_partitions=1, replication_factor=replication_factor, config={"cleanup.policy": "compact"})
    )
    yield from _created(admin, new)


def _created(admin: AdminClient, new: list[NewTopic]) -> Iterator[TopicReport]:
    for name, future in admin.create_topics(new, request_timeout=_TIMEOUT_S).items():
        try:
            future.result()
        except KafkaException as exception:
            error = kafka_error(exception)
            if error.code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise ConfigurationError(
                    f"topics: {name}: the broker refuses to create it: {error.name()}: {error.str()}"
                ) from None
            yield TopicReport(name, created=False)
        else:
            yield TopicReport(name, created=True)
