"""`stream-detector models`: the model artefacts on this machine."""

from __future__ import annotations

import click

from stream_detector.cli.models_compare import compare
from stream_detector.cli.models_drift import drift, reference
from stream_detector.errors import ArtefactError
from stream_detector.inference.artefact import available, find, load_manifest, verify
from stream_detector.inference.compiled import compiled_targets, verify_programs


@click.group()
def models() -> None:
    """List, verify and compare model artefacts."""


models.add_command(compare)
models.add_command(reference)
models.add_command(drift)


@models.command(name="list")
def list_models() -> None:
    """Name every shipped model with its versions, threshold and folder."""
    for folder in available():
        manifest = load_manifest(folder)
        click.echo(
            f"{folder.name}  {manifest.model_code} {manifest.model_version} {manifest.refresh_version}"
            f"  threshold {manifest.threshold:g}  {folder}"
        )


@models.command(name="verify")
@click.argument("name", required=False)
@click.pass_context
def verify_models(context: click.Context, name: str | None) -> None:
    """Check every file of the model NAME (a shipped one or a path) against its manifest; without NAME, of all shipped ones."""
    failed = False
    folders = available() if name is None else [find(name)]
    if not folders:
        raise ArtefactError("no model is shipped with this installation; name a folder")
    for folder in folders:
        try:
            manifest = verify(folder)
            programs = [verify_programs(folder, manifest, target) for target in compiled_targets(folder)]
        except ArtefactError as error:
            failed = True
            click.echo(f"stream-detector: {error}", err=True)
        else:
            click.echo(
                f"{folder.name}: {len(manifest.files)} files match the manifest of {manifest.model_code} {manifest.refresh_version}"
            )
            for compiled in programs:
                click.echo(f"{folder.name}: {len(compiled.buckets)} programs for {compiled.target} match theirs")
    if failed:
        context.exit(ArtefactError.exit_status)
