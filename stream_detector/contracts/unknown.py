"""Fields that the contract doesn't have: the worker ignores them, but to their producer they are most likely misspelt."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from stream_detector.contracts.base import WireModel
from stream_detector.contracts.codec import field_path


@dataclass(frozen=True, slots=True)
class UnknownField:
    """A field that closed schemas refuse."""

    path: str
    meant: str | None

    def __str__(self) -> str:
        """One line with the remedy."""
        remedy = f"did you mean {self.meant}?" if self.meant else "leave it out"
        return f"{self.path}: is not in the contract and is ignored; {remedy}"


def unknown_fields(model: type[WireModel], document: object, *, at: tuple[str, ...] = ()) -> Iterator[UnknownField]:
    """The fields of a document that a model doesn't have, nested ones too."""
    if not isinstance(document, dict):
        return
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    for name, value in document.items():
        field = fields.get(name)
        if field is None:
            # Only what is short can be a slip of the pen, and only the known spelling is shown in full.
            near = difflib.get_close_matches(name, fields, n=1) if len(name) <= 64 else []
            yield UnknownField(field_path((*at, name)), near[0] if near else None)
        elif isinstance(field.annotation, type) and issubclass(field.annotation, WireModel):
            yield from unknown_fields(field.annotation, value, at=(*at, name))
