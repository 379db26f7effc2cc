"""Which language a text is in, by its letters and its commonest words."""

from __future__ import annotations

import re
from collections import Counter

NAMES = {
    "fa": "Persian",
    "ar": "Arabic",
    "en": "English",
    "ru": "Russian",
    "uk": "Ukrainian",
    "be": "Belarusian",
    "ckb": "Central Kurdish",
    "ku": "Kurdish",
    "ps": "Pashto",
    "ur": "Urdu",
    "he": "Hebrew",
    "tr": "Turkish",
    "az": "Azerbaijani",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "prs": "Dari",
}
RIGHT_TO_LEFT = frozenset({"fa", "ar", "prs", "ckb", "ps", "ur", "he"})
SAMPLE = 1500
# So many characters of it, evenly spread, tell the script.
FEW = 64
SCRIPTS = {
    "arabic": ("\u0600", "\u06ff"),
    "cyrillic": ("\u0400", "\u04ff"),
    "hebrew": ("\u0590", "\u05ff"),
    "latin": ("A", "\u024f"),
}


def _letters(low: str, high: str) -> re.Pattern[str]:
    """Runs of the letters between two characters, both included."""
    letters = [char for char in map(chr, range(ord(low), ord(high) + 1)) if char.isalpha()]
    return re.compile(f"[{''.join(letters)}]+")


LETTERS = {name: _letters(*ends) for name, ends in SCRIPTS.items()}
# Letters that one language of a script writes and the others hardly do.
ARABIC_MARKS = {"ckb": "ێۆڕڵە", "ps": "ټډړږښڼې", "ur": "ٹڈڑےں", "fa": "پچژگکی", "ar": "ةىكيأإؤئ"}
CYRILLIC_MARKS = {"be": "ўі", "uk": "їєґі", "ru": "ыэъё"}
LATIN_WORDS = {
    "en": "the of and to in that was for with said on has by",
    "de": "der die und das den von zu mit ist nicht des im",
    "fr": "le la les des et une dans que pour est sur par",
    "es": "el los las una del que por con para se su como",
    "tr": "ve bir bu için ile olarak da de olan dedi",
}


def detect_language(text: str) -> str | None:
    """An ISO 639 code, or None where the text has too few letters to tell."""
    sample = text[:SAMPLE]
    script = _script(sample[:: max(1, len(sample) // FEW)]) or _script(sample)
    if script == "arabic":
        return _by_letters(sample, ARABIC_MARKS, "ar")
    if script == "cyrillic":
        return _by_letters(sample, CYRILLIC_MARKS, "ru")
    if script == "latin":
        return _by_words(sample)
    return "he" if script == "hebrew" else None


def language_name(code: str | None) -> str:
    """The English name of a language code; the code itself where there is none."""
    return "unknown" if code is None else NAMES.get(code, code)


def is_right_to_left(code: str | None) -> bool:
    """Whether it is written from right to left; `fa-IR` is Persian too."""
    return code is not None and code.lower().replace("_", "-").partition("-")[0] in RIGHT_TO_LEFT


def _script(sample: str) -> str | None:
    """The script of most letters; None where there are fewer than three."""
    shares = {name: sum(map(len, letters.findall(sample))) for name, letters in LETTERS.items()}
    script = max(shares, key=shares.__getitem__)
    return script if shares[script] >= 3 else None


def _by_letters(sample: str, marks: dict[str, str], default: str) -> str:
    shares = {code: sum(map(sample.count, letters)) for code, letters in marks.items()}
    best = max(shares, key=shares.__getitem__)
    return best if shares[best] else default


def _by_words(sample: str) -> str | None:
    words = Counter(re.findall(r"[^\W\d_]+", sample.lower()))
    scores = {code: sum(words[word] for word in common.split()) for code, common in LATIN_WORDS.items()}
    best = max(scores, key=lambda code: scores[code])
    return best if scores[best] else None
