"""Violations into rows: each once, joined to its case, its contacts linked by their fingerprints."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from stream_detector.contracts import Violation, encode
from stream_detector.detection.fingerprints import contacts_of
from stream_detector.review import words
from stream_detector.review.audit import Action, Deed, log
from stream_detector.review.cases import State
from stream_detector.review.conditions import priority_of, score_ppb
from stream_detector.review.database import AnyRow, milliseconds
from stream_detector.review.masked_texts import excerpt_of, masked_texts
from stream_detector.review.schema import KIND_BITS, CaseRow, ContactRow, OutboxRow, ViolationRow
from stream_detector.review.totals import shift

_CHUNK: Final = 500
#: Of an id, so much is kept: a violation's are not longer, whoever wrote it.
_LONGEST_ID: Final = 512
_SYSTEM: Final = "console"


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a batch: new violations, those that were there already, and new cases."""

    violations: int
    repeated: int
    cases: int


@dataclass(frozen=True, slots=True)
class _Known:
    case_id: int
    state: str
    decision_id: int | None


def take(connection: Connection, violations: Iterable[Violation], *, key: bytes, now_ms: int) -> Taken:
    """Store violations that aren't stored yet.

    A violation whose case is decided joins it, and the decision is published for it too: the texts are the same, and nobody
    needs to read them again.
    """
    distinct = {_id(violation.violation_id): violation for violation in violations}
    known = _stored(connection, list(distinct))
    new = [violation for violation_id, violation in distinct.items() if violation_id not in known]
    groups: dict[str, list[Violation]] = defaultdict(list)
    for violation in new:
        groups[case_key(violation, key)].append(violation)
    cases = _known_cases(connection, list(groups))
    opened = {name: group for name, group in groups.items() if name not in cases}
    for name, case_id in _open(connection, opened).items():
        cases[name] = _Known(case_id, State.OPEN.value, None)
    _link(connection, {cases[name].case_id: group[0] for name, group in opened.items()}, key)
    _write(connection, [(cases[name].case_id, violation) for name, group in groups.items() for violation in group])
    grown = {name: group for name, group in groups.items() if name not in opened}
    for name, group in sorted(grown.items(), key=lambda item: cases[item[0]].case_id):
        _grow(connection, cases[name].case_id, group)
    carried = _carry_over(connection, {name: cases[name] for name in grown}, grown)
    shift(connection, Counter({State.OPEN.value: len(opened)}))
    log(connection, now_ms, *carried)
    return Taken(len(new), len(known), len(opened))


def case_key(violation: Violation, key: bytes) -> str:
    """What the violations of one case share, hashed under the key of the fingerprints, for it holds whole texts."""
    texts = violation.attributes
    if texts is None:
        # Without texts nobody can say that two are the same.
        parts: list[object] = [violation.event_id, violation.violation_id]
    else:
        offending = {item.attribute for item in violation.score_details.evidence} | {violation.top_contributor}
        parts = [*sorted((name, texts.get(name, "")) for name in offending)]
    document = orjson.dumps([violation.event_type.value, violation.partner_id, violation.listing_id, parts])
    return hmac.new(key, document, hashlib.sha256).hexdigest()


def kind_bits(violation: Violation) -> int:
    """The kinds of a violation's evidence."""
    bits = 0
    for item in violation.score_details.evidence:
        bits |= KIND_BITS[item.kind]
    return bits


def _id(text: str) -> str:
    """An id as the tables hold it, to be compared with one that was read from them."""
    return text[:_LONGEST_ID].replace("\x00", "\ufffd")


def _stored(connection: Connection, violation_ids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(violation_ids), _CHUNK):
        chunk = violation_ids[start : start + _CHUNK]
        found |= set(connection.scalars(select(ViolationRow.violation_id).where(ViolationRow.violation_id.in_(chunk))))
    return found


def _known_cases(connection: Connection, names: Sequence[str]) -> dict[str, _Known]:
    """Cases that are there already, locked: none of them is decided or taken back until this transaction ends."""
    found: dict[str, _Known] = {}
    columns = (CaseRow.case_key, CaseRow.case_id, CaseRow.state, CaseRow.decision_id)
    for start in range(0, len(names), _CHUNK):
        query = select(*columns).where(CaseRow.case_key.in_(names[start : start + _CHUNK])).order_by(CaseRow.case_id)
        found |= {
            row.case_key: _Known(row.case_id, row.state, row.decision_id) for row in connection.execute(query.with_for_update())
        }
    return found


def _open(connection: Connection, groups: Mapping[str, Sequence[Violation]]) -> dict[str, int]:
    rows = [_case_row(name, group) for name, group in groups.items()]
    if not rows:
        return {}
    written: Iterable[AnyRow] = connection.execute(insert(CaseRow).returning(CaseRow.case_key, CaseRow.case_id), rows)
    return {row.case_key: row.case_id for row in written}


def _case_row(name: str, group: Sequence[Violation]) -> dict[str, Any]:
    first = group[0]
    return {
        "case_key": name,
        "origin": "live",
        "shadow_of": None,
        "excluded_reviewer": None,
        "state": State.OPEN.value,
        "event_type": first.event_type.value,
        "partner_id": _id(first.partner_id),
        "listing_id": _id(first.listing_id) if first.listing_id else None,
        "top_contributor": first.top_contributor,
        "excerpt": excerpt_of(first),
        "claimed_by": None,
        "claim_until_ms": None,
        "revision": 0,
        "decision_id": None,
        "decided_ms": None,
        "reason": None,
    } | _sums(group)


def _sums(group: Sequence[Violation]) -> dict[str, Any]:
    """What a case tells of its violations as a whole."""
    newest = max(group, key=lambda violation: violation.detected_at)
    detected_ms = [milliseconds(violation.detected_at) for violation in group]
    score = max(score_ppb(float(violation.probability_score)) for violation in group)
    bits = 0
    for violation in group:
        bits |= kind_bits(violation)
    return {
        "kinds": bits,
        "score_ppb": score,
        "priority": priority_of(max(detected_ms), score),
        "threshold": min(violation.score_details.threshold for violation in group),
        "violations": len(group),
        "model_code": _id(newest.model_code),
        "model_version": _id(newest.model_version),
        "first_detected_ms": min(detected_ms),
        "last_detected_ms": max(detected_ms),
    }


def _link(connection: Connection, cases: Mapping[int, Violation], key: bytes) -> None:
    """Contacts and words of new cases. Later violations of a case have the same offending texts, and so the same of both."""
    contacts = [
        {"fingerprint": found.value, "case_id": case_id, "kind": found.kind.value}
        for case_id, violation in cases.items()
        for found in contacts_of(violation, key)
    ]
    if contacts:
        kind = postgresql if connection.dialect.name == "postgresql" else sqlite
        connection.execute(kind.insert(ContactRow).on_conflict_do_nothing(), contacts)
    words.index(connection, {case_id: list(masked_texts(violation).values()) for case_id, violation in cases.items()})


def _write(connection: Connection, violations: Sequence[tuple[int, Violation]]) -> None:
    rows = [
        {
            "violation_id": _id(violation.violation_id),
            "case_id": case_id,
            "event_id": _id(violation.event_id),
            "detected_ms": milliseconds(violation.detected_at),
            "document": encode(violation),
        }
        for case_id, violation in violations
    ]
    if rows:
        connection.execute(insert(ViolationRow), rows)


def _grow(connection: Connection, case_id: int, group: Sequence[Violation]) -> None:
    sums = _sums(group)
    row = connection.execute(
        select(CaseRow.score_ppb, CaseRow.last_detected_ms, CaseRow.first_detected_ms, CaseRow.threshold).where(
            CaseRow.case_id == case_id
        )
    ).one()
    last_ms = max(row.last_detected_ms, sums["last_detected_ms"])
    score = max(row.score_ppb, sums["score_ppb"])
    newer = (
        {name: sums[name] for name in ("model_code", "model_version")} if sums["last_detected_ms"] >= row.last_detected_ms else {}
    )
    connection.execute(
        update(CaseRow)
        .where(CaseRow.case_id == case_id)
        .values(
            violations=CaseRow.violations + len(group),
            kinds=CaseRow.kinds.op("|")(sums["kinds"]),
            score_ppb=score,
            priority=priority_of(last_ms, score),
            threshold=min(row.threshold, sums["threshold"]),
            first_detected_ms=min(row.first_detected_ms, sums["first_detected_ms"]),
            last_detected_ms=last_ms,
            **newer,
        )
    )


def _carry_over(connection: Connection, cases: Mapping[str, _Known], groups: Mapping[str, Sequence[Violation]]) -> list[Deed]:
    """Publish the decision on a decided case for its new violations. One that can still be undone waits for its own time."""
    rows, deeds = [], []
    for name, case in cases.items():
        if case.state not in (State.CONFIRMED.value, State.DISMISSED.value) or case.decision_id is None:
            continue
        rows += [{"decision_id": case.decision_id, "violation_id": _id(violation.violation_id)} for violation in groups[name]]
        detail = {"decision_id": case.decision_id, "violations": len(groups[name])}
        deeds.append(Deed(_SYSTEM, Action.CARRIED_OVER, case.case_id, detail))
    if rows:
        connection.execute(insert(OutboxRow), rows)
    return deeds
