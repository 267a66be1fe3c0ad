"""Bodies made to break a parser or a server: each is answered, and each refusal says what is wrong without quoting it."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.serving.asking import Served, request

SERVED = Served()

_LEAF = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(10**400), max_value=10**400)
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.text(st.characters(categories=["Cs"]), min_size=1, max_size=3)
)
_TREE = st.recursive(_LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3))
_ALMOST = st.fixed_dictionaries(
    {},
    optional={
        "transactionContext": _TREE | st.just({"transactionId": "T"}),
        "attributes": _TREE | st.dictionaries(st.text(), _LEAF),
    },
)
_DEEP = st.builds(
    lambda n, pair: pair[0] * n + b"1" + pair[1] * n, st.integers(20, 5000), st.sampled_from([(b"[", b"]"), (b'{"a":', b"}")])
)
_NUMBERS = st.sampled_from(
    [b"1e999", b"-1e999", b"9" * 5000, b"0." + b"0" * 5000 + b"1", b"NaN", b"-Infinity", b"1e-999", b"0x10", b"01"]
)


def _answered(body: bytes) -> int:
    answer = SERVED.score(body)
    if answer.status_code == 200:
        return 200
    assert answer.status_code in {400, 413, 422}
    problem = answer.json()
    assert {"type", "title", "status", "reason", "detail", "remedy"} <= problem.keys()
    assert all(problem[key] for key in ("detail", "remedy"))
    return int(answer.status_code)


@given(_ALMOST | _TREE | st.lists(_ALMOST, max_size=3))
@settings(deadline=None)
def test_documents_of_any_shape(document: object) -> None:
    """Lone surrogates, not-a-number and huge numbers among them."""
    _answered(json.dumps(document).encode())


@given(st.binary(max_size=200) | _DEEP)
@settings(deadline=None)
def test_bytes_of_any_kind(body: bytes) -> None:
    """Deep nesting among them, which must not exhaust a stack."""
    _answered(body)


@given(
    _NUMBERS,
    st.sampled_from(
        [b'{"transactionContext": {"transactionId": "T"}, "attributes": {}, "more": %s}', b'{"attributes": %s}', b"%s"]
    ),
)
@settings(deadline=None)
def test_numbers_that_are_none_or_too_large(number: bytes, around: bytes) -> None:
    """Wherever they stand, also in a field that nobody asked for."""
    _answered(around % number)


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=10),
        st.none() | st.text(st.characters(exclude_categories=["Cs"])),
    )
)
@settings(deadline=None)
def test_texts_of_any_kind_get_a_verdict(attributes: dict[str, str | None]) -> None:
    """Whatever characters they hold, names of attributes too."""
    assert _answered(json.dumps(request() | {"attributes": attributes}).encode()) == 200
