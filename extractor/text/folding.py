"""Spelling folded away: texts that differ only in how they are written become equal, and every character knows where it stood.

Folded are: case, compatibility and presentation forms, composed and decomposed letters, Arabic-script letter
variants (ي ى ئ / ی, ك / ک, ة ۀ ہ / ه, hamza carriers), digits of all scripts, dashes, commas. Left out are: vowel and
other combining marks, tatweel, half-spaces, bidi controls, quotation marks, and all white space. A folded text has no
spaces, so that lost, doubled and put-back spaces and half-spaces make no difference.
"""

from __future__ import annotations

import unicodedata
from array import array
from bisect import bisect_left
from dataclasses import dataclass
from itertools import compress

LETTERS = {
    "ى": "ی", "ي": "ی", "ې": "ی", "ے": "ی", "ك": "ک", "ڪ": "ک", "ة": "ه", "ہ": "ه", "ھ": "ه", "ە": "ه", "ۃ": "ه", "ٱ": "ا",
    "ٲ": "ا", "ٳ": "ا", "ء": "", "ٴ": "", "ـ": "", "،": ",", "؛": ";", "؟": "?", "۔": ".", "٪": "%", "٫": ".", "٬": ",",
    "ё": "е", "ı": "i",
}  # fmt: skip
QUOTES = frozenset("\"'«»“”„‟‹›‘’‚‛`´′″＂＇")
DASHES = frozenset("-‐‑‒–—―−﹘﹣－")


@dataclass(frozen=True, slots=True)
class Folded:
    """`text` is the folded text; `starts[i]` is where the i-th folded character stood in the original."""

    text: str
    starts: array[int]

    def place(self, start: int, end: int) -> tuple[int, int]:
        """The half-open offsets in the original of the half-open stretch of the folded text."""
        return self.starts[start], self.starts[end - 1] + 1

    def at(self, original: int) -> int:
        """The first folded character that stood at the original offset or after it."""
        return bisect_left(self.starts, original)


class _Table(dict[str, str]):
    """What each character folds to, worked out when it is first met."""

    def __missing__(self, char: str) -> str:
        folded = self[char] = _fold_char(char)
        return folded


def _fold_char(char: str) -> str:
    if char in QUOTES:
        return ""
    if char in DASHES:
        return "-"
    whole = unicodedata.normalize("NFKD", char).casefold()
    return "".join(_fold_part(part) for part in unicodedata.normalize("NFKD", whole))


def _fold_part(part: str) -> str:
    if part in LETTERS:
        return LETTERS[part]
    digit = unicodedata.digit(part, None)
    if digit is not None:
        return str(digit)
    if part in QUOTES or unicodedata.category(part) in ("Mn", "Me", "Cf", "Cc", "Zs", "Zl", "Zp", "Cs"):
        return ""
    return "-" if part in DASHES else part


TABLE = _Table()


def fold(text: str) -> Folded:
    """The folded text with the way back."""
    parts = list(map(TABLE.__getitem__, text))
    folded = "".join(parts)
    gone = parts.count("")
    if not gone and len(folded) == len(text):
        return Folded(folded, array("q", range(len(text))))
    if len(folded) == len(parts) - gone:
        return Folded(folded, array("q", compress(range(len(parts)), parts)))
    return Folded(folded, array("q", [place for place, part in enumerate(parts) for _ in part]))


def fold_key(text: str) -> str:
    """The folded text alone: equal for names that differ only in spelling."""
    return "".join(map(TABLE.__getitem__, text))
