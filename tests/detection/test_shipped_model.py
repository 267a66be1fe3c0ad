"""The detector with the artefact that ships: loading, policy and the plainest of cases.

How good the model is, the evaluation says; here stand only texts about which nobody would argue.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream_detector.contracts import Kind, Label
from stream_detector.detection import Detector
from stream_detector.errors import ArtefactError
from stream_detector.settings import PolicySettings, Settings


@pytest.fixture(scope="module")
def detector(shipped: Path) -> Iterator[Detector]:
    """The shipped artefact under default settings, but with evidence in the clear."""
    with Detector.load(Settings(model=str(shipped), inference_threads=1, unmasked_evidence=True)) as loaded:
        yield loaded


@pytest.mark.parametrize(
    ("text", "contact", "kinds"),
    [
        ("Call me on +1 206 555 0101 for a better price.", "206 555 0101", {Kind.PHONE}),
        ("Lovely flat near the park. My number is 206-555-0142, ring me.", "206-555-0142", {Kind.PHONE}),
        ("Write to anna.sample@mail.example before you book.", "anna.sample@mail.example", {Kind.EMAIL}),
        (
            "Book on our own website www.sample-stay.example and save the fee.",
            "www.sample-stay.example",
            {Kind.URL, Kind.SOLICITATION},
        ),
        ("Follow us on Instagram: @sample.stay.home", "@sample.stay.home", {Kind.HANDLE}),
        ("Add me on WhatsApp before you book: +1 206 555 0123", "206 555 0123", {Kind.PHONE, Kind.MESSENGER}),
        ("Message me on WhatsApp before you book.", "on WhatsApp", {Kind.MESSENGER}),
        ("Book directly with us and save the service fee.", "Book directly", {Kind.SOLICITATION}),
        ("Cancel here and pay me by PayPal instead.", "PayPal", {Kind.PAYMENT}),
        ("Rufen Sie mich an: +1 206 555 0101, dann wird es günstiger.", "206 555 0101", {Kind.PHONE}),
        ("Écrivez-moi à anna.sample@example.com pour réserver.", "anna.sample@example.com", {Kind.EMAIL}),
    ],
)
def test_plain_violations_are_found(detector: Detector, text: str, contact: str, kinds: set[Kind]) -> None:
    """Fraud, with evidence of the right kind that touches the contact."""
    (response,) = detector.score([{"description": text}])
    assert response.score_details.label is Label.FRAUD, response.probability_score
    start = text.index(contact)
    touching = [e for e in response.score_details.evidence if e.start < start + len(contact) and e.end > start]
    assert kinds & {e.kind for e in touching}, [(e.kind, e.surface) for e in response.score_details.evidence]


@pytest.mark.parametrize(
    "text",
    [
        "A bright flat near the station with two bedrooms and a garden.",
        "The kitchen has an oven, a dishwasher and a coffee machine.",
        "Check-in is from 15:00, check-out until 11:00.",
        "It is 450 m to the metro and 12 km to the airport.",
        "Please message me on Airbnb if you have any questions.",
        "Fast wifi, 500 Mbit/s, and Netflix on the TV.",
        "No smoking, no parties. Quiet from 22:00.",
        "Ruhige Wohnung mit Balkon und Blick auf den Park.",
        "Bel appartement au coeur de la ville avec deux chambres.",
        "Piso luminoso con dos habitaciones y una terraza.",
        "Registration number HUTB-012345",
    ],
)
def test_plain_descriptions_are_left_alone(detector: Detector, text: str) -> None:
    """NonFraud, without evidence."""
    (response,) = detector.score([{"description": text}])
    assert response.score_details.label is Label.NON_FRAUD, response.probability_score
    assert response.score_details.evidence == ()


def test_names_of_platforms_make_no_difference(detector: Detector) -> None:
    """Each becomes the same neutral word, so that a model is tied to nobody's platform."""
    texts = [f"Please message me on {name} if you have questions." for name in ("Airbnb", "Vrbo", "air-bnb", "www.booking.com")]
    assert len({verdict.probability for verdict in detector.verdicts(texts)}) == 1


def test_allowed_domains_read_as_the_platforms_own(shipped: Path) -> None:
    """A domain on the allow list, subdomains included, is as harmless as the platform's; another one isn't touched."""
    policy = PolicySettings(allowed_domains=("city-museum.example",))
    settings = Settings(model=str(shipped), inference_threads=1, policy=policy)
    template = "Tickets are on {} all year round."
    with Detector.load(settings) as detector:
        own, allowed, below, other = detector.verdicts(
            [
                template.format(site)
                for site in ("airbnb.com", "city-museum.example", "https://www.city-museum.example", "sample.example")
            ]
        )
    assert own.probability == allowed.probability == below.probability
    assert other.probability != own.probability


def test_the_threshold_is_the_manifests_unless_set(shipped: Path, detector: Detector) -> None:
    """A setting wins over the artefact, and the response says which held."""
    assert detector.threshold == detector.manifest.threshold
    with Detector.load(Settings(model=str(shipped), inference_threads=1, threshold=0.999)) as strict:
        assert strict.score([{"a": "the flat"}])[0].score_details.threshold == 0.999


def test_batching_changes_no_verdict(shipped: Path, detector: Detector) -> None:
    """A group scored together says what each text says alone, to the last digit."""
    texts = ["A bright flat with a garden. Welcome!", "Call me on +1 206 555 0101. Welcome!", "Quiet from 22:00. " * 40]
    together = detector.verdicts(texts)
    with Detector.load(Settings(model=str(shipped), inference_threads=1)) as alone:
        assert [alone.verdicts([text])[0] for text in texts] == together


def test_an_altered_artefact_is_not_loaded(shipped: Path, tmp_path: Path) -> None:
    """The detector checks before it runs anything."""
    folder = shutil.copytree(shipped, tmp_path / "copy")
    with (folder / "tokenizer.json").open("a", encoding="utf-8") as file:
        file.write(" ")
    with pytest.raises(ArtefactError, match=r"tokenizer\.json: its SHA-256"):
        Detector.load(Settings(model=str(folder)))


def test_a_model_that_is_not_there_is_named() -> None:
    """With the names of those that are."""
    with pytest.raises(ArtefactError, match="no-such-model"):
        Detector.load(Settings(model="no-such-model"))
