"""The queue: a list that stands still while it is read, with what is new announced above it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from stream_detector.contracts import EventType, Kind
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
_CHANGES: Final = 200
#: Lines of one page.
_SHOWN: Final = 100


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
    numbers = request.query_params.get("shown", "").split(".")[:_SHOWN]
    shown = frozenset(int(number) for number in numbers if number.isdecimal() and len(number) < 19)

    async def events() -> AsyncIterator[bytes]:
        known: Pulse | None = None
        yield KEEP_ALIVE
        async for pulse in desk.pulses.changes():
            if pulse is None:
                yield KEEP_ALIVE
                continue
            for made in await run_in_threadpool(_changes, desk, _Listening(address, viewer, newest, shown), known, pulse):
                yield made
            known = pulse

    return StreamingResponse(events(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


@dataclass(frozen=True, slots=True)
class _Listening:
    """A page that is open: its queue, who reads it, the newest case when it was made, and the cases on it."""

    address: QueueAddress
    viewer: str
    newest: int
    shown: frozenset[int]


def _changes(desk: Desk, page: _Listening, known: Pulse | None, pulse: Pulse) -> list[bytes]:
    made = []
    if pulse.newest_case > page.newest and (known is None or pulse.newest_case != known.newest_case):
        count = desk.store.queue.arrived(page.address.wanted, after_case=page.newest, viewer=page.viewer)
        if count.number:
            html = ENVIRONMENT.get_template("queue_news.html").render(count=count, query=page.address.query())
            made.append(event("news", html))
    if known is not None and pulse.audit_sequence != known.audit_sequence and (lines := _lines(desk, known, page.shown)):
        made.append(event("lines", lines))
    return made


def _lines(desk: Desk, known: Pulse, shown: frozenset[int]) -> str:
    """The states of lines that changed, to be swapped in where they are shown."""
    entries = desk.store.audit.page(size=_CHANGES)
    changed = {entry.case_id for entry in entries if entry.sequence > known.audit_sequence and entry.case_id is not None}
    template = ENVIRONMENT.get_template("queue_state.html")
    cases = [desk.store.queue.summary(case_id) for case_id in sorted(changed & shown)]
    return "\n".join(template.render(case=case, swapped=True) for case in cases)
