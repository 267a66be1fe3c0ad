"""The CloudFormation templates, read by the real cfn-lint; and what their containers would be told."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.containers import LONGEST_DRAIN_S, ROOT, UNKNOWN, Container, output_of, program

TEMPLATES = sorted((ROOT / "deploy/ecs").glob("*.yaml"))
#: Actions that know no resources, so that "*" is all that can be said.
WITHOUT_RESOURCES = {"ecr:GetAuthorizationToken", "ecs:DiscoverPollEndpoint"}


class _Loader(yaml.SafeLoader):
    """Reads `!Ref x` as {"Ref": "x"}, which is all that is needed here."""


_Loader.add_multi_constructor("!", lambda loader, tag, node: {tag: _plain(loader, node)})


def _plain(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    construct = loader.construct_sequence if isinstance(node, yaml.SequenceNode) else loader.construct_mapping
    return construct(node, deep=True)


@functools.cache
def _template(path: Path) -> dict[str, Any]:
    return yaml.load(path.read_text(encoding="utf-8"), _Loader)


def _of_type(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in TEMPLATES:
        for name, resource in _template(path)["Resources"].items():
            if resource["Type"] == kind:
                yield f"{path.stem}.{name}", resource["Properties"]


CONTAINERS = [container for _, task in _of_type("AWS::ECS::TaskDefinition") for container in task["ContainerDefinitions"]]
STATEMENTS = [
    pytest.param(statement, id=f"{name}-{number}")
    for name, role in _of_type("AWS::IAM::Role")
    for policy in role.get("Policies", ())
    for number, statement in enumerate(policy["PolicyDocument"]["Statement"])
]


def test_cfn_lint_is_content() -> None:
    """Types, properties, references and values that CloudFormation would refuse, most of them after minutes."""
    assert output_of(program("cfn-lint", "make setup-dev"), *TEMPLATES) == ""


def test_stacks_import_what_is_exported() -> None:
    """A name that shared.yaml doesn't export is found out by CloudFormation only."""
    exported = set(re.findall(r"\$\{AWS::StackName\}-(\w+)", (ROOT / "deploy/ecs/shared.yaml").read_text(encoding="utf-8")))
    imported = {name for path in TEMPLATES for name in re.findall(r"\$\{Shared\}-(\w+)", path.read_text(encoding="utf-8"))}
    assert imported
    assert imported <= exported


@pytest.mark.parametrize("container", CONTAINERS, ids=lambda container: container["Command"][0])
def test_containers_are_called_as_the_program_expects(container: dict[str, Any]) -> None:
    """A flag or a setting that doesn't exist would end the task at its start."""
    environment = {
        entry["Name"]: entry["Value"] if isinstance(entry["Value"], str) else UNKNOWN for entry in container["Environment"]
    }
    environment |= {secret["Name"]: UNKNOWN for secret in container["Secrets"]}
    told = Container(container["Name"], container["Command"], environment)
    told.check_arguments()
    told.settings()


@pytest.mark.parametrize("container", CONTAINERS, ids=lambda container: container["Name"])
def test_containers_are_confined_and_may_drain(container: dict[str, Any]) -> None:
    """No writable root, no capabilities, no password in plain sight; and time to end in good order, as much as Fargate gives."""
    assert container["ReadonlyRootFilesystem"] is True
    assert container["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
    assert not [entry for entry in container["Environment"] if re.search("PASSWORD|TOKEN", entry["Name"])]
    assert LONGEST_DRAIN_S < container["StopTimeout"] <= 120


@pytest.mark.parametrize("statement", STATEMENTS)
def test_roles_may_do_what_they_must_and_no_more(statement: dict[str, Any]) -> None:
    """No wildcard among actions; all resources only where there are none to name, or where a condition narrows them."""
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    assert not [action for action in actions if "*" in action]
    if statement["Resource"] == "*":
        assert set(actions) <= WITHOUT_RESOURCES or "Condition" in statement
