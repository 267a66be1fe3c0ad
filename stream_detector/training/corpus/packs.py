"""Language packs: what people write in each language, as data (`languages/*.toml`, `world.toml`).

A pack holds templates. In a violation the offending part stands in a tag named after its kind
("Call <phone>{phone}</phone> after six"); look-alikes and clean sentences have none. Slots in braces are filled afresh for
every sample.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from stream_detector.contracts import Kind
from stream_detector.errors import ConfigurationError

_TAG = re.compile(r"<(?P<kind>[a-z]+)>(?P<body>.*?)</(?P=kind)>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a template that belongs to one kind of violation, or to none."""

    template: str
    kind: Kind | None


@dataclass(frozen=True, slots=True)
class Template:
    """A sentence or fragment with slots, and the family it belongs to."""

    segments: tuple[Segment, ...]
    family: str

    @property
    def is_violation(self) -> bool:
        """Whether any of it offends."""
        return any(segment.kind for segment in self.segments)


@dataclass(frozen=True, slots=True)
class Pack:
    """One language."""

    code: str
    digits: tuple[tuple[str, ...], ...]
    pairs: tuple[str, ...]
    hundreds: tuple[str, ...]
    hundreds_joiner: str
    repeats: tuple[tuple[str, int], ...]
    at: tuple[str, ...]
    dot: tuple[str, ...]
    dash: tuple[str, ...]
    underscore: tuple[str, ...]
    first_names: tuple[str, ...]
    words: tuple[str, ...]
    phones: tuple[str, ...]
    domains: tuple[str, ...]
    violations: Mapping[str, tuple[Template, ...]]
    lookalikes: Mapping[str, tuple[Template, ...]]
    clean: tuple[Template, ...]


@dataclass(frozen=True, slots=True)
class Brand:
    """A service under all the names that people give it, and the languages it is used in ("*": everywhere)."""

    names: tuple[str, ...]
    languages: frozenset[str]


@dataclass(frozen=True, slots=True)
class World:
    """What doesn't depend on the language."""

    messengers: tuple[Brand, ...]
    social: tuple[Brand, ...]
    transfers: tuple[Brand, ...]
    companies: tuple[str, ...]
    apps: tuple[str, ...]
    platforms: tuple[str, ...]
    platform_domains: tuple[str, ...]
    mail_domains: tuple[str, ...]
    tlds: tuple[str, ...]
    third_sites: tuple[str, ...]
    words: tuple[str, ...]


def parse_template(text: str, family: str) -> Template:
    """Split a template at its tags.

    Raises:
        ConfigurationError: a tag names no kind of violation.
    """
    segments: list[Segment] = []
    position = 0
    for tag in _TAG.finditer(text):
        if tag["kind"] not in set(Kind):
            raise ConfigurationError(f"template {text!r}: <{tag['kind']}> is no kind; use one of {', '.join(Kind)}")
        segments += [Segment(text[position : tag.start()], None), Segment(tag["body"], Kind(tag["kind"]))]
        position = tag.end()
    segments.append(Segment(text[position:], None))
    return Template(tuple(segment for segment in segments if segment.template), family)


@cache
def packs() -> dict[str, Pack]:
    """All language packs by code."""
    folder = resources.files("stream_detector.training.corpus") / "languages"
    return {
        file.name.removesuffix(".toml"): _pack(file.name.removesuffix(".toml"), tomllib.loads(file.read_text(encoding="utf-8")))
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".toml")
    }


@cache
def world() -> World:
    """The lists that all languages share."""
    file = resources.files("stream_detector.training.corpus") / "world.toml"
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    return World(
        messengers=_brands(data["messengers"]),
        social=_brands(data["social"]),
        transfers=_brands(data["transfers"]),
        companies=tuple(data["companies"]),
        apps=tuple(data["apps"]),
        platforms=tuple(platform["name"] for platform in data["platforms"]),
        platform_domains=tuple(domain for platform in data["platforms"] for domain in platform["domains"]),
        mail_domains=tuple(data["mail_domains"]),
        tlds=tuple(tld.lstrip(".") for tld in data["tlds"]),
        third_sites=tuple(data["third_sites"]),
        words=tuple(data["english_words"]),
    )


def _pack(code: str, data: Mapping[str, Any]) -> Pack:
    def families(table: Mapping[str, Sequence[str]]) -> dict[str, tuple[Template, ...]]:
        return {family: tuple(parse_template(text, family) for text in texts) for family, texts in table.items()}

    return Pack(
        code=code,
        digits=tuple(tuple(forms) for forms in data["digits"]),
        pairs=tuple(data["pairs"]),
        hundreds=tuple(data["hundreds"]),
        hundreds_joiner=data["hundreds_joiner"],
        repeats=tuple((word, times) for word, times in data["repeats"]),
        **{key: tuple(data[key]) for key in ("at", "dot", "dash", "underscore", "first_names", "words", "phones", "domains")},
        violations=families(data["violations"]),
        lookalikes=families(data["lookalikes"]),
        clean=tuple(parse_template(text, "clean") for text in data["clean"]["sentences"]),
    )


def _brands(tables: Sequence[Mapping[str, Sequence[str]]]) -> tuple[Brand, ...]:
    return tuple(Brand(tuple(table["names"]), frozenset(table["languages"])) for table in tables)
