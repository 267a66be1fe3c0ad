"""What somebody prefers: light or dark, single keys or none. Kept in the session alone."""

from __future__ import annotations

from starlette.responses import Response

from stream_detector.review.web.visit import Visit


def change(visit: Visit) -> Response:
    """Keep a preference, and go back to where it was changed."""
    for name, allowed in (("theme", ("auto", "light", "dark")), ("keys", ("on", "off"))):
        if visit.text(name) in allowed:
            visit.request.session[name] = visit.text(name)
    return visit.go(back(visit.text("back")))


def back(address: str) -> str:
    """A page of this console, whatever an address says."""
    # Browsers read "//host" and "/\host" as addresses elsewhere, and skip control characters while they do.
    here = address.startswith("/") and address[1:2] not in {"/", "\\"} and address.isprintable()
    return address if here else "/queue"
