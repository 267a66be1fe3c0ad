"""The schema registry that the settings name, and the wire format that follows from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stream_detector.contracts.registry import RegistryDecoder, RegistryInput, RegistryOutput
from stream_detector.contracts.registry_output import RegistryEncoder
from stream_detector.contracts.wire import PLAIN, WireFormat
from stream_detector.errors import ConfigurationError, MissingExtraError
from stream_detector.settings import RegistrySettings, Settings


def wire_format(settings: Settings) -> WireFormat:
    """How events are read, and verdicts read and written. The registry isn't asked yet.

    Raises:
        ConfigurationError: a setting of the registry is wrong.
        MissingExtraError: there is a registry, and the extra `registry` isn't installed.
    """
    section = settings.registry
    if section.url is None:
        return PLAIN
    client = make_client(section)
    encoder = None if section.output is RegistryOutput.NONE else encoder_for(client, section, section.output)
    return WireFormat(RegistryDecoder(client), encoder, of_events=section.input is RegistryInput.AUTO)


def encoder_for(client: Any, section: RegistrySettings, output: RegistryOutput) -> RegistryEncoder:
    """What writes verdicts in a format."""
    return RegistryEncoder(_Filing(client), output, strategy=section.subject_strategy, auto_register=section.auto_register)


def make_client(section: RegistrySettings) -> Any:
    """The registry's client; it speaks to nobody yet. Raises what `wire_format` does."""
    try:
        from confluent_kafka.schema_registry import SchemaRegistryClient  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError("a schema registry", "registry") from None
    wanted: dict[str, Any] = {
        "url": section.url,
        # Whoever asks tries again: the worker must not be kept from its group for long.
        "timeout": section.timeout_ms / 1000,
        "max.retries": 0,
    }
    for key, file in (
        ("ssl.ca.location", section.ca_file),
        ("ssl.certificate.location", section.certificate_file),
        ("ssl.key.location", section.key_file),
    ):
        if file is not None:
            wanted[key] = str(file)
    if section.username is not None:
        wanted["basic.auth.user.info"] = f"{section.username}:{_password(section)}"
    try:
        return SchemaRegistryClient.new_client(wanted)
    except (OSError, ValueError, TypeError) as error:
        # The client's own messages could quote the secret.
        cause = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise ConfigurationError(
            f"registry: the client can't be made ({cause}); check registry.url and the files that [registry] names"
        ) from None


def _password(section: RegistrySettings) -> str:
    if section.password_file is None:
        return section.password.get_secret_value() if section.password else ""
    try:
        return Path(section.password_file).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigurationError(
            f"registry.password_file: {section.password_file}: {reason}; name a file that holds nothing but the secret"
        ) from None


class _Filing:
    """Finds and files schemas by Confluent's client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def find(self, subject: str, text: str, kind: str) -> int:
        """The number of a schema that is filed under a subject."""
        return int(self._client.lookup_schema(subject, _schema(text, kind), normalize_schemas=True).schema_id)

    def file(self, subject: str, text: str, kind: str) -> int:
        """File a schema under a subject, unless it is there."""
        return int(self._client.register_schema(subject, _schema(text, kind), normalize_schemas=True))


def _schema(text: str, kind: str) -> Any:
    from confluent_kafka.schema_registry import Schema  # noqa: PLC0415 - an extra

    return Schema(text, kind)
