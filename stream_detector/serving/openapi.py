"""What /openapi.json says: made from the same models that read requests and write responses."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic.json_schema import models_json_schema

from stream_detector import __version__
from stream_detector.contracts import PreflightResponse, ScoringRequest, ScoringResponse
from stream_detector.serving.refusal import PROBLEM_JSON
from stream_detector.settings import Settings

_REF = "#/components/schemas/"
_JSON = "application/json"

_PROBLEM: dict[str, Any] = {
    "title": "Problem",
    "description": "Why there is no verdict (RFC 9457). No member ever quotes the request.",
    "type": "object",
    "required": ["type", "title", "status", "reason", "detail", "remedy"],
    "properties": {
        "type": {"const": "about:blank"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "field": {"type": "string", "description": "Where the fault is; in a batch it begins with the request's position from 0."},
        "reason": {"type": "string", "description": "The class of the fault, one of a fixed few."},
        "detail": {"type": "string", "description": "What is wrong."},
        "remedy": {"type": "string", "description": "How to mend it."},
    },
}
_REFUSALS = {
    HTTPStatus.BAD_REQUEST: "The body isn't JSON as RFC 8259 and UTF-8 have it, repeats a key or is nested too deep.",
    HTTPStatus.REQUEST_TIMEOUT: "The body took too long.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body isn't said to be JSON, or is compressed.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "The JSON isn't a request, or a batch of too many.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The model failed.",
    HTTPStatus.SERVICE_UNAVAILABLE: "No room, or no model yet; Retry-After says when to try again.",
    HTTPStatus.GATEWAY_TIMEOUT: "Scoring took too long.",
}
_RETRY_AFTER: dict[str, Any] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}}


def describe(settings: Settings) -> dict[str, Any]:
    """The OpenAPI document of a predictor with such settings."""
    _, schemas = models_json_schema(
        [(ScoringRequest, "validation"), (ScoringResponse, "serialization"), (PreflightResponse, "serialization")],
        ref_template=_REF + "{model}",
    )
    definitions: dict[str, Any] = schemas["$defs"] | {"Problem": _PROBLEM}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Stream detector", "version": __version__, "description": "Verdicts on a marketplace's free texts."},
        "paths": {
            "/score": {"post": _score(settings)},
            "/preflight": {"post": _preflight(settings)},
            "/healthz": {"get": _page("Whether the process lives.", _JSON)},
            "/readyz": {"get": _page("Whether it can score.", _JSON, otherwise="Not now: starting, draining or stopped.")},
            "/metrics": {"get": _page("Metrics in Prometheus's text format.", "text/plain")},
            "/openapi.json": {"get": _page("This document.", _JSON)},
        },
        "components": {"schemas": definitions}
        | ({"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}} if settings.http_token else {}),
    }


def _score(settings: Settings) -> dict[str, Any]:
    verdicts = {"schema": _one_or_many("ScoringResponse", settings.http_max_batch)}
    asked = {"schema": _one_or_many("ScoringRequest", settings.http_max_batch)}
    return _operation(
        settings,
        operation="score",
        summary="Score a request, or a batch of them.",
        asked=asked,
        answered=verdicts,
        answer="A verdict, or one for each request in order.",
        refusals=_REFUSALS,
    )


def _preflight(settings: Settings) -> dict[str, Any]:
    refusals = _REFUSALS | {HTTPStatus.TOO_MANY_REQUESTS: "The caller has asked too often; Retry-After says when to ask again."}
    described = _operation(
        settings,
        operation="preflight",
        summary="What to take out of texts before they are published.",
        asked={"schema": {"$ref": _REF + "ScoringRequest"}},
        answered={"schema": {"$ref": _REF + "PreflightResponse"}},
        answer="What to take out, or that nothing must be.",
        refusals=refusals,
    )
    described["responses"]["429"]["headers"] = _RETRY_AFTER
    header = settings.preflight_caller_header
    if header is not None:
        named = {
            "name": header,
            "in": "header",
            "required": True,
            "description": "Who asks.",
            "schema": {"type": "string", "minLength": 1},
        }
        described["parameters"] = [named]
    return described


def _operation(
    settings: Settings,
    *,
    operation: str,
    summary: str,
    asked: dict[str, Any],
    answered: dict[str, Any],
    answer: str,
    refusals: Mapping[HTTPStatus, str],
) -> dict[str, Any]:
    if settings.http_token:
        refusals = {**refusals, HTTPStatus.UNAUTHORIZED: "The request doesn't bear the token."}
    responses: dict[str, Any] = {"200": {"description": answer, "content": {_JSON: answered}}} | {
        str(status.value): {"description": text, "content": {PROBLEM_JSON: {"schema": {"$ref": f"{_REF}Problem"}}}}
        for status, text in sorted(refusals.items())
    }
    responses["503"]["headers"] = _RETRY_AFTER
    return {
        "operationId": operation,
        "summary": summary,
        "requestBody": {"required": True, "content": {_JSON: asked}},
        "responses": responses,
    } | ({"security": [{"token": []}]} if settings.http_token else {})


def _one_or_many(model: str, most: int) -> dict[str, Any]:
    one = {"$ref": _REF + model}
    return {"oneOf": [one, {"type": "array", "items": one, "maxItems": most}]}


def _page(summary: str, content_type: str, *, otherwise: str | None = None) -> dict[str, Any]:
    content = {content_type: {"schema": {"type": "object" if content_type == _JSON else "string"}}}
    responses: dict[str, Any] = {"200": {"description": summary, "content": content}}
    if otherwise:
        responses["503"] = {"description": otherwise, "content": content}
    return {"summary": summary, "responses": responses}
