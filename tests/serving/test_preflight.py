"""POST /preflight: what an author is told, and how often."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx2 as httpx
import orjson
import pytest

from stream_detector.contracts import Kind, PreflightResponse, decode
from stream_detector.serving.allowance import Allowances, network_of
from stream_detector.serving.refusal import RefusalError
from tests.serving.asking import JSON, TOKEN, Failing, Served, request


@pytest.fixture
def served() -> Iterator[Served]:
    """The application with its defaults."""
    made = Served()
    yield made
    made.predictor.close()


def _ask(served: Served, document: object, **headers: str) -> httpx.Response:
    body = document if isinstance(document, bytes) else orjson.dumps(document)
    answer: httpx.Response = served.client.post("/preflight", content=body, headers=JSON | headers)
    return answer


def test_an_author_is_told_what_to_take_out(served: Served) -> None:
    """Where, of which kind, masked, and how the texts would look; the texts that nothing is wrong with are left out."""
    answer = _ask(served, request(title="The flat", note="The flat is bright. Viber! The flat.", gone=None))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    found = decode(PreflightResponse, answer.content)
    assert not found.publishable
    assert found.complete
    (piece,) = found.take_out
    assert (piece.attribute, piece.start, piece.end, piece.kind) == ("note", 20, 25, Kind.MESSENGER)
    assert piece.surface == "V••••"
    assert found.suggested == {"note": "The flat is bright. […]! The flat."}
    assert _ask(served, request(**found.suggested)).json() == {
        "publishable": True,
        "takeOut": [],
        "suggested": {},
        "complete": True,
    }


def test_nothing_is_said_about_how_sure_the_model_is(served: Served) -> None:
    """No probability, threshold, model or number of windows: what helps to write around the model isn't told."""
    surer, sure = (_ask(served, request(note=text)).json() for text in ("viber", "hint"))
    assert set(surer) == {"publishable", "takeOut", "suggested", "complete"}
    assert set(surer["takeOut"][0]) == {"attribute", "start", "end", "kind", "surface"}
    assert surer["suggested"] == sure["suggested"] == {"note": "[…]"}


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"{", 400, "invalid_json"),
        (b"[]", 422, "not_an_object"),
        (b"{}", 422, "missing_field"),
        (b'{"transactionContext": {"transactionId": "T"}, "attributes": {"a": 5}}', 422, "wrong_type"),
        (b" " * (1024 * 1024 + 1), 413, "oversize"),
    ],
)
def test_what_cannot_be_read_is_refused_as_by_score(served: Served, body: bytes, status: int, reason: str) -> None:
    """The same limits, in the same form."""
    answer = _ask(served, body)
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert answer.headers["content-type"] == "application/problem+json"
    assert served.sample("http_refusals_total", reason=reason) == 1


def test_a_failing_model_gives_no_detail() -> None:
    """The text that it failed on may stand in its message."""
    answer = _ask(Served(Failing()), request(a="poison"))
    assert (answer.status_code, answer.json()["reason"]) == (500, "scoring_failed")
    assert "poison" not in answer.text


def test_the_token_is_asked_for() -> None:
    """And a stranger without it doesn't use up the caller's allowance."""
    served = Served(http_token=TOKEN, preflight_burst=1)
    assert [_ask(served, request()).status_code for _ in range(3)] == [401, 401, 401]
    assert _ask(served, request(), Authorization=f"Bearer {TOKEN}").status_code == 200


def test_a_caller_who_asks_too_often_is_told_when_to_ask_again() -> None:
    """And /score is none of that limit's business."""
    served = Served(preflight_burst=2, preflight_per_minute=1)
    answers = [_ask(served, request()) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["reason"] == "too_often"
    assert 0 < int(answers[2].headers["retry-after"]) <= 60
    assert served.score(request()).status_code == 200
    assert served.sample("http_refusals_total", reason="too_often") == 1


def test_callers_are_told_apart_by_the_header_that_a_proxy_sets() -> None:
    """Behind a proxy all have its address; without the header nobody is let in, or its name would be a way round."""
    served = Served(preflight_burst=1, preflight_per_minute=1, preflight_caller_header="X-Partner")
    statuses = [_ask(served, request(), **{"X-Partner": partner}).status_code for partner in ("P-1", "P-2", "P-1")]
    assert statuses == [200, 200, 429]
    answer = _ask(served, request())
    assert (answer.status_code, answer.json()["reason"], answer.json()["field"]) == (400, "no_caller", "X-Partner")


def test_callers_are_told_apart_by_their_address() -> None:
    """The connection's, never one that a header claims."""
    served = Served(preflight_burst=1, preflight_per_minute=1)

    async def ask(host: str, claimed: str) -> int:
        transport = httpx.ASGITransport(app=served.app, client=(host, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://predictor") as client:
            headers = JSON | {"X-Forwarded-For": claimed}
            return int((await client.post("/preflight", content=orjson.dumps(request()), headers=headers)).status_code)

    asked = [("192.0.2.1", "a"), ("192.0.2.1", "b"), ("192.0.2.2", "a"), ("2001:db8::1", "a"), ("2001:db8::2", "a")]
    assert [asyncio.run(ask(*one)) for one in asked] == [200, 429, 200, 200, 429]


class TestAllowances:
    """The token bucket."""

    def test_tokens_come_back_with_time(self) -> None:
        """As many as were promised a minute, never more than the burst."""
        now = 0.0
        allowances = Allowances(per_minute=6, burst=2, clock=lambda: now)

        def taken() -> int:
            count = 0
            while count < 10:
                try:
                    allowances.take("P-1")
                except RefusalError:
                    break
                count += 1
            return count

        counts = [taken()]
        for seconds in (9.0, 1.0, 15.0, 5.0, 3600.0):
            now += seconds
            counts.append(taken())
        assert counts == [2, 0, 1, 1, 1, 2]

    def test_the_wait_that_is_told_is_enough(self) -> None:
        """And a second less is not."""
        now = 0.0
        allowances = Allowances(per_minute=6, burst=1, clock=lambda: now)
        allowances.take("P-1")
        with pytest.raises(RefusalError) as refused:
            allowances.take("P-1")
        again = int((refused.value.headers or {})["Retry-After"])
        now = again - 1.0
        with pytest.raises(RefusalError):
            allowances.take("P-1")
        now = float(again)
        allowances.take("P-1")

    def test_memory_is_bounded(self) -> None:
        """A caller for each address in the world must not fill it."""
        allowances = Allowances(per_minute=1, burst=1, clock=lambda: 0.0)
        for number in range(20_000):
            allowances.take(str(number))
        assert len(allowances._buckets) == 10_000
        with pytest.raises(RefusalError):
            allowances.take("19999")

    @pytest.mark.parametrize(
        ("host", "caller"),
        [
            ("192.0.2.7", "192.0.2.7"),
            ("2001:db8::1:2:3:4", "2001:db8::"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("fe80::1%eth0", "fe80::"),
            ("testclient", "testclient"),
            ("", ""),
        ],
    )
    def test_who_is_behind_an_address(self, host: str, caller: str) -> None:
        """A household with IPv6 has 2^64 addresses and one allowance."""
        assert network_of(host) == caller
