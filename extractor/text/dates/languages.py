"""Which languages an expression may be written in, the likeliest first."""

from __future__ import annotations

import re
from functools import lru_cache

from extractor.text.dates.lexicon import Lexicon, Words

_CODES = ("fa", "ar", "en", "ru")
_LIKE_PERSIAN = ("prs", "ps", "ku", "ckb")
_ARABIC_SCRIPT = re.compile("[\u0620-\u064a\u066e-\u06d5\ufb50-\ufdff\ufe70-\ufefc]")
_ARABIC_DIGITS = re.compile("[\u0660-\u0669\u06f0-\u06f9]")
_LATIN = re.compile("[A-Za-z]")
_PERSIAN = re.compile("[پچژگکی۰-۹\u200c]")
_ARABIC = re.compile("[ةىيكأإؤئ٠-٩]|ال")
_CYRILLIC = re.compile("[\u0400-\u04ff]")


def lexicons(expression: str, language: str | None) -> list[Lexicon]:
    """The lexicons to try, in order: that of `language` first, where the script is one it is written in."""
    codes = _codes(expression)
    if language in _CODES:
        if language in codes:
            codes = [language, *codes[: codes.index(language)]]
        elif not any(letter.isalpha() for letter in expression):
            codes = [language]
    elif language in _LIKE_PERSIAN and "fa" in codes:
        codes = ["fa", "ar"]
    return [_lexicon(code) for code in codes]


def words_of(language: str | None) -> list[Words]:
    """The words of a language, for a running text in it; those of all languages where it is none of ours."""
    code = "fa" if language in _LIKE_PERSIAN else language
    return [_lexicon(one).words for one in ([code] if code in _CODES else _CODES)]


def _codes(expression: str) -> list[str]:
    """Languages by script, the likeliest first; Persian before Arabic where no letter tells them apart."""
    has_digits_only = not _LATIN.search(expression) and _ARABIC_DIGITS.search(expression)
    if _ARABIC_SCRIPT.search(expression) or has_digits_only:
        persian, arabic = len(_PERSIAN.findall(expression)), len(_ARABIC.findall(expression))
        return ["fa", "ar"] if persian >= arabic else ["ar", "fa"]
    return ["ru"] if _CYRILLIC.search(expression) else ["en"]


@lru_cache(maxsize=8)
def _lexicon(code: str) -> Lexicon:
    if code == "fa":
        from extractor.text.dates.lexicon_fa import LEXICON
    elif code == "ar":
        from extractor.text.dates.lexicon_ar import LEXICON
    elif code == "ru":
        from extractor.text.dates.lexicon_ru import LEXICON
    else:
        from extractor.text.dates.lexicon_en import LEXICON
    return LEXICON
