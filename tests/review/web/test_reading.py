"""What the model read, and the chart of thresholds, as values before they are a page."""

from __future__ import annotations

from stream_detector.contracts import Kind
from stream_detector.review.thresholds import ThresholdRow
from stream_detector.review.web.chart import HEIGHT, WIDTH, Chart
from stream_detector.review.web.marking import Marked, Piece
from stream_detector.review.web.reading import Dropped, Reader
from stream_detector.settings import Settings


def _shown(pieces: object) -> list[tuple[str, tuple[Kind, ...]]]:
    assert isinstance(pieces, tuple)
    return [("".join(run.text for run in piece.runs), piece.kinds) for piece in pieces if isinstance(piece, Piece)]


def test_evidence_is_found_again_in_what_the_model_read() -> None:
    """Though characters were dropped before it and folded in it."""
    text = "a\u200b\u200bb ０７７00 <b>c</b>"
    reading = Reader(Settings.load(environment={})).read(text, [Marked(5, 10, Kind.PHONE)])
    shown = _shown(reading.pieces)
    assert ("07700", (Kind.PHONE,)) in shown
    assert reading.folded >= 3
    assert Dropped("U+200B", "zero width space", 2) in reading.dropped


def test_a_plain_text_was_read_as_it_is() -> None:
    """Nothing is said of folding where there was none."""
    reading = Reader(Settings.load(environment={})).read("bright flat", [])
    assert not reading.changed


def _row(threshold: float, sent: int, precision: float | None) -> ThresholdRow:
    interval = (None, None) if precision is None else (precision - 0.1, precision)
    return ThresholdRow(threshold, sent, 1.0, 1, 1, 0, precision, *interval, precision)


def test_the_chart_stays_in_its_frame() -> None:
    """Whatever the rows are: points lie inside, a share of 1 above one of 0."""
    chart = Chart.of([_row(0.5, 10, 0.5), _row(0.7, 5, None), _row(0.99, 0, 1.0)], 0.7)
    assert chart
    for line in (chart.precision, chart.kept, chart.sent, chart.band):
        for point in line.split():
            across, down = map(float, point.split(","))
            assert 0 <= across <= WIDTH
            assert 0 <= down <= HEIGHT
    assert len(chart.precision.split()) == 2
    assert chart.in_use is not None


def test_without_two_thresholds_there_is_no_chart() -> None:
    """A line needs two points."""
    assert Chart.of([_row(0.5, 10, 0.5)], 0.5) is None
    assert Chart.of([], None) is None
