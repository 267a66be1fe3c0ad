"""Preflight: what an author should take out of texts before publishing them."""

from __future__ import annotations

from pydantic import Field, NonNegativeInt

from stream_detector.contracts.base import WireModel
from stream_detector.contracts.scoring import Kind


class TakeOut(WireModel):
    """A piece of text that would be a violation: characters `start` up to but not including `end`, in code points."""

    attribute: str = Field(description="The attribute in whose text it stands.")
    start: NonNegativeInt = Field(description="Its first character, counted from 0 in Unicode code points.")
    end: NonNegativeInt = Field(description="The character behind its last one.")
    kind: Kind = Field(description="What it is.")
    surface: str = Field(description="The text there, masked.")


class PreflightResponse(WireModel):
    """What to take out of the texts of a request. It holds no probability: it is help for authors, not a verdict."""

    publishable: bool = Field(description="Whether the texts can be published as they are.")
    take_out: tuple[TakeOut, ...] = Field(default=(), description="What to take out; empty if they can.")
    suggested: dict[str, str] = Field(
        default_factory=dict, description="The texts that would change, with […] for each piece, by attribute name."
    )
    complete: bool = Field(description="Whether the texts can be published once that is taken out; if not, write them anew.")
