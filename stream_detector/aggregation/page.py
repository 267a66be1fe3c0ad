"""Faust's web view: the partners with the most points now. Ids and counts; nothing of a text, and no contact."""

from __future__ import annotations

import html
import time
from collections.abc import Callable
from typing import Any, Final

import faust
from faust.web.drivers import aiohttp as driver

from stream_detector.aggregation.book import Book, Rank
from stream_detector.aggregation.offenders import moment_of
from stream_detector.aggregation.rules import POINT, Window
from stream_detector.contracts import format_timestamp

_MOST: Final = 100
_POLICY: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_STYLE: Final = """:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
nav a { margin-right: 1rem } nav a[aria-current] { font-weight: bold; text-decoration: none }
div { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th, td { padding: .4rem .7rem; text-align: right; border-bottom: 1px solid #8886 } th:first-child, td:first-child { text-align: left }
td:first-child { overflow-wrap: anywhere }
"""


class Web(driver.Web):
    """Faust's web server without its own pages."""

    production_blueprints = ()


def add_pages(app: faust.App, book: Book, *, ready: Callable[[], bool], now: Callable[[], float] = time.time) -> None:
    """Serve `/`, its style, and the same as JSON under `/partners.json`; `?window=7d` chooses a length.

    Args:
        app: Faust's application.
        book: what is shown.
        ready: whether all that was kept is in the book.
        now: seconds since the epoch.
    """
    app.web = Web(app)

    @app.page("/", name="partners")
    async def partners(view: Any, request: Any) -> Any:
        window = _window(book, request)
        if window is None:
            return view.text(_unknown(book), status=404, headers=_POLICY)
        return view.html(render(book, window, now_ms=int(now() * 1000), ready=ready()), headers=_POLICY)

    @app.page("/style.css", name="style")
    async def style(view: Any, request: Any) -> Any:  # noqa: ARG001 - Faust's signature
        return view.text(_STYLE, content_type="text/css", headers=_POLICY)

    @app.page("/partners.json", name="partners-json")
    async def document(view: Any, request: Any) -> Any:
        window = _window(book, request)
        if window is None:
            return view.json({"error": _unknown(book)}, status=404, headers=_POLICY)
        return view.json(describe(book, window, now_ms=int(now() * 1000), ready=ready()), headers=_POLICY)


def describe(book: Book, window: Window, *, now_ms: int, ready: bool) -> dict[str, Any]:
    """What the page shows, for programs."""
    start = window.latest(now_ms)
    return {
        "complete": ready,
        "window": window.name,
        "windowStart": format_timestamp(moment_of(start)),
        "windowEnd": format_timestamp(moment_of(start + window.length_ms)),
        "levels": {level.name: level.points / POINT for level in window.levels},
        "partitions": sorted(book.partitions),
        "partners": [_row(window, rank) for rank in book.top(window, now_ms, _MOST)],
    }


def render(book: Book, window: Window, *, now_ms: int, ready: bool) -> str:
    """The page."""
    found = describe(book, window, now_ms=now_ms, ready=ready)
    links = "".join(
        f'<a href="?window={each.name}"{" aria-current=page" if each is window else ""}>{each.name}</a>'
        for each in book.rules.windows
    )
    rows = "".join(
        f"<tr><td>{html.escape(row['partnerId'])}<td>{row['level'] or ''}<td>{row['points']:g}<td>{row['offences']}"
        f"<td>{row['violations']}<td>{row['confirmed']}<td>{row['listings']}<td>{row['contacts']}"
        for row in found["partners"]
    )
    heads = "".join(
        f'<th scope="col">{head}'
        for head in ("Partner", "Level", "Points", "Offences", "Violations", "Confirmed", "Listings", "Contacts")
    )
    levels = ", ".join(f"{name} from {points:g}" for name, points in found["levels"].items())
    nobody = "" if found["partners"] or not ready else "<p>Nobody has points in this window."
    unready = "" if ready else "<p role=status><strong>Still reading what was kept: sums are too low.</strong>"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        '<title>Repeat offenders</title><link rel="stylesheet" href="/style.css"><main><h1>Repeat offenders</h1>'
        f'<nav aria-label="Length of the window">{links}</nav>'
        f"{unready}<p>{found['windowStart']} to {found['windowEnd']}. Levels: {levels} points. Of {book.partners} partners that this process"
        f" counts, the first {_MOST} at most.</p>"
        f"<div><table><thead><tr>{heads}</thead><tbody>{rows}</tbody></table></div>{nobody}</main></html>"
    )


def _row(window: Window, rank: Rank) -> dict[str, Any]:
    sums = rank.totals
    reached = [level.name for level in window.levels if sums.points >= level.points]
    return {
        "partnerId": rank.partner_id,
        "level": reached[-1] if reached else None,
        "points": sums.points / POINT,
        "offences": sums.offences,
        "violations": sums.violations,
        "confirmed": sums.confirmed,
        "listings": sums.listings,
        "contacts": sums.contacts,
        "kinds": dict(sorted(sums.kinds.items())),
    }


def _window(book: Book, request: Any) -> Window | None:
    windows = book.rules.windows
    asked = request.query.get("window")
    if asked is None:
        return windows[len(windows) // 2]
    return next((window for window in windows if window.name == asked), None)


def _unknown(book: Book) -> str:
    return f"there is no such window; there are {', '.join(window.name for window in book.rules.windows)}"
