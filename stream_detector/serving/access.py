"""Who may ask for verdicts."""

from __future__ import annotations

import hmac
from http import HTTPStatus

from pydantic import SecretStr
from starlette.datastructures import Headers

from stream_detector.serving.refusal import RefusalError


def check_token(headers: Headers, token: SecretStr | None) -> None:
    """Let the request pass if it bears the token, or if none is set.

    Raises:
        RefusalError: it doesn't.
    """
    if token is None:
        return
    scheme, _, given = headers.get("authorization", "").partition(" ")
    # Compared in constant time: how long a wrong one takes says nothing about the right one.
    same = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), token.get_secret_value().encode())
    if scheme.lower() != "bearer" or not same:
        raise RefusalError(
            HTTPStatus.UNAUTHORIZED,
            "no_token",
            "the request doesn't bear the token",
            "send Authorization: Bearer and the value of http_token",
            field="Authorization",
            headers={"WWW-Authenticate": "Bearer"},
        )
