"""`stream-detector reviews`: what the review store can tell without its pages."""

from __future__ import annotations

import getpass
from datetime import datetime
from typing import TYPE_CHECKING

import click

from stream_detector.cli.flags import SettingsCommand, with_settings
from stream_detector.cli.moments import moment_option
from stream_detector.observability.logs import configure
from stream_detector.settings import Settings

if TYPE_CHECKING:
    from stream_detector.review.store import Store


@click.group()
def reviews() -> None:
    """Export and check the audit log of the review console."""


@reviews.command("export-audit", cls=SettingsCommand)
@moment_option("--until", "Only what was done before then.")
@moment_option("--since", "Only what was done since then.")
@with_settings("review")
def export_audit(*, since: datetime | None, until: datetime | None, settings: Settings) -> None:
    """Write the audit log to standard output, oldest first, one JSON object a line. The export itself is put into the log."""
    from stream_detector.review.audit import Action  # noqa: PLC0415 - keeps --help fast

    with _store(settings) as store:
        output = click.get_binary_stream("stdout")
        number = 0
        for line in store.audit.export(since=since, until=until):
            output.write(line)
            number += 1
        store.audit.record(f"{getpass.getuser()} (command line)", Action.EXPORTED, detail={"lines": number})


@reviews.command("verify-audit", cls=SettingsCommand)
@with_settings("review")
def verify_audit(*, settings: Settings) -> int:
    """Check that no line of the audit log was changed, removed or put in between: each holds the hash of the one before it."""
    with _store(settings) as store:
        wrong = store.audit.verify()
    if wrong is not None:
        click.echo(f"line {wrong} was tampered with")
        return 1
    click.echo("the chain holds")
    return 0


def _store(settings: Settings) -> Store:
    from stream_detector.review.database import require_made  # noqa: PLC0415 - keeps --help fast
    from stream_detector.review.store import Store  # noqa: PLC0415 - keeps --help fast

    configure(settings.log_level)
    require_made(settings)
    return Store.open(settings)
