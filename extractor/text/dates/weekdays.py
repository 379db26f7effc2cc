"""Where a running text names a weekday."""

from __future__ import annotations

import re
from functools import lru_cache

from extractor.text.dates.languages import words_of
from extractor.text.dates.lexicon import Words

# Shorter forms are words of other meanings too: sun, sat, wed.
_SHORTEST = 4
_WORD = re.compile(r"[\w\u200c]+")
# What may stand beside a weekday and leaves it that day.
_POINTING_WORDS = (
    "on the that this very same itself early late morning afternoon evening night روز همان آن شنبه صبح عصر شب بامداد ظهر"
    " يوم في ذلك نفسه ذاته مساء صباح فجر ليل в во тот же день утром днем вечером ночью"
)
_POINTING = frozenset(_POINTING_WORDS.split())
# Letters that are written now one way, now the other.
_ALIKE = ("اأإآ", "يیى", "ةه", "كک")
# Words before a day that make it a part of a title or of a prayer's name.
_TITLES = {"fa": "(?<!امام )(?<!نماز )(?<!خطبه )"}


def weekdays_named(text: str, language: str | None = None) -> list[tuple[int, int]]:
    """The offsets in code points at which a weekday is named in `text`, in order, and which it is (Monday is 0).

    Names that mean other things as well are counted in where nothing tells them apart.
    """
    matches = [match for words in words_of(language) for match in _pattern(words.code).finditer(text)]
    return sorted((match.start(), (match.lastindex or 1) - 1) for match in matches)


def only_weekday(expression: str, language: str | None = None) -> int | None:
    """The weekday that an expression names, beside a part of the day and pointing words at most: on that Saturday evening."""
    named = weekdays_named(expression, language)
    words = [(match.start(), match.end(), match[0]) for match in _WORD.finditer(expression.lower())]
    rest = [word for start, end, word in words if not any(start <= place < end for place, _ in named)]
    return named[0][1] if len(named) == 1 and set(rest) <= _POINTING else None


@lru_cache(maxsize=8)
def _pattern(code: str) -> re.Pattern[str]:
    """One group for each day, Monday first."""
    (words,) = words_of(code)
    days = "|".join(f"({_names(names, words)})" for names in words.weekdays)
    return re.compile(rf"{_TITLES.get(code, '')}\b[{words.proclitics or '-'}]?(?:{days})\b", re.IGNORECASE)


def _names(names: str, words: Words) -> str:
    """The forms of one day. In Arabic those with the article: without it they are first names, or verbs."""
    forms = [name for name in names.split("|") if len(name) >= _SHORTEST]
    if words.code == "ar":
        forms = [name for name in forms if name.startswith("ال")]
    return "|".join(_spelled(name) for name in sorted(forms, key=len, reverse=True))


def _spelled(name: str) -> str:
    if name.startswith("ال"):
        return "(?:[اأ]ل|لل)" + _spelled(name[2:])
    return "".join("[ \u200c]?" if letter == "_" else _class(letter) for letter in name)


def _class(letter: str) -> str:
    return next((f"[{alike}]" for alike in _ALIKE if letter in alike), re.escape(letter))
