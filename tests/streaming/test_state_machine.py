"""Every interleaving of poll, revoke, assign, error, crash and restart: each input is in exactly one place."""

from __future__ import annotations

from collections.abc import Callable

import hypothesis.strategies as st
from confluent_kafka import KafkaError
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from stream_detector.settings import Delivery
from tests.streaming.simulated_kafka import CrashError, SimulatedClock, SimulatedKafka, failure
from tests.streaming.simulated_worker import KINDS, TOPIC, SimulatedWorker, out_of_order, wrong

PARTITIONS = [(TOPIC, 0), (TOPIC, 1), ("bookings", 0)]
#: What a call may raise, whether or not it did what it was asked for.
ERRORS = {
    "init_transactions": [(KafkaError._TIMED_OUT, False, False), (KafkaError.CONCURRENT_TRANSACTIONS, False, False)],
    "begin_transaction": [(KafkaError._FENCED, True, False)],
    "produce": [(KafkaError._STATE, False, True)],
    "send_offsets_to_transaction": [
        (KafkaError._TRANSPORT, False, False),
        (KafkaError._TIMED_OUT, False, False),
        (KafkaError.ILLEGAL_GENERATION, False, True),
    ],
    "commit_transaction": [(KafkaError._TIMED_OUT, False, False), (KafkaError._STATE, False, True)],
    "abort_transaction": [(KafkaError.INVALID_TXN_STATE, True, False), (KafkaError._TIMED_OUT, False, False)],
    "committed": [(KafkaError._TIMED_OUT, False, False), (KafkaError._TRANSPORT, False, False)],
    "seek": [(KafkaError._STATE, False, False)],
    "commit": [(KafkaError.REBALANCE_IN_PROGRESS, False, False), (KafkaError._TRANSPORT, False, False)],
}
DELIVERING = ["send_offsets_to_transaction", "commit_transaction", "commit"]
CALLS = st.sampled_from(sorted({*ERRORS, "poll"}))
WHO = st.integers(0, 2)
SOME = st.lists(st.sampled_from(sorted(KINDS)), min_size=3, max_size=9)
MOVES = st.sampled_from(["expel", "others", "start", "stop"])


class Delivering(RuleBasedStateMachine):
    """Three workers, some with a slot, on three partitions."""

    delivery = Delivery.EXACTLY_ONCE

    def __init__(self) -> None:
        super().__init__()
        self.clock = SimulatedClock()
        self.kafka = SimulatedKafka(self.clock, PARTITIONS)
        self.workers: list[SimulatedWorker] = []
        self.started = 0

    @initialize(slots=st.lists(st.booleans(), min_size=3, max_size=3))
    def begin(self, slots: list[bool]) -> None:
        """Three are members, with partitions."""
        self.slots = slots
        self.workers = [self._new(who) for who in range(3)]
        for _ in range(3):
            for worker in self.workers:
                worker.step(2)

    def _new(self, who: int) -> SimulatedWorker:
        self.started += 1
        slot = who if self.slots[who] else None
        name = str(who) if self.slots[who] else f"r{self.started}"
        return SimulatedWorker(self.kafka, name, slot=slot, delivery=self.delivery)

    @rule(kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=12))
    def add(self, kinds: list[str]) -> None:
        """Input records, one partition after the other."""
        for count, kind in enumerate(kinds):
            partition = PARTITIONS[count % len(PARTITIONS)]
            # What is refused in bookings would be due another topic's dead letters than this model knows.
            known = "clean" if partition[0] == "bookings" and kind in ("broken", "poison") else kind
            self.kafka.inputs[partition].append((b"key", KINDS[known][0]))

    @rule(who=WHO, times=st.integers(1, 12))
    def step(self, who: int, times: int) -> None:
        """A worker goes on."""
        self.workers[who].step(times)

    @rule(who=WHO, kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=6, max_size=12), moves=st.lists(MOVES, max_size=4))
    def slow_model(self, who: int, kinds: list[str], moves: list[str]) -> None:
        """While a batch is scored, the group moves."""
        worker = self.workers[who]
        worker.beside.at_once = False
        self.add(kinds)
        worker.step(3)
        for move in moves:
            match move:
                case "expel":
                    self.kafka.expel(worker.consumer)
                case "others":
                    self._others(who, 6)
                case "start":
                    self.start()
                case "stop":
                    self.workers[(who + 1) % 3].worker.stop()
            worker.step(2)
        worker.beside.at_once = True
        if worker.alive:
            worker.beside.go_on()
            worker.step(3)

    @rule(who=WHO)
    def stop(self, who: int) -> None:
        """SIGTERM."""
        self.workers[who].worker.stop()

    @rule()
    def start(self) -> None:
        """A supervisor starts the dead ones."""
        self.workers = [worker if worker.alive else self._new(who) for who, worker in enumerate(self.workers)]

    @rule(who=WHO)
    def expel(self, who: int) -> None:
        """The session is over, as after a SIGSTOP: the worker doesn't know it yet."""
        self.kafka.expel(self.workers[who].consumer)

    @rule(seconds=st.sampled_from([0.1, 1.0, 7.0, 11.0]))
    def time_passes(self, seconds: float) -> None:
        """Transactions and sessions of the dead end."""
        self.clock.sleep(seconds)

    @rule()
    def late_commits(self) -> None:
        """What was on its way arrives."""
        self.kafka.late_commits()

    @rule(who=WHO, call=CALLS, which=st.integers(0, 2), done=st.booleans(), kinds=SOME, busy=st.booleans())
    def error(self, who: int, call: str, which: int, kinds: list[str], *, done: bool, busy: bool) -> None:
        """A call fails; whether or not it did what it was asked for, and whether or not more was taken meanwhile."""
        if busy:
            call = DELIVERING[which]
            self.add(kinds * 3)
            self.workers[who].beside.at_once = False
            self.workers[who].step(4)
            self.workers[who].beside.at_once = True
            if self.workers[who].alive:
                self.workers[who].beside.go_on()
        if found := ERRORS.get(call):
            code, fatal, abort = found[which % len(found)]
            # What requires an abort, or is fatal, was not done.
            self._disturb(who, call, self._raise(code, fatal=fatal, abort=abort), kinds, after=done and not (fatal or abort))

    @rule(who=WHO, call=CALLS, after=st.booleans(), kinds=SOME, seconds=st.sampled_from([0.0, 7.0]))
    def crash(self, who: int, call: str, kinds: list[str], seconds: float, *, after: bool) -> None:
        """SIGKILL just before or just after a call took effect; then the others go on, or a new process does."""
        self._disturb(who, call, self._crash, kinds, after=after)
        self.clock.sleep(seconds)
        self._others(who, 6)

    @rule(who=WHO, kinds=SOME, again=st.integers(0, 6))
    def commit_on_its_way(self, who: int, kinds: list[str], again: int) -> None:
        """The answer to a commit doesn't come; the commit may be carried out at any later time."""

        def act() -> None:
            self.workers[who].producer.leave_commit_on_its_way()
            raise failure(KafkaError._TIMED_OUT)

        self._disturb(who, "commit_transaction", act, kinds, after=False)
        self.workers[who].step(again)
        self.kafka.late_commits()

    @rule(who=WHO, call=CALLS, seconds=st.sampled_from([0.0, 7.0, 11.0]), times=st.integers(1, 20), kinds=SOME)
    def pause(self, who: int, call: str, seconds: float, times: int, kinds: list[str]) -> None:
        """SIGSTOP just before a call: the session ends, time passes, the others go on; then SIGCONT."""

        def act() -> None:
            self.kafka.expel(self.workers[who].consumer)
            self.clock.sleep(seconds)
            self._others(who, times)

        self._disturb(who, call, act, kinds, after=False)

    def _others(self, who: int, times: int) -> None:
        for other, worker in enumerate(self.workers):
            if other != who:
                worker.step(times)

    def _disturb(self, who: int, call: str, act: Callable[[], None], kinds: list[str], *, after: bool) -> None:
        worker = self.workers[who]
        self.add(kinds)
        hooks = worker.hooks.after if after else worker.hooks.before
        hooks[call] = act
        worker.step(4)
        # What didn't come to pass now would come when nobody expects it, in another worker's pause.
        hooks.pop(call, None)

    @staticmethod
    def _raise(code: int, *, fatal: bool, abort: bool) -> Callable[[], None]:
        def act() -> None:
            raise failure(code, fatal=fatal, abort=abort)

        return act

    @staticmethod
    def _crash() -> None:
        raise CrashError

    @invariant()
    def each_input_is_in_one_place(self) -> None:
        """In committed output, in a dead letter, or uncommitted."""
        assert wrong(self.kafka) == []
        assert not out_of_order(self.kafka)

    def teardown(self) -> None:
        """When the faults end, everything gets done."""
        for worker in self.workers:
            worker.hooks.before.clear()
            worker.hooks.after.clear()
            worker.beside.at_once = True
        self.clock.sleep(11)
        for _ in range(300):
            if not self.workers or all(self.kafka.committed.get(at, 0) >= len(log) for at, log in self.kafka.inputs.items()):
                break
            self.start()
            for worker in self.workers:
                worker.beside.go_on()
                worker.step(3)
        else:
            raise AssertionError(f"not done: {self.kafka.committed} of {[len(log) for log in self.kafka.inputs.values()]}")
        self.each_input_is_in_one_place()


class DeliveringAtLeastOnce(Delivering):
    """The same without transactions: nothing is lost."""

    delivery = Delivery.AT_LEAST_ONCE

    @invariant()
    def each_input_is_in_one_place(self) -> None:
        """Whatever is committed has its output, at least once."""
        assert wrong(self.kafka, repeats_allowed=True) == []


_SETTINGS = settings(max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))
TestDelivering = Delivering.TestCase
TestDelivering.settings = _SETTINGS
TestDeliveringAtLeastOnce = DeliveringAtLeastOnce.TestCase
TestDeliveringAtLeastOnce.settings = settings(_SETTINGS, max_examples=25)
