"""Reading a request's body: JSON, of bounded size, in bounded time."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request

from stream_detector.serving.refusal import RefusalError


async def read_body(request: Request, *, max_bytes: int, seconds: float) -> bytes:
    """The body as it was sent.

    Raises:
        RefusalError: it isn't said to be JSON, is too large, or takes too long.
    """
    _check_type(request.headers)
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise _too_large(max_bytes)
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for piece in request.stream():
                body += piece
                if len(body) > max_bytes:
                    raise _too_large(max_bytes)
    except TimeoutError:
        raise RefusalError(
            HTTPStatus.REQUEST_TIMEOUT,
            "late_body",
            f"the body was not complete after {seconds:g} s",
            "send it faster or in smaller parts",
            headers={"Connection": "close"},
        ) from None
    except ClientDisconnect:
        # Nobody hears this, but the metrics count it.
        raise RefusalError(HTTPStatus.BAD_REQUEST, "client_gone", "the body ended before its end", "send it whole") from None
    return bytes(body)


def _check_type(headers: Headers) -> None:
    # Strict, and not only for order's sake: a web page may send a form or plain text to any address without asking, the one on
    # loopback included, but JSON only where the server agrees to it beforehand.
    kind, *parameters = (part.strip().lower() for part in headers.get("content-type", "").split(";"))
    charsets = {parameter for parameter in parameters if parameter.startswith("charset=")}
    if kind != "application/json" or not charsets <= {"charset=utf-8", 'charset="utf-8"'}:
        raise RefusalError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "not_json",
            "the body is not said to be JSON in UTF-8",
            "send Content-Type: application/json",
            field="Content-Type",
        )
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise RefusalError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "compressed",
            "the body is compressed",
            "send it plain, without Content-Encoding",
            field="Content-Encoding",
        )


def _too_large(max_bytes: int) -> RefusalError:
    return RefusalError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "oversize",
        f"the body holds more than the {max_bytes} bytes allowed",
        "send fewer requests at once, or raise http_max_body_bytes",
        headers={"Connection": "close"},
    )
