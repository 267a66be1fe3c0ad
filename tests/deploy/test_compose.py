"""docker-compose.yml, read by the Compose specification's own reader; and what its services would be told."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.containers import LONGEST_DRAIN_S, ROOT, Container, output_of, program
from tests.kafka.broker import ApacheKafka, java


@functools.cache
def _compose() -> dict[str, Any]:
    return json.loads(output_of(program("compose-spec", "make validators-setup"), "--format", "json", "docker-compose.yml"))


def _ours() -> list[str]:
    # The file itself, so that tests are named without the reader.
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    return [name for name, service in services.items() if service["image"].startswith("stream-detector:")]


def _container(name: str) -> Container:
    service = _compose()["services"][name]
    return Container(name, service["command"], service.get("environment") or {})


@pytest.mark.validators
def test_it_conforms_to_the_specification() -> None:
    """The schema, interpolation and the references between services, as `docker compose config` checks them."""
    ours = {"topics", "worker", "predictor", "console", "aggregate", "player"}
    assert ours | {"kafka", "sign-in", "prometheus", "alertmanager", "grafana"} == set(_compose()["services"])


@pytest.mark.validators
@pytest.mark.parametrize("name", _ours())
def test_services_are_called_as_the_program_expects(name: str) -> None:
    """A flag or a setting that doesn't exist would end the service at its start."""
    container = _container(name)
    container.check_arguments()
    container.settings()


@pytest.mark.validators
@pytest.mark.parametrize("name", _ours())
def test_services_are_confined_and_may_drain(name: str) -> None:
    """What the image promises is used: no writable root, no capabilities, time to end in good order."""
    service = _compose()["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert int(service["stop_grace_period"].removesuffix("s")) > LONGEST_DRAIN_S


@pytest.mark.validators
@pytest.mark.parametrize(("name", "setting"), [("console", "review.folder"), ("aggregate", "aggregation.data_directory")])
def test_what_must_outlive_a_container_is_on_a_volume(name: str, setting: str) -> None:
    """The folder that the image keeps it in is under a named volume, and the image has made the folder for its own user."""
    (mount,) = _compose()["services"][name]["volumes"]
    section, _, key = setting.partition(".")
    assert mount["type"] == "volume"
    assert getattr(getattr(_container(name).settings(), section), key).is_relative_to(mount["target"])
    assert f"--owner=10001 --group=10001 --mode=0700 {mount['target']}\n" in (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.validators
def test_nobody_reaches_the_console_but_through_the_proxy() -> None:
    """It believes what a request says of who asks; and both that know contacts by number use the same key."""
    console, aggregate = (_container(name).settings() for name in ("console", "aggregate"))
    assert "ports" not in _compose()["services"]["console"]
    assert console.review.user_header
    assert console.fingerprint_key == aggregate.fingerprint_key is not None


@pytest.mark.validators
def test_prometheus_looks_at_every_service_that_has_metrics() -> None:
    """A service that is added and not looked at has no alerts."""
    config = yaml.safe_load((ROOT / "deploy/compose/prometheus.yml").read_text(encoding="utf-8"))
    looked_at = {job["job_name"].removeprefix("stream-detector-") for job in config["scrape_configs"]} - {"prometheus"}
    assert looked_at == set(_ours()) - {"topics", "player"}


@pytest.mark.validators
def test_files_that_are_mounted_exist() -> None:
    """Docker makes an empty folder of a file that isn't there, and the service fails in a way that nobody expects."""
    sources = [Path(volume["source"]) for service in _compose()["services"].values() for volume in service.get("volumes", ())
               if volume["type"] == "bind"]  # fmt: skip
    assert sources
    # These two are folders of their own, which may be empty.
    assert [source for source in sources if not source.exists() and source.name not in {"prometheus", "grafana"}] == []


def test_the_broker_is_the_one_that_tests_run_against() -> None:
    """What is tried here behaves like what is tested."""
    version = re.findall(r"<kafka.version>(.*)</kafka.version>", (ROOT / "deploy/kafka/pom.xml").read_text(encoding="utf-8"))[0]
    for file in ("docker-compose.yml", "deploy/kubernetes/overlays/development/kafka.yaml"):
        assert f"apache/kafka:{version}\n" in (ROOT / file).read_text(encoding="utf-8")


class _AsInCompose(ApacheKafka):
    """The broker with the settings that docker-compose.yml gives it, on loopback."""

    def _format(self, properties: Path) -> None:
        service = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]["kafka"]
        # As the image does it: KAFKA_A_B is a.b, but for what the start script reads.
        settings = {
            name.removeprefix("KAFKA_").lower().replace("_", "."): str(value)
            for name, value in service["environment"].items()
            if name.startswith("KAFKA_") and name != "KAFKA_HEAP_OPTS"
        }
        ports = {"9092": self._port, "9094": self._controller_port, "29092": 0}
        for name in ("listeners", "advertised.listeners", "controller.quorum.voters"):
            settings[name] = re.sub(r":(?=\d)", "127.0.0.1:", settings[name]) if name == "listeners" else settings[name]
            settings[name] = re.sub(
                r"(?:kafka|localhost|127\.0\.0\.1):(\d+)", lambda found: f"127.0.0.1:{ports[found[1]]}", settings[name]
            )
        # A port of its own for the listener outside, which nobody calls here.
        settings["advertised.listeners"] = settings["advertised.listeners"].replace("127.0.0.1:0", "127.0.0.1:29092")
        settings["log.dirs"] = str(self._directory / "data")
        properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")
        cluster = service["environment"]["CLUSTER_ID"]
        output_of(*java("-Xmx128m"), "kafka.tools.StorageTool", "format", "-t", cluster, "-c", properties, where=self._directory)


@pytest.mark.kafka
def test_the_broker_starts_with_its_settings() -> None:
    """A setting that Kafka doesn't know, or listeners that don't fit each other, would end it at its start."""
    with _AsInCompose() as kafka:
        assert kafka.bootstrap_servers
