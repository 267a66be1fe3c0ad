"""The audit log, to be read and to be taken away."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.responses import Response, StreamingResponse

from stream_detector.review.audit import Action
from stream_detector.review.web.people import Permission
from stream_detector.review.web.visit import Visit

_PAGE = 100


def show(visit: Visit) -> Response:
    """The newest lines, or those that the address asks for."""
    visit.require(Permission.AUDIT)
    query = visit.request.query_params
    actor = query.get("actor", "").strip()[:512]
    action = query.get("action", "")
    entries = visit.desk.store.audit.page(
        before=_number(query.get("before", "")),
        size=_PAGE,
        actor=actor or None,
        action=Action(action) if action in set(Action) else None,
        case_id=_number(query.get("case", "")),
    )
    return visit.render(
        "audit.html",
        entries=entries,
        actions=Action,
        actor=actor,
        action=action,
        case=query.get("case", ""),
        before=entries[-1].sequence if len(entries) == _PAGE else None,
        tampered=visit.desk.store.audit.verify() if "verify" in query else None,
        verified="verify" in query,
    )


def export(visit: Visit) -> Response:
    """All of it as JSON Lines, oldest first; that it was taken is its last line."""
    visit.require(Permission.AUDIT)
    audit = visit.desk.store.audit
    audit.record(visit.person.name, Action.EXPORTED)
    name = f"audit-{visit.now:%Y%m%dT%H%M%SZ}.jsonl"

    def lines() -> Iterator[bytes]:
        yield from audit.export()

    return StreamingResponse(
        lines(), media_type="application/x-ndjson", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None
