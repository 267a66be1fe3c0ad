"""HTML in texts: entities become characters, tags vanish or break the line.

Only known elements count as tags, and only with attributes that look like some: `<host@mail.example>`, `<a lovely flat>` and
`<3` are text. Where a link leads, and what a picture is called, is as good as written and stays.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from html.entities import html5
from typing import Final

from stream_detector.text.mapping import Edit, MappedText

# Every `<` reads no further than the next `<`, every `&` at most 32 characters, and repetitions are possessive: linear.
_MARKUP: Final = re.compile(
    r"""&(?:\#0{0,64}+[0-9]{1,8}+;?|\#[xX]0{0,64}+[0-9a-fA-F]{1,6}+;?|[A-Za-z][A-Za-z0-9]{1,31}+;?)
    | </?(?P<name>[A-Za-z][A-Za-z0-9]{0,10}+)(?P<rest>[\s/]*+(?:(?<=\s)[^<>=]++=[^<>]*+)?)>
    | (?P<comment><!--)
    | <(?:!doctype|\?xml)\b[^<>]*+>""",
    re.VERBOSE | re.IGNORECASE,
)
#: Attributes that a reader gets to see or follow.
_SHOWN: Final = re.compile(
    r"""\b(?:href|alt|title)\s{0,9}=\s{0,9}(?:"(?P<double>[^"<>]++)|'(?P<single>[^'<>]++)|(?P<bare>[^"'\s<>]++))""", re.IGNORECASE
)
_BLOCKS: Final = frozenset(
    """
    address article aside blockquote body br center dd details dialog div dl dt fieldset figcaption figure footer form h1 h2 h3
    h4 h5 h6 head header hr html legend li main menu nav ol optgroup option p pre section select summary table tbody td tfoot th
    thead title tr ul script style
    """.split()  # noqa: SIM905 - a list would be a screen long
)
_INLINE: Final = frozenset(
    """
    a abbr acronym audio b bdi bdo big button canvas caption cite code col colgroup data del dfn em embed font i iframe img
    input ins kbd label link map mark meta meter nobr object output param picture progress q rp rt ruby s samp small source span
    strike strong sub sup svg template textarea time track tt u var video wbr
    """.split()  # noqa: SIM905 - a list would be a screen long
)


def strip_markup(mapped: MappedText) -> MappedText:
    """Resolve entities and tags; twice, because stored texts are often escaped twice."""
    for _ in range(2):
        if "&" not in mapped.text and "<" not in mapped.text:
            break
        mapped = mapped.rewrite(_edits(mapped.text))
    return mapped


def _edits(text: str) -> Iterator[Edit]:
    skip_to = 0
    last_comment_end = text.rfind("-->")
    for match in _MARKUP.finditer(text):
        start, end = match.span()
        if start < skip_to:
            continue
        if match["comment"]:
            if end <= last_comment_end:
                skip_to = text.index("-->", end) + 3
                yield Edit(start, skip_to, "")
        elif text[start] == "&":
            character = _character(match[0])
            if character != match[0]:
                yield Edit(start, end, character)
        else:
            yield from _tag(match)


def _character(surface: str) -> str:
    """What an entity stands for; itself if nothing. Without its semicolon a name must end the word: R&copies is no ©opies."""
    return html.unescape(surface) if surface[1] == "#" else html5.get(surface[1:], surface)


def _tag(match: re.Match[str]) -> Iterator[Edit]:
    start, end = match.span()
    name = (match["name"] or "").lower()
    if name and name not in _BLOCKS and name not in _INLINE:
        return
    at = start
    for shown in _SHOWN.finditer(match.string, *match.span("rest")) if name else ():
        yield Edit(at, shown.start(shown.lastgroup or 0), " ")
        at = shown.end(shown.lastgroup or 0)
    yield Edit(at, end, "\n" if name in _BLOCKS else " " if at > start else "")
