"""Which windows run next: every rule by an example, and what must hold for any queue."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_detector.batching import CloseReason, RunLimits, Shape, Waiting, next_run


class Cpu:
    """Rows gain nothing: a millisecond for ten tokens."""

    def seconds(self, rows: int, length: int) -> float:
        """Seconds of a run."""
        return rows * length * 1e-4


class Accelerator:
    """Rows cost next to nothing: ten milliseconds for a run, and one for a thousand tokens."""

    def seconds(self, rows: int, length: int) -> float:
        """Seconds of a run."""
        return 0.01 + rows * length * 1e-6


MANY = RunLimits(max_rows=4, max_tokens=400)
BUCKETS = RunLimits(shapes=(Shape(1, 64), Shape(8, 64), Shape(4, 128), Shape(2, 512)))


def _queue(*lengths: int, deadline: float = 1.0) -> list[Waiting]:
    return [Waiting(deadline + at / 1000, length) for at, length in enumerate(lengths)]


def test_nothing_waits() -> None:
    """Nothing to run."""
    assert next_run([], 0.0, Cpu(), MANY) is None


@pytest.mark.parametrize(("lengths", "reason"), [((50,), CloseReason.IDLE), ((50, 50), CloseReason.SIDE_BY_SIDE)])
@pytest.mark.parametrize("limits", [MANY, RunLimits()], ids=["rows allowed", "one row"])
def test_where_batches_gain_nothing_windows_run_alone(lengths: tuple[int, ...], reason: CloseReason, limits: RunLimits) -> None:
    """On a CPU the next core takes the next window; the reason tells it from an empty queue."""
    run = next_run(_queue(*lengths), 0.0, Cpu(), limits)
    assert run == ((0,), (1, 50), reason)


@pytest.mark.parametrize(
    ("lengths", "members", "shape", "reason"),
    [
        ((90,), (0,), (1, 90), CloseReason.IDLE),
        ((90, 90), (0, 1), (2, 90), CloseReason.IDLE),
        ((90, 90, 90, 90, 90), (0, 1, 2, 3), (4, 90), CloseReason.FULL),
        # The budget of 400 tokens counts padding.
        ((130, 100, 100, 100), (0, 1, 2), (3, 130), CloseReason.FULL),
        # Like lengths first: the two short ones wait for each other.
        ((90, 10, 88, 12, 91, 92), (0, 4, 2, 5), (4, 92), CloseReason.FULL),
    ],
)
def test_where_batches_gain_runs_are_filled(
    lengths: tuple[int, ...], members: tuple[int, ...], shape: tuple[int, int], reason: CloseReason
) -> None:
    """On an accelerator a run takes what waits, like lengths together, up to rows and token budget."""
    run = next_run(_queue(*lengths), 0.0, Accelerator(), MANY)
    assert run is not None
    assert (set(run.members), run.shape, run.reason) == (set(members), shape, reason)
    assert run.members[0] == 0


def test_a_longer_row_must_not_cost_the_first_its_deadline() -> None:
    """The run is closed where one more would make it end too late."""
    queue = [Waiting(0.01015, 50), Waiting(1.0, 60)]
    assert next_run(queue, 0.0, Accelerator(), RunLimits(max_rows=2)) == ((0, 1), (2, 60), CloseReason.IDLE)
    queue[1] = Waiting(1.0, 100)
    assert next_run(queue, 0.0, Accelerator(), RunLimits(max_rows=2)) == ((0,), (1, 50), CloseReason.DEADLINE)


def test_the_late_make_way() -> None:
    """Whatever is done, they stay late; the first that can be in time goes first."""
    queue = [Waiting(-1.0, 50), Waiting(0.002, 50), Waiting(0.5, 50)]
    assert next_run(queue, 0.0, Cpu(), RunLimits()) == ((2,), (1, 50), CloseReason.SIDE_BY_SIDE)


def test_the_late_fill_what_room_is_left() -> None:
    """On an accelerator they ride along, behind those that can be in time."""
    queue = [Waiting(-2.0, 50), Waiting(-1.0, 50), Waiting(0.5, 50), Waiting(0.6, 50), Waiting(0.7, 50)]
    run = next_run(queue, 0.0, Accelerator(), MANY)
    assert run is not None
    assert run.members == (2, 3, 4, 0)


def test_when_all_are_late_throughput_counts() -> None:
    """Full runs of like lengths, whatever the deadlines, and the reason says so."""
    run = next_run(_queue(*[50] * 9, deadline=-5.0), 0.0, Accelerator(), MANY)
    assert run == ((0, 1, 2, 3), (4, 50), CloseReason.BACKLOG)


def test_overload_does_not_shrink_runs() -> None:
    """What could be in time only in a run of its own is late: else an overloaded accelerator would serve run after tiny run."""
    queue = [Waiting(0.0101, 50), *(Waiting(0.5, 50) for _ in range(3))]
    run = next_run(queue, 0.0, Accelerator(), MANY)
    assert run is not None
    assert run.members == (1, 2, 3, 0)


@pytest.mark.parametrize(
    ("lengths", "members", "shape", "reason"),
    [
        ((10,), 1, (1, 64), CloseReason.IDLE),
        ((10, 64), 2, (8, 64), CloseReason.IDLE),
        ((64,) * 9, 8, (8, 64), CloseReason.FULL),
        ((65,), 1, (4, 128), CloseReason.IDLE),
        ((128, 90, 70, 66, 30), 4, (4, 128), CloseReason.FULL),
        ((400, 500, 300), 2, (2, 512), CloseReason.FULL),
    ],
)
def test_buckets_are_filled(lengths: tuple[int, ...], members: int, shape: tuple[int, int], reason: CloseReason) -> None:
    """Compiled models take their own shapes only: the least that holds a window, filled with others that belong into it."""
    run = next_run(_queue(*lengths), 0.0, Accelerator(), BUCKETS)
    assert run is not None
    assert (len(run.members), run.shape, run.reason) == (members, shape, reason)


def test_what_fits_no_bucket_is_an_error() -> None:
    """Never cut off in silence: the error tells both lengths."""
    with pytest.raises(ValueError, match=r"513 tokens.*512"):
        BUCKETS.shape(1, 513)


waitings = st.builds(Waiting, st.floats(-1, 1), st.integers(1, 512))
limits = st.builds(RunLimits, st.integers(1, 16), st.integers(1, 4096)) | st.just(BUCKETS)


@given(st.lists(waitings, max_size=40).map(sorted), st.floats(-1, 1), st.sampled_from([Cpu(), Accelerator()]), limits)
def test_any_queue(queue: list[Waiting], now: float, costs: Cpu, limits: RunLimits) -> None:
    """A queue that holds something always gives a run (hardware is never idle), of windows that are there, once each, in a shape
    that holds them and is allowed; and a window that can be in time is never passed over for late ones only.
    """
    run = next_run(queue, now, costs, limits)
    if run is None:
        assert not queue
        return
    lengths = [queue[at].length for at in run.members]
    assert len(set(run.members)) == len(lengths) >= 1
    assert run.shape.length >= max(lengths)
    assert run.shape.rows >= len(lengths)
    if limits.shapes:
        assert run.shape in limits.shapes
    else:
        assert run.shape == (len(lengths), max(lengths))
        assert len(lengths) == 1 or run.shape.rows * run.shape.length <= limits.max_tokens
        assert len(lengths) <= limits.max_rows
    assert (run.reason is CloseReason.BACKLOG) <= (queue[-1].deadline < now + costs.seconds(16, 512))
