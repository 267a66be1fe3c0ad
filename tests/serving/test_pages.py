"""The other pages, and what isn't one."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from stream_detector.contracts import ScoringRequest
from stream_detector.observability import Metrics, Readiness
from stream_detector.serving import Predictor, make_app
from stream_detector.settings import Settings
from tests.serving.asking import TOKEN, Served


def test_health_is_not_readiness() -> None:
    """A process that is still loading its model lives, and must not be killed for it."""
    served = Served()
    client = TestClient(make_app(served.settings, served.predictor, served.metrics, Readiness()))
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").json() == {"ready": False, "reason": "starting"}


def test_metrics_are_prometheus_text() -> None:
    """With the requests in them; a path that isn't there doesn't become a label."""
    served = Served()
    served.client.get("/healthz")
    served.client.get("/wp-login.php")
    page = served.client.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'stream_detector_http_requests_total{path="/healthz",status="200"} 1.0' in page.text
    assert 'path="other",status="404"' in page.text
    assert "wp-login" not in page.text


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("GET", "/", 404, "no_such_path"),
        ("POST", "/score/", 404, "no_such_path"),
        ("GET", "/score", 405, "no_such_method"),
        ("POST", "/metrics", 405, "no_such_method"),
        ("OPTIONS", "/score", 405, "no_such_method"),
    ],
)
def test_what_is_not_there(method: str, path: str, status: int, reason: str) -> None:
    """Also in the form of a problem, and with what there is instead."""
    answer = Served().client.request(method, path)
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("allow" in answer.headers) == (status == 405)


def test_openapi_is_made_from_the_models() -> None:
    """What a generated client sends is what the decoder asks for."""
    schema = Served(http_max_batch=7).client.get("/openapi.json").json()
    body = schema["paths"]["/score"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["oneOf"][1]["maxItems"] == 7
    request = schema["components"]["schemas"]["ScoringRequest"]
    assert set(request["required"]) == set(ScoringRequest.model_json_schema()["required"]) == {"transactionContext", "attributes"}


def test_openapi_says_whether_a_token_is_asked_for() -> None:
    """And only then."""
    assert "security" not in Served().client.get("/openapi.json").json()["paths"]["/score"]["post"]
    with_token = Served(http_token=TOKEN).client.get("/openapi.json")
    assert with_token.json()["paths"]["/score"]["post"]["security"] == [{"token": []}]
    assert TOKEN not in with_token.text


def test_a_fault_of_the_program_shows_no_stack_trace(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither to the client nor in the log."""
    served = Served()

    async def fail(_: Predictor, __: bytes) -> bytes:
        raise ZeroDivisionError("a text that nobody may see")

    monkeypatch.setattr(Predictor, "answer", fail)
    answer = served.score({})
    assert (answer.status_code, answer.json()["reason"]) == (500, "fault")
    seen = answer.text + "".join(capfd.readouterr())
    assert "Traceback" not in seen
    assert "nobody may see" not in seen


@pytest.mark.parametrize("token", ["", "short", "with a blank in the middle", "ümlaute-sind-keine-buchstaben"])
def test_a_token_that_could_not_work_is_refused(token: str) -> None:
    """An empty variable must not leave the door open."""
    with pytest.raises(ValueError, match="http_token"):
        Settings(http_token=token)


def test_metrics_of_two_predictors_do_not_mix() -> None:
    """Each has its own registry, as workers have."""
    first, second = Served(), Served()
    first.client.get("/healthz")
    assert second.sample("http_requests_total", path="/healthz", status="200") is None
    assert isinstance(second.metrics, Metrics)
