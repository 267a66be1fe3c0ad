"""What reviewers do with a case: claim, release, decide, undo. Each ends on the page where work goes on."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from starlette.responses import Response

from stream_detector.contracts import Decision, Kind, Reason, ReviewedSpan
from stream_detector.errors import VerdictError
from stream_detector.review.decisions import Verdict
from stream_detector.review.web import undoing
from stream_detector.review.web.pages.queue import go_to_next, read_back
from stream_detector.review.web.people import Permission
from stream_detector.review.web.rendering import words
from stream_detector.review.web.visit import Visit

#: No text is longer, and a number with more digits isn't one.
_LONGEST_NUMBER: Final = 12
#: Decisions of one bulk are looked for among the reviewer's last so many.
_BULK_SEARCHED: Final = 20_000


def claim(visit: Visit) -> Response:
    """Take the case, or renew one's claim."""
    visit.require(Permission.DECIDE)
    visit.desk.store.claims.claim(visit.case_id, visit.person.name)
    return visit.go(_case(visit))


def release(visit: Visit) -> Response:
    """Give the case back, and go to the queue."""
    visit.require(Permission.DECIDE)
    visit.desk.store.claims.release(visit.case_id, visit.person.name)
    query = read_back(visit).query()
    return visit.go(f"/queue{'?' if query else ''}{query}")


def skip(visit: Visit) -> Response:
    """Keep the case for later, and take the next one."""
    visit.require(Permission.DECIDE)
    visit.desk.store.claims.claim(visit.case_id, visit.person.name)
    return go_to_next(visit)


def decide(visit: Visit) -> Response:
    """Decide, and take the next case."""
    visit.require(Permission.DECIDE)
    verdict = read_verdict(visit)
    decided = visit.desk.store.decisions.decide(visit.case_id, verdict, reviewer=visit.person.name)
    undoing.keep(visit.request.session, [decided], f"Case {visit.case_id} {described(verdict)}")
    return go_to_next(visit)


def reopen(visit: Visit) -> Response:
    """Open a case whose decision was published."""
    visit.require(Permission.LEAD)
    visit.desk.store.decisions.reopen(visit.case_id, by=visit.person.name, note=visit.text("note"))
    return visit.go(_case(visit))


def undo(visit: Visit) -> Response:
    """Take back what was decided last: a case is then on the screen again, a bulk is back in its queue."""
    visit.require(Permission.DECIDE)
    session, store, reviewer = visit.request.session, visit.desk.store, visit.person.name
    kept = undoing.Undoable.kept(session, visit.now)
    undoing.forget(session)
    if kept is None:
        raise VerdictError("it is too late to undo this; a lead can open the case again")
    if kept.decision_id is not None:
        undone = store.decisions.undo(kept.decision_id, reviewer=reviewer)
        return visit.go(f"/cases/{undone.case_id}")
    apart = timedelta(milliseconds=1)
    recent = store.decisions.recent(reviewer, size=_BULK_SEARCHED)
    bulk = [one.decision_id for one in recent if abs(one.decided_at - kept.decided_at) < apart]
    number = store.decisions.undo_all(bulk, reviewer=reviewer)
    return visit.go(f"/queue?undone={number}")


def read_verdict(visit: Visit) -> Verdict:
    """The decision in a form.

    Raises:
        VerdictError: it is none.
    """
    confirmed, reason = visit.text("confirm"), visit.text("dismiss")
    note = visit.text("note").strip()
    if confirmed and not reason:
        return Verdict(Decision.CONFIRMED, spans=read_spans(visit), note=note)
    try:
        return Verdict(Decision.DISMISSED, Reason(reason), note=note)
    except ValueError:
        raise VerdictError("the form holds no decision; confirm, or dismiss with a reason") from None


def read_spans(visit: Visit) -> tuple[ReviewedSpan, ...] | None:
    """The corrected evidence in a form; None where nothing was corrected.

    Raises:
        VerdictError: a span can't be read.
    """
    if visit.text("correct") != "yes":
        return None
    fields = [visit.form.getlist(f"span.{name}") for name in ("attribute", "start", "end", "kind")]
    spans = []
    for number, row in enumerate(zip(*fields, strict=False), start=1):
        attribute, start, end, kind = (value if isinstance(value, str) else "" for value in row)
        if not start and not end:
            continue
        if not (start.isdecimal() and end.isdecimal() and max(len(start), len(end)) <= _LONGEST_NUMBER and int(start) < int(end)):
            raise VerdictError(f"span {number}: start and end must be numbers, the start below the end; correct them")
        try:
            spans.append(ReviewedSpan(attribute=attribute, start=int(start), end=int(end), kind=Kind(kind)))
        except ValueError:
            raise VerdictError(f"span {number}: there is no kind {kind!r}; choose one") from None
    return tuple(spans)


def described(verdict: Verdict) -> str:
    """A verdict in words."""
    if verdict.reason is None:
        return "confirmed" if verdict.spans is None else "confirmed with corrected evidence"
    return f"dismissed: {words(verdict.reason.value)}"


def _case(visit: Visit) -> str:
    query = read_back(visit).query()
    return f"/cases/{visit.case_id}{'?' if query else ''}{query}"
