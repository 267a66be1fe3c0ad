"""One case: what was written, why it was flagged, what else its author did, and what can be decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from starlette.responses import Response

from stream_detector.contracts import Kind, Reason
from stream_detector.review.cases import CaseViolation, State
from stream_detector.review.web.address import QueueAddress
from stream_detector.review.web.marking import Gap, Marked, Piece, mark, mark_excerpt
from stream_detector.review.web.pages.queue import read_back
from stream_detector.review.web.people import Permission
from stream_detector.review.web.visit import Visit

#: Spans that the form has room for beside those that are there.
_SPARE_SPANS = 2


@dataclass(frozen=True, slots=True)
class ShownText:
    """A text of a case, as its page shows it."""

    attribute: str
    pieces: tuple[Piece | Gap, ...]
    cut: bool
    characters: int
    is_top: bool


def show(visit: Visit) -> Response:
    """The case's page, its texts masked."""
    visit.require(Permission.READ)
    case_id = visit.case_id
    address = QueueAddress.read(visit.request.query_params, viewer=visit.person.name)
    return _page(visit, case_id, address.query(), clear=None)


def unmask(visit: Visit) -> Response:
    """The same with its texts in the clear; that it was asked for is in the audit log before it is shown."""
    visit.require(Permission.UNMASK)
    clear = visit.desk.store.cases.unmask(visit.case_id, by=visit.person.name)
    return _page(visit, visit.case_id, read_back(visit).query(), clear=clear)


def _page(visit: Visit, case_id: int, queue: str, *, clear: Mapping[str, Mapping[str, str]] | None) -> Response:
    store, person = visit.desk.store, visit.person
    case = store.cases.get(case_id)
    newest = case.violations[0]
    texts = newest.texts if clear is None else clear.get(newest.violation_id, {})
    mine = case.summary.claim is not None and case.summary.claim.reviewer == person.name
    free = case.summary.claim is None or mine
    return visit.render(
        "case.html",
        case=case,
        summary=case.summary,
        newest=newest,
        texts=shown_texts(newest, texts, whole="full" in visit.request.query_params),
        clear=clear is not None,
        history=store.cases.partner(case.summary.partner_id, beside=case_id),
        linked=store.cases.linked(case_id),
        others=store.claims.look(case_id, person.name),
        mine=mine,
        decidable=case.summary.state is State.OPEN and free and person.may(Permission.DECIDE),
        reasons=Reason,
        kinds=Kind,
        spare=range(_SPARE_SPANS),
        queue=queue,
        is_open=case.summary.state is State.OPEN,
    )


def shown_texts(violation: CaseViolation, texts: Mapping[str, str], *, whole: bool) -> list[ShownText]:
    """The texts of a violation with their evidence: first those that have some, as the producer named them."""
    marks = marks_of(violation)
    shown = []
    for attribute, text in texts.items():
        cutting = mark if whole else mark_excerpt
        pieces = cutting(text, marks.get(attribute, ()))
        cut = any(isinstance(piece, Gap) for piece in pieces)
        shown.append(ShownText(attribute, pieces, cut, len(text), attribute == violation.top_contributor))
    return sorted(shown, key=lambda one: (not one.is_top, one.attribute not in marks))


def marks_of(violation: CaseViolation) -> dict[str, list[Marked]]:
    """A violation's evidence by attribute."""
    marks: dict[str, list[Marked]] = {}
    for evidence in violation.evidence:
        marks.setdefault(evidence.attribute, []).append(Marked(evidence.start, evidence.end, evidence.kind))
    return marks


def read(visit: Visit) -> Response:
    """A piece of the page: what the model read, of masked texts or, once more with a line in the audit log, of clear ones."""
    visit.require(Permission.READ)
    case = visit.desk.store.cases.get(visit.case_id)
    newest = case.violations[0]
    clear = visit.request.method == "POST"
    texts = newest.texts
    if clear:
        visit.require(Permission.UNMASK)
        texts = visit.desk.store.cases.unmask(visit.case_id, by=visit.person.name).get(newest.violation_id, {})
    marks = marks_of(newest)
    readings = {attribute: visit.desk.reader.read(text, marks.get(attribute, ())) for attribute, text in texts.items()}
    template = "reading.html" if visit.by_htmx else "reading_page.html"
    return visit.render(template, readings=readings, summary=case.summary, clear=clear)


def lookers(visit: Visit) -> Response:
    """A piece of the page: who else looks at the case, and who has it. Asking says that one looks oneself."""
    visit.require(Permission.READ)
    store = visit.desk.store
    summary = store.queue.summary(visit.case_id)
    others = store.claims.look(visit.case_id, visit.person.name)
    return visit.render("lookers.html", summary=summary, others=others, is_open=summary.state is State.OPEN)


def leave(visit: Visit) -> Response:
    """Somebody looks away."""
    visit.require(Permission.READ)
    visit.desk.store.claims.leave(visit.case_id, visit.person.name)
    return Response(status_code=HTTPStatus.NO_CONTENT)
