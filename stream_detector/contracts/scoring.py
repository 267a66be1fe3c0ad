"""Scoring request and response, as the system that this one follows publishes them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, NonNegativeFloat, NonNegativeInt, StringConstraints

from stream_detector.contracts.base import WireModel
from stream_detector.contracts.events import TransactionContext


class Label(StrEnum):
    """The verdict on a text."""

    FRAUD = "Fraud"
    NON_FRAUD = "NonFraud"


class Kind(StrEnum):
    """What a piece of evidence is."""

    PHONE = "phone"
    EMAIL = "email"
    URL = "url"
    HANDLE = "handle"
    MESSENGER = "messenger"
    PAYMENT = "payment"
    SOLICITATION = "solicitation"


#: A probability as the wire carries it: a string in scientific notation with two decimals.
ScientificNotation = Annotated[str, StringConstraints(pattern=r"^\d\.\d{2}e[+-]\d{2,3}$")]


def format_probability(probability: float) -> str:
    """Write a probability the way the contract asks: 0.0000000001 is "1.00e-10"."""
    return f"{probability:.2e}"


class ScoringRequest(WireModel):
    """Texts to score together, by attribute name."""

    transaction_context: TransactionContext
    attributes: dict[str, str | None]

    @property
    def texts(self) -> dict[str, str]:
        """The texts to score, by attribute name."""
        return {name: text for name, text in self.attributes.items() if text is not None}


class Evidence(WireModel):
    """Where in the text as sent the violation stands: characters `start` up to but not including `end`.

    Offsets count Unicode code points. `surface` is the text there, masked unless a setting allows it in the clear.
    """

    attribute: str
    start: NonNegativeInt
    end: NonNegativeInt
    kind: Kind
    surface: str


class ScoreDetails(WireModel):
    """How a verdict came about."""

    label: Label
    threshold: float = Field(ge=0, le=1)
    evidence: tuple[Evidence, ...] = ()
    windows: NonNegativeInt
    backend: str
    latency_ms: NonNegativeFloat


class ScoringResponse(WireModel):
    """The verdict on one request."""

    model_code: str
    model_version: str
    refresh_version: str
    probability_score: ScientificNotation
    model_segment: str
    top_contributor: str
    score_details: ScoreDetails
