"""Real listing texts: reading them, guessing their language, and setting aside those that may hold a real contact.

The listings are unlabelled and about one text in a hundred carries a real violation. A wide net (`SUSPICIOUS`) is cast
over them; what it catches is used only where it was read and labelled by the policy (`reviewed.jsonl`: identifiers, offsets
and reasons, never texts). The rest is clean background.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from stream_detector.contracts import Kind
from stream_detector.errors import ConfigurationError

FIELDS = ("title", "description", "neighbourhood", "host")

#: Cities whose texts are never trained on.
HELD_BACK_CITIES = ("edinburgh", "athens")

_STOPWORDS = {
    "en": "the and with you are for from this our to of is in".split(),
    "de": "und die der mit ist das ein eine für sie zu von im nicht wir".split(),
    "fr": "le la les et des est une avec vous dans pour du nous sur à".split(),
    "sv": "och är med det att en ett som på till av finns har för vi".split(),
    "es": "el los y con una para en del las que es muy por".split(),
    "it": "il di che con una per della è del sono gli molto".split(),
    "pt": "o os com uma para em do da não que é muito".split(),
    "nl": "de het een en met van op voor is zijn wij".split(),
}

#: Whatever could be, or could lead to, a contact. Wide on purpose: it only decides what has to be read.
SUSPICIOUS = re.compile(
    r"""
    [@＠] | https?: | www\b | \b\w+\.(?:com|net|org|de|fr|ch|se|gr|eu|co|io|me|uk|au|info|app|ly|ee)\b
    | (?:\d[\s./()\-–+]{0,3}){7,}
    | what'?s?\s?app | wats|wh?ats[- ]?ap | viber | telegr | wechat | weixin | 微信 | kakao | skype | signal\b | messenger | \bline\b.{0,12}\bid\b
    | \binsta(?:gram)?\b | facebook | \bfb\b | \big\b | tiktok | twitter | youtube | linkedin | airb\w*\.\w+ | vimeo
    | e-?mail | courriel | \bmejl\b | \bmail\b | gmail | hotmail | outlook\. | yahoo | icloud | bluewin
    | phone | \btel\b | telefon | téléphon | τηλ | \bmob(?:ile|il)?(?:\s+(?:number|no|nr))?\b.{0,5}\d | \bcell\b | \bhandy(?:nummer)?\b | \bnatel\b | \bsms\b | \btext\s+(?:me|us)\b
    | \bcall\b | ring(?:a|en)?\s+(?:me|us|mig|oss|mich|uns) | anruf | \bruf(?:en|t)?\b.{0,20}\ban\b | appel(?:ez|er) | \bdial\b
    | contact | kontakt | επικοιν
    | web-?\s?(?:site|seite|page|sida|plats)|homepage|hemsida | site\s+internet | \bgoogle\b | \bsearch\b | such(?:en|t)?\s+(?:sie\s+)?(?:uns|nach) | ιστοσελ
    | dire[ck]t(?:ly|ement)?\b.{0,25}(?:book|reserv|buch|bok) | (?:book|reserv|réserv|buch|bok)\w*.{0,25}dire[ck]t
    | paypal | transfer | überweis | virement | swish | twint | revolut | \biban\b | bitcoin | \bcash\b | \bbar\s?zahl | espèces | kontant | deposit | kaution | caution | acompte
    | \b(?:outside|außerhalb|hors)\b.{0,25}(?:app|airb|platt?form|site|website) | off\s?-?platform | \bqr\b | \bsign(?:s|board)?\b.{0,20}name | business\s+card | visitenkarte | carte\s+de\s+visite
    | follow\s+(?:us|me) | find\s+us | discount | rabatt | rabais
    """,
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class ListingText:
    """One text of one listing. `key` is "<listing id>/<field>", stable and free of text."""

    key: str
    city: str
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Review:
    """The judgement of one real text that was read: its violation spans, none for a look-alike."""

    key: str
    spans: tuple[tuple[int, int, Kind], ...]
    settled: bool


def read_listings(directory: Path) -> Iterator[ListingText]:
    """Read every non-empty text of `<city>.jsonl.gz` files.

    Raises:
        ConfigurationError: there are none.
    """
    files = sorted(directory.glob("*.jsonl.gz"))
    if not files:
        raise ConfigurationError(f"{directory}: no <city>.jsonl.gz files; point --listings at the folder of real listing texts")
    for file in files:
        city = file.name.removesuffix(".jsonl.gz")
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                for field in FIELDS:
                    text = row.get(field) or ""
                    if len(text) >= 12:
                        yield ListingText(f"{row['listing_id']}/{field}", city, guess_language(text), text)


def guess_language(text: str) -> str:
    """Guess a listing's language from its script and stop words; "en" when nothing speaks for another."""
    letters = [char for char in text if char.isalpha()]
    if letters and sum("\u0370" <= char <= "\u03ff" for char in letters) > 0.4 * len(letters):
        return "el"
    words = re.findall(r"[^\W\d_]+", text.lower())[:120]
    counts = {language: sum(word in stop for word in words) for language, stop in _stopword_sets().items()}
    return max(counts, key=lambda language: (counts[language], language == "en"))


@cache
def _stopword_sets() -> dict[str, frozenset[str]]:
    return {language: frozenset(words) for language, words in _STOPWORDS.items()}


@cache
def reviews() -> dict[str, Review]:
    """The labelled real texts by key."""
    found: dict[str, Review] = {}
    resource = resources.files("stream_detector.training.corpus") / "reviewed.jsonl"
    if not resource.is_file():
        return found
    for line in resource.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        spans = tuple((start, end, Kind(kind)) for start, end, kind in row.get("spans", ()))
        found[row["key"]] = Review(row["key"], spans, row["label"] != "unsettled")
    return found


def is_suspicious(text: str) -> bool:
    """Whether a text has to be read before it may serve as clean background."""
    return SUSPICIOUS.search(text) is not None


def is_clean(listing: ListingText) -> bool:
    """Whether a text may serve as clean background: nothing in it has to be read, and who read it found nothing."""
    review = reviews().get(listing.key)
    return not is_suspicious(listing.text) and (review is None or (review.settled and not review.spans))
