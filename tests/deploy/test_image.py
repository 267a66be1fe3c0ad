"""The Dockerfiles: what a linter and a build would refuse, and what the images promise."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.image import healthy, rehearsal
from tests.deploy.containers import ROOT, output_of, program

DOCKERFILES = ("Dockerfile", "Dockerfile.inferentia")


def _instructions(dockerfile: str) -> list[tuple[str, str]]:
    return rehearsal.instructions((ROOT / dockerfile).read_text(encoding="utf-8"))


def _last(dockerfile: str, name: str) -> str:
    return [rest for instruction, rest in _instructions(dockerfile) if instruction == name][-1]


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_hadolint_is_content(dockerfile: str) -> None:
    """The linter of Dockerfiles, and shellcheck in it, has nothing to say."""
    assert output_of(program("hadolint", "make setup-dev"), ROOT / dockerfile) == ""


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_what_is_copied_exists_and_is_let_in(dockerfile: str) -> None:
    """A build fails late where a source is missing, or where .dockerignore keeps it out."""
    for name, rest in _instructions(dockerfile):
        if name == "COPY" and "--from" not in rest:
            *sources, _ = [word for word in rest.split() if not word.startswith("--")]
            for source in sources:
                assert (ROOT / source).exists()
                assert rehearsal._allowed(source, ROOT)


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_one_image_for_every_command(dockerfile: str) -> None:
    """Arguments are the program's own; it isn't root, and by a number, for Kubernetes believes no name."""
    assert _last(dockerfile, "ENTRYPOINT") == '["stream-detector"]'
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", _last(dockerfile, "USER"))
    assert "healthy.py" in _last(dockerfile, "HEALTHCHECK")


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_nothing_is_installed_but_what_the_lock_names(dockerfile: str) -> None:
    """Every install is from the lock with hashes, or of the wheel that was just built, without what it depends on."""
    installs = re.findall(r"pip install ([^&]*)", "\n".join(rest for name, rest in _instructions(dockerfile) if name == "RUN"))
    assert installs
    assert all("--require-hashes" in options or ("--no-deps" in options and "dist/*.whl" in options) for options in installs)


def test_what_only_the_build_needs_is_removed() -> None:
    """The lock names what builds the wheel, too; the image must not carry it, and must carry all the rest."""
    lock = (ROOT / "requirements/runtime.lock").read_text(encoding="utf-8")
    users: dict[str, set[str]] = {}
    for name, rest in re.findall(r"^([a-z0-9-]+)==(.*?)(?=^[a-z0-9]|\Z)", lock, re.MULTILINE | re.DOTALL):
        users[name] = {user.strip() for user in re.findall(r"^    #(?: via)? +(\S.*)$", rest, re.MULTILINE)}
    needed = {name for name, by in users.items() if any("pyproject.toml" in user for user in by)}
    while more := {name for name, by in users.items() if by & needed} - needed:
        needed |= more
    removed = re.findall(r"pip uninstall --quiet --yes ([^&]*)", _last_build())[0].split()
    assert set(removed) == set(users) - needed


def _last_build() -> str:
    return next(rest for name, rest in _instructions("Dockerfile") if name == "RUN" and "uninstall" in rest)


@pytest.fixture
def port() -> Iterator[int]:
    """Something that answers 200 to /healthz."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", ["STREAM_DETECTOR_METRICS_PORT", "STREAM_DETECTOR_HTTP_PORT"])
def test_the_health_check_finds_worker_and_predictor(port: int, name: str) -> None:
    """The one check is good for both, wherever the environment puts them, and says no where nothing answers."""
    nowhere = {"STREAM_DETECTOR_METRICS_PORT": "1", "STREAM_DETECTOR_HTTP_PORT": "1", "STREAM_DETECTOR_HTTP_HOST": "0.0.0.0"}
    assert healthy.healthy(nowhere | {name: str(port)})
    assert not healthy.healthy(nowhere)


def test_the_rehearsal_plays_the_dockerfile() -> None:
    """An instruction that the rehearsal doesn't know would stop it when it is needed."""
    known = set(re.findall(r'"([A-Z]+)"', Path(rehearsal.__file__).read_text(encoding="utf-8").partition("def _fresh")[0]))
    assert {name for name, _ in _instructions("Dockerfile")} <= known
