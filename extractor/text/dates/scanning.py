"""From an expression to the tokens of its words."""

from __future__ import annotations

import re

from extractor.text.dates.folding import fold, split_words
from extractor.text.dates.lexicon import Lexicon
from extractor.text.dates.tokens import Token

_SIGNS = {"-": "-", "/": "/", "(": "(", ")": ")", "&": "&"}
_CLOCK = re.compile(r"\b[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?:\s?[ap]\.?\s?m\b\.?)?|\b[0-9]{1,2}\s?[ap]\.?m\b\.?")
_ISO_TIME = re.compile(
    r"(?<=[0-9])t(?=[0-9]{2}:[0-9]{2})|(?<=:[0-9]{2})(?:\.[0-9]+)?z\b|(?<=:[0-9]{2})[+-][0-9]{2}:?[0-9]{2}\b"
)
_NUMERIC = re.compile(r"(?<![0-9/.])([0-9]{1,4})\s?([/.-])\s?([0-9]{1,2})\s?\2\s?([0-9]{1,4})(?![0-9]|\2[0-9])")
_ORDINAL = re.compile(r"\b([0-9]{1,2})(st|nd|rd|th|امین|مین|ام|م|-?го|-?е|-?й)(?!\w)")
_DASHED = re.compile(r"\b([0-9]{1,2})-([a-z]{3,9})-([0-9]{2,4})\b")
_QUARTER = re.compile(r"\bq\s?([1-4])(?![0-9])|\b([1-4])q\b")
_HALF = re.compile(r"\bh([12])(?= ?(?:of )?[0-9]{4})")
_CALENDAR_SIGNS = (
    (re.compile(r"([0-9])\s*ه\s*[./]?\s*ش\b\.?"), r"\1 شمسی "),
    (re.compile(r"([0-9])\s*ه\s*[./]?\s*ق\b\.?"), r"\1 قمری "),
    (re.compile(r"(№[0-9/]+|[0-9]{4})\s*م\b\.?"), r"\1 میلادی "),
    (re.compile(r"(№[0-9/]+|[0-9]{4})\s*ه\b\.?"), r"\1 هجری "),
    (re.compile(r"(№[0-9/]+|[0-9]{4})\s*ش\b\.?"), r"\1 شمسی "),
    (re.compile(r"(№[0-9/]+|[0-9]{4})\s*ق\b\.?"), r"\1 قمری "),
)
_ZONE = re.compile(
    r"\(?\b(?:بتوقیت|به وقت)\s+(?:شرق\s+|گرینویچ\s+)?\w+(?:\s+"
    r"(?:المکرمه|المتحده|المحتله|الشرقیه|الصیفی|المحلی|مرکزی|شرقی|امریکا|تابستانی|محلی))?\)?"
)


def scan(expression: str, lexicon: Lexicon) -> list[Token]:
    """The tokens of `expression`; a word that the language does not have becomes `!`."""
    text = _prepare(fold(expression).strip("' "))
    return _look_up(_words(text, lexicon), lexicon)


def _prepare(text: str) -> str:
    """Set apart what digits write: `⏰` a clock time, `№` a numeric date, `º` an ordinal, `ℚ` a quarter, `ℍ` a half."""
    if not any(sign.isdecimal() for sign in text):
        return _ZONE.sub(" ", text)
    text = _HALF.sub(r" ℍ\1 ", _QUARTER.sub(r" ℚ\1\2 ", text))
    text = _CLOCK.sub(" ⏰ ", _ISO_TIME.sub(" ", text))
    text = _NUMERIC.sub(r" №\1/\3/\4 ", _DASHED.sub(r"\1 \2 \3", text))
    for sign, word in _CALENDAR_SIGNS:
        text = sign.sub(word, text)
    return _ZONE.sub(" ", _ORDINAL.sub(r"\1º ", text))


_PIECE = re.compile(r"№[0-9/]+|[ℚℍ][1-4]|'?[0-9]+º?|[^\W\d_]+(?:['\u200c]+[^\W\d_]+)*|\S")


def _words(text: str, lexicon: Lexicon) -> list[str]:
    words: list[str] = []
    for piece in _PIECE.findall(text):
        if piece == ".":
            continue
        if "\u200c" in piece:
            words += _join_or_part(piece, lexicon)
        else:
            words.append(piece.removesuffix("'s"))
    return words


def _join_or_part(piece: str, lexicon: Lexicon) -> list[str]:
    """A half-space stands inside a word, or where a space should be: the former if the joined word is known."""
    joined = piece.replace("\u200c", "")
    return [joined] if joined in lexicon.entries else split_words(piece.replace("\u200c", " "))


def _look_up(words: list[str], lexicon: Lexicon) -> list[Token]:
    tokens: list[Token] = []
    at = 0
    while at < len(words):
        found, used = _phrase(words, at, lexicon)
        tokens += found
        at += used
    return tokens


def _phrase(words: list[str], at: int, lexicon: Lexicon) -> tuple[tuple[Token, ...], int]:
    word = words[at]
    for length in range(lexicon.longest.get(word, 1), 1, -1):
        found = lexicon.entries.get(" ".join(words[at : at + length]))
        if found and at + length <= len(words):
            return found, length
    single = lexicon.entries.get(word) or _sign(word) or lexicon.single(word)
    if single:
        return single, 1
    return _phrase_behind_proclitic(words, at, lexicon) or ((Token("!", text=word),), 1)


def _phrase_behind_proclitic(words: list[str], at: int, lexicon: Lexicon) -> tuple[tuple[Token, ...], int] | None:
    word = words[at]
    if word[0] not in lexicon.words.proclitics or word[1:] not in lexicon.longest:
        return None
    found, used = _phrase([word[1:], *words[at + 1 : at + 5]], 0, lexicon)
    if found[0].kind == "!":
        return None
    return ((Token("&"), *found) if word[0] == "و" else found), used


def _sign(word: str) -> tuple[Token, ...] | None:
    if word[0] in "0123456789'º№":
        return (_number(word),)
    if word[0] == "ℚ":
        return (Token("q", int(word[1:])),)
    if word[0] == "ℍ":
        return (Token("B", int(word[1:])),)
    if word == "⏰":
        return (Token(":"),)
    return (Token(_SIGNS[word]),) if word in _SIGNS else None


def _number(word: str) -> Token:
    if word[0] == "№":
        return Token("v", text=word[1:])
    digits = word.strip("'º")
    if not digits:
        return Token("!", text=word)
    if len(digits) > 4:
        return Token("!", text=word)
    value = int(digits)
    if word[0] == "'":
        return Token("i" if len(digits) == 2 else "!", value, text=digits)
    if word[-1] == "º":
        return Token("o", value, text=digits, ordinal=True)
    return Token(number_kind(value, len(digits)), value, text=digits)


def number_kind(value: int, digits: int) -> str:
    """`n` for 1 to 99, `Y` for a year of four digits, else `N`."""
    if digits == 4:
        return "Y" if 1000 <= value <= 2200 else "N"
    return "n" if 0 <= value <= 99 and digits <= 2 else "N"
