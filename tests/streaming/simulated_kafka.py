"""A model of Kafka as the worker meets it: a group, its offsets, transactions, and librdkafka's shortcomings. No thread, no time.

It allows all that Apache Kafka and librdkafka were seen to do (docs/decisions): a commit whose answer is lost and that is carried
out, now or later; offsets that can't be read while a dead worker's transaction is open, and the silent restart at the
beginning that librdkafka then makes of an assignment without offsets; producers that are fenced by time as well as by others;
partitions that are revoked, and lost. What it doesn't model: several brokers, and everything below the protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from confluent_kafka import OFFSET_INVALID, KafkaError, KafkaException, TopicPartition

from stream_detector.streaming.records import Partition

TRANSACTION_TIMEOUT_S = 10.0
SESSION_TIMEOUT_S = 6.0


class CrashError(BaseException):
    """The process is dead: nothing in it happens any more, not even a `finally`."""


class SimulatedClock:
    """Time that passes when somebody waits."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.watchers: list[Callable[[], None]] = []

    def time(self) -> float:
        """The moment."""
        return self.now

    def monotonic(self) -> float:
        """The same."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Pass."""
        self.now += seconds
        for watcher in self.watchers:
            watcher()

    def wait(self, future: Future[Any], seconds: float) -> None:
        """Pass, unless there is nothing to wait for."""
        if not future.done():
            self.sleep(seconds)


def failure(code: int, *, fatal: bool = False, abort: bool = False) -> KafkaException:
    """What librdkafka raises."""
    return KafkaException(KafkaError(code, "simulated", fatal=fatal, txn_requires_abort=abort))


class Output(NamedTuple):
    """A message that a worker wrote."""

    topic: str
    value: bytes
    headers: dict[str, bytes]


@dataclass(eq=False)
class Transaction:
    """An open or ended transaction."""

    began: float
    name: str
    outputs: list[Output] = field(default_factory=list)
    offsets: dict[Partition, int] = field(default_factory=dict)
    state: str = "open"


@dataclass
class SimulatedMessage:
    """A record as a consumer returns it, or an error."""

    place: tuple[str, int, int]
    content: tuple[bytes | None, bytes | None] = (None, None)
    problem: KafkaError | None = None

    def topic(self) -> str:
        """As in confluent_kafka."""
        return self.place[0]

    def partition(self) -> int:
        """As in confluent_kafka."""
        return self.place[1]

    def offset(self) -> int:
        """As in confluent_kafka."""
        return self.place[2]

    def key(self) -> bytes | None:
        """As in confluent_kafka."""
        return self.content[0]

    def value(self) -> bytes | None:
        """As in confluent_kafka."""
        return self.content[1]

    def headers(self) -> list[tuple[str, bytes | None]]:
        """As in confluent_kafka."""
        return []

    def error(self) -> KafkaError | None:
        """As in confluent_kafka."""
        return self.problem


class SimulatedKafka:
    """The broker's side."""

    def __init__(self, clock: SimulatedClock, partitions: Sequence[Partition]) -> None:
        self.clock = clock
        self.inputs: dict[Partition, list[tuple[bytes | None, bytes | None]]] = {partition: [] for partition in partitions}
        self.outputs: list[Output] = []
        self.committed: dict[Partition, int] = {}
        self.transactions: list[Transaction] = []
        self.epochs: dict[str, int] = {}
        self.members: list[SimulatedConsumer] = []
        clock.watchers.append(self.tick)

    def tick(self) -> None:
        """What happens by itself as time passes."""
        for transaction in self.transactions:
            if transaction.state == "open" and self.clock.now - transaction.began > TRANSACTION_TIMEOUT_S:
                transaction.state = "timed out"
        for member in list(self.members):
            if member.died is not None and self.clock.now - member.died > SESSION_TIMEOUT_S:
                self.expel(member)
        self.transactions = [found for found in self.transactions if found.state in ("open", "committing", "timed out")][-20:]

    def expel(self, member: SimulatedConsumer) -> None:
        """The member's session is over: its partitions are free, and it will hear of it."""
        if member in self.members:
            self.members.remove(member)
            member.lost = True

    def carry_out(self, transaction: Transaction) -> None:
        """Commit: output and offsets, together."""
        if transaction.state in ("open", "committing"):
            transaction.state = "committed"
            self.outputs += transaction.outputs
            self.committed |= transaction.offsets

    def late_commits(self) -> None:
        """Commits that were on their way when their callers gave up arrive."""
        for transaction in self.transactions:
            if transaction.state == "committing":
                self.carry_out(transaction)

    def is_unstable(self, partition: Partition) -> bool:
        """Whether a transaction is open over the partition's offset."""
        return any(partition in found.offsets for found in self.transactions if found.state in ("open", "committing"))

    def target(self, member: SimulatedConsumer) -> set[Partition]:
        """What the member should have: balanced, and as it was as far as possible."""
        share = -(-len(self.inputs) // len(self.members))
        taken: dict[Partition, SimulatedConsumer] = {}
        for one in self.members:
            for partition in sorted(one.owned)[:share]:
                taken.setdefault(partition, one)
        free = [partition for partition in self.inputs if partition not in taken]
        for one in self.members:
            while free and sum(owner is one for owner in taken.values()) < share:
                taken[free.pop(0)] = one
        return {partition for partition, owner in taken.items() if owner is member}

    def owners(self, partition: Partition) -> list[SimulatedConsumer]:
        """Who of the group has it."""
        return [member for member in self.members if partition in member.owned]


class Hooks:
    """What is to happen at a worker's calls, by the call's name: before it and after it."""

    def __init__(self) -> None:
        self.before: dict[str, Callable[[], None]] = {}
        self.after: dict[str, Callable[[], None]] = {}

    def around(self, name: str, call: Callable[[], Any]) -> Any:
        """Make a call, with what was armed for it."""
        if act := self.before.pop(name, None):
            act()
        result = call()
        if act := self.after.pop(name, None):
            act()
        return result


class SimulatedConsumer:
    """librdkafka's consumer, as far as the worker uses it."""

    def __init__(self, kafka: SimulatedKafka, hooks: Hooks, instance: str | None) -> None:
        self.kafka, self.hooks, self.instance = kafka, hooks, instance
        self.owned: set[Partition] = set()
        self.positions: dict[Partition, int] = {}
        self.paused: set[Partition] = set()
        self.lost = False
        self.fenced = False
        self.died: float | None = None
        self.callbacks: dict[str, Callable[[Any, list[TopicPartition]], None]] = {}

    def subscribe(self, _: list[str], **callbacks: Callable[[Any, list[TopicPartition]], None]) -> None:
        """Join the group."""
        self.callbacks = callbacks
        self._join()

    def _join(self) -> None:
        for member in list(self.kafka.members):
            if self.instance is not None and member.instance == self.instance:
                # A static member that comes back takes its own place.
                self.kafka.expel(member)
                member.fenced = True
        self.lost = False
        self.kafka.members.append(self)

    def poll(self, timeout: float) -> SimulatedMessage | None:
        """A record, or a rebalance, or nothing."""
        return self.hooks.around("poll", lambda: self._poll(timeout))

    def _poll(self, timeout: float) -> SimulatedMessage | None:
        if self.fenced:
            return SimulatedMessage(("", -1, -1), problem=KafkaError(KafkaError.FENCED_INSTANCE_ID))
        if self.lost:
            self._give_up(self.owned, "on_lost")
            self._join()
        target = self.kafka.target(self)
        if gone := self.owned - target:
            self._give_up(gone, "on_revoke")
        if new := {partition for partition in target - self.owned if not self.kafka.owners(partition)}:
            # Nobody else gets them meanwhile, however long the worker takes to answer.
            self.owned |= new
            self.callbacks["on_assign"](self, [TopicPartition(*partition) for partition in sorted(new)])
        for partition in sorted(self.owned):
            log, position = self.kafka.inputs[partition], self.positions.get(partition)
            if position is not None and position < len(log) and partition not in self.paused:
                self.positions[partition] += 1
                return SimulatedMessage((*partition, position), log[position])
        if timeout:
            self.kafka.clock.sleep(timeout)
        return None

    def _give_up(self, partitions: set[Partition], callback: str) -> None:
        gone = set(partitions)
        self.callbacks[callback](self, [TopicPartition(*partition) for partition in sorted(gone)])
        self.owned -= gone
        for partition in gone:
            self.positions.pop(partition, None)

    def incremental_assign(self, positions: list[TopicPartition]) -> None:
        """Where to read from; without an offset, where librdkafka thinks."""
        for at in positions:
            partition, offset = (at.topic, at.partition), at.offset
            if offset == OFFSET_INVALID:
                # The silent rewind: offsets that can't be read are taken for none.
                offset = 0 if self.kafka.is_unstable(partition) else self.kafka.committed.get(partition, 0)
            self.positions[partition] = max(0, offset) if offset >= 0 else 0

    def committed(self, partitions: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        """The group's offsets, or why they can't be told."""
        return self.hooks.around("committed", lambda: [self._committed((at.topic, at.partition)) for at in partitions])

    def _committed(self, partition: Partition) -> TopicPartition:
        at = TopicPartition(*partition, self.kafka.committed.get(partition, OFFSET_INVALID))
        return _Unstable(at) if self.kafka.is_unstable(partition) else at  # type: ignore[return-value]

    def seek(self, at: TopicPartition) -> None:
        """Read on from there."""
        self.hooks.around("seek", lambda: self.positions.__setitem__((at.topic, at.partition), at.offset))

    def pause(self, partitions: list[TopicPartition]) -> None:
        """Return none of these."""
        self.paused |= {(at.topic, at.partition) for at in partitions}

    def resume(self, partitions: list[TopicPartition]) -> None:
        """Return them again."""
        self.paused -= {(at.topic, at.partition) for at in partitions}

    def consumer_group_metadata(self) -> SimulatedConsumer:
        """Who is asking."""
        return self

    def commit(self, *, offsets: list[TopicPartition], asynchronous: bool) -> list[TopicPartition]:
        """Commit without a transaction."""
        self.hooks.around("commit", lambda: self._commit(offsets))
        return offsets

    def _commit(self, offsets: list[TopicPartition]) -> None:
        self.check_membership(abort=False)
        self.kafka.committed |= {(at.topic, at.partition): at.offset for at in offsets}

    def check_membership(self, *, abort: bool) -> None:
        """What the coordinator says to a commit of one who was expelled."""
        if self.fenced:
            raise failure(KafkaError.FENCED_INSTANCE_ID, abort=abort)
        if self not in self.kafka.members:
            raise failure(KafkaError.UNKNOWN_MEMBER_ID, abort=abort)

    def close(self) -> None:
        """Leave."""
        if self.owned:
            self._give_up(self.owned, "on_revoke")
        self.kafka.expel(self)


class _Unstable:
    """A position that can't be told."""

    def __init__(self, at: TopicPartition) -> None:
        self.topic, self.partition, self.offset = at.topic, at.partition, OFFSET_INVALID
        self.error = KafkaError(KafkaError.UNSTABLE_OFFSET_COMMIT)


class SimulatedProducer:
    """librdkafka's transactional producer, as far as the worker uses it."""

    def __init__(self, kafka: SimulatedKafka, hooks: Hooks, config: dict[str, Any]) -> None:
        self.kafka, self.hooks = kafka, hooks
        self.name = config.get("transactional.id")
        self.epoch = -1
        self.transaction: Transaction | None = None

    def init_transactions(self, _: float) -> None:
        """Fence off who had this name, and end its transaction."""
        self.hooks.around("init_transactions", self._init)

    def _init(self) -> None:
        for transaction in self.kafka.transactions:
            if transaction.name == self.name and transaction.state in ("open", "committing"):
                # A commit that the coordinator has heard of is carried out; one that comes later finds its sender fenced.
                transaction.state = "aborted"
        self.epoch = self.kafka.epochs.get(str(self.name), 0) + 1
        self.kafka.epochs[str(self.name)] = self.epoch

    def _check(self) -> None:
        if self.name is not None and self.kafka.epochs.get(str(self.name)) != self.epoch:
            raise failure(KafkaError._FENCED, fatal=True)
        if self.transaction is not None and self.transaction.state == "timed out":
            self.kafka.epochs[str(self.name)] = self.epoch + 1
            raise failure(KafkaError._FENCED, fatal=True)

    def begin_transaction(self) -> None:
        """Begin."""
        self.hooks.around("begin_transaction", self._begin)

    def _begin(self) -> None:
        self._check()
        self.transaction = Transaction(self.kafka.clock.now, str(self.name))
        self.kafka.transactions.append(self.transaction)

    def produce(self, topic: str, value: bytes, key: bytes, *, headers: Any, on_delivery: Any) -> None:
        """Write; visible once the transaction is committed, or at once without one."""
        self.hooks.around("produce", lambda: self._produce(Output(topic, value, dict(headers))))

    def _produce(self, message: Output) -> None:
        if self.name is None:
            self.kafka.outputs.append(message)
        elif self.transaction is not None:
            self.transaction.outputs.append(message)

    def send_offsets_to_transaction(self, positions: list[TopicPartition], member: SimulatedConsumer, _: float) -> None:
        """Add offsets, if the group still knows their sender."""
        self.hooks.around("send_offsets_to_transaction", lambda: self._send_offsets(positions, member))

    def _send_offsets(self, positions: list[TopicPartition], member: SimulatedConsumer) -> None:
        self._check()
        member.check_membership(abort=True)
        assert self.transaction is not None
        self.transaction.offsets |= {(at.topic, at.partition): at.offset for at in positions}

    def commit_transaction(self, _: float) -> None:
        """Commit."""
        self.hooks.around("commit_transaction", self._commit)

    def _commit(self) -> None:
        self._check()
        assert self.transaction is not None
        self.kafka.carry_out(self.transaction)
        self.transaction = None

    def abort_transaction(self, _: float) -> None:
        """Abort."""
        self.hooks.around("abort_transaction", self._abort)

    def _abort(self) -> None:
        self._check()
        if self.transaction is not None and self.transaction.state == "open":
            self.transaction.state = "aborted"
        self.transaction = None

    def poll(self, _: float) -> int:
        """Serve callbacks; there are none."""
        return 0

    def flush(self, _: float) -> int:
        """All is written at once."""
        return 0

    def purge(self) -> None:
        """Nothing is queued."""

    def leave_commit_on_its_way(self) -> None:
        """The commit is on its way when the caller gives up waiting for it."""
        assert self.transaction is not None
        if self.transaction.state == "open":
            self.transaction.state = "committing"


class Beside:
    """In place of the scoring thread: does a thing when it is told to, or at once."""

    def __init__(self) -> None:
        self.at_once = True
        self._waiting: list[tuple[Callable[[], Any], Future[Any]]] = []

    def submit(self, work: Callable[[], Any]) -> Future[Any]:
        """Take it on."""
        future: Future[Any] = Future()
        self._waiting.append((work, future))
        if self.at_once:
            self.go_on()
        return future

    def go_on(self) -> None:
        """Do what waits."""
        while self._waiting:
            work, future = self._waiting.pop(0)
            if future.set_running_or_notify_cancel():
                future.set_result(work())

    def close(self) -> None:
        """Nothing to end."""
