"""Pages that say no: what is wrong, and what to do about it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from stream_detector.errors import (
    ClaimedError,
    DecidedError,
    ReviewError,
    StreamDetectorError,
    UnknownCaseError,
    VerdictError,
)
from stream_detector.review.web.rendering import ENVIRONMENT

_STATUSES: Final[dict[type[ReviewError], HTTPStatus]] = {
    UnknownCaseError: HTTPStatus.NOT_FOUND,
    ClaimedError: HTTPStatus.CONFLICT,
    DecidedError: HTTPStatus.CONFLICT,
    VerdictError: HTTPStatus.UNPROCESSABLE_ENTITY,
}


class PageError(StreamDetectorError):
    """A page is refused.

    Args:
        status: of the answer.
        fault: what is wrong, a sentence.
        remedy: what to do about it, a sentence.
    """

    def __init__(self, status: HTTPStatus, fault: str, remedy: str) -> None:
        super().__init__(f"{fault} {remedy}")
        self.status: Final = status
        self.fault: Final = fault
        self.remedy: Final = remedy

    @classmethod
    def of(cls, error: ReviewError) -> PageError:
        """What the store refused, as a page."""
        status = next((status for kind, status in _STATUSES.items() if isinstance(error, kind)), HTTPStatus.CONFLICT)
        fault, _, remedy = str(error).partition("; ")
        return cls(status, f"{fault[:1].upper()}{fault[1:]}.", f"{remedy[:1].upper()}{remedy[1:]}." if remedy else "")


def refusal_response(error: PageError, request: Request | None = None) -> Response:
    """The page; a piece of one where htmx asked, which shows it in place."""
    piece = request is not None and "hx-request" in request.headers
    template = ENVIRONMENT.get_template("refusal_piece.html" if piece else "refusal.html")
    return Response(template.render(error=error), error.status, media_type="text/html")
