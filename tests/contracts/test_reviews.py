"""The review's contract beyond its schema."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from stream_detector.contracts import Review, decode, review_id
from stream_detector.contracts.examples import EXAMPLES
from stream_detector.errors import DecodeError

_CONFIRMED, _DISMISSED = EXAMPLES["review"]


def test_the_id_names_violation_and_revision() -> None:
    """The same at every try, another one for each revision and violation: a subscriber can drop repetitions by it."""
    assert _CONFIRMED["reviewId"] == review_id(_CONFIRMED["violationId"], 1)
    assert _DISMISSED["reviewId"] == review_id(_CONFIRMED["violationId"], 2)
    assert len({review_id(violation, revision) for violation in ("a", "b", "a\n1") for revision in (1, 11)}) == 6


@pytest.mark.parametrize("document", [_CONFIRMED | {"reason": "other"}, {k: v for k, v in _DISMISSED.items() if k != "reason"}])
def test_a_reason_goes_with_a_dismissal(document: dict[str, Any]) -> None:
    """A confirmed violation has none, a dismissed one has one."""
    with pytest.raises(DecodeError):
        decode(Review, orjson.dumps(document))


def test_no_note_crosses_the_wire() -> None:
    """What a reviewer wrote may quote the contact it is about: the contract has no place for it."""
    assert "note" not in {field.alias for field in Review.model_fields.values()}
    assert not hasattr(decode(Review, orjson.dumps(_CONFIRMED | {"note": "x"})), "note")
