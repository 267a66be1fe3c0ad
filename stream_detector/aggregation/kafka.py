"""How Faust reaches Kafka: its application made from our settings, reading only what was committed."""

from __future__ import annotations

import ssl
from typing import Final

import faust
import structlog
from faust.auth import SASLCredentials, SSLCredentials
from faust.transport.drivers import aiokafka as driver
from mode.supervisors import CrashingSupervisor

from stream_detector.errors import ConfigurationError
from stream_detector.settings import Settings, StateStore

#: Brokers allow no less by default: a dead process's partitions go to others after so long.
_SESSION_S: Final = 6.0
#: How long a record may wait to be written while Kafka is away; then the process ends and says so.
_DELIVERY_S: Final = 300.0
#: What of the settings' [kafka] table this client understands.
_UNDERSTOOD: Final = frozenset(
    {
        "security.protocol",
        "sasl.mechanism",
        "sasl.mechanisms",
        "sasl.username",
        "sasl.password",
        "ssl.ca.location",
        "ssl.certificate.location",
        "ssl.key.location",
        "ssl.key.password",
        "ssl.endpoint.identification.algorithm",
    }
)
_MECHANISMS: Final = frozenset({"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"})

_log = structlog.get_logger()


class _ConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust reads what was aborted, too, unless it writes in transactions itself; violations are written in transactions."""

    def _create_worker_consumer(self, transport: driver.Transport) -> object:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"  # noqa: SLF001 - neither Faust nor aiokafka has another way in
        return consumer


class _Consumer(driver.Consumer):
    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)


class _Transport(driver.Transport):
    Consumer = _Consumer


def make_app(settings: Settings, *, web_port: int) -> faust.App:
    """The Faust application, without tables and agents.

    Raises:
        ConfigurationError: the [kafka] table asks for something that this client can't do.
    """
    ours = settings.aggregation
    ignored = sorted(settings.kafka.keys() - _UNDERSTOOD)
    if ignored:
        _log.warning("settings of other Kafka clients, without meaning to this one", keys=ignored)
    security = _security(settings)
    app = faust.App(
        ours.group_id,
        broker=[f"aiokafka://{address.strip()}" for address in settings.bootstrap_servers.split(",")],
        broker_credentials=security,
        broker_client_id=ours.group_id,
        # No group.instance.id: after a kill aiokafka's coordinator sometimes dies of it, and the consumer idles.
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=_SESSION_S,
        broker_heartbeat_interval=_SESSION_S / 3,
        broker_commit_interval=1.0,
        producer_request_timeout=_DELIVERY_S,
        # Topics are made by `topics create`; one that is missing is a mistake.
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        # An error that nobody foresaw ends the process: the record is not done, and comes again.
        agent_supervisor=CrashingSupervisor,
        store="memory://" if ours.store is StateStore.MEMORY else "rocksdb://?driver=rocksdict",
        datadir=str(ours.data_directory),
        autodiscover=False,
        web_bind=settings.http_host,
        web_host=settings.http_host,
        web_port=web_port,
        # Their pages show whole tables, and take commands.
        web_router_enabled=False,
        web_tables_enabled=False,
        web_graph_enabled=False,
        web_stats_enabled=False,
        web_metrics_enabled=False,
    )
    app.transport = _Transport(app.conf.broker_consumer, app)
    return app


def _security(settings: Settings) -> SSLCredentials | SASLCredentials | None:
    keys = settings.kafka
    protocol = keys.get("security.protocol", "PLAINTEXT").upper()
    context = _tls(settings) if protocol in {"SSL", "SASL_SSL"} else None
    match protocol:
        case "PLAINTEXT":
            return None
        case "SSL":
            return SSLCredentials(context)
        case "SASL_SSL" | "SASL_PLAINTEXT":
            mechanism = (keys.get("sasl.mechanism") or keys.get("sasl.mechanisms") or "PLAIN").upper()
            if mechanism not in _MECHANISMS:
                raise ConfigurationError(
                    f"kafka.sasl.mechanism: aggregate can't use {mechanism}; give it one of {', '.join(sorted(_MECHANISMS))}"
                )
            for key in ("sasl.username", "sasl.password"):
                if key not in keys:
                    raise ConfigurationError(f"kafka.{key}: is needed with {protocol}; set it")
            return SASLCredentials(
                username=keys["sasl.username"], password=keys["sasl.password"], mechanism=mechanism, ssl_context=context
            )
        case _:
            raise ConfigurationError(f"kafka.security.protocol: {protocol} is unknown; PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL")


def _tls(settings: Settings) -> ssl.SSLContext:
    keys = settings.kafka
    for pem in ("ssl.ca.pem", "ssl.certificate.pem", "ssl.key.pem"):
        if pem in keys:
            raise ConfigurationError(
                f"kafka.{pem}: aggregate reads certificates from files; set {pem.replace('.pem', '.location')}"
            )
    at = "ssl.ca.location"
    try:
        context = ssl.create_default_context(cafile=keys.get(at))
        if "ssl.certificate.location" in keys:
            at = "ssl.certificate.location"
            # An empty password: a key that needs one is an error here, not a question on the terminal.
            context.load_cert_chain(keys[at], keys.get("ssl.key.location"), keys.get("ssl.key.password", ""))
    except OSError as error:
        raise ConfigurationError(f"kafka.{at}: {keys.get(at)}: {error.strerror or error}; name files in PEM format") from None
    if keys.get("ssl.endpoint.identification.algorithm", "https").lower() == "none":
        context.check_hostname = False
    return context
