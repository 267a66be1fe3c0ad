"""The queue: a list that stands still while it is read, with what is new announced above it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from stream_detector.contracts import EventType, Kind
from stream_detector.errors import UnknownCaseError
from stream_detector.review.cases import Order, Pulse, State
from stream_detector.review.web.address import QueueAddress
from stream_detector.review.web.desk import Desk
from stream_detector.review.web.live import KEEP_ALIVE, event
from stream_detector.review.web.people import Permission
from stream_detector.review.web.rendering import ENVIRONMENT
from stream_detector.review.web.visit import Visit

#: Filters that people begin with: their name and their query.
PRESETS: Final = (
    ("All open", ""),
    ("Mine", "who=mine"),
    ("Free", "who=free"),
    ("Nearly certain", "min=0.99"),
    ("Phone numbers", "kind=phone"),
    ("Payment", "kind=payment"),
    ("Today", "newer=24h"),
    ("Waiting for a week", "older=7d&order=oldest"),
)
#: More lines at once than these are left for the next look: they are the changes of one second.
_CHANGES: Final = 50


def show(visit: Visit) -> Response:
    """The queue's page."""
    visit.require(Permission.READ)
    store, viewer = visit.desk.store, visit.person.name
    # Taken before the page is read: what comes in between is announced rather than lost.
    pulse = store.queue.pulse()
    address = QueueAddress.read(visit.request.query_params, viewer=viewer)
    page = store.queue.page(address.wanted, viewer=viewer, order=address.order, after=address.after)
    return visit.render(
        "queue.html",
        address=address,
        page=page,
        count=store.queue.count(address.wanted, viewer=viewer),
        totals=store.queue.totals(),
        models=store.queue.model_versions(),
        claims=store.claims.of(viewer),
        pulse=pulse,
        presets=PRESETS,
        nothing_left=visit.request.query_params.get("left") == "none",
        states=State,
        kinds=Kind,
        event_types=EventType,
        orders=Order,
    )


def claim_next(visit: Visit) -> Response:
    """Take the first free case of a queue and go there."""
    visit.require(Permission.DECIDE)
    return go_to_next(visit)


def go_to_next(visit: Visit) -> Response:
    """The next case of the queue that the form names, or that queue where nothing is left in it."""
    address = read_back(visit)
    claim = visit.desk.store.claims.claim_next(address.wanted, visit.person.name, order=address.order)
    query = address.query()
    if claim is None:
        return visit.go(f"/queue?{query}{'&' if query else ''}left=none")
    return visit.go(f"/cases/{claim.case_id}?{query}")


def read_back(visit: Visit) -> QueueAddress:
    """The queue that a form came from: its own query, in one field."""
    return QueueAddress.read(QueryParams(visit.text("queue")[:4000]), viewer=visit.person.name)


async def listen(request: Request, desk: Desk) -> Response:
    """What changes in a queue, as server-sent events: `news` announces new cases, `lines` mends those that are shown."""
    viewer = request.state.person.name
    address = QueueAddress.read(request.query_params, viewer=viewer)
    since = request.query_params.get("since", "")
    newest = int(since) if since.isdecimal() and len(since) < 19 else 0

    async def events() -> AsyncIterator[bytes]:
        known: Pulse | None = None
        yield KEEP_ALIVE
        async for pulse in desk.pulses.changes():
            if pulse is None:
                yield KEEP_ALIVE
                continue
            for made in await run_in_threadpool(_changes, desk, address, viewer, newest, known, pulse):
                yield made
            known = pulse

    return StreamingResponse(events(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _changes(desk: Desk, address: QueueAddress, viewer: str, newest: int, known: Pulse | None, pulse: Pulse) -> list[bytes]:
    made = []
    if pulse.newest_case > newest and (known is None or pulse.newest_case != known.newest_case):
        count = desk.store.queue.arrived(address.wanted, after_case=newest, viewer=viewer)
        if count.number:
            html = ENVIRONMENT.get_template("queue_news.html").render(count=count, query=address.query())
            made.append(event("news", html))
    if known is not None and pulse.audit_sequence != known.audit_sequence:
        made.append(event("lines", _lines(desk, known.audit_sequence)))
    return made


def _lines(desk: Desk, since: int) -> str:
    """The changed lines' states, to be swapped in where they are shown."""
    entries = desk.store.audit.page(size=_CHANGES)
    changed = dict.fromkeys(entry.case_id for entry in entries if entry.sequence > since and entry.case_id is not None)
    template = ENVIRONMENT.get_template("queue_state.html")
    pieces = []
    for case_id in changed:
        try:
            case = desk.store.queue.summary(case_id)
        except UnknownCaseError:
            continue
        pieces.append(template.render(case=case, now=datetime.now(UTC), swapped=True))
    return "\n".join(pieces)
