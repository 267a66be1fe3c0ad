"""`stream-detector train feedback`: reviewers' decisions as labelled texts."""

from __future__ import annotations

from pathlib import Path

import click

from stream_detector.cli.flags import SettingsCommand, with_settings
from stream_detector.observability.logs import configure
from stream_detector.settings import Settings


@click.command(cls=SettingsCommand)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--seed", type=int, default=7, show_default=True)
@with_settings("review", "policy")
def feedback(*, file: Path, seed: int, settings: Settings) -> None:
    """Write the console's decisions to FILE (.jsonl.gz) as labelled texts; `train corpus --feedback FILE` mixes them in.

    Contacts are replaced by others of the same shape. The policy must allow it: policy.train_on_reviews.
    """
    from stream_detector.review.database import require_made  # noqa: PLC0415 - keeps --help fast
    from stream_detector.training.feedback import harvest  # noqa: PLC0415 - keeps --help fast
    from stream_detector.training.samples import write_corpus  # noqa: PLC0415 - keeps --help fast

    configure(settings.log_level)
    require_made(settings)
    found = harvest(settings, seed=seed)
    write_corpus(found.samples, file)
    offending = sum(sample.offends for sample in found.samples)
    click.echo(f"{len(found.samples)} samples in {file}: {offending} Fraud, {len(found.samples) - offending} NonFraud")
    for why, number in sorted(found.left_out.items()):
        click.echo(f"{number} left out: {why}")
