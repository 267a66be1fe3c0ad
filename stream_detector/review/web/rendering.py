"""Templates: escaped by default, strict about names, with the few filters that pages share."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from stream_detector.review.web.marking import mark, plain

STATIC: Final = Path(str(files("stream_detector.review.web"))) / "static"


def _static(name: str) -> str:
    """The address of a static file: with its content's hash, so that it can be kept for a year."""
    return f"/static/{name}?{_DIGESTS[name]}"


def moment(at: datetime) -> str:
    """A moment, to the second, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def age(at: datetime, now: datetime | None = None) -> str:
    """How long ago, in the largest unit that is whole."""
    passed = max(timedelta(), (now or datetime.now(UTC)) - at)
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if (whole := int(passed.total_seconds() // seconds)) > 0:
            return f"{whole} {unit} ago"
    return f"{int(passed.total_seconds())} s ago"


def percent(share: float | None) -> str:
    """A share to a tenth of a percent."""
    return "n/a" if share is None else f"{share * 100:.1f} %"


def probability(score: float) -> str:
    """A probability with four places; what lies closer to 0 or 1 than that is never shown as certain."""
    if 0 < score < 0.0001:
        return "<0.0001"
    if 0.9999 < score < 1:
        return ">0.9999"
    return f"{score:.4f}"


def words(value: str) -> str:
    """A value of the contracts as words: third_party is "third party"."""
    return value.replace("_", " ").replace("platforms own", "platform's own").replace("-", " ")


def window(length: str) -> str:
    """The length of a window in words: 7d is 7 days."""
    number, unit = length[:-1], {"d": "day", "h": "hour"}.get(length[-1:], "")
    return f"{number} {unit}{'' if number == '1' else 's'}" if unit and number.isdecimal() else length


def shown(text: str) -> Markup:
    """A whole text as a page shows it, with nothing in it marked."""
    template: Any = ENVIRONMENT.get_template("parts.html").module
    return Markup(template.pieces(mark(text, ())))  # noqa: S704 - rendered by a template, and so escaped


_DIGESTS: Final = {
    str(path.relative_to(STATIC)): hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    for path in sorted(STATIC.rglob("*"))
    if path.is_file()
}

ENVIRONMENT: Final = Environment(
    loader=PackageLoader("stream_detector.review.web"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.filters |= {
    "moment": moment, "age": age, "percent": percent, "probability": probability, "words": words, "plain": plain, "window": window, "shown": shown,
}  # fmt: skip
ENVIRONMENT.globals |= {"static": _static}
