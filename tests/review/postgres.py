"""A real PostgreSQL on this machine, with a data directory of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path
from typing import Self

import psycopg

_REMEDY = "run make postgres-setup"
_DEBIAN = Path("/usr/lib/postgresql")
_START_S = 120
# Not every PATH has the folder of the machine's own tools.
_RUNUSER = shutil.which("runuser") or "/usr/sbin/runuser"


class PostgreSQL:
    """A server that listens on a socket in its own folder only; what it writes needn't survive the machine."""

    def __init__(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="stream-detector-postgres-"))
        self._data = self._directory / "data"
        self._running = False

    def __enter__(self) -> Self:
        """Start it. RuntimeError, with the remedy, if it can't be started."""
        try:
            if os.geteuid() == 0:
                # The server refuses to run as root; Debian's package brings its user.
                shutil.chown(self._directory, "postgres", "postgres")
            self._run(
                "initdb", "-D", str(self._data), "-U", "reviewer", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8"
            )
            options = f"-k {self._directory} -c listen_addresses= -c fsync=off -c full_page_writes=off -c shared_buffers=32MB"
            self._run(
                "pg_ctl",
                "-D",
                str(self._data),
                "-w",
                "-t",
                str(_START_S),
                "-l",
                str(self._directory / "log"),
                "-o",
                options,
                "start",
            )
            self._running = True
        except (OSError, LookupError, subprocess.CalledProcessError) as error:
            self.__exit__()
            raise RuntimeError(f"PostgreSQL can't be started: {error}: {getattr(error, 'stderr', '')}; {_REMEDY}") from error
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it and remove its data."""
        if self._running:
            self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(self._directory, ignore_errors=True)

    def new_database(self, template: str = "template0") -> str:
        """A new database; its address."""
        name = f"review_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(host=str(self._directory), user="reviewer", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")  # type: ignore[call-overload]
        return f"postgresql://reviewer@/{name}?host={self._directory}"

    def drop(self, url: str) -> None:
        """Remove a database that nobody uses any more."""
        name = url.partition("@/")[2].partition("?")[0]
        with psycopg.connect(host=str(self._directory), user="reviewer", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[call-overload]

    def _run(self, program: str, *arguments: str) -> None:
        command = [_find(program), *arguments]
        if os.geteuid() == 0:
            command = [_RUNUSER, "-u", "postgres", "--", *command]
        # Its output goes nowhere near ours: the server would keep a pipe open.
        with tempfile.TemporaryFile() as complaints:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=complaints, check=False, cwd="/"
            )
            complaints.seek(0)
            if done.returncode:
                raise subprocess.CalledProcessError(done.returncode, command, stderr=complaints.read().decode())


def _find(program: str) -> str:
    """The program of the newest PostgreSQL: Debian puts servers where no PATH leads."""
    found = sorted(_DEBIAN.glob(f"*/bin/{program}"), key=lambda path: int(path.parts[-3]) if path.parts[-3].isdecimal() else 0)
    if found:
        return str(found[-1])
    if (elsewhere := shutil.which(program)) is not None:
        return elsewhere
    raise FileNotFoundError(f"no {program} on this machine")
