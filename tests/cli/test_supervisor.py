"""`run --supervise`: which ends are followed by a new start."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stream_detector.cli.supervisor import Supervisor
from stream_detector.errors import START_AGAIN


def _scripted(tmp_path: Path, *endings: str) -> list[str]:
    """A program that ends otherwise each time it is started; its starts are lines in a file."""
    script = tmp_path / "program.py"
    script.write_text(
        f"""import os, pathlib, signal, sys
starts = pathlib.Path({str(tmp_path / "starts")!r})
count = len(starts.read_text().splitlines()) if starts.exists() else 0
starts.open("a").write("start\\n")
ending = {endings!r}[count]
if ending == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
sys.exit(int(ending))
""",
        encoding="utf-8",
    )
    return [sys.executable, str(script)]


def test_sighup_is_passed_on(tmp_path: Path) -> None:
    """It is meant for the worker; the supervisor goes on supervising."""
    script = tmp_path / "program.py"
    script.write_text(
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGHUP, lambda *_: sys.exit(7))\n"
        "while True:\n"
        "    os.kill(os.getppid(), signal.SIGHUP)\n"
        "    time.sleep(0.05)\n",
        encoding="utf-8",
    )
    assert Supervisor([sys.executable, str(script)]).run() == 7


def _starts(tmp_path: Path) -> int:
    return len((tmp_path / "starts").read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize(
    ("endings", "status", "starts"),
    [
        (("0",), 0, 1),
        (("1",), 1, 1),  # a person must act: an ACL is missing, or the dead-letter limit is passed
        (("2",), 2, 1),
        ((str(START_AGAIN), "0"), 0, 2),
        (("kill", str(START_AGAIN), "kill", "1"), 1, 4),
    ],
)
def test_what_a_new_process_can_mend_is_started_again(tmp_path: Path, endings: tuple[str, ...], status: int, starts: int) -> None:
    """A hang, giving up and a kill are; everything else ends the supervisor with the worker's status."""
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    assert Supervisor(_scripted(tmp_path, *endings), clock=lambda: now, sleep=sleep).run() == status
    assert _starts(tmp_path) == starts


def test_the_rest_grows_until_a_worker_was_well(tmp_path: Path) -> None:
    """A worker that ends at once isn't started hundreds of times a minute."""
    now = 0.0
    rests: list[float] = []

    class Scripted(Supervisor):
        lives = iter([0.0, 0.0, 0.0, 100.0, 0.0])

        def _once(self) -> int:
            nonlocal now
            life = next(self.lives, None)
            now += life or 0.0
            return 0 if life is None else START_AGAIN

        def _rest(self, seconds: float) -> None:
            rests.append(seconds)

    assert Scripted([], clock=lambda: now).run() == 0
    assert rests == [0.5, 1.0, 2.0, 0.5, 1.0]


def test_a_signal_is_passed_on_and_ends_it() -> None:
    """SIGTERM to the supervisor drains the worker; it isn't started again."""
    worker = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); print('up', flush=True); signal.pause()"
    code = f"import sys; from stream_detector.cli.supervisor import Supervisor; sys.exit(Supervisor([sys.executable, '-c', {worker!r}]).run())"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_run_supervises_itself() -> None:
    """The flag starts the same command without it: here one that is wrong, which isn't tried again."""
    program = [sys.executable, "-c", "import sys; from stream_detector.cli.main import main; sys.exit(main())"]
    called = subprocess.run(
        [*program, "run", "--supervise", "--metrics-port", "0", "--model", "nonesuch"], capture_output=True, text=True, check=False
    )
    assert called.returncode == 2
    assert called.stderr.count("nonesuch") >= 1
    assert "Traceback" not in called.stderr
