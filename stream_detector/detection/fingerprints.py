"""Which violations lead to the same contact, without keeping the contact: keyed fingerprints of canonical identifiers.

The fingerprint is HMAC-SHA-256 (RFC 2104, FIPS 180-4) under a secret key, cut to 128 bits. Phone numbers are few enough to try
them all, so a plain hash would hide nothing; without the key a fingerprint says nothing but "the same as that one".
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from stream_detector.contracts import Evidence, Kind, Violation
from stream_detector.detection.contacts import SHORTEST_NUMBER, Contact, identify
from stream_detector.detection.spoken import figures
from stream_detector.errors import ConfigurationError
from stream_detector.settings import MINIMUM_KEY_CHARACTERS, Settings
from stream_detector.text.masking import MASK
from stream_detector.text.view import Normalizer

#: Name of the file, in a service's own folder, that keeps a key that nobody set.
KEY_FILE: Final = "fingerprint.key"

_LENGTH: Final = 16
# The platform's own words matter to the model alone.
_NORMALIZER: Final = Normalizer((), ())


@dataclass(frozen=True, slots=True)
class ContactFingerprint:
    """One contact of a violation.

    Attributes:
        kind: what the contact is: phone, email, url, handle or payment.
        value: 32 hexadecimal digits, the same for the same contact under the same key.
        evidence: which pieces of evidence name it, by position.
    """

    kind: Kind
    value: str
    evidence: tuple[int, ...]


def contacts_of(violation: Violation, key: bytes) -> tuple[ContactFingerprint, ...]:
    """The distinct contacts of a violation, in the order of its evidence.

    A violation without its texts (`include_text` is off) has none, unless its evidence is in the clear.
    """
    return fingerprints(violation.attributes or {}, violation.score_details.evidence, key)


def fingerprints(texts: Mapping[str, str], evidence: Sequence[Evidence], key: bytes) -> tuple[ContactFingerprint, ...]:
    """The distinct contacts that evidence names.

    Args:
        texts: the texts as they were sent, by attribute.
        evidence: where they stand.
        key: what the fingerprints depend on; `key_of` has it.
    """
    found: dict[Contact, list[int]] = {}
    for contact, places in _contacts(texts, evidence):
        known = found.setdefault(contact, [])
        known += [place for place in places if place not in known]
    return tuple(ContactFingerprint(contact.kind, _print(contact, key), tuple(places)) for contact, places in found.items())


def key_of(settings: Settings, folder: Path) -> bytes:
    """The key: the setting's, or one that is made once and kept in a service's own folder.

    Args:
        settings: `fingerprint_key` wins.
        folder: where the service keeps what must outlive it; it is made if it isn't there.

    Raises:
        ConfigurationError: the file can't be read or written, or holds no key.
    """
    if settings.fingerprint_key is not None:
        return settings.fingerprint_key.get_secret_value().encode()
    file = folder / KEY_FILE
    try:
        with contextlib.suppress(FileExistsError):
            _make(file)
        key = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not ASCII"
        raise ConfigurationError(f"fingerprint_key: {file}: {reason}; set fingerprint_key, or make the folder writable") from None
    if len(key) < MINIMUM_KEY_CHARACTERS:
        raise ConfigurationError(f"fingerprint_key: {file}: holds no key; put it back from a copy, or remove it to have one made")
    return key.encode()


def _make(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and linked: of two processes that start at once both read the same key, and never half of one.
    aside = file.with_name(f"{file.name}.{os.getpid()}-{secrets.token_hex(4)}")
    if file.exists():
        return
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as handle:
        handle.write(secrets.token_urlsafe(32) + "\n")
    try:
        os.link(aside, file)
    finally:
        aside.unlink()
    structlog.get_logger().warning(
        "a key for fingerprints of contacts was made",
        file=str(file),
        remedy="keep it: without it old and new contacts don't match; set fingerprint_key_file to it for other services",
    )


def _contacts(texts: Mapping[str, str], evidence: Sequence[Evidence]) -> Iterable[tuple[Contact, tuple[int, ...]]]:
    pieces: list[tuple[str, tuple[int, ...]]] = []
    for place, item in enumerate(evidence):
        surface = _surface(texts, item)
        contacts = identify(surface, item.kind)
        yield from ((contact, (place,)) for contact in contacts)
        if item.kind is Kind.PHONE and not contacts and 0 < len(figures(surface).lstrip("+")) < SHORTEST_NUMBER:
            pieces.append((surface, (place,)))
    # A number that is told in pieces, in one text or across two fields, is read together.
    if len(pieces) > 1:
        places = tuple(place for _, (place,) in pieces)
        yield from ((contact, places) for contact in identify(" ".join(surface for surface, _ in pieces), Kind.PHONE))


def _surface(texts: Mapping[str, str], item: Evidence) -> str:
    if item.attribute in texts:
        return _NORMALIZER.view(texts[item.attribute][item.start : item.end]).text
    return "" if MASK in item.surface else _NORMALIZER.view(item.surface).text


def _print(contact: Contact, key: bytes) -> str:
    message = f"{contact.kind.value}\n{contact.identifier}".encode("utf-8", "surrogatepass")
    return hmac.new(key, message, hashlib.sha256).digest()[:_LENGTH].hex()
