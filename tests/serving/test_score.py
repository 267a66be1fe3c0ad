"""POST /score: what goes in and what comes out."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient

from stream_detector.contracts import ScoringResponse, decode
from stream_detector.observability import State
from tests.serving.asking import TOKEN, Failing, Gated, Served, request


@pytest.fixture
def served() -> Iterator[Served]:
    """The application with its defaults."""
    made = Served()
    yield made
    made.predictor.close()


def test_a_request_gets_a_verdict(served: Served) -> None:
    """The answer is the published system's, and its evidence points into the text as sent."""
    answer = served.score(request(title="The flat", note="Viber 123", gone=None))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    response = decode(ScoringResponse, answer.content)
    assert (response.score_details.label, response.top_contributor) == ("Fraud", "note")
    assert {evidence.attribute for evidence in response.score_details.evidence} == {"note"}
    assert served.sample("http_scores_total", label="Fraud") == 1


def test_a_batch_gets_verdicts_in_order(served: Served) -> None:
    """As many as there were requests; an empty batch is an empty answer, so that a caller needs no special case."""
    answer = served.score([request(a="viber"), request(a="the flat"), request()])
    assert [item["scoreDetails"]["label"] for item in answer.json()] == ["Fraud", "NonFraud", "NonFraud"]
    assert served.score([]).json() == []
    assert served.score([request(a="the flat")]).json()[0]["topContributor"] == "a"


@pytest.mark.parametrize(
    ("body", "status", "reason", "field"),
    [
        (b"", 400, "empty_value", None),
        (b"{", 400, "invalid_json", None),
        (b"[" * 100_000, 400, "too_deep", None),
        (b"NaN", 400, "not_a_number", None),
        (b'{"a": NaN}', 400, "not_a_number", None),
        (b'{"a": 1e999}', 400, "invalid_json", None),
        (b'{"a": "\\ud800"}', 400, "invalid_utf8", None),
        (b'{"a": "\xff"}', 400, "invalid_utf8", None),
        (b'{"attributes": {"a": "x", "a": "y"}}', 400, "duplicate_key", None),
        (b"5", 422, "not_an_object", None),
        (b"[5]", 422, "not_an_object", "0"),
        (b"{}", 422, "missing_field", "transactionContext"),
        (
            b'{"transactionContext": {"transactionId": ""}, "attributes": {}}',
            422,
            "invalid_value",
            "transactionContext.transactionId",
        ),
        (b'{"transactionContext": {"transactionId": "1"}, "attributes": {"a": 5}}', 422, "wrong_type", "attributes.a"),
        (b'[{"transactionContext": {"transactionId": "1"}}]', 422, "missing_field", "0.attributes"),
    ],
)
def test_a_body_that_is_no_request(served: Served, body: bytes, status: int, reason: str, field: str | None) -> None:
    """The answer names the fault, the field and the remedy, in the form that RFC 9457 gives problems."""
    answer = served.score(body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert (problem["status"], problem["reason"], problem.get("field")) == (status, reason, field)
    assert problem["detail"]
    assert problem["remedy"]
    assert served.sample("http_refusals_total", reason=reason) == 1
    assert served.sample("http_requests_total", path="/score", status=str(status)) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": ""},
        {"Content-Encoding": "gzip"},
    ],
)
def test_only_json_is_read(served: Served, headers: dict[str, str]) -> None:
    """What a web page may post without asking isn't taken, nor is what would have to be unpacked first."""
    assert served.score(request(), **headers).status_code == 415


def test_json_may_say_that_it_is_utf8(served: Served) -> None:
    """Many clients do."""
    assert served.score(request(), **{"Content-Type": "Application/JSON; charset=UTF-8"}).status_code == 200


def test_a_body_that_is_too_large() -> None:
    """Refused by what it says of its size, and by its size if it says nothing."""
    served = Served(http_max_body_bytes=100)
    assert served.score(b"x" * 101).status_code == 413
    answer = served.client.post("/score", content=iter([b"x" * 60] * 2), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")


def test_a_batch_that_is_too_large() -> None:
    """The limit is in the answer and in the OpenAPI document."""
    served = Served(http_max_batch=2)
    answer = served.score([request()] * 3)
    assert answer.status_code == 422
    assert "2" in answer.json()["detail"]


def test_without_a_token_nobody_scores() -> None:
    """Where one is set. Probes and Prometheus need none, and a wrong one isn't quoted."""
    served = Served(http_token=TOKEN)
    for given in (None, b"Bearer wrong", f"Basic {TOKEN}".encode(), b"Bearer \xff", b"Bearer"):
        answer = served.score(request(), **({} if given is None else {"Authorization": given}))
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert "wrong" not in answer.text
    assert served.score(request(), Authorization=f"Bearer {TOKEN}").status_code == 200
    assert served.client.get("/readyz").status_code == 200
    assert TOKEN not in repr(served.settings)


def test_before_the_model_is_there() -> None:
    """A request that comes too early is told when to come again."""
    served = Served()
    served.predictor.scorer = None
    answer = served.score(request())
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["reason"]) == (503, "1", "starting")


def test_a_full_queue_puts_requests_off() -> None:
    """Past its budget a queue only makes everyone late; the answer says how long it is."""
    served = Served(Gated(seconds_left=2.5), http_queue_ms=2000)
    answer = served.score(request())
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["reason"]) == (503, "3", "queue_full")


def test_no_more_at_once_than_allowed() -> None:
    """The one too many is put off, those inside get their verdicts, and their places become free."""
    gated = Gated()
    served = Served(gated, http_max_waiting=2)
    with TestClient(served.app) as client, ThreadPoolExecutor(2) as pool:
        served.client = client
        inside = [pool.submit(served.score, request(a="viber")) for _ in range(2)]
        for _ in inside:
            assert gated.entered.acquire(timeout=30)
        assert served.score(request()).json()["reason"] == "too_many"
        gated.gate.set()
        assert [future.result().status_code for future in inside] == [200, 200]
        assert served.score(request()).status_code == 200


def test_a_verdict_that_takes_too_long() -> None:
    """The client hears of it; the place stays taken until the work is done, or a flood of such requests would pile up unseen."""
    gated = Gated()
    served = Served(gated, http_timeout_ms=1, http_max_waiting=1)
    with TestClient(served.app) as client:
        served.client = client
        assert served.score(request()).status_code == 504
        assert served.score(request()).json()["reason"] == "too_many"
        gated.gate.set()


def test_a_model_that_fails() -> None:
    """The answer names the request of the batch that it failed on, and never quotes what the model said."""
    served = Served(Failing())
    answer = served.score([request(a="the flat"), request(a="poison")])
    assert (answer.status_code, answer.json()["field"], answer.json()["reason"]) == (500, "1", "scoring_failed")
    assert "poison" not in answer.text
    assert served.score(request(a="poison")).status_code == 500
    assert served.score(request(a="the flat")).status_code == 200


def test_while_draining_requests_are_still_answered(served: Served) -> None:
    """Not ready comes first: clients that haven't heard of it yet must not lose their requests."""
    served.readiness.set(State.DRAINING)
    assert served.client.get("/readyz").status_code == 503
    assert served.score(request()).status_code == 200
