"""A Kafka with SASL_SSL, SCRAM-SHA-512, OAUTHBEARER, mutual TLS and the standard authorizer: exactly the written ACLs are enough."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.cimpl import NewTopic

from stream_detector.cli.main import main
from stream_detector.errors import ConfigurationError, StreamDetectorError
from stream_detector.settings import Settings
from stream_detector.streaming import topics as topics_module
from stream_detector.streaming.topics import output_topics
from tests.kafka.conftest import unique_settings
from tests.kafka.running import RunningWorker, until
from tests.kafka.secure_broker import PASSWORD, SecureKafka, acls
from tests.kafka.token_server import AUDIENCE, CLIENTS, TokenServer
from tests.kafka.traffic import Sent, numbered

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def secure() -> Iterator[SecureKafka]:
    """The broker."""
    with SecureKafka() as kafka:
        yield kafka


@pytest.fixture
def settings(secure: SecureKafka) -> Settings:
    """Settings of the user "worker", with topics that exist and something to do."""
    settings = unique_settings(
        bootstrap_servers=secure.bootstrap_servers, publish_scores=True, slot=0, kafka=secure.kafka_keys("worker")
    )
    names = [*settings.topics.inputs, *output_topics(settings), settings.topics.replays]
    admin = secure.admin()
    for future in admin.create_topics([NewTopic(name, 1, 1) for name in names]).values():
        future.result(20)
    _send(secure, settings)
    return settings


def _send(secure: SecureKafka, settings: Settings) -> None:
    producer = Producer({"bootstrap.servers": secure.bootstrap_servers, "log_level": 0} | secure.kafka_keys("admin"))
    records = [
        record for topic in settings.topics.inputs for record in (*numbered(settings, range(3), topic), Sent(topic, b"{", b"k"))
    ]
    for record in records:
        producer.produce(record.topic, record.value, record.key)
    assert producer.flush(20) == 0


def test_the_written_acls_are_enough(secure: SecureKafka, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """Worker, verifier and replayer do their work with exactly the ACLs of their roles."""
    secure.grant("worker", settings)
    with RunningWorker(settings) as running:
        running.has(12)
    names = [part for name, topic in settings.topics for part in (f"--topics.{name.replace('_', '-')}", topic)]
    for role, *command in (
        ["verifier", "verify", "--json", "--to-end", "--publish-scores"],
        ["replayer", "dlq", "replay", "--all"],
    ):
        secure.grant(role, settings)
        kafka = [part for key, value in secure.kafka_keys(role).items() for part in ("--kafka", f"{key}={value}")]
        capsys.readouterr()
        where = ["--bootstrap-servers", secure.bootstrap_servers, "--group-id", settings.group_id]
        assert main([*command, *where, *names, *kafka]) == 0, capsys.readouterr().err
        out = capsys.readouterr().out
        assert PASSWORD not in out
        if command[0] == "verify":
            assert json.loads(out)["records"] == 12
        else:
            assert "3 replayed" in out


@pytest.mark.parametrize("number", range(len(acls("worker", Settings()))))
def test_a_missing_acl_is_named(
    secure: SecureKafka, settings: Settings, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:  # fmt: skip
    """Without any one of them the worker refuses to go on, in one line that names what it may not use."""
    monkeypatch.setattr(topics_module, "_CREATION_S", 0.5)
    missing = secure.grant("worker", settings, without=number)[number]
    with RunningWorker(settings) as running:
        until(lambda: running.error, f"the refusal without {missing}")
        error, running.error = running.error, None
    assert isinstance(error, StreamDetectorError)
    text = str(error)
    assert "AUTHORIZATION_FAILED" in text
    assert missing in text or "transactional" in text or "group" in text
    assert "deploy/kafka/acls" in text
    assert "\n" not in text
    assert PASSWORD not in text


@pytest.mark.parametrize(("key", "value"), [("sasl.password", "another secret"), ("ssl.ca.location", "{tls}/client.crt")])
def test_a_wrong_password_or_ca_is_told(
    secure: SecureKafka, settings: Settings, monkeypatch: pytest.MonkeyPatch, key: str, value: str
) -> None:  # fmt: skip
    """Librdkafka's calls only say that they timed out; the worker's error says why."""
    monkeypatch.setattr(topics_module, "_TIMEOUT_S", 5.0)
    kafka = settings.kafka | {key: value.format(tls=secure.tls)}
    with (
        pytest.raises(ConfigurationError, match=r"(?i)authentication|certificate|ssl"),
        RunningWorker(settings.model_copy(update={"kafka": kafka})) as running,
    ):
        running.join()


def test_mutual_tls(secure: SecureKafka, settings: Settings) -> None:
    """With a certificate of its own the worker needs no password; without one it isn't let in."""
    secure.grant("worker", settings)
    tls = {"security.protocol": "SSL", "ssl.ca.location": str(secure.tls / "ca.pem")}
    own = {"ssl.certificate.location": str(secure.tls / "client.crt"), "ssl.key.location": str(secure.tls / "client.key")}
    with RunningWorker(settings.model_copy(update={"bootstrap_servers": secure.mtls_servers, "kafka": tls | own})) as running:
        running.has(12)


def _with_tokens(secure: SecureKafka, settings: Settings, tokens: TokenServer, secret: Path) -> Settings:
    kafka = {
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": str(secure.tls / "ca.pem"),
        "sasl.mechanisms": "OAUTHBEARER",
        "sasl.oauthbearer.method": "oidc",
        "sasl.oauthbearer.client.id": "worker",
        "sasl.oauthbearer.client.secret_file": str(secret),
        "sasl.oauthbearer.token.endpoint.url": tokens.url,
        "https.ca.location": str(secure.tls / "ca.pem"),
    }
    return Settings.model_validate(settings.model_dump() | {"bootstrap_servers": secure.oauth_servers, "kafka": kafka})


def test_tokens(secure: SecureKafka, settings: Settings, tmp_path: Path) -> None:
    """OAUTHBEARER: the worker gets its tokens from a provider, new ones before they end, and has the ACLs of its subject."""
    (tmp_path / "secret").write_text(CLIENTS["worker"] + "\n", encoding="utf-8")
    secure.grant("worker", settings)
    with (
        TokenServer(secure.tls, lifetime_s=5) as tokens,
        RunningWorker(_with_tokens(secure, settings, tokens, tmp_path / "secret")) as running,
    ):
        running.has(12)
        given = tokens.given
        until(lambda: tokens.given > given, "a token in place of one that ends")
        _send(secure, settings)
        running.has(24)
        assert tokens.refused == 0


@pytest.mark.parametrize(("secret", "audience"), [("a wrong secret", AUDIENCE), (CLIENTS["worker"], "another service")])
def test_a_token_that_is_refused_is_told(
    secure: SecureKafka, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str, audience: str
) -> None:  # fmt: skip
    """By the provider, whom the secret doesn't satisfy, or by the broker, which the token wasn't made for; no secret is shown."""
    monkeypatch.setattr(topics_module, "_TIMEOUT_S", 10.0)
    (tmp_path / "secret").write_text(secret, encoding="utf-8")
    with (
        TokenServer(secure.tls, audience=audience) as tokens,
        pytest.raises(ConfigurationError, match=r"(?i)authentication|token|oauthbearer|invalid") as caught,
        RunningWorker(_with_tokens(secure, settings, tokens, tmp_path / "secret")) as running,
    ):
        running.join()
    assert secret not in str(caught.value)
    assert (tokens.given > 0, tokens.refused > 0) == (secret == CLIENTS["worker"], secret != CLIENTS["worker"])
