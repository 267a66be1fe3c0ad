"""Settings: a TOML file, the environment and flags, in rising order of precedence.

Keys are the same everywhere: `bootstrap_servers` in the file, `STREAM_DETECTOR_BOOTSTRAP_SERVERS` in the environment,
`--bootstrap-servers` as a flag; nested keys take a double underscore in the environment (`STREAM_DETECTOR_TOPICS__BOOKINGS`)
and a dot in the file's table names (`[topics]`). A misspelt key is an error that names it.
"""

from __future__ import annotations

import os
import re
import tomllib
import typing
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from stream_detector.contracts import CloudEvents, EventType
from stream_detector.contracts.registry import RegistryInput, RegistryOutput, SubjectStrategy
from stream_detector.errors import ConfigurationError
from stream_detector.platforms import DEFAULT_PLATFORM_DOMAINS, DEFAULT_PLATFORM_NAMES

ENVIRONMENT_PREFIX = "STREAM_DETECTOR_"

#: librdkafka keys whose values nobody may see. Each can also be read from a file: its name with _file behind it.
SECRET_KAFKA_KEYS = frozenset(
    {
        "sasl.password",
        "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.config",
        "ssl.key.password",
        "ssl.key.pem",
        "ssl.keystore.password",
    }
)

#: Other secrets that the environment may hold in a file, and where they belong.
_SECRETS = {
    "HTTP_TOKEN": ("http_token",),
    "FINGERPRINT_KEY": ("fingerprint_key",),
    "REVIEW__SESSION_SECRET": ("review", "session_secret"),
    "REVIEW__DATABASE_URL": ("review", "database_url"),
}

#: A shorter key could be guessed.
MINIMUM_KEY_CHARACTERS = 32

_UNDERSCORED_KAFKA_KEYS = frozenset({"log_level"})


class BackendChoice(StrEnum):
    """What runs the network."""

    AUTO = "auto"
    ONNX = "onnx"
    NEURON = "neuron"


class Delivery(StrEnum):
    """How often a subscriber sees the outcome of one input record."""

    EXACTLY_ONCE = "exactly_once"
    AT_LEAST_ONCE = "at_least_once"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TopicSettings(_Section):
    """Names of the topics read and written."""

    bookings: str = Field(default="bookings", description="Topic of bookings.")
    listing_updates: str = Field(default="listing-updates", description="Topic of listing updates.")
    client_updates: str = Field(default="client-updates", description="Topic of client updates.")
    violations: str = Field(default="violations", description="Topic that violations are published to.")
    scores: str = Field(default="scores", description="Topic that every verdict is published to, if publish_scores is on.")
    reviews: str = Field(default="reviews", description="Topic of what reviewers decided.")
    repeat_offenders: str = Field(default="repeat-offenders", description="Topic of partners who do it again.")
    partner_cases: str = Field(default="partner-cases", description="Topic of what aggregate knows of violations, by partner.")
    partner_cases_state: str = Field(
        default="partner-cases-state", description="Changelog of what aggregate keeps of violations and reviews."
    )
    partner_episodes_state: str = Field(
        default="partner-episodes-state", description="Changelog of what aggregate keeps of partners at a level."
    )
    shadow: str = Field(
        default="shadow-disagreements", description="Topic of events that shadow_model gives another label, if there is one."
    )
    replays: str = Field(default="dead-letter-replays", description="Topic that says which dead letters were replayed.")
    dead_letter_suffix: str = Field(
        default=".dlq", description="What an input topic's name takes on to name its dead-letter topic."
    )

    @property
    def inputs(self) -> tuple[str, ...]:
        """The topics that the worker reads, in a fixed order."""
        return (self.bookings, self.listing_updates, self.client_updates)

    def dead_letters_of(self, topic: str) -> str:
        """Name of the dead-letter topic of an input topic."""
        return topic + self.dead_letter_suffix


class PolicySettings(_Section):
    """What the platform calls a violation, as far as configuration can say."""

    platform_names: tuple[str, ...] = Field(
        default=DEFAULT_PLATFORM_NAMES, description="Names of the platforms themselves: one neutral word to the model."
    )
    platform_domains: tuple[str, ...] = Field(
        default=DEFAULT_PLATFORM_DOMAINS, description="Domains of the platforms themselves: never a violation."
    )
    allowed_domains: tuple[str, ...] = Field(
        default=(), description="Domains of others that texts may name, such as the city's own; subdomains included."
    )
    event_types: tuple[EventType, ...] = Field(
        default=tuple(EventType), description="Event types whose texts are scored; events of the others are only counted."
    )
    train_on_reviews: bool = Field(
        default=False, description="Reviewed texts, their contacts replaced, may be trained on: train feedback asks this."
    )


class ReviewSettings(_Section):
    """The review console: where its store is, how decisions are made, who may come in, and what they may see."""

    folder: Path = Field(
        default=Path("review-data"), description="The console's own folder: its SQLite database, its key of fingerprints."
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="Where the store is: postgresql://user@host/database, or sqlite:///file; none: SQLite in its folder.",
    )
    undo_seconds: float = Field(
        default=5.0, ge=0, le=600, description="Seconds in which a decision can be taken back; it is published after them."
    )
    lease_seconds: float = Field(
        default=300.0, ge=5, le=86_400, description="Seconds that a case belongs to who took it, unless they go on working on it."
    )
    quality_share: float = Field(
        default=0.05, ge=0, le=1, description="Share of decided cases that a second reviewer is shown, without knowing."
    )
    user_header: str | None = Field(
        default=None, description="Header in which a trusted proxy names the person, such as X-Forwarded-Email; none: local mode."
    )
    groups_header: str | None = Field(
        default=None, description="Header in which it names the person's groups, comma-separated, such as X-Forwarded-Groups."
    )
    trusted_proxies: tuple[str, ...] = Field(
        default=("127.0.0.1", "::1"), description="Addresses or networks of proxies whose headers are believed."
    )
    hosts: tuple[str, ...] = Field(
        default=(), description="Names that browsers may ask the console by; none: loopback's in local mode, else any."
    )
    reviewer_groups: tuple[str, ...] = Field(default=("reviewer",), description="Groups whose members are reviewers.")
    lead_groups: tuple[str, ...] = Field(default=("lead",), description="Groups whose members are leads.")
    auditor_groups: tuple[str, ...] = Field(default=("auditor",), description="Groups whose members are auditors.")
    admin_groups: tuple[str, ...] = Field(default=("admin",), description="Groups whose members are admins.")
    unmask_roles: tuple[str, ...] = Field(
        default=("reviewer", "lead", "admin"), description="Roles that may see texts in the clear; each time is in the audit log."
    )
    session_secret: SecretStr | None = Field(
        default=None, description="What signs the console's cookies; none: made at the start, so that a restart forgets them."
    )

    @field_validator("session_secret")
    @classmethod
    def _long_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < 32:
            raise ValueError("must be at least 32 characters; openssl rand -hex 32 makes one")
        return value


class RegistrySettings(_Section):
    """A schema registry: events may come in its format, and violations and scores may go out in it."""

    url: str | None = Field(
        default=None, description="The registry's address, such as https://registry.example.org:8081; none: there is none."
    )
    input: RegistryInput = Field(
        default=RegistryInput.AUTO, description="Read events in the registry's format beside JSON (auto), or only JSON."
    )
    output: RegistryOutput = Field(
        default=RegistryOutput.NONE, description="Write violations and scores in the registry's format: JSON Schema or Avro."
    )
    subject_strategy: SubjectStrategy = Field(
        default=SubjectStrategy.TOPIC, description="What the schemas of violations and scores are filed under."
    )
    auto_register: bool = Field(default=False, description="File the schemas of violations and scores where they are missing.")
    username: str | None = Field(default=None, description="Name or API key, for basic authentication.")
    password: SecretStr | None = Field(default=None, description="Password or API secret; better in password_file.")
    password_file: Path | None = Field(default=None, description="File that holds nothing but the password or API secret.")
    ca_file: Path | None = Field(default=None, description="Certificates of who signed the registry's, as PEM.")
    certificate_file: Path | None = Field(default=None, description="The certificate to show to the registry, as PEM.")
    key_file: Path | None = Field(default=None, description="Its key, as PEM.")
    timeout_ms: int = Field(default=3000, ge=1, description="Milliseconds that the registry may take to answer.")

    @field_validator("url")
    @classmethod
    def _an_address(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"(https?://[^?#@\s,/]+[^?#@\s]*|mock://[^?#@\s]*)", value):
            raise ValueError(
                "must be a URL such as https://registry.example.org:8081; name and password go into username and password"
            )
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.output is not RegistryOutput.NONE and self.url is None:
            raise ValueError("output needs url")
        if (self.password or self.password_file) and self.username is None:
            raise ValueError("password needs username")
        if self.password and self.password_file:
            raise ValueError("password and password_file are both set; keep one")
        return self


class TracingSettings(_Section):
    """Traces by OpenTelemetry; what is left out here, the usual OTEL_ variables say."""

    enabled: bool = Field(default=False, description="Keep traces and send them to a collector by OTLP over HTTP.")
    otlp_endpoint: str | None = Field(
        default=None,
        description="The collector's address, such as http://localhost:4318; none: OTEL_EXPORTER_OTLP_ENDPOINT's, or that.",
    )
    sample_ratio: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Share of traces kept where a producer didn't decide; none: OTEL_TRACES_SAMPLER's, or 0.01.",
    )
    service_name: str | None = Field(
        default=None, min_length=1, description="What traces call this program; none: OTEL_SERVICE_NAME's, or stream-detector."
    )

    @field_validator("otlp_endpoint")
    @classmethod
    def _an_address(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[^/?#@\s]+(/[^?#\s]*)?", value):
            raise ValueError(
                "must be a URL such as http://localhost:4318; a collector's secrets go into OTEL_EXPORTER_OTLP_HEADERS"
            )
        return value


class StateStore(StrEnum):
    """Where aggregate holds its tables; their changelogs are in Kafka either way."""

    MEMORY = "memory"
    ROCKSDB = "rocksdb"


class AggregationSettings(_Section):
    """Repeat offenders: windows, levels, weights, and where the state is."""

    group_id: str = Field(default="stream-detector-aggregate", min_length=1, description="Consumer group of aggregate's processes.")
    windows: tuple[str, ...] = Field(
        default=(
            "1d/1h notice=2 warning=5 severe=10",
            "7d/6h notice=3 warning=8 severe=20",
            "30d/1d notice=5 warning=15 severe=40",
        ),
        description='Windows as "LENGTH/HOP LEVEL=POINTS …": hours (h) or days (d), and from how many points on a partner is told.',
    )
    weights: tuple[str, ...] = Field(
        default=("phone=1", "email=1", "url=1", "handle=1", "messenger=1", "payment=1.5", "solicitation=0.5", "none=0.5"),
        description="Points of a certain violation by its heaviest kind of evidence; none: without evidence.",
    )
    keep_days: int = Field(
        default=60,
        ge=2,
        le=3650,
        description="Days that a violation may lie behind its partner's newest one; older ones are forgotten.",
    )
    store: StateStore = Field(default=StateStore.MEMORY, description="Where tables are held: memory, or RocksDB in data_directory.")
    data_directory: Path = Field(
        default=Path("aggregate-data"), description="Folder for RocksDB, and for the key of fingerprints where none is set."
    )
    web_port: int = Field(
        default=8082, ge=0, le=65535, description="Port of the page with the top partners; 0 takes a free one and logs it."
    )


class Settings(_Section):
    """All settings of all commands."""

    bootstrap_servers: str = Field(default="localhost:9092", description="Kafka brokers, host:port, comma-separated.")
    group_id: str = Field(default="stream-detector", description="Consumer group of the workers.")
    delivery: Delivery = Field(default=Delivery.EXACTLY_ONCE, description="How often a subscriber sees the outcome of one record.")
    promise_ms: int = Field(default=250, ge=1, description="Milliseconds from an event's occurrence to its violation.")
    model: str = Field(default="contact-minilm-l6", description="A folder under models/, or a path.")
    threshold: float | None = Field(
        default=None, gt=0, lt=1, description="Probability from which a text is Fraud; else the manifest's."
    )
    model_reload_seconds: float = Field(
        default=10, ge=0, description="Seconds between looks whether a model's folder has changed; 0: only when told by SIGHUP."
    )
    shadow_model: str | None = Field(
        default=None, description="A second model that looks on: what it would decide otherwise goes to topics.shadow."
    )
    shadow_share: float = Field(default=0.1, ge=0, le=1, description="Share of the keys whose events shadow_model scores, if idle.")
    canary_model: str | None = Field(default=None, description="A second model that decides for a share of the keys.")
    canary_share: float = Field(default=0.05, ge=0, le=1, description="Share of the keys that canary_model decides for.")
    metrics_port: int = Field(
        default=9108, ge=0, le=65535, description="Port of /metrics, /healthz and /readyz; 0 takes a free one."
    )
    http_host: str = Field(default="127.0.0.1", description="Address that HTTP servers listen on.")
    http_port: int = Field(default=8080, ge=0, le=65535, description="Port of the predictor; 0 takes a free one and logs it.")
    http_token: SecretStr | None = Field(
        default=None, description="What POST /score must bear as Authorization: Bearer; none: anyone may ask."
    )
    http_max_body_bytes: int = Field(default=1024 * 1024, ge=1, description="A larger body of POST /score is refused.")
    http_max_batch: int = Field(default=64, ge=1, description="Most requests in one body of POST /score.")
    http_max_waiting: int = Field(default=64, ge=1, le=1024, description="Most bodies being scored at once, a thread each.")
    http_queue_ms: int = Field(
        default=1000, ge=1, description="Milliseconds of work queued from which POST /score is put off with Retry-After."
    )
    http_timeout_ms: int = Field(default=30_000, ge=1, description="Milliseconds for a body to arrive, and again for its verdict.")
    http_drain_ms: int = Field(
        default=1000, ge=0, description="Milliseconds between turning not ready and taking no more connections, when stopped."
    )
    preflight_per_minute: int = Field(default=30, ge=1, description="Requests of POST /preflight that a caller may make a minute.")
    preflight_burst: int = Field(default=10, ge=1, description="Requests of POST /preflight that a caller may make at once.")
    preflight_caller_header: str | None = Field(
        default=None,
        min_length=1,
        description="Header in which a trusted proxy names the caller of POST /preflight; none: its address.",
    )
    slot: int | None = Field(default=None, ge=0, description="Stable number of this worker: one live process a slot.")
    publish_scores: bool = Field(default=False, description="Publish every verdict, Fraud or not, to the scores topic.")
    include_text: bool = Field(default=True, description="Violations carry the scored texts as they were sent.")
    cloud_events: CloudEvents = Field(
        default=CloudEvents.NONE, description="How violations and scores are wrapped as CloudEvents 1.0."
    )
    unmasked_evidence: bool = Field(default=False, description="Evidence carries its text in the clear instead of masked.")
    fingerprint_key: SecretStr | None = Field(
        default=None,
        description="What fingerprints of contacts depend on, the same for console and aggregate; none: made once, in a service's folder.",
    )
    max_event_bytes: int = Field(default=1024 * 1024, ge=1, description="A larger record becomes a dead letter.")
    dead_letter_limit_consecutive: int = Field(
        default=1000, ge=0, description="Stop after so many refused records in a row; 0: never."
    )
    dead_letter_limit_ratio: float = Field(
        default=0.5, gt=0, le=1, description="Stop when more than this share of the last 1,000 records are refused."
    )
    max_batch_events: int = Field(default=64, ge=1, description="Most events in one micro-batch, and so in one transaction.")
    max_batch_bytes: int = Field(
        default=256 * 1024, ge=1, description="A micro-batch whose records hold so much takes no more, whatever their number."
    )
    max_queued_bytes: int = Field(
        default=4 * 1024 * 1024, ge=1, description="Partitions are paused while more than this waits in the worker to be scored."
    )
    backend: BackendChoice = Field(
        default=BackendChoice.AUTO,
        description="What runs the model: onnx (the CPU), neuron (AWS Inferentia); auto: neuron where there is a device and the "
        "model has programs for one, else onnx.",
    )
    inference_threads: int = Field(
        default=0, ge=0, description="Inference sessions side by side, one thread each; 0: one a core, of CPU or accelerator."
    )
    verdict_cache_bytes: int = Field(default=64 * 1024 * 1024, ge=0, description="Bound of the cache of verdicts by text; 0: none.")
    window_cache_bytes: int = Field(default=64 * 1024 * 1024, ge=0, description="Bound of the cache of outputs by window; 0: none.")
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")
    topics: TopicSettings = TopicSettings()
    policy: PolicySettings = PolicySettings()
    review: ReviewSettings = ReviewSettings()
    registry: RegistrySettings = RegistrySettings()
    tracing: TracingSettings = TracingSettings()
    aggregation: AggregationSettings = AggregationSettings()
    kafka: dict[str, str] = Field(default_factory=dict, description="librdkafka keys, passed through to every client.")

    @model_validator(mode="after")
    def _one_format(self) -> Self:
        if self.cloud_events is CloudEvents.STRUCTURED and self.registry.output is not RegistryOutput.NONE:
            raise ValueError("cloud_events: a structured envelope can't hold a value in a registry's format; set binary or none")
        return self

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        level = value.upper()
        if level not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
        return level

    @field_validator("http_token")
    @classmethod
    def _safe_token(cls, value: SecretStr | None) -> SecretStr | None:
        # An empty one must not mean that there is none, and one with a blank or a letter beyond ASCII can't stand in a header.
        if value is not None and not re.fullmatch(r"[\x21-\x7e]{16,}", value.get_secret_value()):
            raise ValueError("must be at least 16 visible ASCII characters without blanks")
        return value

    @field_validator("fingerprint_key")
    @classmethod
    def _long_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < MINIMUM_KEY_CHARACTERS:
            raise ValueError(f"must be at least {MINIMUM_KEY_CHARACTERS} characters; openssl rand -hex 32 makes one")
        return value

    @field_validator("kafka", mode="before")
    @classmethod
    def _flat_strings(cls, value: object) -> object:
        """TOML reads `socket.timeout.ms = 5` as nested tables and numbers; librdkafka wants flat keys and strings."""
        return dict(map(_opened, *zip(*_flatten(value), strict=True))) if isinstance(value, Mapping) and value else value

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """What `repr` shows: no secret, wherever it may end."""
        for name, value in super().__repr_args__():
            if name == "kafka":
                yield name, {key: "**********" if key in SECRET_KAFKA_KEYS else text for key, text in value.items()}
            else:
                yield name, value

    @classmethod
    def load(
        cls,
        config: Path | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        flags: Mapping[str, Any] | None = None,
    ) -> Self:
        """Read the settings from a file, the environment and flags (later ones win).

        Args:
            config: a TOML file, or none.
            environment: defaults to the process's.
            flags: values by setting name; nested ones as "topics.bookings"; None means "not given".

        Raises:
            ConfigurationError: the file can't be read, or a value or key is wrong; all faults are named at once.
        """
        values = _read_toml(config) if config else {}
        for path, value in _from_environment(os.environ if environment is None else environment).items():
            _put(values, path, value)
        for key, value in (flags or {}).items():
            if value is not None:
                _put(values, key.split(".", 1), value)
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            source = f" (file {config})" if config else ""
            faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
            raise ConfigurationError(f"settings{source}: {faults}. See stream-detector run --help.") from None


#: Settings that are comma-separated lists in the environment.
_LISTS = frozenset(
    (section, name)
    for section, fields in (
        ("policy", PolicySettings.model_fields),
        ("review", ReviewSettings.model_fields),
        ("aggregation", AggregationSettings.model_fields),
    )
    for name, field in fields.items()
    if typing.get_origin(field.annotation) is tuple
)


def _secret_of(name: str, file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise ConfigurationError(f"{name}: {file}: {error.strerror}; name a file that holds nothing but the secret") from None


def _opened(key: str, text: str) -> tuple[str, str]:
    """A secret out of its file: `sasl.password_file` (in the environment …_SASL_PASSWORD_FILE) is sasl.password."""
    name = key.removesuffix("_file").removesuffix(".file")
    if name == key or name not in SECRET_KAFKA_KEYS:
        return key, text
    try:
        return name, Path(text).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ValueError(f"{name}_file: {text}: {reason}; name a file that holds nothing but the secret") from None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}; give --config a readable TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: not a TOML file: {error}") from None


def _from_environment(environment: Mapping[str, str]) -> dict[tuple[str, ...], object]:
    """Settings in the environment; lists are comma-separated, `…_KAFKA__SASL_USERNAME` is kafka's sasl.username."""
    found: dict[tuple[str, ...], object] = {}
    for name, text in environment.items():
        if not name.startswith(ENVIRONMENT_PREFIX):
            continue
        if (secret := name.removeprefix(ENVIRONMENT_PREFIX).removesuffix("_FILE")) in _SECRETS and name.endswith("_FILE"):
            found[_SECRETS[secret]] = _secret_of(name, text)
            continue
        path = tuple(part.lower() for part in name.removeprefix(ENVIRONMENT_PREFIX).split("__"))
        if path[0] == "kafka":
            # librdkafka separates words by dots, but for a few keys such as log_level.
            key = ".".join(path[1:])
            path = ("kafka", key if key in _UNDERSCORED_KAFKA_KEYS else key.replace("_", "."))
        elif path in _LISTS:
            found[path] = tuple(item.strip() for item in text.split(",") if item.strip())
            continue
        found[path] = text
    return found


def _put(values: dict[str, Any], path: tuple[str, ...] | list[str], value: object) -> None:
    *parents, last = path
    for parent in parents:
        nested = values.setdefault(parent, {})
        if not isinstance(nested, dict):
            raise ConfigurationError(f"{parent}: is a table, but a plain value is set for it")
        values = nested
    values[last] = value


def _flatten(table: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    flat: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, Mapping):
            flat += _flatten(value, f"{prefix}{key}.")
        else:
            flat.append((prefix + key, str(value).lower() if isinstance(value, bool) else str(value)))
    return flat
