"""`stream-detector score`: scoring requests in, responses out, one a line and in order."""

from __future__ import annotations

import sys

import click

from stream_detector.cli.flags import SettingsCommand, with_settings
from stream_detector.cli.lines import Line, decode_lines, open_lines, readable_file, report
from stream_detector.cli.read_ahead import ReadAhead
from stream_detector.contracts import ScoringRequest, ScoringResponse, encode
from stream_detector.detection import Detector
from stream_detector.errors import DecodeError, DecodeReason
from stream_detector.settings import Settings

#: Requests scored together: enough for the detector to keep all cores busy, few enough to answer soon.
BATCH = 64

Batch = list[Line[ScoringRequest]]
Scored = list[tuple[int, ScoringResponse | DecodeError]]


@click.command(
    cls=SettingsCommand,
    epilog="Exit status: 0 every request was scored, 1 some lines were refused (standard error says which), 2 wrong call.",
)
@click.argument("file", type=readable_file, required=False)
@click.option("--text", metavar="TEXT", help="Score this one text instead of a file.")
@with_settings("model", "threshold", "unmasked_evidence", "max_event_bytes", "backend", "inference_threads", "policy")
@click.pass_context
def score(context: click.Context, *, file: str | None, text: str | None, settings: Settings) -> None:
    """Score the requests in FILE, one JSON document a line; - is standard input. Responses come one a line, in order.

    A request: {"transactionContext": {"transactionId": "1"}, "attributes": {"listingDescription": "…"}}
    """
    if (file is None) == (text is None):
        raise click.UsageError("give a FILE (- is standard input) or --text, one of them")
    if text is not None:
        _score_text(text, settings)
    elif file is not None and (refused := _score_file(file, settings)):
        click.echo(f"stream-detector: {refused} line{'s' if refused > 1 else ''} of {file} refused", err=True)
        context.exit(1)


def _score_text(text: str, settings: Settings) -> None:
    with Detector.load(settings) as detector:
        document = encode(detector.score([{"text": text}])[0])
    if sys.stdout.isatty():
        from rich import print_json  # noqa: PLC0415 - the pipe has no need of it

        print_json(document.decode(), ensure_ascii=False)
    else:
        sys.stdout.buffer.write(document + b"\n")


def _score_file(file: str, settings: Settings) -> int:
    """Score and write, three things at a time: one batch is decoded, one scored and one written; return the refused lines."""
    refused = 0
    with (
        Detector.load(settings) as detector,
        open_lines(file) as stream,
        ReadAhead(decode_lines(ScoringRequest, stream, max_bytes=settings.max_event_bytes), depth=2 * BATCH) as lines,
        ReadAhead((_score_batch(detector, batch) for batch in lines.batches(BATCH)), depth=1) as scored,
    ):
        for batch in scored:
            refused += _write(file, batch)
    return refused


def _score_batch(detector: Detector, batch: Batch) -> Scored:
    texts = [line.content.texts for line in batch if not isinstance(line.content, DecodeError)]
    responses = iter(_score(detector, texts))
    return [(line.number, line.content if isinstance(line.content, DecodeError) else next(responses)) for line in batch]


def _score(detector: Detector, texts: list[dict[str, str]]) -> list[ScoringResponse | DecodeError]:
    """Responses; a request that the model fails on is refused alone, as the worker would do it."""
    try:
        return list(detector.score(texts))
    except Exception as error:  # noqa: BLE001 - whatever a model raises must not cost the other requests their responses
        if len(texts) == 1:
            return [
                DecodeError(DecodeReason.SCORING_FAILED, f"scoring raised {type(error).__name__}; the model failed on this text")
            ]
    return [response for text in texts for response in _score(detector, [text])]


def _write(file: str, batch: Scored) -> int:
    errors = [(number, content) for number, content in batch if isinstance(content, DecodeError)]
    for number, error in errors:
        report(file, number, error)
    sys.stdout.buffer.writelines(encode(content) + b"\n" for _, content in batch if not isinstance(content, DecodeError))
    sys.stdout.buffer.flush()
    return len(errors)
