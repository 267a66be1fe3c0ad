"""What reviewers decided, as labelled texts: the hard cases of the platform itself, without anybody's contact in them."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from sqlalchemy import RowMapping, select
from sqlalchemy.orm import aliased

from stream_detector.contracts import Decision, Evidence, Reason, ReviewedSpan, Violation
from stream_detector.errors import ConfigurationError
from stream_detector.review.reading import spans_in, violation_in
from stream_detector.review.schema import CaseRow, DecisionRow, ViolationRow
from stream_detector.review.store import Store
from stream_detector.settings import Settings
from stream_detector.training.corpus.compose import Sample
from stream_detector.training.corpus.listings import guess_language
from stream_detector.training.corpus.render import Span
from stream_detector.training.feedback_masking import SpelledOutError, masked
from stream_detector.training.samples import read_corpus

#: A case in so many is kept for development.
_DEVELOPMENT_SHARE = 8

#: How often such a text is shown: there are few, and they are what the model got wrong where it is used.
_COPIES = 3

#: The family of texts that reviewers of the platform decided about.
FEEDBACK = ("feedback",)

_PAGE = 500


@dataclass(slots=True)
class Harvest:
    """What `harvest` found.

    Attributes:
        samples: a text each: Fraud with what offends, or NonFraud.
        left_out: how many texts were left out, by why.
    """

    samples: list[Sample] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def harvest(settings: Settings, *, seed: int) -> Harvest:
    """Turn the published decisions of the review store into samples.

    Left out are cases that two reviewers saw differently, texts that violations don't carry, contacts that are told in words (they
    can't be masked), and what was dismissed as the platform's own: that is a matter of the settings' [policy], not of the model.

    Raises:
        ConfigurationError: the policy doesn't allow it, or there is no store.
    """
    if not settings.policy.train_on_reviews:
        raise ConfigurationError(
            "policy.train_on_reviews: is off: partners' texts may be trained on only where the platform's policy says so; set it to true"
        )
    found = Harvest()
    with Store.open(settings) as store:
        disputed = {row.case_id for row in store.quality.disagreements(size=1_000_000)}
        for row in _decided(store):
            if row["case_id"] in disputed:
                found.left_out["disputed"] += 1
                continue
            violation = violation_in(row["document"])
            decision = Decision(row["decision"])
            if row["reason"] == Reason.PLATFORMS_OWN:
                found.left_out["platforms_own"] += 1
            elif violation.attributes is None:
                found.left_out["no_text"] += 1
            else:
                _add(found, row["case_id"], violation, decision, spans_in(row["spans"]), seed)
    return found


def mixed(samples: Sequence[Sample], file: Path, *, split: str, seed: int) -> list[Sample]:
    """Samples with those of a split that `train feedback` wrote, shuffled: in train each some times, in test none.

    Raises:
        ConfigurationError: the file isn't what it wrote.
    """
    try:
        feedback = read_corpus(file)
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{file}: not what train feedback writes ({type(error).__name__}); write it again") from None
    wanted = [s for s in feedback if (zlib.crc32(s.source.encode()) % _DEVELOPMENT_SHARE == 0) is (split == "dev")]
    whole = [*samples, *wanted * {"train": _COPIES, "dev": 1}.get(split, 0)]
    Random(seed).shuffle(whole)
    return whole


def _decided(store: Store) -> Iterator[RowMapping]:
    """The newest violation of each decided case, and the decision that stands."""
    newest = aliased(ViolationRow)
    latest = (
        select(newest.violation_id)
        .where(newest.case_id == CaseRow.case_id)
        .order_by(newest.detected_ms.desc(), newest.violation_id)
        .limit(1)
        .correlate(CaseRow)
        .scalar_subquery()
    )
    query = (
        select(CaseRow.case_id, DecisionRow.decision, DecisionRow.reason, DecisionRow.spans, ViolationRow.document)
        .join(DecisionRow, DecisionRow.decision_id == CaseRow.decision_id)
        .join(ViolationRow, ViolationRow.violation_id == latest)
        .where(CaseRow.origin == "live", CaseRow.decided_ms.is_not(None))
        .order_by(CaseRow.case_id)
        .limit(_PAGE)
    )
    last = 0
    while True:
        with store.database.read() as connection:
            rows = connection.execute(query.where(CaseRow.case_id > last)).mappings().all()
        yield from rows
        if len(rows) < _PAGE:
            return
        last = rows[-1]["case_id"]


def _add(
    found: Harvest, case_id: int, violation: Violation, decision: Decision, corrected: tuple[ReviewedSpan, ...] | None, seed: int
) -> None:
    evidence = violation.score_details.evidence
    marked = evidence if corrected is None else corrected
    texts = violation.attributes or {}
    # Also of the texts that evidence was wrongly found in: they are what the model must learn to let be.
    names = {item.attribute for item in (*evidence, *marked)} | ({violation.top_contributor} if not evidence else set())
    for name in sorted(names & texts.keys()):
        text = texts[name]
        offending = _spans(marked, name, len(text)) if decision is Decision.CONFIRMED else ()
        if decision is Decision.CONFIRMED and not offending and corrected is None:
            # Nobody said where: nothing to learn from.
            found.left_out["no_evidence"] += 1
            continue
        known = [*_spans(evidence, name, len(text)), *_spans(marked, name, len(text))]
        try:
            shown = masked(text, known, Random(f"{seed}/{case_id}/{name}"))
        except SpelledOutError:
            found.left_out["told_in_words"] += 1
            continue
        found.samples.append(Sample(shown, offending, guess_language(text), FEEDBACK, (), f"review/{case_id}"))


def _spans(items: Iterable[Evidence | ReviewedSpan], name: str, length: int) -> tuple[Span, ...]:
    spans = [
        Span(item.start, min(item.end, length), item.kind)
        for item in items
        if item.attribute == name and item.start < min(item.end, length)
    ]
    return tuple(sorted(spans, key=lambda span: (span.start, span.end)))
