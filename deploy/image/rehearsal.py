"""Plays the steps of the Dockerfile in folders, and starts every command of the image; `rehearse.sh` calls it.

It knows the instructions that this Dockerfile has, and stops at any other.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

# By its whole path: what runs inside has a PATH of its own.
CHROOT = shutil.which("chroot") or "/usr/sbin/chroot"

# Of this machine: how its pip reaches a registry. An image's build has the like from its engine.
_PASSED_ON = (
    "PIP_CERT",
    "PIP_INDEX_URL",
    "PIP_DEFAULT_TIMEOUT",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "https_proxy",
    "http_proxy",
    "NO_PROXY",
)


@dataclass
class Stage:
    """One stage: a root file system, and what its instructions said."""

    folder: Path
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/"})
    workdir: str = "/"
    user: str = "0:0"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    healthcheck: list[str] = field(default_factory=list)

    def run(self, arguments: list[str]) -> None:
        """Run a step as the build would, with this machine's way to a registry; a failure ends the rehearsal."""
        passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        where = [CHROOT, str(self.folder), "/bin/sh", "-c", 'cd "$0" && exec "$@"', self.workdir]
        done = subprocess.run([*where, *arguments], env=passed | self.environment, check=False)
        if done.returncode != 0:
            sys.exit(f"rehearse: the step failed with {done.returncode}: {shlex.join(arguments)}")


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    """The instructions with their arguments, comments left out and continued lines joined."""
    lines = [line for line in dockerfile.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in joined.splitlines())]


def build(dockerfile: Path, context: Path, work: Path) -> Stage:  # noqa: C901, PLR0912 - a case an instruction
    """Play all stages; give the last one."""
    stages: dict[str, Stage] = {}
    stage = Stage(work)
    for number, (name, rest) in enumerate(instructions(dockerfile.read_text(encoding="utf-8"))):
        print(f"rehearse: {name} {rest[:100]}", flush=True)
        match name:
            case "ARG" | "LABEL" | "EXPOSE":
                pass
            case "FROM":
                label = rest.partition(" AS ")[2] or "image"
                stage = stages[label] = Stage(_fresh(work / label, work / "base"))
            case "ENV":
                for pair in shlex.split(rest):
                    key, _, value = pair.partition("=")
                    stage.environment[key] = value.replace("$PATH", stage.environment["PATH"])
            case "WORKDIR":
                stage.workdir = rest
                (stage.folder / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
            case "COPY":
                _copy(rest, stage, stages, context)
            case "RUN":
                stage.run(["/bin/sh", "-c", rest])
            case "USER":
                stage.user = rest
            case "ENTRYPOINT":
                stage.entrypoint = json.loads(rest)
            case "CMD":
                stage.command = json.loads(rest)
            case "HEALTHCHECK":
                stage.healthcheck = json.loads(rest.partition("CMD ")[2])
            case _:
                sys.exit(f"rehearse: instruction {number} is {name}, which the rehearsal doesn't know: teach it in rehearsal.py")
    return stage


def _fresh(folder: Path, base: Path) -> Path:
    if folder.exists():
        shutil.rmtree(folder)
    subprocess.run(["cp", "--archive", "--reflink=auto", base, folder], check=True)
    (folder / "etc/resolv.conf").write_bytes(Path("/etc/resolv.conf").read_bytes())
    (folder / "etc/hosts").write_bytes(Path("/etc/hosts").read_bytes())
    # The base image's interpreter has its certificates; that of this machine's registry may be signed by others.
    if certificates := os.environ.get("PIP_CERT"):
        shutil.copy(certificates, folder / certificates.lstrip("/"))
    return folder


def _copy(rest: str, stage: Stage, stages: dict[str, Stage], context: Path) -> None:
    words = rest.split()
    options = dict(word.removeprefix("--").split("=") for word in words if word.startswith("--"))
    *sources, target = [word for word in words if not word.startswith("--")]
    other = stages[options["from"]].folder if "from" in options else None
    into = stage.folder / (target if target.startswith("/") else f"{stage.workdir}/{target}").lstrip("/")
    for source in sources:
        found = other / source.lstrip("/") if other else context / source
        aim = into / found.name if target.endswith("/") else into
        aim.parent.mkdir(parents=True, exist_ok=True)
        if found.is_dir():
            shutil.copytree(found, aim, symlinks=True, dirs_exist_ok=True, ignore=None if other else _ignored(context))
        else:
            if not other and not _allowed(source, context):
                sys.exit(f"rehearse: {source}: .dockerignore keeps it out of the build")
            shutil.copy2(found, aim)
        if mode := options.get("chmod"):
            aim.chmod(int(mode, 8))


def _patterns(context: Path) -> tuple[list[str], list[str]]:
    lines = (context / ".dockerignore").read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if line and not line.startswith("#")]
    return [line[1:] for line in lines if line.startswith("!")], [
        line for line in lines if line[0] not in "!*" or line.startswith("**/")
    ]


def _allowed(path: str, context: Path) -> bool:
    allowed, _ = _patterns(context)
    return any(path == name or path.startswith(f"{name}/") for name in allowed)


def _ignored(context: Path):  # noqa: ANN202 - shutil's own type of a filter
    allowed, left_out = _patterns(context)

    def ignore(folder: str, names: list[str]) -> set[str]:
        if not _allowed(str(Path(folder).relative_to(context)), context):
            sys.exit(f"rehearse: {folder}: .dockerignore keeps it out of the build; it lets in {allowed}")
        return {name for name in names if any(fnmatch.fnmatch(name, pattern.removeprefix("**/")) for pattern in left_out)}

    return ignore


def _digest(folder: Path) -> tuple[str, float]:
    """One number for all names and contents, and the size in megabytes."""
    digest, size = hashlib.sha256(), 0
    for path in sorted(folder.rglob("*")):
        content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b""
        size += len(content)
        digest.update(f"{path.relative_to(folder)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16], size / 1e6


def main() -> None:
    """Build, and start every command."""
    context, work = map(Path, sys.argv[1:])
    image = build(context / "Dockerfile", context, work)
    digest, megabytes = _digest(image.folder / "opt/stream-detector")
    print(f"rehearse: built; /opt/stream-detector holds {megabytes:.0f} MB, digest {digest}", flush=True)
    # Beside this file, and found there only when it is run.
    from commands import start_every_command  # noqa: PLC0415

    start_every_command(image, context)


if __name__ == "__main__":
    main()
