"""Text out of bytes: a byte order mark, UTF-8, what a file declares, and at last what a detector is sure of; never a guess."""

from __future__ import annotations

import itertools
import re
import unicodedata
from functools import lru_cache

from extractor.errors import DocumentError

MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
# Single-byte encodings of Arabic script and Cyrillic, and how a text in the wrong one of them shows.
CANDIDATES = ("windows-1256", "iso-8859-6", "windows-1251", "koi8-u")
COMMON = {
    "arabic": frozenset("ابتدرزسشعفقلمنهویيكکپچگةءأإآئؤىصضطظغحخجثذ"),
    "cyrillic": frozenset("абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґў"),
}
SURE = 0.6
CONTROLS = bytes([*range(9), *range(14, 32)])
LEAST_LETTERS = 20
# The most of its words that may mix two scripts: in a Western text read as Cyrillic nearly all do.
MOST_MIXED = 0.1
# Words that no text of some length goes without, and how many of its words they are at least.
_FREQUENT = {
    "arabic": "في من على إلى أن إن عن ما لا التي الذي هذا مع و در به از که كه را این با است د په چې دا کے کی میں سے",
    "cyrillic": "и в на не что с по а і та у що от за се да са је",
}
FREQUENT = {script: frozenset(words.split()) for script, words in _FREQUENT.items()}
LEAST_FREQUENT = 0.03
WORD = re.compile(r"[^\W\d_]+")
DECLARED = re.compile(rb"""charset\s*=\s*["']?([\w-]+)""", re.IGNORECASE)


def decode(data: bytes, name: str) -> str:
    """The text, kept as it is but for its byte order mark. Raises DocumentError where it is binary or no encoding is sure."""
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return _strictly(data[len(mark) :], encoding, name)
    if looks_binary(data):
        wide = _without_mark(data)
        if wide is not None:
            return wide
        raise DocumentError(f"{name} looks binary.", hint="Give text, HTML, JSON, CSV, PDF or DOCX.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _other(data, name)


def looks_binary(data: bytes) -> bool:
    """NUL bytes, or many control characters."""
    head = data[:8192]
    return b"\x00" in head or len(head) - len(head.translate(None, CONTROLS)) > len(head) // 50


def _strictly(data: bytes, encoding: str, name: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as exc:
        raise DocumentError(
            f"{name} is not the {encoding} that its first bytes say (byte {exc.start}).", hint="Save it as UTF-8."
        ) from None


def _without_mark(data: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of a text in one script is nearly the same."""
    for encoding, places in (("utf-16-le", data[1:2000:2]), ("utf-16-be", data[0:2000:2])):
        if (
            len(places) >= LEAST_LETTERS
            and max(places.count(byte) for byte in set(places)) > 0.7 * len(places)
            and len(data) % 2 == 0
        ):
            try:
                text = data.decode(encoding)
            except UnicodeDecodeError:
                continue
            if "\x00" not in text:
                return text
    return None


def _other(data: bytes, name: str) -> str:
    declared = DECLARED.search(data[:2048])
    if declared:
        try:
            return data.decode(declared[1].decode("ascii"))
        except (LookupError, UnicodeDecodeError):
            pass
    found = max((_share(data, encoding), encoding) for encoding in CANDIDATES)
    if found[0] >= SURE:
        return data.decode(found[1])
    raise DocumentError(f"{name} is not UTF-8, and no other encoding is sure.", hint="Save it as UTF-8.")


def _share(data: bytes, encoding: str) -> float:
    """How many of the letters beyond ASCII are usual ones of the script, in words of that script alone."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return 0.0
    letters = [char for char in text if ord(char) > 127]
    if len(letters) < LEAST_LETTERS:
        return 0.0
    script = "arabic" if encoding in ("windows-1256", "iso-8859-6") else "cyrillic"
    words = WORD.findall(text)
    own = [word for word in words if any(_is_of(char, script) for char in word)]
    if sum(not all(_is_of(char, script) for char in word) for word in own) > MOST_MIXED * len(own):
        return 0.0
    if sum(word.lower() in FREQUENT[script] for word in own) < LEAST_FREQUENT * len(own):
        return 0.0
    usual = sum(char in COMMON[script] for char in letters) / len(letters)
    # Cyrillic in the wrong encoding has its capitals inside words.
    odd = sum(a.islower() and b.isupper() for a, b in itertools.pairwise(text)) / len(letters)
    return usual - 5 * odd


@lru_cache(maxsize=2048)
def _is_of(char: str, script: str) -> bool:
    return unicodedata.name(char, "").startswith(script.upper())
