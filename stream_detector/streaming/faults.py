"""What to do about a Kafka error: one table for producers and consumers."""

from __future__ import annotations

from enum import Enum
from typing import Final

from confluent_kafka import KafkaError, KafkaException

from stream_detector.errors import DeliveryError, FatalDeliveryError, GaveUpError, ProducerLostError, RetryableDeliveryError


class Action(Enum):
    """The five answers to an error: what is raised in its place, and whether Kafka was just not there."""

    WAIT = (RetryableDeliveryError, True)  # as ABORT, and for as long as it takes: time heals it, and nothing else does
    ABORT = (RetryableDeliveryError, False)  # abort the batch, go back to what is committed, try again for a while
    RENEW = (ProducerLostError, False)  # the same, with a new producer under the same identity
    RESTART = (GaveUpError, False)  # the process ends, and a supervisor starts a new one: its consumer can't be mended
    STOP = (FatalDeliveryError, False)  # a person must act: trying again can't help, or could harm

    def __init__(self, error: type[DeliveryError], away: bool) -> None:  # noqa: FBT001 - how an enumeration's values are given
        self.error = error
        self.away = away


_TRY_AGAIN = "the batch is tried again"
_NEW_PRODUCER = "a new producer takes over"
_NEW_PROCESS = "start the worker again; if this goes on, another one runs in this slot: give each its own"
_ACLS = "what a worker needs stands in deploy/kafka/acls"

#: Error by name in librdkafka's spelling, what to do, and what to tell the operator. Measured against Apache Kafka 4.3.1
#: (docs/decisions); an error that isn't here goes by its flags, see `action_for`.
TABLE: Final[dict[str, tuple[Action, str]]] = {
    # The network, a broker that is restarting, or leaders being elected.
    "_TRANSPORT": (Action.WAIT, _TRY_AGAIN),
    "_TIMED_OUT": (Action.WAIT, _TRY_AGAIN),
    "_MSG_TIMED_OUT": (Action.WAIT, _TRY_AGAIN),
    "_ALL_BROKERS_DOWN": (Action.WAIT, _TRY_AGAIN),
    "_RESOLVE": (Action.WAIT, _TRY_AGAIN),
    "REQUEST_TIMED_OUT": (Action.WAIT, _TRY_AGAIN),
    "BROKER_NOT_AVAILABLE": (Action.WAIT, _TRY_AGAIN),
    "LEADER_NOT_AVAILABLE": (Action.WAIT, _TRY_AGAIN),
    "NOT_LEADER_FOR_PARTITION": (Action.WAIT, _TRY_AGAIN),
    "NOT_COORDINATOR": (Action.WAIT, _TRY_AGAIN),
    "COORDINATOR_NOT_AVAILABLE": (Action.WAIT, _TRY_AGAIN),
    "COORDINATOR_LOAD_IN_PROGRESS": (Action.WAIT, _TRY_AGAIN),
    "NOT_ENOUGH_REPLICAS": (Action.WAIT, _TRY_AGAIN),
    "NOT_ENOUGH_REPLICAS_AFTER_APPEND": (Action.WAIT, _TRY_AGAIN),
    # A full disk takes the broker's log directory off line.
    "KAFKA_STORAGE_ERROR": (Action.WAIT, "free or replace the broker's disk; the batch is tried again"),
    # The client's own queue, or an open transaction of a dead worker on the same offsets.
    "_QUEUE_FULL": (Action.ABORT, _TRY_AGAIN),
    "UNSTABLE_OFFSET_COMMIT": (Action.ABORT, _TRY_AGAIN),
    "CONCURRENT_TRANSACTIONS": (Action.ABORT, _TRY_AGAIN),
    # The transaction lost some of its messages, and waits to be aborted.
    "_STATE": (Action.ABORT, _TRY_AGAIN),
    # The group went on without this worker: its partitions may belong to another by now.
    "UNKNOWN_MEMBER_ID": (Action.ABORT, _TRY_AGAIN),
    "ILLEGAL_GENERATION": (Action.ABORT, _TRY_AGAIN),
    "REBALANCE_IN_PROGRESS": (Action.ABORT, _TRY_AGAIN),
    "STALE_MEMBER_EPOCH": (Action.ABORT, _TRY_AGAIN),
    # Not a proof of a second worker: a transaction past its time-out ends so too. If there is a second one in this slot,
    # its consumer gets FENCED_INSTANCE_ID, and that stops one of them.
    "_FENCED": (Action.RENEW, _NEW_PRODUCER),
    "PRODUCER_FENCED": (Action.RENEW, _NEW_PRODUCER),
    "INVALID_PRODUCER_EPOCH": (Action.RENEW, _NEW_PRODUCER),
    "INVALID_PRODUCER_ID_MAPPING": (Action.RENEW, _NEW_PRODUCER),
    "INVALID_TXN_STATE": (Action.RENEW, _NEW_PRODUCER),
    "UNKNOWN_PRODUCER_ID": (Action.RENEW, _NEW_PRODUCER),
    "OUT_OF_ORDER_SEQUENCE_NUMBER": (Action.RENEW, _NEW_PRODUCER),
    # The consumer can't go on. No proof of a second worker either: a broker that was killed can forget who the member of a slot
    # was, and then takes the one that it knows from before for the newer one.
    "FENCED_INSTANCE_ID": (Action.RESTART, _NEW_PROCESS),
    "_FATAL": (Action.RESTART, _NEW_PROCESS),
    # Only a person can help.
    "TRANSACTIONAL_ID_AUTHORIZATION_FAILED": (
        Action.STOP,
        f"grant this user WRITE on transactional ids that begin with the group's name and a hyphen; {_ACLS}",
    ),
    "TOPIC_AUTHORIZATION_FAILED": (Action.STOP, f"grant this user READ on input topics, WRITE on output topics; {_ACLS}"),
    "GROUP_AUTHORIZATION_FAILED": (Action.STOP, f"grant this user READ on the group; {_ACLS}"),
    "CLUSTER_AUTHORIZATION_FAILED": (Action.STOP, _ACLS),
    "SASL_AUTHENTICATION_FAILED": (Action.STOP, "check sasl.username and sasl.password in the [kafka] table"),
    "INVALID_TRANSACTION_TIMEOUT": (Action.STOP, "raise the broker's transaction.max.timeout.ms to 10000 or more"),
    "MSG_SIZE_TOO_LARGE": (Action.STOP, "raise the topic's max.message.bytes to twice max_event_bytes and 64 KiB"),
    "RECORD_LIST_TOO_LARGE": (Action.STOP, "raise the topic's max.message.bytes to twice max_event_bytes and 64 KiB"),
    "UNKNOWN_TOPIC_OR_PART": (Action.STOP, "create it: stream-detector topics create"),
    "_UNKNOWN_TOPIC": (Action.STOP, "create it: stream-detector topics create"),
    "_UNKNOWN_PARTITION": (Action.STOP, "the topic was made anew with fewer partitions; start the worker again"),
    "POLICY_VIOLATION": (Action.STOP, "the broker's policy refuses it; ask who runs it"),
    "UNSUPPORTED_VERSION": (Action.STOP, "the broker is too old; Kafka 2.5 or newer is needed"),
    "UNSUPPORTED_FOR_MESSAGE_FORMAT": (Action.STOP, "the broker is too old; Kafka 2.5 or newer is needed"),
}


def action_for(error: KafkaError) -> tuple[Action, str]:
    """What to do about an error, and what to tell the operator."""
    known = TABLE.get(error.name())
    if known is not None:
        return known
    # The rest is rare. A fatal error ends the producer by definition; everything else is worth trying again, and the
    # worker stops by itself when that goes on for too long.
    return (Action.RENEW, _NEW_PRODUCER) if error.fatal() else (Action.ABORT, _TRY_AGAIN)


def delivery_error(error: KafkaError, doing: str) -> DeliveryError:
    """The error to raise in place of Kafka's.

    Args:
        error: Kafka's.
        doing: what failed, as a noun: "publishing to violations".
    """
    action, remedy = action_for(error)
    return action.error(f"{doing}: {error.name()}: {error.str()}; {remedy}", away=action.away)


def kafka_error(exception: KafkaException) -> KafkaError:
    """The error within librdkafka's exception."""
    error: KafkaError = exception.args[0]
    return error
