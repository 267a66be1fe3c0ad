"""The settings' [aggregation] table, read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_detector.aggregation.rules import DAY_MS, Rules, Window
from stream_detector.errors import ConfigurationError
from stream_detector.settings import AggregationSettings, Settings

HOUR_MS = DAY_MS // 24


def test_the_defaults_are_a_day_a_week_and_a_month() -> None:
    """What the documentation promises: three lengths, three levels each, the shortest first."""
    rules = Rules.of(AggregationSettings())
    assert [(window.name, window.length_ms // DAY_MS, window.hop_ms // HOUR_MS) for window in rules.windows] == [
        ("1d", 1, 1), ("7d", 7, 6), ("30d", 30, 24),
    ]  # fmt: skip
    assert [(level.name, level.points) for level in rules.windows[0].levels] == [
        ("notice", 2000), ("warning", 5000), ("severe", 10000),
    ]  # fmt: skip
    assert rules.weight(["solicitation", "payment"]) == 1500
    assert rules.weight([]) == 500


def test_the_environment_gives_lists() -> None:
    """Windows and weights are comma-separated there, as other lists are."""
    environment = {
        "STREAM_DETECTOR_AGGREGATION__WINDOWS": "2d/1d b=2.5 a=1,12h/1h c=0.125",
        "STREAM_DETECTOR_AGGREGATION__WEIGHTS": "email=0.25",
    }
    rules = Rules.of(Settings.load(environment=environment).aggregation)
    assert [(w.name, [(level.name, level.points) for level in w.levels]) for w in rules.windows] == [
        ("12h", [("c", 125)]),
        ("2d", [("a", 1000), ("b", 2500)]),
    ]
    assert rules.weights["email"] == 250
    assert rules.weights["phone"] == 1000


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"windows": ()}, "0 windows"),
        ({"windows": ("",)}, "is no length and hop"),
        ({"windows": ("7d notice=1",)}, "'7d' is no length and hop"),
        ({"windows": ("7d/5h a=1",)}, "the length must be the hop"),
        ({"windows": ("7d/0h a=1",)}, "the length must be the hop"),
        ({"windows": ("30d/1h a=1",)}, "up to 200 times"),
        ({"windows": ("1d/1h",)}, "0 levels"),
        ({"windows": ("1d/1h a=0",)}, "'a=0' is no level with points above 0"),
        ({"windows": ("1d/1h a=-1",)}, "is no level"),
        ({"windows": ("1d/1h A=1",)}, "is no level"),
        ({"windows": ("1d/1h a=1 a=2",)}, "two are the same"),
        ({"windows": ("1d/1h a=1 b=1",)}, "two are the same"),
        ({"windows": ("24h/1h a=1", "1d/1h a=1")}, "two are the same"),
        ({"weights": ("fax=1",)}, "'fax=1' is no weight"),
        ({"weights": ("phone",)}, "'phone' is no weight"),
        ({"keep_days": 30}, "keep_days: 30 days are too few for windows of 30d"),
    ],
)
def test_what_is_wrong_is_named(values: dict[str, object], what: str) -> None:
    """A window that can't be read is no window that never tells anything."""
    with pytest.raises(ConfigurationError, match=f"aggregation.*{what}"):
        Rules.of(AggregationSettings.model_validate(values))


@settings(max_examples=50)
@given(st.integers(0, 2**42), st.integers(1, 50), st.integers(1, 100))
def test_a_moment_lies_in_each_of_its_windows_and_in_no_other(moment: int, hop: int, hops: int) -> None:
    """The windows of a moment are exactly those that begin at a multiple of the hop and hold it."""
    window = Window("w", hop * hops, hop, ())
    assert [*window.starts(moment)] == [
        start for start in range((moment // hop - hops - 1) * hop, moment + hop, hop) if start <= moment < start + hop * hops
    ]
    assert len(window.starts(moment)) == hops
    assert window.latest(moment) + window.length_ms > moment
