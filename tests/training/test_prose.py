"""Prose: what is taken from other people's pages is sentences of the language, and harmless."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

from stream_detector.training.corpus import prose
from stream_detector.training.corpus.compose import Composer

PAGE = """<html><head><title>Κεφάλαιο</title><script>var a = "Αυτό δεν είναι κείμενο για ανθρώπους.";</script></head><body>
<h1>Πίνακες</h1><p>Ο πίνακας δείχνει τις τιμές <b>όλων</b> των κελιών. Πατήστε το κουμπί για να συνεχίσετε.</p>
<pre>αυτό είναι κώδικας και όχι πρόζα</pre><p>This sentence is not translated and stays out of it.</p>
<p>Γράψτε μας στο help@office.example για βοήθεια.</p><p>12.345,67 + 89 = 100 %</p></body></html>"""


def test_sentences_of_a_page(tmp_path: Path) -> None:
    """Sentences come one by one, without markup, code, other languages, or anything that somebody had to read first."""
    page = tmp_path / "page.html"
    page.write_text(PAGE, encoding="utf-8")
    assert list(prose._sentences(page, "el")) == [
        "Ο πίνακας δείχνει τις τιμές όλων των κελιών.",
        "Πατήστε το κουμπί για να συνεχίσετε.",
    ]


def test_fortunes_are_cut_at_their_marks(tmp_path: Path) -> None:
    """A cookie ends at a line with a percent sign; its lines are one text."""
    file = tmp_path / "italia"
    file.write_text("Chi dorme non piglia\npesci, si dice.\n%\nIl gatto nero\nattraversa la strada.\n%\n", encoding="utf-8")
    assert list(prose._sentences(file, "it")) == ["Chi dorme non piglia pesci, si dice.", "Il gatto nero attraversa la strada."]


def test_prose_stands_on_both_sides_of_the_label(tmp_path: Path) -> None:
    """A sentence that nobody wrote for this project is a background of violations and of harmless texts alike."""
    told = "Το βιβλίο ήταν πάνω στο τραπέζι δίπλα στη λάμπα."
    (tmp_path / "el.txt.gz").write_bytes(gzip.compress(told.encode()))
    samples = Composer([], seed=3, prose=prose.read_prose(tmp_path)).samples(3000)
    held = Counter(sample.offends for sample in samples if told in sample.text)
    assert held[True] > 20
    assert held[False] > 20
