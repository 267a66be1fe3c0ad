"""Bytes to models and back. Decoding refuses what it can't read with a reason; it never guesses and never crashes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, NoReturn, TypeVar

import orjson
from pydantic import ValidationError

from stream_detector.contracts.base import WireModel
from stream_detector.errors import DecodeError, DecodeReason

Model = TypeVar("Model", bound=WireModel)

DEFAULT_MAX_BYTES = 1024 * 1024

#: Deeper nesting than any producer needs, and far from what would exhaust a parser's stack.
MAX_DEPTH = 32

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")
_MEMBER = re.compile(rb'"[ \t\r\n]*+:')
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NUMBER = re.compile(r"\d{4}")

#: pydantic's error type to the dead letter's reason; the rest is INVALID_VALUE.
_REASONS = {
    "missing": DecodeReason.MISSING_FIELD,
    "missing_for_type": DecodeReason.MISSING_FIELD,
    "invalid_date": DecodeReason.INVALID_DATE,
    "model_type": DecodeReason.WRONG_TYPE,
    "model_attributes_type": DecodeReason.WRONG_TYPE,
    "dict_type": DecodeReason.WRONG_TYPE,
    "string_type": DecodeReason.WRONG_TYPE,
}


def decode(model: type[Model], payload: bytes, *, max_bytes: int = DEFAULT_MAX_BYTES) -> Model:
    """Read one JSON document as a model.

    Raises:
        DecodeError: with the reason, the field and the remedy; its message holds no part of the payload.
    """
    check_size(payload, max_bytes)
    return validate(model, parse(payload))


def decode_batch(model: type[Model], payload: bytes, *, max_items: int) -> Model | tuple[Model, ...]:
    """Read a JSON object as a model, or a JSON array of them as a batch.

    Raises:
        DecodeError: as `decode`; in a batch the field begins with the item's position, counted from 0.
    """
    document = parse(payload)
    if not isinstance(document, list):
        return validate(model, document)
    if len(document) > max_items:
        raise DecodeError(
            DecodeReason.OVERSIZE, f"{len(document)} items in the batch, more than the {max_items} allowed; send parts"
        )
    return tuple(validate(model, item, at=(str(position),)) for position, item in enumerate(document))


def encode(model: WireModel) -> bytes:
    """Write a model as compact UTF-8 JSON; fields that are None are left out."""
    return orjson.dumps(model.model_dump(by_alias=True, exclude_none=True))


def check_size(payload: bytes, max_bytes: int) -> None:
    """Refuse more bytes than are allowed."""
    if len(payload) > max_bytes:
        raise DecodeError(
            DecodeReason.OVERSIZE,
            f"{len(payload)} bytes, more than the {max_bytes} allowed; send a smaller text or raise max_event_bytes",
        )


def field_path(parts: Iterable[object]) -> str:
    """The name of a field, fit for logs and headers.

    A key of `attributes` is the producer's own word, not ours: it may hold anything, a telephone number among it. What doesn't
    look like a name in a program is only told as "?".
    """
    names = map(str, parts)
    return ".".join(name if _NAME.fullmatch(name) and not _NUMBER.search(name) else "?" for name in names)


def validate(model: type[Model], document: object, *, at: tuple[str, ...] = ()) -> Model:
    """Read what was parsed as a model; `at` is where it stood.

    Raises:
        DecodeError: as `decode`.
    """
    if not isinstance(document, dict):
        where = "in the batch" if at else "at the top"
        raise DecodeError(
            DecodeReason.NOT_AN_OBJECT, f"a JSON {_json_type(document)} {where}; send an object", field=".".join(at) or None
        )
    try:
        return model.model_validate(document, by_alias=True, by_name=False)
    except ValidationError as error:
        _refuse(error, at)


def parse(payload: bytes) -> object:
    """Read one JSON document.

    Raises:
        DecodeError: it isn't one, is nested too deep or repeats a key.
    """
    if not payload.strip():
        raise DecodeError(DecodeReason.EMPTY_VALUE, "the value is empty; send a JSON object")
    _check_depth(payload)
    try:
        document: object = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        _explain(payload, error)
    # A repeated key has two meanings to two readers, so a text could hide behind it. orjson keeps the last one without
    # a word; only a document with more colons than members can hold one, and only that is read again, slowly.
    if len(_MEMBER.findall(payload)) > _count_members(document):
        json.loads(payload, object_pairs_hook=_refuse_repeated_keys)
    return document


def _check_depth(payload: bytes) -> None:
    if payload.count(b"[") + payload.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub(b"", payload)):
        depth += 1 if bracket.group() in b"[{" else -1
        if depth > MAX_DEPTH:
            raise DecodeError(DecodeReason.TOO_DEEP, f"nested deeper than {MAX_DEPTH} levels; send flat attributes")


def _count_members(document: object) -> int:
    if isinstance(document, dict):
        return len(document) + sum(map(_count_members, document.values()))
    if isinstance(document, list):
        return sum(map(_count_members, document))
    return 0


def _refuse_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise DecodeError(DecodeReason.DUPLICATE_KEY, "a key stands twice in one object; send each key once")
    return members


def _refuse_constant(_: str) -> NoReturn:
    raise DecodeError(DecodeReason.NOT_A_NUMBER, "NaN and Infinity are no JSON; send null or leave the field out")


def _explain(payload: bytes, error: orjson.JSONDecodeError) -> NoReturn:
    """Say which rule a payload that the parser refused breaks."""
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError as bad:
        raise DecodeError(DecodeReason.INVALID_UTF8, f"byte {bad.start} is not UTF-8; encode the value as UTF-8") from None
    where = f"line {error.lineno}, column {error.colno}"
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
    except ValueError:
        raise DecodeError(DecodeReason.INVALID_JSON, f"not JSON at {where}; send one JSON object") from None
    try:
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise DecodeError(DecodeReason.INVALID_UTF8, "a \\u escape names half a surrogate pair; escape whole characters") from None
    raise DecodeError(DecodeReason.INVALID_JSON, f"a number out of range at {where}; send it as a string") from None


def _json_type(document: object) -> str:
    names: dict[type, str] = {list: "array", str: "string", bool: "boolean", int: "number", float: "number"}
    return names.get(type(document), "null")


def _refuse(error: ValidationError, at: tuple[str, ...]) -> NoReturn:
    # The first fault by position in the model is enough to mend; pydantic's own messages can quote the input, so only
    # its type, its limits and our own messages are used.
    fault = error.errors(include_url=False, include_input=False)[0]
    kind = fault["type"]
    reason = _REASONS.get(kind, DecodeReason.INVALID_VALUE)
    field = field_path((*at, *fault["loc"])) or None
    context = fault.get("ctx", {})
    if kind == "missing_for_type":
        field = ".".join((*at, str(context["field"])))
        raise DecodeError(reason, f"is required in a {context['type']} event; add it", field=field)
    match reason:
        case DecodeReason.MISSING_FIELD:
            message = "is required; add it"
        case DecodeReason.WRONG_TYPE:
            expected = "a string" if kind == "string_type" else "an object"
            message = f"has the wrong type; send {expected}"
        case DecodeReason.INVALID_DATE:
            message = fault["msg"]
        case _:
            allowed = context.get("expected") or context.get("min_length") or context.get("max_length") or ""
            message = f"has a value that is not allowed ({kind}{f': {allowed}' if allowed else ''}); see the contract"
    raise DecodeError(reason, message, field=field)
