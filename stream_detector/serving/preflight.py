"""POST /preflight: what an author should take out before publishing, so that an honest one never comes to a reviewer.

It says where and what, and nothing about how sure the model is: enough to mend a text, too little to train one against it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import structlog
from starlette.requests import Request

from stream_detector.contracts import PreflightResponse, ScoringRequest, TakeOut, decode, encode
from stream_detector.detection.redaction import redact
from stream_detector.errors import DecodeError
from stream_detector.serving.allowance import Allowances, network_of
from stream_detector.serving.predictor import Predictor, Scorer
from stream_detector.serving.refusal import RefusalError
from stream_detector.settings import Settings
from stream_detector.text.masking import mask

# A person waits for it, an event's 250 ms don't depend on it: texts of the stream go first.
_WITHIN_S: Final = 1.0


class Preflight:
    """Answers authors.

    Args:
        settings: limits.
        predictor: has the scorer, and a turn for each request.
        clock: seconds that never go back.
    """

    def __init__(self, settings: Settings, predictor: Predictor, clock: Callable[[], float] = time.monotonic) -> None:
        self._predictor = predictor
        self._header = settings.preflight_caller_header
        self._max_bytes = settings.http_max_body_bytes
        self._allowances = Allowances(settings.preflight_per_minute, settings.preflight_burst, clock)

    def admit(self, request: Request) -> None:
        """Count a request of its caller.

        Raises:
            RefusalError: the caller has asked too often, or a proxy doesn't say who it is.
        """
        if self._header is None:
            caller = network_of(request.client.host if request.client else "")
        else:
            caller = request.headers.get(self._header, "")
            if not caller:
                raise RefusalError(
                    HTTPStatus.BAD_REQUEST,
                    "no_caller",
                    "the header that names the caller is missing",
                    "send it; preflight_caller_header says which it is",
                    field=self._header,
                )
        self._allowances.take(caller)

    async def answer(self, payload: bytes) -> bytes:
        """From the body of a request to the body of its answer.

        Raises:
            RefusalError: it can't be read, can't be scored, or has no room.
        """
        return await self._predictor.run(self._answer, payload, within_s=_WITHIN_S)

    def _answer(self, scorer: Scorer, payload: bytes, deadline: float) -> bytes:
        try:
            texts = decode(ScoringRequest, payload, max_bytes=self._max_bytes).texts
        except DecodeError as error:
            raise RefusalError.of(error) from None
        try:
            found = redact(scorer, texts, deadline=deadline)
        except Exception as error:  # noqa: BLE001 - a model may raise anything; its message may quote the text
            structlog.get_logger().error("scoring failed", error=type(error).__name__)
            raise RefusalError(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "scoring_failed",
                f"scoring raised {type(error).__name__}",
                "tell the operator",
            ) from None
        take_out = tuple(
            TakeOut(
                attribute=removal.attribute,
                start=removal.start,
                end=removal.end,
                kind=removal.kind,
                surface=mask(texts[removal.attribute][removal.start : removal.end]),
            )
            for removal in found.removals
        )
        return encode(
            PreflightResponse(
                publishable=found.clean and not take_out,
                take_out=take_out,
                suggested={attribute: text for attribute, text in found.texts.items() if text != texts[attribute]},
                complete=found.clean,
            )
        )
