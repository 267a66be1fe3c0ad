"""The load tables: what JMeter wrote becomes the published system's columns, and nothing is left out or made nicer."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.http_load_table import Sample, markdown, of_raw, read, row, total

JTL = """timeStamp,elapsed,label,responseCode,responseMessage
1000,300,warm-up,200,OK
2000,100,run 1,200,OK
2110,50,run 1,503,Service Unavailable
"""


def test_warm_up_does_not_count_and_errors_show(tmp_path: Path) -> None:
    """Only the label's own requests are in its row; a refusal is quick, so it must be seen."""
    file = tmp_path / "results.jtl"
    file.write_text(JTL, encoding="utf-8")
    found = row("run 1", read(file, "run 1"))
    assert (found["requests"], found["errors"], found["min"], found["max"]) == (2, 1, 50, 100)
    assert found["throughput"] == pytest.approx(2 / 0.160, abs=0.01)


def test_percentiles_are_those_of_the_nearest_rank() -> None:
    """Of 60 requests the 99th percentile is the slowest, of 200 the third slowest from the top."""
    found = row("", of_raw(range(1, 61)))
    assert (found["tp90"], found["tp99"], found["avg"]) == (54, 60, 30.5)
    assert row("", of_raw(range(1, 201)))["tp99"] == 198


def test_all_runs_together_leave_out_what_was_between_them() -> None:
    """Other servers had their turn meanwhile: that time belongs to them."""
    runs = [[Sample(0, 100, ok=True)], [Sample(60_000, 100, ok=True)]]
    assert total(runs)["throughput"] == pytest.approx(10)
    assert total(runs)["requests"] == 2


def test_the_table_has_the_published_columns() -> None:
    """In their order."""
    text = markdown("A server", [row("run 1", of_raw([1.0, 2.0]))])
    head = "| label | requests | avg ms | tp90 ms | tp99 ms | min ms | max ms | requests/s |"
    assert text.splitlines()[2] == head
    assert "| run 1 | 2 | 1.5 | 2.0 | 2.0 | 1.0 | 2.0 | 666.67 |" in text
