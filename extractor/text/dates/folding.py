"""Which spelling differences mean nothing in a time expression."""

from __future__ import annotations

import re
import unicodedata

_DELETED = [0x640, 0x670, 0xAD, 0x61C, 0xFEFF, 0x200B, 0x200D, 0x200E, 0x200F, 0x2060, 0x66C]
_DELETED += [*range(0x610, 0x61B), *range(0x64B, 0x660), *range(0x6D6, 0x6EE), *range(0x202A, 0x202F)]
_DELETED += [*range(0x2066, 0x206A), 0x301, 0x621]
_LETTERS = {
    "ا": "أإآٱ",
    "ی": "يىئۍې",
    "ک": "كڪګ",
    "ه": "ةۀەہھۂۃ",
    "و": "ؤ",
    "е": "ё",
    "-": "‐‑‒–—―−",
    "/": "⁄∕",
    "'": "’‘ʼ`´",
    "(": "[",
    ")": "]",
    " ": ',،;؛!?؟"«»“”„…*|<>',
    ".": "٫۔",
}
_PLAIN: dict[int, str | None] = dict.fromkeys(_DELETED)
_PLAIN |= {ord(other): plain for plain, others in _LETTERS.items() for other in others}
_PLAIN |= {0x660 + digit: str(digit) for digit in range(10)} | {0x6F0 + digit: str(digit) for digit in range(10)}
_WORD = re.compile(r"[0-9]+|[^\W\d_]+(?:'[^\W\d_]+)*|\S")
# A part of the day that lost its space behind a weekday: چهارشنبهشب.
_GLUED = re.compile(r"(شنبه|جمعه)(?=(?:شب|صبح|ظهر|عصر|بعدازظهر)\b)")
# A tatweel between spaces is written for a dash.
_LONG_DASH = re.compile(r"(?<=\s)\u0640+(?=\s)")
_SUPERSCRIPTS = re.compile("[\u00b9\u00b2\u00b3\u2070-\u2079]")


def fold(text: str) -> str:
    """`text` in lower case, with one form for each letter and digit; half-spaces (U+200C) are kept."""
    if not text.isascii():
        text = _LONG_DASH.sub("-", _SUPERSCRIPTS.sub("", text))
        text = unicodedata.normalize("NFKC", text).translate(_PLAIN)
    else:
        text = text.translate(_PLAIN)
    return _GLUED.sub(r"\1 ", text.lower())


def split_words(folded: str) -> list[str]:
    """Words, numbers and signs of folded text; what is none of these stands alone, so that nothing is overlooked."""
    return _WORD.findall(folded)


def fold_phrase(text: str) -> str:
    """`text` folded, without half-spaces, one space between words: the form in which lexicons hold their phrases."""
    return " ".join(split_words(fold(text).replace("\u200c", "")))
