"""The manifests, built by the real kustomize and checked against Kubernetes's own schemas; and what their pods would be told."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import kubernetes_validate
import pytest
import yaml

from stream_detector.observability import Metrics
from stream_detector.settings import BackendChoice
from tests.deploy.containers import LONGEST_DRAIN_S, ROOT, UNKNOWN, Container, image_environment, output_of, program

pytestmark = pytest.mark.validators

FOLDERS = ("base", "topics", "overlays/development", "overlays/production", "overlays/production-topics", "overlays/inferentia")
#: The oldest that has the pod's index as a label by default is enough to ask once; the newest that is known for all.
VERSIONS = [("overlays/production", "1.28"), *((folder, kubernetes_validate.latest_version()) for folder in FOLDERS)]
#: Schemas of KEDA 2.21 and the Prometheus operator 0.85, taken from their custom resource definitions; unknown fields are refused.
CUSTOM = json.loads(Path(__file__).with_name("custom_resources.json").read_text(encoding="utf-8"))

Object = dict[str, Any]


@functools.cache
def built(folder: str) -> tuple[Object, ...]:
    """What `kubectl apply -k` would send."""
    text = output_of(program("kustomize", "make validators-setup"), "build", ROOT / "deploy/kubernetes" / folder)
    return tuple(yaml.safe_load_all(text))


def _of_kind(folder: str, *kinds: str) -> list[Object]:
    return [item for item in built(folder) if item["kind"] in kinds]


def _pods(folder: str) -> Iterator[tuple[str, Object]]:
    for item in _of_kind(folder, "StatefulSet", "Deployment", "Job"):
        if item["metadata"]["name"].startswith("stream-detector"):
            yield item["metadata"]["name"], item["spec"]["template"]


def _environment(container: Object, folder: str) -> dict[str, str]:
    maps = {item["metadata"]["name"]: item["data"] for item in _of_kind(folder, "ConfigMap")}
    found: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        if "configMapRef" in source:
            found |= maps[source["configMapRef"]["name"]]
    for variable in container.get("env", ()):
        number = {"resourceFieldRef", "fieldRef"} & set(variable.get("valueFrom", {}))
        found[variable["name"]] = variable.get("value", "1" if number else UNKNOWN)
    return found


@pytest.mark.parametrize(("folder", "version"), VERSIONS)
def test_every_object_fits_its_schema(folder: str, version: str) -> None:
    """A misspelt field would be refused by the server, or worse, ignored by an older one."""
    for item in built(folder):
        kind = f"{item['apiVersion']}/{item['kind']}"
        if kind in CUSTOM:
            jsonschema_rs.Draft202012Validator(CUSTOM[kind]).validate(item)
        else:
            kubernetes_validate.validate(item, version, strict=True)


@pytest.mark.parametrize("folder", FOLDERS)
def test_containers_are_called_as_the_program_expects(folder: str) -> None:
    """A flag or a setting that doesn't exist would end the pod at its start."""
    for name, pod in _pods(folder):
        (container,) = pod["spec"]["containers"]
        told = Container(name, container["args"], _environment(container, folder))
        told.check_arguments()
        told.settings()


@pytest.mark.parametrize("folder", FOLDERS)
def test_pods_are_confined(folder: str) -> None:
    """They pass Kubernetes's restricted standard, and Services of the namespace don't become settings."""
    for _, pod in _pods(folder):
        assert pod["spec"]["enableServiceLinks"] is False
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
        assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = pod["spec"]["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


@pytest.mark.parametrize("folder", FOLDERS)
def test_pods_may_drain(folder: str) -> None:
    """Killed in its drain, a worker would leave an open transaction for the next one to wait for."""
    for name, pod in _pods(folder):
        if not name.endswith("topics"):
            assert pod["spec"]["terminationGracePeriodSeconds"] > LONGEST_DRAIN_S


@pytest.mark.parametrize("folder", [folder for folder in FOLDERS if "topics" not in folder])
def test_selectors_find_the_pods(folder: str) -> None:
    """A Service, a budget or a policy that selects nothing does nothing, and says nothing."""
    pods = [
        pod["metadata"]["labels"] for item in _of_kind(folder, "StatefulSet", "Deployment") for pod in [item["spec"]["template"]]
    ]
    services = [item["metadata"].get("labels", {}) for item in _of_kind(folder, "Service")]
    for item in built(folder):
        selector = item.get("spec", {}).get("podSelector") or item.get("spec", {}).get("selector") or {}
        wanted = selector.get("matchLabels", selector)
        if wanted:
            among = services if item["kind"] == "ServiceMonitor" else pods
            assert any(wanted.items() <= labels.items() for labels in among), f"{item['kind']} {item['metadata']['name']}"


@pytest.mark.parametrize("folder", ["overlays/production", "overlays/inferentia"])
def test_scaling_stops_at_the_number_of_partitions(folder: str) -> None:
    """A worker more than there are partitions would stand idle, and one fewer than two leaves nobody if a node dies."""
    (scaled,) = _of_kind(folder, "ScaledObject")
    ((_, job),) = _pods("topics")
    arguments = job["spec"]["containers"][0]["args"]
    assert scaled["spec"]["maxReplicaCount"] <= int(arguments[arguments.index("--partitions") + 1])
    assert scaled["spec"]["minReplicaCount"] >= 2
    (worker,) = (item for item in _of_kind(folder, "StatefulSet") if item["metadata"]["name"].endswith("worker"))
    assert scaled["spec"]["scaleTargetRef"]["name"] == worker["metadata"]["name"]
    assert "replicas" not in worker["spec"]


@pytest.mark.parametrize("folder", ["overlays/production", "overlays/inferentia"])
def test_triggers_ask_for_what_the_worker_has(folder: str) -> None:
    """Lag of the worker's own group at its own brokers, and a metric that there is."""
    (scaled,) = _of_kind(folder, "ScaledObject")
    lag, age = (trigger["metadata"] for trigger in scaled["spec"]["triggers"])
    settings = next(Container(name, [], _environment(pod["spec"]["containers"][0], folder)).settings()
                    for name, pod in _pods(folder) if name.endswith("worker"))  # fmt: skip
    assert (lag["bootstrapServers"], lag["consumerGroup"]) == (settings.bootstrap_servers, settings.group_id)
    asked = set(re.findall(r"(stream_detector_\w+?)(?:_bucket)?\{", age["query"]))
    assert asked <= {family.name for family in Metrics().registry.collect()}
    assert float(age["threshold"]) < settings.promise_ms / 1000


def test_topics_are_created_where_the_worker_looks_for_them() -> None:
    """The job has its settings apart from the worker's: the same brokers, reached in the same way."""
    ((_, job),) = _pods("overlays/production-topics")
    worker = next(pod for name, pod in _pods("overlays/production") if name.endswith("worker"))
    told = [
        Container("any", [], _environment(pod["spec"]["containers"][0], folder)).settings()
        for folder, pod in (("overlays/production-topics", job), ("overlays/production", worker))
    ]
    assert (told[0].bootstrap_servers, told[0].kafka) == (told[1].bootstrap_servers, told[1].kafka)


@pytest.mark.parametrize("folder", ["base", "overlays/development", "overlays/production"])
@pytest.mark.parametrize(("name", "setting"), [("console", "review.folder"), ("aggregate", "aggregation.data_directory")])
def test_what_must_outlive_a_pod_is_on_a_volume(folder: str, name: str, setting: str) -> None:
    """The image's own folder for it is what the claim is mounted at, and the pod's user may write there."""
    (item,) = (item for item in _of_kind(folder, "StatefulSet") if item["metadata"]["name"].endswith(name))
    pod = item["spec"]["template"]["spec"]
    mounts = {mount["name"]: mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
    (claim,) = item["spec"]["volumeClaimTemplates"]
    section, _, key = setting.partition(".")
    settings = Container(name, [], image_environment()).settings()
    assert getattr(getattr(settings, section), key).is_relative_to(mounts[claim["metadata"]["name"]])
    assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsGroup"]


@pytest.mark.parametrize("folder", ["base", "overlays/production"])
def test_only_the_proxy_that_signs_people_in_reaches_the_console(folder: str) -> None:
    """The console believes what a request says of who asks, so that nobody else may send one; and the two share a key."""
    pods = {name: pod for name, pod in _pods(folder) if name.endswith(("console", "aggregate"))}
    told = {name: Container(name, [], _environment(pod["spec"]["containers"][0], folder)).settings() for name, pod in pods.items()}
    assert told["stream-detector-console"].review.user_header
    policies = {item["metadata"]["name"]: item["spec"] for item in _of_kind(folder, "NetworkPolicy")}
    assert {name for name, _ in _pods(folder)} <= set(policies)
    (rule,) = policies["stream-detector-console"]["ingress"]
    labels = [peer["podSelector"]["matchLabels"] for peer in rule["from"]]
    assert labels == [{"app.kubernetes.io/name": "prometheus"}, {"stream-detector.example/sign-in": "true"}]
    keys = [
        variable["valueFrom"]["secretKeyRef"]
        for pod in pods.values()
        for variable in pod["spec"]["containers"][0]["env"]
        if variable["name"] == "STREAM_DETECTOR_FINGERPRINT_KEY"
    ]
    assert len(keys) == 2
    assert keys[0] == keys[1]


def test_the_worker_on_inferentia_runs_nothing_else() -> None:
    """Going on with the CPU, it would keep a tenth of what it was sized for, and nobody would know why."""
    (pod,) = (pod for name, pod in _pods("overlays/inferentia") if name.endswith("worker"))
    told = Container("worker", [], _environment(pod["spec"]["containers"][0], "overlays/inferentia")).settings()
    assert told.backend is BackendChoice.NEURON
