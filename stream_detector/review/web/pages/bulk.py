"""Deciding many cases at once: how many and which comes first, then the deed, and for a moment the way back."""

from __future__ import annotations

from starlette.responses import Response

from stream_detector.contracts import Reason
from stream_detector.review.bulk import BULK_LIMIT
from stream_detector.review.web import undoing
from stream_detector.review.web.address import QueueAddress
from stream_detector.review.web.pages.deciding import described, read_verdict
from stream_detector.review.web.pages.queue import read_back
from stream_detector.review.web.people import Permission
from stream_detector.review.web.visit import Visit


def preview(visit: Visit) -> Response:
    """What would be decided."""
    visit.require(Permission.LEAD)
    address = QueueAddress.read(visit.request.query_params, viewer=visit.person.name)
    counted = visit.desk.store.decisions.preview(address.wanted, reviewer=visit.person.name)
    return visit.render("bulk.html", address=address, preview=counted, reasons=Reason, limit=BULK_LIMIT)


def apply(visit: Visit) -> Response:
    """Decide what was counted."""
    visit.require(Permission.LEAD)
    address, verdict = read_back(visit), read_verdict(visit)
    decided = visit.desk.store.decisions.decide_all(address.wanted, verdict, token=visit.text("token"), reviewer=visit.person.name)
    number = len(decided)
    if decided:
        undoing.keep(visit.request.session, decided, f"{number:,} {'case' if number == 1 else 'cases'} {described(verdict)}")
    query = address.query()
    return visit.go(f"/queue{'?' if query else ''}{query}")
