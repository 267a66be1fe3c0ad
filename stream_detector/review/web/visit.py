"""One request for a page: who asks, with what, and how it is answered."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from stream_detector.errors import ReviewError, UnknownCaseError
from stream_detector.review.audit import Action
from stream_detector.review.web import session
from stream_detector.review.web.desk import Desk
from stream_detector.review.web.people import Permission, Person
from stream_detector.review.web.refusals import PageError, refusal_response
from stream_detector.review.web.rendering import ENVIRONMENT
from stream_detector.review.web.undoing import Undoable

#: A form holds a note, and spans; a hundred of them is more than anyone corrects.
_MAX_FIELDS = 500
_MAX_FIELD_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Visit:
    """A request that was let in."""

    request: Request
    desk: Desk
    form: FormData

    @property
    def person(self) -> Person:
        """Who asks."""
        person: Person = self.request.state.person
        return person

    @property
    def now(self) -> datetime:
        """The time, in UTC."""
        return self.desk.clock()

    def require(self, permission: Permission) -> None:
        """Go on only if the person may.

        Raises:
            PageError: they may not; it is in the audit log if they tried to do something.
        """
        if self.person.may(permission):
            return
        if self.request.method == "POST":
            path = self.request.scope["route"].path
            self.desk.store.audit.record(self.person.name, Action.REFUSED, detail={"path": path, "permission": permission.name})
        raise PageError(
            HTTPStatus.FORBIDDEN,
            f"You may not {permission.value}: your role is {self.person.title}.",
            "Ask a lead or an admin.",
        )

    @property
    def case_id(self) -> int:
        """The case that the path names."""
        case_id: int = self.request.path_params["case_id"]
        if case_id >= 2**63:
            raise UnknownCaseError(f"case {case_id}: there is no such case")
        return case_id

    def text(self, name: str) -> str:
        """A form's field; "" if it isn't there."""
        value = self.form.get(name)
        return value if isinstance(value, str) else ""

    @property
    def by_htmx(self) -> bool:
        """Whether a piece of a page was asked for."""
        return "hx-request" in self.request.headers

    def render(self, template: str, *, status: HTTPStatus = HTTPStatus.OK, **values: Any) -> Response:
        """A page, or a piece of one."""
        kept = self.request.session
        values |= {
            "person": self.person,
            "Permission": Permission,
            "path": self.request.url.path,
            "here": self.request.url.path + (f"?{self.request.url.query}" if self.request.url.query else ""),
            "csrf": kept.get(session.TOKEN_FIELD, ""),
            "theme": kept.get("theme", "auto"),
            "keys": kept.get("keys", "on"),
            "undoable": Undoable.kept(kept, self.now),
            "now": self.now,
        }
        return HTMLResponse(ENVIRONMENT.get_template(template).render(values), status)

    def go(self, address: str) -> Response:
        """See another page now; a POST is over."""
        return RedirectResponse(quote(address, safe="/?&=+%.:~-_#"), HTTPStatus.SEE_OTHER)


Page = Callable[[Visit], Response]
Endpoint = Callable[[Request], Awaitable[Response]]


def endpoint(page: Page, desk: Desk) -> Endpoint:
    """A page as Starlette wants it: its form read and its token checked here, its work done in a thread."""

    @functools.wraps(page)
    async def answer(request: Request) -> Response:
        async with request.form(max_files=0, max_fields=_MAX_FIELDS, max_part_size=_MAX_FIELD_BYTES) as form:
            if request.method == "POST":
                session.check_token(request, form)
            try:
                return await run_in_threadpool(_answered, page, Visit(request, desk, form))
            except ReviewError as error:
                return refusal_response(PageError.of(error), request)

    return answer


def _answered(page: Page, visit: Visit) -> Response:
    if session.begin(visit.request.session, visit.person):
        visit.desk.store.audit.record(visit.person.name, Action.SIGNED_IN, detail={"roles": visit.person.title})
    return page(visit)
