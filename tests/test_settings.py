"""Settings: precedence, spellings, and errors that name what to mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream_detector.errors import ConfigurationError
from stream_detector.settings import Delivery, Settings, TopicSettings


def _load(toml: str = "", tmp_path: Path | None = None, flags: dict[str, object] | None = None, **environment: str) -> Settings:
    config = None
    if tmp_path is not None:
        config = tmp_path / "settings.toml"
        config.write_text(toml, encoding="utf-8")
    prefixed = {f"STREAM_DETECTOR_{name}": value for name, value in environment.items()}
    return Settings.load(config, environment=prefixed, flags=flags)


def test_defaults_need_nothing() -> None:
    """A plain call works: promise of 250 ms, exactly once, text included."""
    settings = _load()
    assert (settings.promise_ms, settings.delivery, settings.include_text) == (250, Delivery.EXACTLY_ONCE, True)
    assert settings.topics.inputs == ("bookings", "listing-updates", "client-updates")


def test_flags_beat_environment_beats_file(tmp_path: Path) -> None:
    """Rising order of precedence, key by key and inside tables."""
    toml = 'group_id = "file"\nmodel = "file"\nhttp_host = "file"\n[topics]\nbookings = "file"\nscores = "file"\nreviews = "file"\n'
    settings = _load(
        toml, tmp_path, {"model": "flag", "topics.reviews": "flag", "http_host": None},
        GROUP_ID="env", MODEL="env", TOPICS__SCORES="env", TOPICS__REVIEWS="env",
    )  # fmt: skip
    assert (settings.http_host, settings.group_id, settings.model) == ("file", "env", "flag")
    assert (settings.topics.bookings, settings.topics.scores, settings.topics.reviews) == ("file", "env", "flag")


def test_environment_is_text() -> None:
    """Numbers, switches and lists are read from text."""
    settings = _load(
        PROMISE_MS="100", INCLUDE_TEXT="false", THRESHOLD="0.25", POLICY__ALLOWED_DOMAINS="city.example, museum.example,"
    )
    assert (settings.promise_ms, settings.include_text, settings.threshold) == (100, False, 0.25)
    assert settings.policy.allowed_domains == ("city.example", "museum.example")


def test_other_programs_variables_are_left_alone() -> None:
    """Only our prefix counts."""
    assert Settings.load(environment={"GROUP_ID": "x", "STREAM": "y"}) == Settings()


def test_kafka_keys_in_every_spelling(tmp_path: Path) -> None:
    """Dotted, quoted and nested keys in TOML, underscores in the environment: librdkafka's one spelling comes out, as text."""
    toml = '[kafka]\n"client.rack" = "r1"\nsocket.timeout.ms = 5\nenable.ssl.certificate.verification = false\n'
    settings = _load(toml, tmp_path, {"kafka.sasl.username": "u"}, KAFKA__SASL_PASSWORD="p", KAFKA__SOCKET_TIMEOUT_MS="7")
    assert settings.kafka == {
        "client.rack": "r1",
        "socket.timeout.ms": "7",
        "enable.ssl.certificate.verification": "false",
        "sasl.username": "u",
        "sasl.password": "p",
    }


@pytest.mark.parametrize(
    ("environment", "field"),
    [
        ({"PROMISE_MS": "0"}, "promise_ms"),
        ({"PROMISE_MS": "soon"}, "promise_ms"),
        ({"THRESHOLD": "1"}, "threshold"),
        ({"METRICS_PORT": "65536"}, "metrics_port"),
        ({"DELIVERY": "never"}, "delivery"),
        ({"LOG_LEVEL": "loud"}, "log_level"),
        ({"PROMISE": "250"}, "promise"),
        ({"TOPICS__BOOKING": "x"}, "topics.booking"),
        ({"TOPICS": "x", "TOPICS__BOOKINGS": "y"}, "topics"),
        ({"POLICY__EVENT_TYPES": "booking,refund"}, "policy.event_types"),
    ],
)
def test_wrong_settings_are_named(environment: dict[str, str], field: str) -> None:
    """A wrong value or a misspelt name is an error with the setting's name, never ignored."""
    with pytest.raises(ConfigurationError, match=rf"\b{field}\b") as caught:
        _load(**environment)
    assert caught.value.exit_status == 2


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    """Who has three faults in a file needs one try to find them."""
    with pytest.raises(ConfigurationError) as caught:
        _load('promise_ms = 0\nmodle = "x"\n[topics]\nbookings = 5\n', tmp_path)
    for part in ("settings.toml", "promise_ms", "modle", "topics.bookings"):
        assert part in str(caught.value)


@pytest.mark.parametrize("content", [b"a = ", b"\xff"])
def test_a_file_that_is_no_toml(tmp_path: Path, content: bytes) -> None:
    """The file is named."""
    file = tmp_path / "broken.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"broken\.toml: not a TOML file"):
        Settings.load(file, environment={})


def test_a_missing_file(tmp_path: Path) -> None:
    """A file that was asked for and isn't there isn't taken for an empty one; nor is a folder."""
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(ConfigurationError, match="--config"):
            Settings.load(path, environment={})


def test_log_level_in_any_case() -> None:
    """The level debug is DEBUG."""
    assert _load(LOG_LEVEL="debug").log_level == "DEBUG"


def test_dead_letter_topics_follow_the_suffix() -> None:
    """The name that both the worker and the command line derive."""
    assert TopicSettings(dead_letter_suffix="-dead").dead_letters_of("bookings") == "bookings-dead"


def test_secrets_come_from_files(tmp_path: Path) -> None:
    """In the file and in the environment; a file that isn't there is named."""
    file = tmp_path / "password"
    file.write_text("from-the-file\n", encoding="utf-8")
    assert _load(KAFKA__SASL_PASSWORD_FILE=str(file)).kafka == {"sasl.password": "from-the-file"}
    assert _load(f'[kafka]\nsasl.password_file = "{file}"\n', tmp_path).kafka == {"sasl.password": "from-the-file"}
    file.write_text("sixteen-characters-and-more\n", encoding="utf-8")
    token = _load(HTTP_TOKEN_FILE=str(file)).http_token
    assert token is not None
    assert token.get_secret_value() == "sixteen-characters-and-more"
    with pytest.raises(ConfigurationError, match=r"sasl\.password_file: /nonesuch: No such file"):
        _load(KAFKA__SASL_PASSWORD_FILE="/nonesuch")
    with pytest.raises(ConfigurationError, match=r"HTTP_TOKEN_FILE: /nonesuch: No such file"):
        _load(HTTP_TOKEN_FILE="/nonesuch")


def test_secrets_are_not_shown() -> None:
    """Whoever prints the settings prints no password."""
    settings = _load(KAFKA__SASL_PASSWORD="hidden-1", KAFKA__SASL_USERNAME="u", HTTP_TOKEN="hidden-2-hidden-2")
    assert "hidden" not in repr(settings)
    assert "hidden" not in str(settings)
    assert "sasl.username" in repr(settings)
