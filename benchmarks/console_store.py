"""How long do the console's pages wait for its store, when a million cases are in it?

    python -m benchmarks.console_store [--rows 1000000] [--database-url postgresql://…] [--out results.json]

Fills a new store by the way that violations take (so that the time of ingesting is measured as well), decides some thousands of the cases,
and times each query that a page makes, best and worst of some rounds. Numbers are those of the machine that the result names.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.machine import describe
from stream_detector.contracts import Decision, EventType, Evidence, Kind, Reason, Violation, format_probability
from stream_detector.review.cases import CaseFilter, Cursor, Order, State
from stream_detector.review.decisions import Verdict
from stream_detector.review.precision import Dimension
from stream_detector.review.store import Store
from stream_detector.settings import Settings

_BATCH = 500
_ROUNDS = 5
_DECIDED = 5000
_WORDS = [
    "quiet",
    "flat",
    "loft",
    "harbour",
    "garden",
    "sunny",
    "near",
    "station",
    "old",
    "town",
    "view",
    "sea",
    "balcony",
    "kitchen",
    "wifi",
    "family",
    "pets",
    "kids",
    "lift",
    "bright",
]


def main() -> None:
    """Fill, time, report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--database-url")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        review = {"folder": folder, "database_url": options.database_url, "undo_seconds": 0, "quality_share": 0.0}
        with Store.open(Settings.model_validate({"review": review})) as store:
            result = {"question": "the console's queries on a full store", "machine": describe(), "rows": options.rows}
            result |= {"database": store.database.dialect.name, "filling": _fill(store, options.rows)}
            result["deciding"] = _decide(store, min(options.rows // 5, _DECIDED))
            result["queriesMs"] = {name: _time(query) for name, query in _queries(store).items()}
    text = json.dumps(result, indent=2)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")


def _violations(rows: int) -> Iterator[Violation]:
    rng, now = random.Random(7), datetime.now(UTC)
    kinds = list(Kind)
    for number in range(rows):
        surface = f"host{number // 3}@loft-{number // 3}.example"
        opening = " ".join(rng.choices(_WORDS, k=12))
        start = len(opening) + 1
        at = now - timedelta(seconds=(rows - number) * 2.5)
        evidence = [Evidence(attribute="description", start=start, end=start + len(surface), kind=kinds[number % 7], surface="•")]
        yield Violation(
            model_code="CONTACT-MINILM-L6",
            model_version="1.0" if number < rows // 2 else "1.1",
            refresh_version="v20261124",
            probability_score=format_probability(rng.uniform(0.05, 1)),
            model_segment="SUPPLY",
            top_contributor="description",
            score_details={  # type: ignore[arg-type]
                "label": "Fraud", "threshold": 0.05, "evidence": evidence, "windows": 1, "backend": "onnx", "latency_ms": 9.0,
            },
            event_id=f"E-{number}",
            event_type=list(EventType)[number % 3],
            partner_id=f"P-{rng.randrange(max(1, rows // 20))}",
            listing_id=f"L-{number}",
            occurred_at=at,
            detected_at=at,
            source={"topic": "listing-updates", "partition": 0, "offset": number},  # type: ignore[arg-type]
            attributes={"description": f"{opening} {surface}"},
            violation_id=f"V-{number}",
        )  # fmt: skip


def _fill(store: Store, rows: int) -> dict[str, float]:
    batch: list[Violation] = []
    spent = 0.0
    for violation in _violations(rows):
        batch.append(violation)
        if len(batch) == _BATCH:
            spent += _put(store, batch)
            batch = []
    spent += _put(store, batch)
    return {"seconds": round(spent, 1), "violationsPerSecond": round(rows / spent)}


def _put(store: Store, batch: list[Violation]) -> float:
    began = time.perf_counter()
    with store.database.write() as connection:
        store.take(connection, batch)
    return time.perf_counter() - began


def _decide(store: Store, count: int) -> dict[str, float]:
    began = time.perf_counter()
    done = 0
    verdicts = (Verdict(Decision.CONFIRMED), Verdict(Decision.CONFIRMED), Verdict(Decision.DISMISSED, Reason.OTHER))
    while done < count:
        page = store.queue.page(CaseFilter(), viewer="bench", order=Order.OLDEST, size=min(500, count - done))
        for case in page.cases:
            store.decisions.decide(case.case_id, verdicts[done % 3], reviewer=f"reviewer-{done % 9}")
            done += 1
        while store.seal():
            pass
    seconds = time.perf_counter() - began
    return {"decisions": done, "perSecond": round(done / seconds)}


def _queries(store: Store) -> dict[str, Callable[[], object]]:
    def page(wanted: CaseFilter, order: Order = Order.PRIORITY, after: Cursor | None = None) -> Callable[[], object]:
        return lambda: store.queue.page(wanted, viewer="bench", order=order, after=after)

    everything = CaseFilter(states=())
    middle = store.queue.page(CaseFilter(min_score=0.5, max_score=0.5001), viewer="bench", order=Order.CERTAINTY).next
    first = store.queue.page(CaseFilter(), viewer="bench").cases[0]
    filters = {
        "kind": CaseFilter(kinds=(Kind.PAYMENT,)),
        "two kinds": CaseFilter(kinds=(Kind.PAYMENT, Kind.URL)),
        "event type": CaseFilter(event_types=(EventType.BOOKING,)),
        "partner": CaseFilter(partner_id=first.partner_id),
        "model version": CaseFilter(model_version="1.0"),
        "narrow score": CaseFilter(min_score=0.5, max_score=0.5001),
        "age": CaseFilter(newer_than=timedelta(hours=6)),
        "confirmed": CaseFilter(states=(State.CONFIRMED,)),
        "search common word": CaseFilter(search="harbour"),
        "search contact": CaseFilter(search="host7@loft-7.example"),
        "search id": CaseFilter(search="E-7"),
        "nothing found": CaseFilter(kinds=(Kind.PHONE,), model_version="none"),
    }
    queries: dict[str, Callable[[], object]] = {f"page: {order}": page(CaseFilter(), order) for order in Order}
    queries |= {"page: all states": page(everything), "page: deep": page(CaseFilter(), Order.CERTAINTY, middle)}
    queries |= {f"page: {name}": page(wanted) for name, wanted in filters.items()}
    queries |= {
        f"count: {name}": (lambda wanted=wanted: store.queue.count(wanted, viewer="bench"))  # type: ignore[misc]
        for name, wanted in {"open": CaseFilter(), **filters}.items()
    }
    return queries | {
        "totals": store.queue.totals,
        "pulse": store.queue.pulse,
        "model versions": store.queue.model_versions,
        "case": lambda: store.cases.get(first.case_id),
        "partner history": lambda: store.cases.partner(first.partner_id),
        "linked cases": lambda: store.cases.linked(first.case_id),
        "claim and release": lambda: _claim(store),
        "precision by kind": lambda: store.precision.by(Dimension.KIND),
        "precision by score": lambda: store.precision.by(Dimension.SCORE),
        "thresholds": store.thresholds.rows,
        "agreement": store.quality.agreement,
        "audit page": store.audit.page,
    }


def _claim(store: Store) -> None:
    claim = store.claims.claim_next(CaseFilter(), "bench")
    if claim is not None:
        store.claims.release(claim.case_id, "bench")


def _time(query: Callable[[], object]) -> dict[str, float]:
    times = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        query()
        times.append((time.perf_counter() - began) * 1000)
    return {"best": round(min(times), 2), "worst": round(max(times), 2)}


if __name__ == "__main__":
    main()
