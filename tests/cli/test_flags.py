"""Flags come from the settings' fields and win over environment and file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from stream_detector.cli.flags import SettingsCommand, setting_options, with_settings
from stream_detector.settings import Delivery, Settings
from tests.cli.calling import Call


@click.command(cls=SettingsCommand)
@click.argument("names", nargs=-1)
@with_settings()
def show(*, names: tuple[str, ...], settings: Settings) -> None:
    """Print some settings."""
    for name in names:
        value: object = settings
        for part in name.split("."):
            value = getattr(value, part)
        click.echo(repr(value))


def _show(*arguments: str, **environment: str) -> str:
    result = CliRunner().invoke(show, arguments, env={f"STREAM_DETECTOR_{key}": value for key, value in environment.items()})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output.strip()


def _leaves(section: type[BaseModel] = Settings, parents: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _leaves(field.annotation, (*parents, name))
        else:
            yield (*parents, name)


@pytest.mark.parametrize("path", list(_leaves()), ids=".".join)
def test_run_help_names_every_setting(path: tuple[str, ...]) -> None:
    """Each setting is in the help as flag, variable, default and with a description."""
    option = next(option for option in setting_options() if option.setting == ".".join(path))
    flags, text = option.get_help_record(click.Context(show))
    assert re.search(rf"--{re.escape('.'.join(path).replace('_', '-'))}\b", flags)
    assert f"STREAM_DETECTOR_{'__'.join(path).upper()}" in text
    assert "default: " in text
    assert len(text.split("  [")[0]) > 10, "the field has no description"


def test_help_has_a_section_of_settings() -> None:
    """A command's own options stand before the settings."""
    output = CliRunner().invoke(show, ["--help"]).output
    assert output.index("\nOptions:") < output.index("--config") < output.index("\nSettings:") < output.index("--promise-ms")


def test_flag_beats_environment_beats_file(tmp_path: Path) -> None:
    """The order of precedence that the documentation promises."""
    config = tmp_path / "settings.toml"
    config.write_text('promise_ms = 1\ngroup_id = "file"\nmodel = "file"\n[topics]\nbookings = "file"\nscores = "file"\n')
    shown = _show(
        "--config", str(config), "--promise-ms", "3", "--topics.bookings", "flag",
        "promise_ms", "group_id", "model", "topics.bookings", "topics.scores", "http_port",
        PROMISE_MS="2", GROUP_ID="env", TOPICS__BOOKINGS="env",
    )  # fmt: skip
    assert shown.split("\n") == ["3", "'env'", "'file'", "'flag'", "'file'", "8080"]


def test_switches_have_both_directions() -> None:
    """A boolean set in the environment can be taken back by a flag, and the other way round."""
    assert _show("--no-publish-scores", "publish_scores", PUBLISH_SCORES="true") == "False"
    assert _show("--publish-scores", "publish_scores") == "True"
    assert _show("publish_scores", PUBLISH_SCORES="true") == "True"
    assert _show("--unmasked", "unmasked_evidence") == "True"
    assert _show("--no-unmasked-evidence", "unmasked_evidence", UNMASKED_EVIDENCE="1") == "False"


def test_kafka_keys_pass_through() -> None:
    """Keys of librdkafka keep their dots, and values may hold equal signs."""
    shown = _show("--kafka", "security.protocol=SASL_SSL", "--kafka", "sasl.password=a=b", "kafka", KAFKA__CLIENT_RACK="r1")
    assert shown == repr({"client.rack": "r1", "security.protocol": "SASL_SSL", "sasl.password": "a=b"})


@pytest.mark.parametrize("pair", ["security.protocol", "=SSL"])
def test_kafka_pair_without_key_or_value_is_refused(pair: str) -> None:
    """A forgotten equal sign is a wrong call that shows how to write it."""
    result = CliRunner().invoke(show, ["--kafka", pair])
    assert result.exit_code == 2
    assert "key=value" in result.output


def test_lists_are_comma_separated() -> None:
    """Lists are written the same way as in the environment."""
    assert (
        _show("--policy.allowed-domains", "city.example, museum.example", "policy.allowed_domains")
        == "('city.example', 'museum.example')"
    )


def test_choices_become_enum_members() -> None:
    """A choice arrives as the settings' own type."""
    assert _show("--delivery", "at_least_once", "delivery") == repr(Delivery.AT_LEAST_ONCE)
    assert CliRunner().invoke(show, ["--delivery", "never"]).exit_code == 2


def test_wrong_value_is_a_configuration_error(call: Call) -> None:
    """What only the settings can judge is refused with the field's name and status 2."""
    called = call("validate", "-", "--max-event-bytes", "0")
    assert called.status == 2
    assert called.err.startswith("stream-detector: settings: max_event_bytes: ")


def test_missing_config_is_named(call: Call, tmp_path: Path) -> None:
    """A config file that isn't there is status 2 with its name."""
    called = call("validate", "-", "--config", tmp_path / "none.toml")
    assert called.status == 2
    assert "none.toml" in called.err


def test_a_command_offers_only_the_settings_that_it_uses(call: Call) -> None:
    """`validate` has no use for a broker's address."""
    assert "--bootstrap-servers" not in call("validate", "--help").out
    assert "--bootstrap-servers" in call("topics", "create", "--help").out
