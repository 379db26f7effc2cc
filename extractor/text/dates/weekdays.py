"""Where a running text names a weekday."""

from __future__ import annotations

import re
from functools import lru_cache

from extractor.text.dates.languages import lexicons

# Shorter forms are words of other meanings too: sun, sat, wed.
_SHORTEST = 4
# Letters that are written now with their marks, now without.
_ALIKE = ("اأإآ", "يیى", "ةه")


def weekday_places(text: str, language: str | None = None) -> list[int]:
    """Offsets in code points at which a weekday is named in `text`, in order."""
    words = lexicons(text, language)[0].words
    return [match.start() for match in _pattern(words.weekdays, words.proclitics).finditer(text)]


@lru_cache(maxsize=8)
def _pattern(weekdays: tuple[str, ...], proclitics: str) -> re.Pattern[str]:
    names = "|".join(weekdays).split("|")
    spelled = (_spelled(name) for name in sorted(names, key=len, reverse=True) if len(name) >= _SHORTEST)
    return re.compile(rf"\b[{proclitics or '-'}]?(?:{'|'.join(spelled)})\b", re.IGNORECASE)


def _spelled(name: str) -> str:
    return "".join("[ \u200c]?" if letter == "_" else _class(letter) for letter in name)


def _class(letter: str) -> str:
    return next((f"[{alike}]" for alike in _ALIKE if letter in alike), re.escape(letter))
