"""JSON Lines in: one document a line, bounded memory, faults named as FILE:LINE: reason: message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

import click

from stream_detector.contracts import WireModel, decode
from stream_detector.errors import DecodeError, DecodeReason

Model = TypeVar("Model", bound=WireModel)

#: A file to read: its path, or "-" for standard input.
readable_file = click.Path(exists=True, dir_okay=False, allow_dash=True)


@dataclass(frozen=True, slots=True)
class Line(Generic[Model]):
    """A line's number, counted from 1, what stands there, or why it can't be read, and its bytes."""

    number: int
    content: Model | DecodeError
    document: bytes = b""


def open_lines(file: str) -> AbstractContextManager[BinaryIO]:
    """Open a file to read bytes from, or standard input for "-"."""
    if file == "-":
        # A reader of our own, never closed: leaving must not wait for the lock of one that a thread is reading from.
        return nullcontext(open(0, "rb", closefd=False))
    return Path(file).open("rb")


def decode_lines(model: type[Model], stream: BinaryIO, *, max_bytes: int) -> Iterator[Line[Model]]:
    """Read documents one a line; blank lines are skipped, and a line that can't be read is handed on as its error."""
    number = 0
    while payload := stream.readline(max_bytes + len(b"\r\n")):
        number += 1
        if not payload.strip():
            continue
        yield Line(number, _decode(model, payload, stream, max_bytes), payload)


def _decode(model: type[Model], payload: bytes, stream: BinaryIO, max_bytes: int) -> Model | DecodeError:
    document = payload.rstrip(b"\r\n")
    if len(document) > max_bytes and not payload.endswith(b"\n"):
        # Its end isn't read yet, and may be gigabytes away.
        while (rest := stream.readline(64 * 1024)) and not rest.endswith(b"\n"):
            pass
        message = f"the line is longer than the {max_bytes} bytes allowed; send a smaller text or raise max_event_bytes"
        return DecodeError(DecodeReason.OVERSIZE, message)
    try:
        return decode(model, document, max_bytes=max_bytes)
    except DecodeError as error:
        return error


def report(file: str, number: int, error: DecodeError) -> None:
    """Say on standard error which line was refused and why."""
    click.echo(f"{file}:{number}: {error.reason}: {error}", err=True)
