"""A request that isn't answered with verdicts: what is wrong, where, and how to mend it, as RFC 9457 writes it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, Self

import orjson
from starlette.responses import Response

from stream_detector.errors import DecodeError, DecodeReason, StreamDetectorError

PROBLEM_JSON: Final = "application/problem+json"

#: Faults of the bytes, and of this program; every other one is a fault of the content.
_STATUSES: Final = {
    DecodeReason.INVALID_UTF8: HTTPStatus.BAD_REQUEST,
    DecodeReason.INVALID_JSON: HTTPStatus.BAD_REQUEST,
    DecodeReason.TOO_DEEP: HTTPStatus.BAD_REQUEST,
    DecodeReason.DUPLICATE_KEY: HTTPStatus.BAD_REQUEST,
    DecodeReason.NOT_A_NUMBER: HTTPStatus.BAD_REQUEST,
    DecodeReason.EMPTY_VALUE: HTTPStatus.BAD_REQUEST,
    DecodeReason.SCORING_FAILED: HTTPStatus.INTERNAL_SERVER_ERROR,
}


class RefusalError(StreamDetectorError):
    """A request is refused.

    Args:
        status: of the answer.
        reason: the class of the fault, one of a fixed few: it labels a metric.
        fault: what is wrong, without any part of the request.
        remedy: how to mend it.
        field: where, in wire spelling; in a batch it begins with the request's position, counted from 0.
        headers: of the answer.
    """

    def __init__(
        self,
        status: HTTPStatus,
        reason: str,
        fault: str,
        remedy: str,
        *,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{field}: {fault}; {remedy}" if field else f"{fault}; {remedy}")
        self.status: Final = status
        self.reason: Final = reason
        self.fault: Final = fault
        self.remedy: Final = remedy
        self.field: Final = field
        self.headers: Final = headers

    @classmethod
    def of(cls, error: DecodeError) -> Self:
        """The refusal of a body that can't be read."""
        status = _STATUSES.get(error.reason, HTTPStatus.UNPROCESSABLE_ENTITY)
        message = str(error).removeprefix(f"{error.field}: ")
        fault, _, remedy = message.rpartition("; ")
        return cls(status, error.reason.value, fault, remedy, field=error.field)

    def response(self) -> Response:
        """The answer."""
        document: dict[str, object] = {"type": "about:blank", "title": self.status.phrase, "status": self.status.value}
        if self.field is not None:
            document["field"] = self.field
        document |= {"reason": self.reason, "detail": self.fault, "remedy": self.remedy}
        return Response(orjson.dumps(document), self.status, self.headers, media_type=PROBLEM_JSON)
