"""What to send to the author: the text without what made it Fraud, scored once more to make sure."""

from __future__ import annotations

from starlette.responses import Response

from stream_detector.review.web.people import Permission
from stream_detector.review.web.visit import Visit


def show(visit: Visit) -> Response:
    """A piece of a case's page. It holds none of the contacts that were found, so it needs no unmasking."""
    visit.require(Permission.READ)
    summary = visit.desk.store.queue.summary(visit.case_id)
    redaction = visit.desk.store.cases.redact(visit.case_id, visit.desk.scorer())
    template = "redaction.html" if visit.by_htmx else "redaction_page.html"
    return visit.render(template, redaction=redaction, summary=summary)
