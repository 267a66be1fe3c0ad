"""JSON Lines are read in bounded memory, with the right numbers."""

from __future__ import annotations

import io

from stream_detector.cli.lines import Line, decode_lines
from stream_detector.contracts import ScoringRequest
from stream_detector.errors import DecodeError, DecodeReason

GOOD = b'{"transactionContext":{"transactionId":"1"},"attributes":{"a":"x"}}'


def _read(payload: bytes, max_bytes: int = 200) -> list[Line[ScoringRequest]]:
    return list(decode_lines(ScoringRequest, io.BytesIO(payload), max_bytes=max_bytes))


def test_blank_lines_count_but_are_skipped() -> None:
    """Numbers are those that an editor shows, whatever was skipped."""
    lines = _read(b"\n  \n" + GOOD + b"\n\r\n" + GOOD)
    assert [line.number for line in lines] == [3, 5]
    assert all(isinstance(line.content, ScoringRequest) for line in lines)


def test_line_ends_do_not_count_as_bytes() -> None:
    """A document of exactly the limit passes with any line end, or none."""
    for end in (b"\n", b"\r\n", b""):
        (line,) = _read(GOOD + end, max_bytes=len(GOOD))
        assert isinstance(line.content, ScoringRequest)


def test_one_byte_too_many_is_refused() -> None:
    """The limit is the worker's, to the byte."""
    for end in (b"\n", b"\r\n", b""):
        (line,) = _read(GOOD + b" " + end, max_bytes=len(GOOD))
        assert isinstance(line.content, DecodeError)
        assert line.content.reason is DecodeReason.OVERSIZE


def test_endless_line_is_refused_and_the_next_one_read() -> None:
    """A line without an end doesn't fill the memory, and costs only itself."""

    class Counting(io.BytesIO):
        longest = 0

        def readline(self, size: int | None = -1, /) -> bytes:
            line = super().readline(size)
            Counting.longest = max(Counting.longest, len(line))
            return line

    stream = Counting(b"[" * 1_000_000 + b"\n" + GOOD + b"\n")
    first, second = decode_lines(ScoringRequest, stream, max_bytes=200)
    assert isinstance(first.content, DecodeError)
    assert first.content.reason is DecodeReason.OVERSIZE
    assert isinstance(second.content, ScoringRequest)
    assert second.number == 2
    assert Counting.longest <= 64 * 1024


def test_a_bad_line_is_handed_on_as_its_error() -> None:
    """Reading goes on after a line that can't be read."""
    lines = _read(GOOD + b"\n{bad\n" + GOOD + b"\n")
    assert [isinstance(line.content, DecodeError) for line in lines] == [False, True, False]
