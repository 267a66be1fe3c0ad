"""Plain prose in the packs' languages, which nobody wrote for this project: thousands of sentences a language.

The packs' clean sentences are few hundred a language: a network learns them by heart and takes any other sentence of that
language for a violation (of plain Greek listings, 1 in 10 was flagged while there was nothing else). Real listing texts are
there in some languages only. So backgrounds are also made of sentences from Debian's documentation packages: the help of
LibreOffice, the administrator's handbook, and fortune cookies. They say nothing of flats, and need not: what matters is that
unknown sentences of a language stand on both sides of the label. Nothing of them is committed or shipped.
"""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from random import Random

from stream_detector.errors import ConfigurationError
from stream_detector.text.sentences import sentence_ends
from stream_detector.training.corpus.listings import is_suspicious

Report = Callable[[str], None]

#: Debian's packages by language; the handbook holds all of them.
_HELP = {
    "de": "de", "el": "el", "es": "es", "fr": "fr", "it": "it", "ja": "ja", "ko": "ko", "nl": "nl", "pl": "pl", "pt": "pt", "ru": "ru",
    "sv": "sv", "tr": "tr", "zh": "zh-cn",
}  # fmt: skip
_FORTUNES = {"de": "de", "es": "es", "it": "it", "pl": "pl", "pt": "br", "ru": "ru", "zh": "zh"}
_HANDBOOK = {
    "ar": "ar-MA",
    "de": "de-DE",
    "el": "el-GR",
    "es": "es-ES",
    "fr": "fr-FR",
    "it": "it-IT",
    "nl": "nl-NL",
    "pt": "pt-BR",
    "sv": "sv-SE",
}

_SCRIPTS = {"ar": "؀-ۿ", "el": "Ͱ-Ͽ", "ru": "Ѐ-ӿ", "zh": "一-鿿", "ja": "ぁ-ヿ一-鿿", "ko": "가-힣"}
_ENGLISH = re.compile(r"\b(?:the|and|of|to|is|you|this|with|are|for|that)\b", re.IGNORECASE)
_LENGTHS = range(12, 260)
_MOST = 20_000
_SKIPPED = {"script", "style", "pre", "code", "head", "nav"}
_BLOCKS = {"p", "li", "td", "th", "h1", "h2", "h3", "h4", "h5", "div", "dd", "dt", "br", "tr"}


@dataclass(frozen=True, slots=True)
class _Source:
    package: str
    pattern: str


def read_prose(folder: Path) -> dict[str, tuple[str, ...]]:
    """What `fetch_prose` left: sentences by language."""
    return {
        file.name.removesuffix(".txt.gz"): tuple(gzip.decompress(file.read_bytes()).decode().splitlines())
        for file in sorted(folder.glob("*.txt.gz"))
    }


def fetch_prose(folder: Path, *, report: Report) -> None:
    """Download the packages with apt, take them apart and leave `<language>.txt.gz`, a sentence a line; nothing is installed.

    Raises:
        ConfigurationError: there is no apt, or it doesn't have a package.
    """
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise ConfigurationError("train prose: needs apt-get and dpkg-deb (Debian or Ubuntu); without it, leave prose out")
    folder.mkdir(parents=True, exist_ok=True)
    for language, sources in _sources().items():
        with tempfile.TemporaryDirectory() as scratch:
            found: dict[str, None] = {}
            for source in sources:
                _unpack(source.package, Path(scratch))
                for file in sorted(Path(scratch).glob(source.pattern)):
                    found.update(dict.fromkeys(_sentences(file, language)))
        kept = list(found)
        Random(7).shuffle(kept)
        (folder / f"{language}.txt.gz").write_bytes(gzip.compress("\n".join(kept[:_MOST]).encode(), mtime=0))
        report(f"{language}: {min(len(kept), _MOST)} sentences")


def _sources() -> Mapping[str, Sequence[_Source]]:
    found: dict[str, list[_Source]] = {}
    for language, code in _HELP.items():
        found.setdefault(language, []).append(_Source(f"libreoffice-help-{code}", "usr/share/libreoffice/help/**/*.html"))
    for language, code in _FORTUNES.items():
        found[language].append(_Source(f"fortunes-{code}", "usr/share/games/fortunes/**/*"))
    for language, code in _HANDBOOK.items():
        found.setdefault(language, []).append(_Source("debian-handbook", f"usr/share/doc/debian-handbook/html/{code}/*.html"))
    return found


def _unpack(package: str, folder: Path) -> None:
    done = subprocess.run(["apt-get", "download", package], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603, S607
    files = list(folder.glob(f"{package}_*.deb"))
    if done.returncode or not files:
        raise ConfigurationError(f"train prose: apt-get download {package}: {done.stderr.strip() or 'no file'}; run apt-get update")
    subprocess.run(["dpkg-deb", "-x", str(files[0]), str(folder)], check=True)  # noqa: S603, S607


def _sentences(file: Path, language: str) -> Iterator[str]:
    """The sentences of one file that are prose of the language and hold nothing that had to be read first."""
    if not file.is_file() or file.suffix in {".dat", ".u8"}:
        return
    text = file.read_text(encoding="utf-8", errors="ignore")
    blocks: Iterable[str] = _blocks(text) if file.suffix == ".html" else re.split(r"\n%\n", text)
    for block in blocks:
        joined = " ".join(block.split())
        start = 0
        for end in sentence_ends(joined):
            sentence, start = joined[start:end].strip(), end
            if len(sentence) in _LENGTHS and _is_prose(sentence, language):
                yield sentence


def _is_prose(sentence: str, language: str) -> bool:
    letters = sum(char.isalpha() for char in sentence)
    if letters < 0.6 * len(sentence) or is_suspicious(sentence):
        return False
    if script := _SCRIPTS.get(language):
        return len(re.findall(f"[{script}]", sentence)) > 0.5 * letters
    return len(_ENGLISH.findall(sentence)) < 2


class _Text(HTMLParser):
    """Text of a page, block by block."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[str] = [""]
        self._inside = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the base class's
        """Begin a block, or something to skip."""
        self._inside += tag in _SKIPPED
        if tag in _BLOCKS:
            self.blocks.append("")

    def handle_endtag(self, tag: str) -> None:
        """End it."""
        self._inside = max(0, self._inside - (tag in _SKIPPED))
        if tag in _BLOCKS:
            self.blocks.append("")

    def handle_data(self, data: str) -> None:
        """Take note of text."""
        if not self._inside:
            self.blocks[-1] += data


def _blocks(page: str) -> list[str]:
    parser = _Text()
    parser.feed(page)
    return parser.blocks
