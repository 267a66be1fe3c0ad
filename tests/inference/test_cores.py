"""Which cores of an accelerator a process may use: what the Neuron runtime's variables say, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_detector.errors import ConfigurationError
from stream_detector.inference.cores import NUMBER, VISIBLE, count_devices, visible_cores


@pytest.mark.parametrize(
    ("environment", "count"),
    [
        ({}, 8),
        ({VISIBLE: ""}, 8),
        ({VISIBLE: "3"}, 1),
        ({VISIBLE: "0-3"}, 4),
        ({VISIBLE: "0,2,4-5"}, 4),
        ({VISIBLE: " 1 - 2 , 7 "}, 3),
        ({VISIBLE: "1,1,0-1"}, 2),
        ({NUMBER: "0"}, 8),
        ({NUMBER: "5"}, 5),
        ({VISIBLE: "0-1", NUMBER: "5"}, 2),
    ],
    ids=str,
)
def test_the_runtimes_variables_are_read(environment: dict[str, str], count: int) -> None:
    """As the runtime reads them: names, ranges, lists, a number; names come first; none of them means all."""
    assert visible_cores(environment, 8) == count


@pytest.mark.parametrize("text", ["a", "1-", "-1", "3-1", "0,,1", "0;1", "1.5", "٣", "99999"])
def test_names_that_are_none_are_refused(text: str) -> None:
    """The variable is named, and how it is written."""
    with pytest.raises(ConfigurationError, match=rf"{VISIBLE}: must be cores such as"):
        visible_cores({VISIBLE: text}, 8)


@pytest.mark.parametrize(
    ("environment", "named"), [({VISIBLE: "0-8"}, VISIBLE), ({NUMBER: "9"}, NUMBER), ({NUMBER: "two"}, NUMBER)]
)
def test_more_than_there_is_is_refused(environment: dict[str, str], named: str) -> None:
    """Before the runtime fails with a number that nobody knows."""
    with pytest.raises(ConfigurationError, match=named):
        visible_cores(environment, 8)


def test_no_device_is_an_error_with_remedies() -> None:
    """A worker that was told to use an accelerator doesn't go on without one."""
    with pytest.raises(ConfigurationError, match=r"no Neuron device here.*set backend to onnx"):
        visible_cores({VISIBLE: "0"}, 0)


@given(text=st.text(alphabet="0123456789,- ", max_size=12), available=st.integers(1, 64))
def test_any_text_is_a_number_of_cores_or_refused(text: str, available: int) -> None:
    """Never more cores than there are, never none, never another error."""
    refused = ""
    try:
        count = visible_cores({VISIBLE: text}, available)
    except ConfigurationError as error:
        refused, count = str(error), 1
    assert 1 <= count <= available
    assert not refused or VISIBLE in refused


def test_devices_are_counted_by_their_files(tmp_path: Path) -> None:
    """A container sees those that it was given, and other files of the driver aren't devices."""
    for name in ("neuron0", "neuron1", "neuron10", "neuron_core0", "neuron", "null"):
        (tmp_path / name).touch()
    assert count_devices(tmp_path) == 3
    assert count_devices(tmp_path / "nowhere") == 0
