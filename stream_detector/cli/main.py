"""The program `stream-detector`: which commands there are, and how it leaves."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any, Final

import click

from stream_detector import __version__
from stream_detector.cli.lazy import Entry, LazyGroup
from stream_detector.errors import StreamDetectorError
from stream_detector.settings import ENVIRONMENT_PREFIX

INTERRUPTED: Final = 130
OUTPUT_CLOSED: Final = 141

COMMANDS: Final = {
    "demo": Entry(
        "stream_detector.cli.demo.command", "demo", "Play example events through an embedded broker and the real worker."
    ),
    "run": Entry("stream_detector.cli.run", "run", "Run the worker: read events from Kafka, publish violations."),
    "serve": Entry("stream_detector.cli.serve", "serve", "Answer scoring requests over HTTP, with the same detector."),
    "console": Entry("stream_detector.cli.console", "console", "Serve the review console, where people decide about violations."),
    "reviews": Entry("stream_detector.cli.reviews", "reviews", "Export and check the audit log of the review console."),
    "aggregate": Entry("stream_detector.cli.aggregate", "aggregate", "Count violations by partner; publish repeat offenders."),
    "score": Entry("stream_detector.cli.score", "score", "Score requests from a file or standard input, or one text."),
    "validate": Entry("stream_detector.cli.validate", "validate", "Check events the way the worker does."),
    "verify": Entry("stream_detector.cli.verify", "verify", "Prove that each record of a group was accounted for, once."),
    "dlq": Entry("stream_detector.cli.dlq", "dlq", "List, explain and replay dead letters."),
    "play": Entry("stream_detector.cli.play", "play", "Send the example events to a Kafka, to see the rest at work."),
    "schema": Entry("stream_detector.cli.schema", "schema", "Export the contracts as schemas, and check that they break nobody."),
    "topics": Entry("stream_detector.cli.topics", "topics", "Create the topics in Kafka."),
    "models": Entry("stream_detector.cli.models", "models", "List, verify and compare model artefacts."),
    "plan": Entry("stream_detector.cli.plan", "plan", "Plan replicas, partitions and cores for a load."),
    "train": Entry("stream_detector.cli.train", "train", "Build a model artefact from named data."),
}


class _OutputClosedError(Exception):
    """Whoever read standard output has gone."""


class _Program(LazyGroup):
    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; click would turn a closed output into a status that here means "some input was refused"."""
        try:
            status = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            raise _OutputClosedError from None
        return status


@click.command(
    cls=_Program,
    entries=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    epilog="Settings come from a TOML file (--config), the environment (STREAM_DETECTOR_…) and flags, in rising order of precedence.",
)
@click.version_option(__version__, prog_name="stream-detector")
def cli() -> None:
    """Find contact, booking and payment outside the platform in a marketplace's change events."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status.

    0 is done, 1 that some input was refused (or this program failed), 2 that the call or the configuration is wrong.
    """
    try:
        status = cli.main(args=arguments, prog_name="stream-detector", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except _OutputClosedError:
        # The interpreter flushes standard output once more on its way out; let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OUTPUT_CLOSED
    except StreamDetectorError as error:
        _complain(" ".join(str(error).split()))
        return error.exit_status
    except Exception as error:  # noqa: BLE001 - a stack trace never reaches a user who hasn't asked for it
        variable = f"{ENVIRONMENT_PREFIX}LOG_LEVEL"
        if os.environ.get(variable, "").upper() == "DEBUG":
            traceback.print_exc()
        _complain(f"an error in the program itself: {type(error).__name__}; set {variable}=DEBUG to see where")
        return 1
    return status if isinstance(status, int) else 0


def _complain(message: str) -> None:
    click.echo(f"stream-detector: {message}", err=True)
