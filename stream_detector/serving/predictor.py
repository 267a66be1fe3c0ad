"""From a body to the body of its answer, and who gets a turn: the part of the predictor that knows no HTTP framework.

Every request that is let in has a thread at once. It tokenizes there, hands its windows to the one queue of the detector's
backend, where the scheduler runs them by deadline together with those of the others, and waits for them. So there is a single
queue in which requests wait, and what waits in it is known in seconds.
"""

from __future__ import annotations

import asyncio
import contextvars
import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

import structlog

from stream_detector.contracts import ScoringRequest, ScoringResponse, decode_batch, encode
from stream_detector.errors import DecodeError
from stream_detector.observability import Metrics
from stream_detector.serving.refusal import RefusalError
from stream_detector.settings import Settings

if TYPE_CHECKING:
    from stream_detector.serving.traces import ScoringSpans


class Scorer(Protocol):
    """What the predictor needs of a detector; safe to share between threads."""

    @property
    def seconds_left(self) -> float:
        """How long the network is expected to be busy with what was begun so far."""

    def score(self, texts: Sequence[Mapping[str, str]], *, deadline: float | None = None) -> list[ScoringResponse]:
        """One response for each group of texts; the deadline is on the clock of `time.monotonic`."""


class Predictor:
    """Answers requests with a scorer, once there is one.

    Args:
        settings: limits.
        metrics: where verdicts are counted.
        spans: makes spans of the stages; None: nothing is traced.
    """

    def __init__(self, settings: Settings, metrics: Metrics, *, spans: ScoringSpans | None = None) -> None:
        self.scorer: Scorer | None = None
        self._most = settings.http_max_waiting
        self._budget_s = settings.http_queue_ms / 1000
        self._promise_s = settings.promise_ms / 1000
        self._timeout_s = settings.http_timeout_ms / 1000
        self._max_batch = settings.http_max_batch
        self._metrics = metrics
        self._spans = spans
        self._inside = 0
        self._pool = ThreadPoolExecutor(self._most, thread_name_prefix="request")

    async def answer(self, payload: bytes) -> bytes:
        """Score the request, or the batch of them, in a body; give the body of the answer.

        Raises:
            RefusalError: it can't be read, can't be scored, or has no room.
        """
        return await self.run(self._answer, payload, within_s=self._promise_s)

    async def run(self, work_on: Callable[[Scorer, bytes, float], bytes], payload: bytes, *, within_s: float) -> bytes:
        """Give a body its turn in a thread.

        Args:
            work_on: makes the body of the answer of scorer, body and deadline, and may raise a RefusalError.
            payload: the body.
            within_s: seconds from now to the deadline.

        Raises:
            RefusalError: there is no room, or it takes too long.
        """
        scorer = self._let_in()
        # The promise counts from when all of the request is there: a slow sender doesn't make its request more urgent.
        deadline = time.monotonic() + within_s
        self._inside += 1
        # The context goes along: what is logged in the thread bears the ids of the request's span.
        context = contextvars.copy_context()
        work = asyncio.get_running_loop().run_in_executor(self._pool, context.run, work_on, scorer, payload, deadline)
        work.add_done_callback(self._leave)
        done, _ = await asyncio.wait({work}, timeout=self._timeout_s)
        if not done:
            raise RefusalError(
                HTTPStatus.GATEWAY_TIMEOUT,
                "late_verdict",
                f"no verdict after {self._timeout_s:g} s",
                "send fewer texts at once, or raise http_timeout_ms",
            )
        return work.result()

    def close(self) -> None:
        """Take no more; what is running ends with the scorer."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _let_in(self) -> Scorer:
        """The scorer, if there is one and room for one more request."""
        if self.scorer is None:
            raise _busy("starting", "the model is being loaded", seconds=1)
        if self._inside >= self._most:
            raise _busy("too_many", f"{self._most} requests are being answered", seconds=1)
        wait_s = self.scorer.seconds_left
        if wait_s > self._budget_s:
            raise _busy("queue_full", f"the queue takes {wait_s:.1f} s, more than the {self._budget_s:g} s allowed", seconds=wait_s)
        return self.scorer

    def _leave(self, work: asyncio.Future[bytes]) -> None:
        # A request keeps its place until its thread is free, even if nobody waits for its answer any more.
        self._inside -= 1
        if not work.cancelled():
            work.exception()  # looked at here, or asyncio would print one that came too late for an answer

    def _answer(self, scorer: Scorer, payload: bytes, deadline: float) -> bytes:
        try:
            with self._stage("decode"):
                asked = decode_batch(ScoringRequest, payload, max_items=self._max_batch)
        except DecodeError as error:
            raise RefusalError.of(error) from None
        if isinstance(asked, ScoringRequest):
            return encode(self._score(scorer, [asked], deadline)[0])
        return b"[" + b",".join(map(encode, self._score(scorer, asked, deadline))) + b"]"

    def _score(self, scorer: Scorer, requests: Sequence[ScoringRequest], deadline: float) -> list[ScoringResponse]:
        try:
            with self._stage("score"):
                responses = scorer.score([request.texts for request in requests], deadline=deadline)
                if self._spans is not None:
                    self._spans.scored(responses)
        except Exception as error:  # noqa: BLE001 - a model may raise anything; its message may quote the text
            raise _failed(scorer, requests, error) from None
        for response in responses:
            self._metrics.http_scores.labels(response.score_details.label.value).inc()
        return responses

    def _stage(self, name: str) -> AbstractContextManager[None]:
        return nullcontext() if self._spans is None else self._spans.stage(name)


def _busy(reason: str, fault: str, *, seconds: float) -> RefusalError:
    again = max(1, math.ceil(seconds))
    return RefusalError(
        HTTPStatus.SERVICE_UNAVAILABLE, reason, fault, f"send it again in {again} s", headers={"Retry-After": str(again)}
    )


def _failed(scorer: Scorer, requests: Sequence[ScoringRequest], error: Exception) -> RefusalError:
    """Say on which request of a batch the model failed: the sender can have the verdicts on the others."""
    field = None
    for position, request in enumerate(requests if len(requests) > 1 else ()):
        try:
            scorer.score([request.texts])
        except Exception as alone:  # noqa: BLE001 - as above
            field, error = str(position), alone
            break
    structlog.get_logger().error("scoring failed", error=type(error).__name__)
    return RefusalError(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "scoring_failed",
        f"scoring raised {type(error).__name__}",
        "leave this request out, and tell the operator" if field else "tell the operator",
        field=field,
    )
