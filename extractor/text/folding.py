"""Spelling folded away: texts that differ only in how they are written become equal, and every character knows where it stood.

Folded are: case, compatibility and presentation forms, composed and decomposed letters, Arabic-script letter
variants (ي ى ئ / ی, ك / ک, ة ۀ ہ / ه, hamza carriers), digits of all scripts, dashes, commas. Left out are: vowel and
other combining marks, tatweel, half-spaces, bidi controls, quotation marks, and all white space. A folded text has no
spaces, so that lost, doubled and put-back spaces and half-spaces make no difference.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate

LETTERS = {
    "ى": "ی", "ي": "ی", "ې": "ی", "ے": "ی", "ك": "ک", "ڪ": "ک", "ة": "ه", "ہ": "ه", "ھ": "ه", "ە": "ه", "ۃ": "ه", "ٱ": "ا",
    "ٲ": "ا", "ٳ": "ا", "ء": "", "ٴ": "", "ـ": "", "،": ",", "؛": ";", "؟": "?", "۔": ".", "٪": "%", "٫": ".", "٬": ",",
    "ё": "е", "ı": "i",
}  # fmt: skip
QUOTES = frozenset("\"'«»“”„‟‹›‘’‚‛`´′″＂＇")
DASHES = frozenset("-‐‑‒–—―−﹘﹣－")
# With so many different characters to replace, one walk over the text takes less time than one search for each.
MANY = 100


@dataclass(frozen=True)
class Folded:
    """`text` is the folded text; the rest, in order, is the way back to the original.

    `gaps` holds, for each character that was left out, the number of the folded character before which it stood;
    `doubles` the folded characters that are not the first of their original (a ligature, an ellipsis).
    """

    text: str
    gaps: list[int]
    doubles: list[int]

    def origin(self, number: int) -> int:
        """Where a folded character stood in the original."""
        return number + bisect_right(self.gaps, number) - bisect_right(self.doubles, number)

    def place(self, start: int, end: int) -> tuple[int, int]:
        """The half-open offsets in the original of the half-open stretch of the folded text."""
        return self.origin(start), self.origin(end - 1) + 1

    def cuts(self, number: int) -> bool:
        """Whether a border before a folded character cuts a character of the original in two."""
        return bool(self.doubles) and bisect_left(self.doubles, number) < bisect_right(self.doubles, number)

    def at(self, original: int) -> int:
        """The first folded character that stood at the original offset or after it."""
        kept = original - bisect_left(self._left_out, original)
        return kept + bisect_left(self._doubled, kept)

    @cached_property
    def _left_out(self) -> list[int]:
        """Where the characters that were left out stood in the original."""
        return [gap + number - bisect_left(self.doubles, gap) for number, gap in enumerate(self.gaps)]

    @cached_property
    def _doubled(self) -> list[int]:
        """For each of the `doubles`, how many characters that were not left out stood before its original."""
        return [double - number - 1 for number, double in enumerate(self.doubles)]


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


@lru_cache(maxsize=1)
def _changing() -> re.Pattern[str]:
    """What may fold to something else: all but spaces, and but what folds to itself in the usual scripts."""
    usual = map(chr, (*range(0x20, 0x700), *range(0x2000, 0x2070)))
    return re.compile(f"[^ {re.escape(''.join(char for char in usual if TABLE[char] == char))}]")


def fold(text: str) -> Folded:
    """The folded text with the way back.

    Few different characters of a text change, so that all that are alike are replaced at once. Those that are
    left out become spaces first, and spaces are where the text is taken apart. No replacement changes again.
    """
    single: dict[str, str] = {}
    several: dict[str, str] = {}
    for char in set(_changing().findall(text)):
        folded = TABLE[char]
        if folded != char:
            (several if len(folded) > 1 else single)[char] = folded or " "
    blanked = _replaced(text, single)
    pieces = _replaced(blanked, several).split(" ")
    gaps = list(accumulate(map(len, pieces[:-1])))
    return Folded("".join(pieces), gaps, _doubles(blanked, several) if several else [])


def _replaced(text: str, by: dict[str, str]) -> str:
    if len(by) > MANY:
        return text.translate({ord(char): other for char, other in by.items()})
    for char, other in by.items():
        text = text.replace(char, other)
    return text


def _doubles(blanked: str, several: dict[str, str]) -> list[int]:
    """The folded characters that are not the first of their original; what is left out is a space in the text."""
    doubles: list[int] = []
    spaces = last = 0
    for match in re.finditer(f"[{re.escape(''.join(several))}]", blanked):
        spaces += blanked.count(" ", last, match.start())
        last = match.start()
        first = last - spaces + len(doubles)
        doubles += range(first + 1, first + len(several[match[0]]))
    return doubles


# A name is folded to be found, to be joined and for its id, and comes again in other chunks and documents.
@lru_cache(maxsize=8192)
def fold_key(text: str) -> str:
    """The folded text alone: equal for names that differ only in spelling."""
    return "".join(map(TABLE.__getitem__, text))
