"""Makes a backend of a network: one queue for all who submit, and a thread a session that takes the next run out of it.

Whoever submits (the worker, concurrent requests of the predictor) shares runs with the others, because the queue is one.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Condition, Thread
from typing import Final, NamedTuple

from stream_detector.batching import CloseReason, CostModel, Run, Timing, Waiting, next_run
from stream_detector.inference.backend import Network, WindowOutput
from stream_detector.inference.padding import pad
from stream_detector.inference.timing import time_network
from stream_detector.observability import Metrics

# One token before a window and one after it.
_SPECIAL: Final = 2


class _Job(NamedTuple):
    tokens: Sequence[int]
    future: Future[WindowOutput]
    owed: float


class Dispatcher:
    """Runs windows on a network, in the order and company that the scheduler chooses.

    Args:
        network: the hardware.
        special: the token numbers put before and after each window.
        promise_s: the deadline of a window that is submitted without one, in seconds from then.
        metrics: where runs, padding and the cost model's errors are counted.
        clock: seconds, of the deadlines.
    """

    def __init__(
        self,
        network: Network,
        *,
        special: tuple[int, int],
        promise_s: float = 0.25,
        metrics: Metrics | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.costs = CostModel()
        self._network = network
        self._special = special
        self._promise_s = promise_s
        self._metrics = metrics or Metrics()
        self._clock = clock
        # Guards the queue: `_waiting` and `_jobs` are one list, in two halves because the scheduler needs only the first.
        self._changed = Condition()
        self._waiting: list[Waiting] = []
        self._jobs: list[_Job] = []
        self._owed = 0.0
        self._closed = False
        self._threads = [
            Thread(target=self._serve, name=f"inference-{number}", daemon=True) for number in range(network.sessions)
        ]  # fmt: skip
        for thread in self._threads:
            thread.start()

    @property
    def name(self) -> str:
        """What runs where, for responses and metrics."""
        return self._network.name

    @property
    def seconds_left(self) -> float:
        """How long the sessions are expected to be busy with what was submitted so far."""
        return max(0.0, self._owed) / self._network.sessions

    def measure(self, longest: int, *, budget_s: float) -> None:
        """Time the network at a few points and fit the cost model to them.

        Args:
            longest: tokens of the longest window there will be, special ones included.
            budget_s: no further run is begun after so many seconds, once each point was timed.
        """
        self.costs.fit(time_network(self._network, self._special, longest, budget_s=budget_s))

    def submit(self, tokens: Sequence[int], *, deadline: float | None = None) -> Future[WindowOutput]:
        """Queue one window.

        Raises:
            ValueError: no shape of the network is long enough for it.
            RuntimeError: the dispatcher was closed.
        """
        limits, length = self._network.limits, len(tokens) + _SPECIAL
        rows = limits.room(length)
        # What it adds to the work in the best company it can have.
        owed = self.costs.seconds(*limits.shape(rows, length)) / rows
        job = _Job(tokens, Future(), owed)
        waiting = Waiting(self._clock() + self._promise_s if deadline is None else deadline, length)
        with self._changed:
            if self._closed:
                raise RuntimeError("the backend is closed; make a new one")
            at = bisect_right(self._waiting, waiting.deadline, key=lambda other: other.deadline)
            self._waiting.insert(at, waiting)
            self._jobs.insert(at, job)
            self._owed += owed
            self._changed.notify()
        return job.future

    def close(self) -> None:
        """Cancel what waits, wait for what runs, then end the threads."""
        with self._changed:
            self._closed = True
            jobs, self._jobs, self._waiting = self._jobs, [], []
            self._changed.notify_all()
        # Without the lock: whoever hears of it may have one of their own.
        for job in jobs:
            job.future.cancel()
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        while True:
            with self._changed:
                run = self._next()
                while run is None and not self._closed:
                    self._changed.wait()
                    run = self._next()
                if run is None:
                    return
                jobs = [self._jobs[at] for at in run.members]
                for at in sorted(run.members, reverse=True):
                    del self._waiting[at], self._jobs[at]
            self._metrics.runs.labels(run.reason.value).inc()
            self._run(run, [job for job in jobs if job.future.set_running_or_notify_cancel()])
            with self._changed:
                self._owed = self._owed - sum(job.owed for job in jobs) if self._jobs else 0.0

    def _next(self) -> Run | None:
        return next_run(self._waiting, self._clock(), self.costs, self._network.limits)

    def _run(self, run: Run, jobs: Sequence[_Job]) -> None:
        if not jobs:
            return
        try:
            ids, mask = pad([job.tokens for job in jobs], run.shape, self._special)
            start = time.perf_counter()
            logits, tags = self._network.run(ids, mask)
            seconds = time.perf_counter() - start
        except Exception as error:  # noqa: BLE001 - whatever a network raises belongs to whoever waits for its answer
            if len(jobs) == 1:
                jobs[0].future.set_exception(error)
                return
            # One of them is poison: alone it fails, and strangers in the same run get their answers.
            for job in jobs:
                self._run(Run((0,), self._network.limits.shape(1, len(job.tokens) + _SPECIAL), CloseReason.IDLE), [job])
            return
        self._count(run, jobs, seconds)
        for row, job in enumerate(jobs):
            job.future.set_result(WindowOutput(float(logits[row]), tags[row, 1 : len(job.tokens) + 1]))

    def _count(self, run: Run, jobs: Sequence[_Job], seconds: float) -> None:
        self._metrics.network_seconds.labels("foretold").inc(self.costs.seconds(*run.shape))
        self._metrics.network_seconds.labels("measured").inc(seconds)
        self._metrics.cost_error.observe(self.costs.learn(Timing(*run.shape, seconds)))
        text = sum(len(job.tokens) + _SPECIAL for job in jobs)
        self._metrics.tokens.labels("text").inc(text)
        self._metrics.tokens.labels("padding").inc(run.shape.rows * run.shape.length - text)
