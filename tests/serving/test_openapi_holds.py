"""The OpenAPI document and the application agree: requests are made from the one and put to the other."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from tests.serving.asking import TOKEN, Served

OFTEN = {"preflight_per_minute": 1_000_000, "preflight_burst": 1_000_000}
SERVED = Served(**OFTEN)
GUARDED = Served(http_token=TOKEN, preflight_caller_header="X-Partner", **OFTEN)

schema = schemathesis.openapi.from_asgi("/openapi.json", SERVED.app)
guarded = schemathesis.openapi.from_asgi("/openapi.json", GUARDED.app)


@schema.parametrize()
@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
def test_answers_are_as_described(case: schemathesis.Case) -> None:
    """Requests that fit the document and such that don't: every answer has a status, a type and a body that it names."""
    case.call_and_validate()


@guarded.parametrize()
@settings(deadline=None, max_examples=20, suppress_health_check=list(HealthCheck))
def test_with_a_token_too(case: schemathesis.Case) -> None:
    """The token opens what it should open; without it, schemathesis finds the door shut."""
    case.call_and_validate(headers={"Authorization": f"Bearer {TOKEN}"})


def test_every_path_was_tried() -> None:
    """A page that isn't in the document would not be tested above."""
    assert {route.path for route in SERVED.app.routes} == set(schema.raw_schema["paths"])


@pytest.mark.parametrize("status", ["400", "401", "413", "415", "422", "500", "503", "504"])
def test_every_refusal_is_described(status: str) -> None:
    """A client's author learns from the document alone what can go wrong."""
    for path in ("/score", "/preflight"):
        assert status in guarded.raw_schema["paths"][path]["post"]["responses"]


def test_the_answer_to_asking_too_often_is_described() -> None:
    """With the header that says when to ask again; /score has no such answer."""
    responses = {
        path: SERVED.client.get("/openapi.json").json()["paths"][path]["post"]["responses"] for path in ("/score", "/preflight")
    }
    assert "Retry-After" in responses["/preflight"]["429"]["headers"]
    assert "429" not in responses["/score"]
