"""Search by words: SQLite's FTS5 and PostgreSQL's tsvector behind one way of folding, over masked texts alone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, TextClause, text

#: Of a search, so many words count.
_MOST_WORDS: Final = 12
#: Longer words are cut, in texts and in searches; of a longer text, the beginning is found.
_LONGEST_WORD: Final = 40
_MOST_INDEXED: Final = 4000

#: Scripts that put no spaces between words: each of their characters is a word, and neighbours stay neighbours.
_UNPARTED: Final = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD: Final = re.compile(rf"[{_UNPARTED}]|[^\W_{_UNPARTED}]+")
_RUN: Final = re.compile(rf"[{_UNPARTED}]+|[^\W_{_UNPARTED}]+")

#: Of what is found, the newest so many: nobody reads on, and it bounds the work of a common word.
FOUND: Final = 5000


def fold(text: str) -> str:
    """A text without case and accents."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", bare)


def index(connection: Connection, texts: Mapping[int, Sequence[str]]) -> None:
    """Put the masked texts of new cases into the index, by case id."""
    rows = [{"case_id": case_id, "words": _indexed(parts)} for case_id, parts in texts.items()]
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        statement = text("INSERT INTO case_words (rowid, words) VALUES (:case_id, :words)")
    else:
        statement = text("INSERT INTO case_words (case_id, words) VALUES (:case_id, to_tsvector('simple', :words))")
    connection.execute(statement, rows)


def matching(dialect: str, search: str) -> TextClause | None:
    """A query for the ids of cases that hold all words of a search, the newest first; None if it has no word.

    The last word may be the beginning of one.
    """
    runs = [[word[:_LONGEST_WORD] for word in _WORD.findall(run)] for run in _RUN.findall(fold(search))][:_MOST_WORDS]
    if not runs:
        return None
    # Only letters and digits are left of what was typed, so neither query language has anything to be misled by.
    if dialect == "sqlite":
        terms = [f'"{" ".join(run)}"' for run in runs]
        query = text("SELECT rowid AS case_id FROM case_words WHERE case_words MATCH :terms ORDER BY rowid DESC LIMIT :found")
        return query.bindparams(terms=f"{' AND '.join(terms)}*", found=FOUND)
    terms = [f"({' <-> '.join(run)})" for run in runs]
    last = runs[-1]
    terms[-1] = f"({' <-> '.join([*last[:-1], f'{last[-1]}:*'])})"
    query = text("SELECT case_id FROM case_words WHERE words @@ to_tsquery('simple', :terms) ORDER BY case_id DESC LIMIT :found")
    return query.bindparams(terms=" & ".join(terms), found=FOUND)


def _indexed(parts: Sequence[str]) -> str:
    return " ".join(word[:_LONGEST_WORD] for part in parts for word in _WORD.findall(fold(part[:_MOST_INDEXED])))
