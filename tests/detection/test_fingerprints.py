"""Keyed fingerprints: contacts linked without being kept."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_detector.contracts import EventType, Evidence, Kind, Label, ScoreDetails, Source, Violation
from stream_detector.detection.fingerprints import KEY_FILE, contacts_of, fingerprints, key_of
from stream_detector.errors import ConfigurationError
from stream_detector.settings import Settings
from stream_detector.text.masking import mask

KEY = b"a key of the tests, and of nobody else"


def _evidence(texts: dict[str, str], *found: tuple[str, str, Kind]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            attribute=attribute,
            start=(start := texts[attribute].index(surface)),
            end=start + len(surface),
            kind=kind,
            surface=mask(surface),
        )
        for attribute, surface, kind in found
    )


def _violation(attributes: dict[str, str] | None, evidence: tuple[Evidence, ...]) -> Violation:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    return Violation(
        model_code="M",
        model_version="1",
        refresh_version="v1",
        probability_score="9.90e-01",
        model_segment="SUPPLY",
        top_contributor="a",
        score_details=ScoreDetails(label=Label.FRAUD, threshold=0.5, evidence=evidence, windows=1, backend="b", latency_ms=1),
        event_id="E-1",
        event_type=EventType.LISTING_UPDATE,
        partner_id="P-1",
        occurred_at=now,
        detected_at=now,
        source=Source(topic="t", partition=0, offset=0),
        attributes=attributes,
        violation_id="V-1",
    )


def test_a_violations_contacts_are_named_once_each_with_where_they_stand() -> None:
    """A number told twice is one contact, with both places; a request is none."""
    texts = {"a": "Call 07700 900123 or book directly.", "b": "WhatsApp +44 7700 900123, anna@example.com"}
    evidence = _evidence(
        texts,
        ("a", "07700 900123", Kind.PHONE),
        ("a", "book directly", Kind.SOLICITATION),
        ("b", "WhatsApp +44 7700 900123", Kind.MESSENGER),
        ("b", "anna@example.com", Kind.EMAIL),
    )
    phone, email = contacts_of(_violation(texts, evidence), KEY)
    assert (phone.kind, phone.evidence) == (Kind.PHONE, (0, 2))
    assert (email.kind, email.evidence) == (Kind.EMAIL, (3,))
    assert len(phone.value) == 32
    assert int(phone.value, 16)


def test_a_number_split_across_fields_is_the_whole_number() -> None:
    """Halves that name nobody alone are read together."""
    whole = {"a": "Call 07700 900123"}
    halves = {"a": "My number begins 07700", "b": "900123 and so it ends"}
    (one,) = fingerprints(whole, _evidence(whole, ("a", "07700 900123", Kind.PHONE)), KEY)
    (other,) = fingerprints(halves, _evidence(halves, ("a", "07700", Kind.PHONE), ("b", "900123", Kind.PHONE)), KEY)
    assert one.value == other.value
    assert other.evidence == (0, 1)


def test_without_texts_there_are_no_contacts_unless_evidence_is_in_the_clear() -> None:
    """With include_text off a masked surface must not be taken for a contact."""
    texts = {"a": "Call 07700 900123"}
    (masked,) = _evidence(texts, ("a", "07700 900123", Kind.PHONE))
    assert contacts_of(_violation(None, (masked,)), KEY) == ()
    clear = masked.model_copy(update={"surface": "07700 900123"})
    assert contacts_of(_violation(None, (clear,)), KEY) == contacts_of(_violation(texts, (masked,)), KEY)


@given(st.binary(min_size=32, max_size=64), st.binary(min_size=32, max_size=64))
def test_the_key_decides(one: bytes, other: bytes) -> None:
    """Under another key every fingerprint is another; under the same it is the same."""
    texts = {"a": "07700 900123"}
    evidence = _evidence(texts, ("a", "07700 900123", Kind.PHONE))
    assert (fingerprints(texts, evidence, one) == fingerprints(texts, evidence, other)) == (one == other)


def test_the_fingerprint_is_hmac_sha_256() -> None:
    """Stored fingerprints outlive a release: the recipe is part of the format (value made with openssl)."""
    texts = {"a": "07700 900123"}
    (found,) = fingerprints(texts, _evidence(texts, ("a", "07700 900123", Kind.PHONE)), KEY)
    assert found.value == "2cde67f41897a46673a4037b9869178d"


def test_a_setting_is_the_key(tmp_path: Path) -> None:
    """And no file is made."""
    assert key_of(Settings.load(environment={}, flags={"fingerprint_key": "k" * 32}), tmp_path) == b"k" * 32
    assert not list(tmp_path.iterdir())


def test_the_environment_names_a_file_with_the_key(tmp_path: Path) -> None:
    """As with every secret."""
    (tmp_path / "key").write_text("k" * 40 + "\n")
    settings = Settings.load(environment={"STREAM_DETECTOR_FINGERPRINT_KEY_FILE": str(tmp_path / "key")})
    assert key_of(settings, tmp_path) == b"k" * 40
    assert "k" * 40 not in repr(settings)


def test_a_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    """Eight threads that start at once agree on one key, which nobody else can read, and a restart finds it again."""
    folder = tmp_path / "console"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: key_of(Settings(), folder), range(8)))
    assert len(keys) == 1
    assert keys == {key_of(Settings(), folder)}
    assert stat.S_IMODE((folder / KEY_FILE).stat().st_mode) == 0o600
    assert [file.name for file in folder.iterdir()] == [KEY_FILE]
    assert key_of(Settings(), tmp_path / "other") not in keys


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 40])
def test_a_file_without_a_key_is_refused(tmp_path: Path, content: bytes) -> None:
    """A truncated file must not become a key that anyone can guess."""
    (tmp_path / KEY_FILE).write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"fingerprint_key: .*fingerprint\.key: (holds no key|not ASCII)"):
        key_of(Settings(), tmp_path)


def test_a_folder_that_is_no_folder_is_named(tmp_path: Path) -> None:
    """The message says what to set instead."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="set fingerprint_key, or make the folder writable"):
        key_of(Settings(), tmp_path / "file")


def test_a_short_key_is_refused() -> None:
    """With the command that makes a good one, and without the value."""
    with pytest.raises(ConfigurationError, match=r"fingerprint_key: .*at least 32 characters; openssl rand") as caught:
        Settings.load(environment={"STREAM_DETECTOR_FINGERPRINT_KEY": "too-short-" + str(os.getpid())})
    assert "too-short" not in str(caught.value)
