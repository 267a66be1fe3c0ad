"""What the files under deploy/ start: one form for Compose, Kubernetes and ECS, and what must hold in all of them."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from deploy.image import rehearsal
from stream_detector.cli.main import cli
from stream_detector.settings import Settings
from stream_detector.streaming import clients, delivery, loop, worker

ROOT = Path(__file__).parents[2]

#: Seconds that a worker may take from the signal to its end: what is in hand, the commit of it, leaving the group.
LONGEST_DRAIN_S = loop.DRAIN_S + clients.TRANSACTION_TIMEOUT_S + delivery._GRACE_S + worker._CLOSE_S

#: What stands for a value that only the platform knows: a number of letters that is good for a token or a key, too.
UNKNOWN = "0" * 32


@dataclass(frozen=True)
class Container:
    """One container from our image."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]

    def settings(self) -> Settings:
        """The settings as the program would read them, and an error as it would give it."""
        return Settings.load(environment=image_environment() | dict(self.environment))

    def check_arguments(self) -> None:
        """Have the program itself read its arguments, without doing anything."""
        command: click.Command = cli
        arguments = list(self.arguments)
        context = click.Context(cli)
        while isinstance(command, click.Group):
            _, found, arguments = command.resolve_command(context, arguments)
            assert found is not None
            command = found
            context = click.Context(command, parent=context)
        command.make_context(self.name, arguments)


def image_environment() -> dict[str, str]:
    """The settings that the image itself has."""
    instructions = rehearsal.instructions((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    pairs = [pair.split("=", 1) for name, rest in instructions if name == "ENV" for pair in shlex.split(rest)]
    return {name: value for name, value in pairs if name.startswith("STREAM_DETECTOR_")}


def program(name: str, remedy: str) -> Path:
    """A program that `make test` sets up; where it is missing the test fails and says what to run."""
    for place in (ROOT / ".tools/bin" / name, Path(sys.executable).parent / name):
        if place.exists():
            return place
    pytest.fail(f"{name} is missing: run {remedy}")


def output_of(*command: str | Path, where: Path = ROOT) -> str:
    """What a program says, which must succeed."""
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout
