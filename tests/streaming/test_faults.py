"""The error table: every row, and what isn't in it."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError

from stream_detector.errors import FatalDeliveryError, GaveUpError, ProducerLostError, RetryableDeliveryError
from stream_detector.streaming.faults import TABLE, Action, action_for, delivery_error

#: What was measured on Apache Kafka 4.3.1, row by row.
MEASURED = {
    "_TRANSPORT": RetryableDeliveryError,
    "_TIMED_OUT": RetryableDeliveryError,
    "_STATE": RetryableDeliveryError,
    "UNKNOWN_MEMBER_ID": RetryableDeliveryError,
    "ILLEGAL_GENERATION": RetryableDeliveryError,
    "_FENCED": ProducerLostError,
    "INVALID_TXN_STATE": ProducerLostError,
    "TRANSACTIONAL_ID_AUTHORIZATION_FAILED": FatalDeliveryError,
    "INVALID_TRANSACTION_TIMEOUT": FatalDeliveryError,
    "TOPIC_AUTHORIZATION_FAILED": FatalDeliveryError,
    "GROUP_AUTHORIZATION_FAILED": FatalDeliveryError,
    "_FATAL": GaveUpError,
    "FENCED_INSTANCE_ID": GaveUpError,
    "MSG_SIZE_TOO_LARGE": FatalDeliveryError,
}


@pytest.mark.parametrize("name", TABLE)
def test_every_row_names_an_error_that_exists(name: str) -> None:
    """A misspelt row would never be found; each row raises the error that its action stands for, with its remedy."""
    error = KafkaError(getattr(KafkaError, name))
    assert error.name() == name
    action, remedy = TABLE[name]
    raised = delivery_error(error, "publishing to violations")
    assert type(raised) is action.error
    assert raised.away is (action is Action.WAIT)
    assert str(raised).startswith(f"publishing to violations: {name}: ")
    assert str(raised).endswith(remedy)


@pytest.mark.parametrize(("name", "expected"), MEASURED.items())
def test_measured_errors_are_treated_as_measured(name: str, expected: type[Exception]) -> None:
    """The table follows docs: a change of a row is a decision, not an accident."""
    assert TABLE[name][0].error is expected


@pytest.mark.parametrize(("fatal", "action"), [(False, Action.ABORT), (True, Action.RENEW)])
def test_unknown_errors_go_by_their_flag(fatal: bool, action: Action) -> None:  # noqa: FBT001 - a parameter of the test
    """An error that nobody thought of is tried again for a while; a fatal one needs a new producer."""
    assert action_for(KafkaError(KafkaError.UNKNOWN, "unheard of", fatal))[0] is action
