"""Dots of other scripts inside addresses: "sample。example" and "sample·com" are addresses, 你好。再见 is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from stream_detector.text.mapping import Edit, MappedText

_DOTS: Final = "。｡·•∙⋅‧・․"
_ANY: Final = re.compile(f"[{_DOTS}]")
_CHAIN: Final = re.compile(f"[A-Za-z0-9@_-]++(?:[.{_DOTS}][A-Za-z0-9@_-]++)++")
#: Last labels after which a raised dot can only be meant as an address's; those that are English words aren't among them.
_TOP_LEVEL: Final = frozenset(
    """
    app au biz br ca ch club cn co com cz de dev dk es eu example fi fr gr hk holiday house info io jp kr mx net nl nz online
    org pl pt rentals ru shop site test tr travel tw ua uk villas xyz za
    """.split()  # noqa: SIM905 - a list would be a screen long
)


def straighten_dots(mapped: MappedText) -> MappedText:
    """Make them full stops where the run of letters around them is an address."""
    return mapped.rewrite(_edits(mapped.text)) if _ANY.search(mapped.text) else mapped


def _edits(text: str) -> Iterator[Edit]:
    for match in _CHAIN.finditer(text):
        chain = match[0]
        if not _ANY.search(chain):
            continue
        last = re.split(f"[.{_DOTS}]", chain)[-1]
        address = "@" in chain or chain[:3].lower() == "www" or last in _TOP_LEVEL
        for dot in _ANY.finditer(chain):
            # An ideographic full stop between small Latin letters isn't Chinese prose either.
            at = match.start() + dot.start()
            if address or (dot[0] in "。｡" and text[at - 1].islower() and text[at + 1].islower()):
                yield Edit(at, at + 1, ".")
