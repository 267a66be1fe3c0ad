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
ScientificNotation = Annotated[str, StringConstraints(pattern="^[0-9][.][0-9]{2}e[+-][0-9]{2,3}$")]


def format_probability(probability: float) -> str:
    """Write a probability the way the contract asks: 0.0000000001 is "1.00e-10"."""
    return f"{probability:.2e}"


class ScoringRequest(WireModel):
    """Texts to score together, by attribute name."""

    transaction_context: TransactionContext = Field(description="The business transaction that the texts belong to.")
    attributes: dict[str, str | None] = Field(description="The free texts by name; null where there is none.")

    @property
    def texts(self) -> dict[str, str]:
        """The texts to score, by attribute name."""
        return {name: text for name, text in self.attributes.items() if text is not None}


class Evidence(WireModel):
    """Where in the text as sent the violation stands: characters `start` up to but not including `end`.

    Offsets count Unicode code points. `surface` is the text there, masked unless a setting allows it in the clear.
    """

    attribute: str = Field(description="The attribute in whose text it stands.")
    start: NonNegativeInt = Field(description="Its first character, counted from 0 in Unicode code points.")
    end: NonNegativeInt = Field(description="The character behind its last one.")
    kind: Kind = Field(description="What it is.")
    surface: str = Field(description="The text there, masked unless a setting allows it in the clear.")


class ScoreDetails(WireModel):
    """How a verdict came about."""

    label: Label = Field(description="Fraud if the probability reaches the threshold.")
    threshold: float = Field(ge=0, le=1, description="The probability from which a text is Fraud.")
    evidence: tuple[Evidence, ...] = Field(default=(), description="Where it stands; empty if NonFraud.")
    windows: NonNegativeInt = Field(description="How many pieces of text were judged.")
    backend: str = Field(description="What ran the network.")
    latency_ms: NonNegativeFloat = Field(description="Milliseconds that scoring took.")


class ScoringResponse(WireModel):
    """The verdict on one request."""

    model_code: str = Field(description="The model's code.")
    model_version: str = Field(description="The model's version.")
    refresh_version: str = Field(description="The day's refresh of that version.")
    probability_score: ScientificNotation = Field(description="The calibrated probability, in scientific notation.")
    model_segment: str = Field(description="What the model was made for.")
    top_contributor: str = Field(description="The attribute with the most suspicious text; empty if there was no text.")
    score_details: ScoreDetails = Field(description="How the verdict came about.")
