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
SCRIPTS = (
    ("arabic", "\u0600", "\u06ff"),
    ("cyrillic", "\u0400", "\u04ff"),
    ("hebrew", "\u0590", "\u05ff"),
    ("latin", "A", "\u024f"),
)
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
    counts = Counter({char: sample.count(char) for char in set(sample) if char.isalpha()})
    script, share = max(((name, _between(counts, low, high)) for name, low, high in SCRIPTS), key=lambda pair: pair[1])
    if share < 3:
        return None
    if script == "arabic":
        return _by_letters(counts, ARABIC_MARKS, "ar")
    if script == "cyrillic":
        return _by_letters(counts, CYRILLIC_MARKS, "ru")
    return "he" if script == "hebrew" else _by_words(sample)


def language_name(code: str | None) -> str:
    """The English name of a language code; the code itself where there is none."""
    return "unknown" if code is None else NAMES.get(code, code)


def is_right_to_left(code: str | None) -> bool:
    return code in RIGHT_TO_LEFT


def _between(counts: Counter[str], low: str, high: str) -> int:
    return sum(number for char, number in counts.items() if low <= char <= high)


def _by_letters(counts: Counter[str], marks: dict[str, str], default: str) -> str:
    shares = {code: sum(counts[letter] for letter in letters) for code, letters in marks.items()}
    best = max(shares, key=lambda code: shares[code])
    return best if shares[best] else default


def _by_words(sample: str) -> str | None:
    words = Counter(re.findall(r"[^\W\d_]+", sample.lower()))
    scores = {code: sum(words[word] for word in common.split()) for code, common in LATIN_WORDS.items()}
    best = max(scores, key=lambda code: scores[code])
    return best if scores[best] else None
