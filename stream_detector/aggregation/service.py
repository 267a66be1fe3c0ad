"""`stream-detector aggregate` as a process: waits for Kafka, runs the Faust application, and leaves in good order."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable
from typing import Any, Final

import faust
import structlog
from confluent_kafka import KafkaException
from faust.types import TP

from stream_detector.aggregation.aggregator import Aggregator
from stream_detector.aggregation.kafka import make_app
from stream_detector.aggregation.page import add_pages
from stream_detector.aggregation.rules import Rules
from stream_detector.detection.fingerprints import key_of
from stream_detector.errors import ConfigurationError, DeadLetterLimitError, FatalDeliveryError, GaveUpError
from stream_detector.observability import Metrics, ObservabilityServer, Readiness, State
from stream_detector.settings import Settings
from stream_detector.streaming.clients import ClientErrors, make_admin
from stream_detector.streaming.topics import UnreachableError, aggregation_topics, require_topics

_REST_S: Final = 2.0
_CALL_S: Final = 5.0
#: How long leaving may take; what isn't done by then is done again by the next process.
_STOP_S: Final = 20.0
_KAFKA_ERRORS: Final = ("KafkaError", "KafkaTimeoutError", "KafkaConnectionError", "ProducerSendError", "NodeNotReadyError")

_log = structlog.get_logger()


def run(settings: Settings) -> None:
    """Aggregate until SIGTERM or SIGINT; a second one ends the process at once.

    Raises:
        ConfigurationError: a setting is wrong, topics are missing or don't fit together, or an address is taken.
        DeadLetterLimitError: so many records can't be read that a topic must be wrong.
        GaveUpError: Kafka was away for too long, or something failed that a new process may do better.
    """
    rules = Rules.of(settings.aggregation)
    metrics, readiness = Metrics(), Readiness()
    _quiet_libraries()
    with ObservabilityServer(settings, metrics, readiness) as server:
        _log.info("serving metrics", url=f"http://{settings.http_host}:{server.port}/metrics")
        metrics.kafka_reachable.set_function(lambda: float(readiness.state is not State.KAFKA_UNREACHABLE))
        key = key_of(settings, settings.aggregation.data_directory)
        asyncio.run(_Run(settings, rules, key, metrics, readiness).run())
        readiness.set(State.STOPPED)


class _Run:
    """One life of the application."""

    def __init__(self, settings: Settings, rules: Rules, key: bytes, metrics: Metrics, readiness: Readiness) -> None:
        self._settings = settings
        self._rules = rules
        self._key = key
        self._metrics = metrics
        self._readiness = readiness
        self._stopping = asyncio.Event()
        self._deaf = asyncio.Event()

    async def run(self) -> None:
        """Until it is told to stop, or can't go on."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop, number)
        logging.getLogger("aiokafka").addHandler(_Alarm(lambda: loop.call_soon_threadsafe(self._deaf.set)))
        partitions = await self._reach()
        if partitions is None:
            return
        web_port = _free_port(self._settings)
        app = make_app(self._settings, web_port=web_port)
        aggregator = Aggregator(app, self._settings, self._rules, key=self._key, partitions=partitions, metrics=self._metrics)
        add_pages(app, aggregator.book, ready=lambda: self._readiness.state is not State.STARTING)
        _log.info("serving the top partners", url=f"http://{self._settings.http_host}:{web_port}/")
        starting = asyncio.ensure_future(app.start())
        ended = asyncio.ensure_future(self._ended(app, starting))
        observed = asyncio.ensure_future(self._observe(app, aggregator))
        ends = [ended, asyncio.ensure_future(self._stopping.wait()), asyncio.ensure_future(self._deaf.wait())]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        self._readiness.set(State.DRAINING)
        observed.cancel()
        crashed = app.crash_reason
        await self._leave(app, starting)
        if ended.done() and ended.exception() is not None:
            crashed = ended.exception()
        if self._deaf.is_set():
            raise GaveUpError("aggregate: the consumer has lost its group and idles; nothing is lost: start it again")
        if crashed is not None:
            _raise(crashed)

    def _stop(self, number: int) -> None:
        if self._stopping.is_set():
            os._exit(128 + number)
        self._stopping.set()

    async def _reach(self) -> int | None:
        """Wait for Kafka; the number of partitions of the topic of cases, or None if it is told to stop meanwhile."""
        errors = ClientErrors()
        admin = make_admin(self._settings, {"error_cb": errors})
        names = (self._settings.topics.violations, *aggregation_topics(self._settings))
        while not self._stopping.is_set():
            try:
                await asyncio.to_thread(require_topics, admin, names, errors, self._settings)
                return await asyncio.to_thread(self._partitions, admin)
            except (UnreachableError, KafkaException) as error:
                if errors.refused:
                    raise
                self._readiness.set(State.KAFKA_UNREACHABLE)
                _log.warning("kafka unreachable, trying again", cause=str(error))
                await self._rest(_REST_S)
        return None

    def _partitions(self, admin: Any) -> int:
        """All of the program's own topics have as many partitions: what is about one partner has one number in each."""
        topics = self._settings.topics
        own = (topics.partner_cases, topics.partner_cases_state, topics.partner_episodes_state, topics.repeat_offenders)
        found = {name: len(admin.list_topics(name, timeout=_CALL_S).topics[name].partitions) for name in own}
        if len(set(found.values())) > 1:
            counts = ", ".join(f"{name} has {count}" for name, count in found.items())
            raise ConfigurationError(
                f"topics: {counts} partitions; they must have the same number: make those anew that differ"
                " (stream-detector topics create makes them alike)"
            )
        return found[topics.partner_cases]

    async def _ended(self, app: faust.App, starting: asyncio.Future[Any]) -> None:
        await starting
        self._readiness.set(State.READY)
        await app.wait_until_stopped()

    async def _observe(self, app: faust.App, aggregator: Aggregator) -> None:
        """Ask Kafka now and then how far the inputs go: that is the lag, and whether Kafka is there."""
        while True:
            await asyncio.sleep(_CALL_S)
            if not self._readiness_known():
                continue
            mine = [tp for tp in app.consumer.assignment() if tp.topic in aggregator.inputs]
            try:
                ends = await asyncio.wait_for(app.consumer.highwaters(*mine), _CALL_S) if mine else {}
                lags = {tp: end - await self._position(app, aggregator, tp) for tp, end in ends.items()}
            except Exception as error:  # noqa: BLE001 - whatever it is: Kafka doesn't answer
                if self._readiness.set(State.KAFKA_UNREACHABLE):
                    _log.warning("kafka unreachable", cause=type(error).__name__)
                continue
            if self._readiness.set(State.READY):
                _log.info("kafka reachable")
            self._metrics.aggregation_lag.clear()
            for tp, lag in lags.items():
                self._metrics.aggregation_lag.labels(tp.topic, str(tp.partition)).set(max(0, lag))

    def _readiness_known(self) -> bool:
        return self._readiness.state in {State.READY, State.KAFKA_UNREACHABLE}

    async def _position(self, app: faust.App, aggregator: Aggregator, tp: TP) -> int:
        taken = aggregator.taken.get((tp.topic, tp.partition))
        return taken if taken is not None else (await app.consumer.position(tp) or 0)

    async def _leave(self, app: faust.App, starting: asyncio.Future[Any]) -> None:
        starting.cancel()
        try:
            await asyncio.wait_for(app.stop(), _STOP_S)
        except TimeoutError:
            _log.warning("leaving took too long; what is in flight will be done again", seconds=_STOP_S)

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return


def _free_port(settings: Settings) -> int:
    """The port for the page, found free just now: Faust's own error would not name the setting."""
    port = settings.aggregation.web_port
    with socket.socket(socket.AF_INET6 if ":" in settings.http_host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.http_host, port))
        except OSError as error:
            raise ConfigurationError(
                f"aggregation.web_port: can't listen on {settings.http_host}:{port} ({error.strerror}); set another http_host or"
                " aggregation.web_port (0 takes a free one)"
            ) from None
        number: int = probe.getsockname()[1]
        return number


def _raise(reason: BaseException) -> None:
    if isinstance(reason, (ConfigurationError, DeadLetterLimitError, FatalDeliveryError)):
        raise reason
    name = type(reason).__name__
    what = "Kafka failed for too long" if name in _KAFKA_ERRORS else "an error in the program or in Faust"
    raise GaveUpError(f"aggregate: {what} ({name}); nothing is lost: start it again") from None


class _Alarm(logging.Handler):
    """aiokafka only logs that its coordinator has died; its consumer then idles for good."""

    def __init__(self, sound: Callable[[], object]) -> None:
        super().__init__(logging.ERROR)
        self._sound = sound

    def emit(self, record: logging.LogRecord) -> None:
        """Sound it."""
        if "Unexpected error in coordinator" in record.getMessage():
            self._sound()


class _Discreet(logging.Filter):
    """Faust writes keys and values of messages into its warnings, and stack traces; neither is for a log."""

    def filter(self, line: logging.LogRecord) -> bool:
        """Whether a line goes out, made discreet."""
        message = line.getMessage()
        if "Topic creation disabled" in message:
            return False
        if line.exc_info:
            kind = line.exc_info[0]
            line.msg, line.args = f"{message.partition('reason=')[0]}({kind.__name__ if kind else 'error'})", None
            line.exc_info, line.exc_text = None, None
        elif "_on_published error" in message:
            line.msg, line.args = "a message can't be written", None
        return True


def _quiet_libraries() -> None:
    discreet = _Discreet()
    for handler in logging.getLogger().handlers:
        handler.addFilter(discreet)
    for name in ("faust", "mode", "aiokafka", "aiohttp", "asyncio", "stream_detector.aggregation"):
        logging.getLogger(name).setLevel(logging.WARNING)
