"""What training never sees, so that the test says something: one template in twelve and a few disguises.

Templates are held out by a hash of their text: appending others to a language file moves none from one part to the other.
The disguises held out are distinctive but not those that people use most, so that training loses little.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Literal, TypeVar

from stream_detector.training.corpus.packs import Template

Part = Literal["train", "test"]

_Name = TypeVar("_Name", bound=Callable[..., object])

HELD_OUT_DISGUISES = frozenset({"one_a_line", "with_units", "spaced_protocol", "vowelless", "word_signs"})
_ONE_TEMPLATE_IN = 12
#: Below so many letters besides its slots a template ("Tel {phone}") is no phrase of its own; such ones are always trained on.
_LETTERS_OF_A_PHRASE = 6


def is_held_out(template: Template) -> bool:
    """Whether a template is kept for the test."""
    text = "".join(segment.template for segment in template.segments)
    literal = "".join(part.partition("}")[2] if i else part for i, part in enumerate(text.split("{")))
    if sum(char.isalpha() for char in literal) < _LETTERS_OF_A_PHRASE:
        return False
    return zlib.crc32(text.encode()) % _ONE_TEMPLATE_IN == 0


def of_part(templates: Sequence[Template], part: Part) -> tuple[Template, ...]:
    """The templates that belong to a part of the data."""
    return tuple(template for template in templates if is_held_out(template) == (part == "test"))


def operators_of_part(rng: Random, operators: Mapping[_Name, float], part: Part) -> Mapping[_Name, float]:
    """The disguises to choose from: in training those that aren't held out, in the test half of the time only those that are."""
    held_out = {operator: weight for operator, weight in operators.items() if operator.__name__ in HELD_OUT_DISGUISES}
    if not held_out:
        return operators
    if part == "test" and rng.random() < 0.5:
        return held_out
    return {operator: weight for operator, weight in operators.items() if operator not in held_out}
