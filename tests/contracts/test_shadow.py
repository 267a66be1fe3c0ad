"""Shadow disagreements: what a subscriber may rely on."""

from __future__ import annotations

import orjson

from stream_detector.contracts import Event, ScoringResponse, Source, decode, disagreement_of, encode
from stream_detector.contracts.examples import EXAMPLES
from tests.contracts.examples import EVENT

(EXAMPLE,) = EXAMPLES["shadow-disagreement"]
_DECIDED, _SHADOW = (ScoringResponse.model_validate(EXAMPLE[side], by_alias=True, by_name=False) for side in ("decided", "shadow"))


def _made(*, offset: int = 1, shadow: ScoringResponse = _SHADOW, include_text: bool = True) -> dict[str, object]:
    event = decode(Event, orjson.dumps(EVENT))
    source = Source(topic="listing-updates", partition=0, offset=offset)
    made = disagreement_of(event, source, _DECIDED, shadow, compared_at=event.occurred_at, include_text=include_text)
    document: dict[str, object] = orjson.loads(encode(made))
    return document


def test_the_id_follows_from_record_and_models() -> None:
    """A repetition can be dropped by it; another record or another refresh of the shadow is another disagreement."""
    other = _SHADOW.model_copy(update={"refresh_version": "v20270101"})
    assert _made()["disagreementId"] == _made()["disagreementId"]
    assert len({str(made["disagreementId"]) for made in (_made(), _made(offset=2), _made(shadow=other))}) == 3


def test_texts_are_left_out_where_they_are_left_out_of_violations() -> None:
    """One setting for all outputs, or texts would leak by the side door."""
    assert _made()["attributes"] == {name: text for name, text in EVENT["attributes"].items() if text is not None}
    assert "attributes" not in _made(include_text=False)


def test_both_verdicts_are_whole() -> None:
    """A model owner sees versions, thresholds and evidence of either side without another look-up."""
    made = _made()
    assert made["decided"] == orjson.loads(encode(_DECIDED))
    assert made["shadow"] == orjson.loads(encode(_SHADOW))
