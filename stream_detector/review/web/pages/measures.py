"""What decisions teach: partners, precision and agreement, thresholds."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from starlette.responses import Response

from stream_detector.contracts import Decision, Reason
from stream_detector.errors import VerdictError
from stream_detector.review.precision import Dimension
from stream_detector.review.web.chart import Chart
from stream_detector.review.web.people import Permission
from stream_detector.review.web.visit import Visit

#: What a page can look back over, by its name in the address.
SPANS: Final = {"1d": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30), "90d": timedelta(days=90)}


def partners(visit: Visit) -> Response:
    """Partners who do it again, the worst first."""
    visit.require(Permission.READ)
    offenders = visit.desk.store.offenders
    windows = offenders.windows()
    wanted = visit.request.query_params.get("window")
    window = wanted if wanted in windows else None
    return visit.render("partners.html", rows=offenders.top(window=window), window=window, windows=windows)


def partner(visit: Visit) -> Response:
    """One partner."""
    visit.require(Permission.READ)
    partner_id = visit.request.query_params.get("id", "")[:512]
    store = visit.desk.store
    return visit.render("partner.html", history=store.cases.partner(partner_id, size=50), rows=store.offenders.of(partner_id))


def quality(visit: Visit) -> Response:
    """How often reviewers agree with the model, with each other, and with what is known."""
    visit.require(Permission.MEASURE)
    within, span = _within(visit)
    store = visit.desk.store
    return visit.render(
        "quality.html",
        tables=[(dimension, store.precision.by(dimension, within=within)) for dimension in Dimension],
        reasons=store.precision.reasons(within=within),
        agreement=store.quality.agreement(within=within),
        disagreements=store.quality.disagreements(),
        reviewers=store.quality.reviewers(within=within),
        golden=store.quality.golden(),
        all_reasons=Reason,
        span=span,
        spans=SPANS,
    )


def plant(visit: Visit) -> Response:
    """Put a golden case among the others."""
    visit.require(Permission.LEAD)
    number = visit.text("case").strip()
    if not number.isdecimal() or len(number) > 18:
        raise VerdictError("case: must be the number of a decided case; correct it")
    answer = visit.text("expected")
    known = {reason.value: reason for reason in Reason}
    if answer != Decision.CONFIRMED and answer not in known:
        raise VerdictError("expected: says nothing; choose what the right decision is")
    expected = Decision.CONFIRMED if answer == Decision.CONFIRMED else Decision.DISMISSED
    visit.desk.store.quality.plant(int(number), expected=expected, reason=known.get(answer), by=visit.person.name)
    return visit.go("/quality")


def threshold(visit: Visit) -> Response:
    """What other thresholds would have sent and missed."""
    visit.require(Permission.MEASURE)
    within, span = _within(visit)
    thresholds = visit.desk.store.thresholds
    rows = thresholds.rows(within=within)
    in_use = thresholds.in_use()
    return visit.render("threshold.html", rows=rows, in_use=in_use, chart=Chart.of(rows, in_use), span=span, spans=SPANS)


def _within(visit: Visit) -> tuple[timedelta, str]:
    span = visit.request.query_params.get("span", "30d")
    return (SPANS[span], span) if span in SPANS else (SPANS["30d"], "30d")
