"""Every error that stream detector raises on purpose.

StreamDetectorError
├── ConfigurationError            the call or the configuration is wrong (exit status 2)
│   └── MissingExtraError         an optional dependency isn't installed
├── ArtefactError                 a model folder is incomplete, altered or of another format
├── DecodeError                   one record can't be read; carries the dead letter's reason
├── RefusalError                  one HTTP request is refused; carries its answer (serving/refusal.py)
├── DeliveryError                 Kafka work failed
│   ├── RetryableDeliveryError    abort the batch, seek back, go on
│   │   └── RegistryAwayError     the schema registry doesn't answer; nothing is wrong with the record
│   ├── ProducerLostError         the producer is fenced or broken: make a new one
│   └── FatalDeliveryError        stop the worker
│       └── GaveUpError           a worker that is started again may do better (exit status 75)
├── ReviewError                   what a reviewer asked for can't be done
│   ├── UnknownCaseError          there is no such case
│   ├── ClaimedError              somebody else has the case
│   ├── DecidedError              the case or the decision isn't in the state that this needs
│   └── VerdictError              the decision itself is wrong: its reason, its spans, or what it was to be about
└── DeadLetterLimitError          so many records are refused that the topic itself must be wrong

A message names the field, the file or the topic, and the remedy; it never holds a text that was scored.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

#: Exit status of a worker that should be started again (EX_TEMPFAIL of sysexits.h). With 1 a person must act.
START_AGAIN: Final = 75


class StreamDetectorError(Exception):
    """Base of all errors raised on purpose; `exit_status` is what the command line leaves with."""

    exit_status: int = 1


class ConfigurationError(StreamDetectorError):
    """The call, a setting or a file it names is wrong."""

    exit_status = 2


class MissingExtraError(ConfigurationError):
    """A feature needs packages that a plain installation leaves out."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs packages that are not installed: pip install 'stream-detector[{extra}]'")


class ArtefactError(StreamDetectorError):
    """A model folder can't be used."""

    exit_status = 2


class DecodeReason(StrEnum):
    """Why a record became a dead letter: the value of its `dlq.reason` header."""

    OVERSIZE = "oversize"
    INVALID_UTF8 = "invalid_utf8"
    INVALID_JSON = "invalid_json"
    TOO_DEEP = "too_deep"
    DUPLICATE_KEY = "duplicate_key"
    NOT_A_NUMBER = "not_a_number"
    NOT_AN_OBJECT = "not_an_object"
    EMPTY_VALUE = "empty_value"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    INVALID_DATE = "invalid_date"
    INVALID_VALUE = "invalid_value"
    UNKNOWN_SCHEMA = "unknown_schema"
    SCHEMA_MISMATCH = "schema_mismatch"
    SCORING_FAILED = "scoring_failed"


class DecodeError(StreamDetectorError):
    """One record or line can't be read.

    Args:
        reason: the class of the fault, one of a fixed few: it labels a metric.
        message: what is wrong and how to mend it, without any part of the payload.
        field: the field at fault, in wire spelling ("transactionContext.transactionId"), if there is one.
    """

    def __init__(self, reason: DecodeReason, message: str, *, field: str | None = None) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.reason: Final = reason
        self.field: Final = field


class DeliveryError(StreamDetectorError):
    """Reading from or writing to Kafka failed.

    Args:
        message: what failed, Kafka's error, and the remedy.
        away: Kafka didn't answer; there is nothing to do but to try again.
    """

    def __init__(self, message: str, *, away: bool = False) -> None:
        super().__init__(message)
        self.away: Final = away


class RetryableDeliveryError(DeliveryError):
    """The transaction was (or must be) aborted; the batch can be read and scored again."""


class RegistryAwayError(RetryableDeliveryError):
    """The schema registry doesn't answer, or doesn't let us in: what it would say of a record is not known yet."""

    def __init__(self, message: str) -> None:
        super().__init__(message, away=True)


class ProducerLostError(DeliveryError):
    """The producer can't be used any more; a new one under the same identity can go on."""


class FatalDeliveryError(DeliveryError):
    """Going on would lose or repeat output, or can't succeed without a person."""


class GaveUpError(FatalDeliveryError):
    """Something in here hangs or keeps failing; a process that is started anew may do better."""

    exit_status = START_AGAIN


class DeadLetterLimitError(StreamDetectorError):
    """Too many records in a row, or too large a share of them, can't be read."""


class ReviewError(StreamDetectorError):
    """What a reviewer asked for can't be done; the message is fit to be shown to them."""


class UnknownCaseError(ReviewError):
    """There is no such case, or no such decision."""


class ClaimedError(ReviewError):
    """Somebody else has the case.

    Args:
        by: who.
        until: until when, unless they renew it.
    """

    def __init__(self, by: str, until: datetime) -> None:
        super().__init__(f"{by} has this case until {until:%H:%M:%S} UTC; take another one")
        self.by: Final = by
        self.until: Final = until


class DecidedError(ReviewError):
    """The case or the decision isn't in the state that this needs."""


class VerdictError(ReviewError):
    """The decision itself is wrong: its reason, its spans, or what it was to be about."""
