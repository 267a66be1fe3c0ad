"""What a browser keeps between pages, in a signed cookie: the token of its forms, its preferences, what can be undone."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import MutableMapping
from http import HTTPStatus
from typing import Any, Final

from starlette.datastructures import FormData
from starlette.requests import Request

from stream_detector.review.web.people import Person
from stream_detector.review.web.refusals import PageError

COOKIE: Final = "stream_detector_console"
TOKEN_HEADER: Final = "X-CSRF-Token"  # noqa: S105 - a header's name
TOKEN_FIELD: Final = "csrf"  # noqa: S105 - a field's name

Session = MutableMapping[str, Any]


def begin(session: Session, person: Person) -> bool:
    """Make a session fit for somebody; say whether it is new. A browser that changes hands starts anew."""
    if session.get("for") == person.name and isinstance(session.get(TOKEN_FIELD), str):
        return False
    kept = {name: session[name] for name in ("theme", "keys") if name in session}
    session.clear()
    session.update(kept)
    session["for"] = person.name
    session[TOKEN_FIELD] = secrets.token_urlsafe(24)
    return True


def check_token(request: Request, form: FormData) -> None:
    """Let a POST pass that comes from one of the console's own pages.

    Raises:
        PageError: it doesn't.
    """
    expected = str(request.session.get(TOKEN_FIELD, ""))
    given = request.headers.get(TOKEN_HEADER) or form.get(TOKEN_FIELD) or ""
    # Browsers say where a request comes from; a form on another site can't say "same-origin".
    elsewhere = request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}
    if elsewhere or not expected or not isinstance(given, str) or not hmac.compare_digest(given.encode(), expected.encode()):
        raise PageError(
            HTTPStatus.FORBIDDEN,
            "This form was not sent from a page of the console, or the page is too old.",
            "Nothing was done. Go back, load the page again, and repeat it.",
        )
