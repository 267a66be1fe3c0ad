"""Writes confusables.txt, the look-alikes that the normalizer folds, from the table of Unicode Technical Standard #39.

    python -m stream_detector.text.confusables_table UNICODE_CONFUSABLES LICENCE

The table is icu/source/data/unidata/confusables.txt in the source of ICU (Debian: `apt-get source icu`), the licence is
icu/LICENSE there.
"""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path
from typing import Final

from stream_detector.text.scripts import is_never_folded

TARGET: Final = Path(__file__).with_name("confusables.txt")


def look_alikes(table: str) -> dict[str, str]:
    """Letters and digits outside ASCII that look like one to three ASCII letters or digits, from Unicode's table."""
    found: dict[str, str] = {}
    for line in table.lstrip("\ufeff").splitlines():
        fields = line.partition("#")[0].split(";")
        if len(fields) < 3:
            continue
        source, target = ("".join(chr(int(code, 16)) for code in field.split()) for field in fields[:2])
        if len(source) != 1 or source.isascii() or not (target.isascii() and target.isalnum() and len(target) <= 3):
            continue
        if is_never_folded(source) or unicodedata.category(source)[0] not in "LN":
            continue
        if unicodedata.normalize("NFKC", source) != source or unicodedata.category(source) == "Nd":
            continue  # compatibility characters and digits have values of their own, look or not
        # The table calls all vertical strokes "l"; a capital among them is an I.
        found[source] = "I" if target == "l" and source.isupper() else target
    return found


def render(table: str, licence: str) -> str:
    """The file: a head that names version and licence, then a line for each ASCII string with all its look-alikes."""
    version = next(line.split()[-1] for line in table.splitlines() if "Version:" in line)
    notice = licence.partition("-----")[0].strip().splitlines()
    head = [
        f"Look-alikes of ASCII letters and digits, from confusables.txt of Unicode {version} (UTS #39).",
        "Written by stream_detector/text/confusables_table.py: don't edit. Unicode licence:",
        "",
        *notice,
    ]
    groups: dict[str, list[str]] = {}
    for source, target in sorted(look_alikes(table).items()):
        groups.setdefault(target, []).append(f"{ord(source):X}")
    return "".join(f"# {line}".rstrip() + "\n" for line in head) + "".join(
        f"{target} {' '.join(groups[target])}\n" for target in sorted(groups)
    )


def main() -> None:
    """Write the file beside this module."""
    table, licence = (Path(name).read_text(encoding="utf-8") for name in sys.argv[1:3])
    TARGET.write_text(render(table, licence), encoding="utf-8")


if __name__ == "__main__":
    main()
