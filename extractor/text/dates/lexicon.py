"""How a language's words are declared, and how they are looked up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from extractor.models import Calendar
from extractor.text.dates.folding import fold_phrase
from extractor.text.dates.tokens import Token

_LONGEST_WORD = 40

Numbered = Mapping[int, str]
"""Number to words that mean it, with `|` between them."""


@dataclass(frozen=True)
class Words:
    """A language: its words, its calendar and its week.

    Words are separated by `|`; an underscore stands for a half-space, a space or nothing at all.
    `expand` maps phrases to several tokens, each written as kind and number ("n2 D"); `holidays` to calendar, month
    and day. `proclitics`
    are letters that may stand before any word; `article` too, without meaning. `numbers` is a
    regular expression over the kinds of number words that together are one number.
    """

    code: str
    calendar: Calendar
    week_start: int
    numbers: str
    months: Mapping[Calendar, tuple[str, ...]]
    weekdays: tuple[str, ...]
    days: Numbered
    parts: Numbered
    last: Numbered
    next: Numbered
    this: str
    seasons: tuple[str, ...]
    units: Numbered
    teens: Numbered
    tens: Numbered
    hundreds: Numbered
    thousands: Numbered
    ordinals: Mapping[str, Numbered]
    marks: Mapping[Calendar, str]
    words: Mapping[str, str]
    expand: Mapping[str, str] = field(default_factory=dict)
    holidays: Mapping[str, tuple[Calendar, int, int]] = field(default_factory=dict)
    proclitics: str = ""
    article: str = ""
    splits: bool = False
    doubtful_months: str = ""


@dataclass(frozen=True)
class Lexicon:
    """The words of one language, ready to be looked up; `longest` tells how many words a phrase has at most."""

    words: Words
    entries: Mapping[str, tuple[Token, ...]]
    longest: Mapping[str, int]
    numbers: re.Pattern[str]
    doubtful: frozenset[str]

    def single(self, word: str) -> tuple[Token, ...] | None:
        """The tokens of one word, with proclitics and article taken off if need be."""
        found = self.entries.get(word)
        if found is None and self.words.article:
            found = self._without_article(word) or self._without_proclitic(word)
        if found is None and self.words.splits:
            found = self._with_and(word) or self._split(word)
        return found

    def _without_article(self, word: str) -> tuple[Token, ...] | None:
        article = self.words.article
        return self.entries.get(word.removeprefix(article)) if word.startswith(article) else None

    def _without_proclitic(self, word: str) -> tuple[Token, ...] | None:
        if len(word) < 3 or word[0] not in self.words.proclitics:
            return None
        rest = "ا" + word[1:] if word.startswith("لل") else word[1:]
        found = self.entries.get(rest) or self._without_article(rest)
        if found and word[0] == "و":
            return (Token("&"), *found)
        return found

    def _with_and(self, word: str) -> tuple[Token, ...] | None:
        """A number behind "and", or a word before its ezafe, written without a space."""
        if word.startswith("و") and (rest := self.entries.get(word[1:])) and rest[0].kind in "123":
            return (Token("&"), *rest)
        return self.entries.get(word[:-1]) if word.endswith("هی") else None

    def _split(self, word: str) -> tuple[Token, ...] | None:
        """The tokens of words that lost the spaces between them; each has three letters at least."""
        for cut in range(min(len(word), _LONGEST_WORD) - 3, 2, -1):
            first = self.entries.get(word[:cut])
            if first and (rest := self._rest(word[cut:])):
                return first + rest
        return None

    def _rest(self, word: str) -> tuple[Token, ...] | None:
        known = self.entries.get(word) or self._with_and(word)
        return known or (self._split(word) if len(word) > 5 else None)


def compile_lexicon(words: Words) -> Lexicon:
    """Put all the words of a language into one table, folded."""
    entries: dict[str, tuple[Token, ...]] = {}
    for phrases, tokens in _declared(words):
        for phrase in _spellings(phrases):
            text = phrase.replace(" ", "")
            entries.setdefault(phrase, tuple(token._replace(text=text) for token in tokens))
    longest: dict[str, int] = {}
    for phrase in entries:
        first, *others = phrase.split(" ")
        longest[first] = max(longest.get(first, 1), 1 + len(others))
    doubtful = frozenset(_spellings(words.doubtful_months))
    return Lexicon(words, entries, longest, re.compile(words.numbers), doubtful)


def _spellings(phrases: str) -> Iterable[str]:
    for phrase in phrases.split("|"):
        if phrase.strip():
            yield from (fold_phrase(phrase.replace("_", gap)) for gap in ("", " "))


def _declared(words: Words) -> Iterable[tuple[str, tuple[Token, ...]]]:
    for phrases, tokens in words.expand.items():
        yield phrases, tuple(Token(kind[0], int(kind[1:] or 0)) for kind in tokens.split())
    for phrases, (cal, month, number) in words.holidays.items():
        yield phrases, (Token("n", number), Token("m", month, cal))
    for cal, names in words.months.items():
        yield from ((name, (Token("m", number, cal),)) for number, name in enumerate(names, 1))
    yield from ((name, (Token("w", number),)) for number, name in enumerate(words.weekdays))
    yield from ((name, (Token("s", number),)) for number, name in enumerate(words.seasons))
    for kind, numbered in _numbered(words).items():
        yield from ((name, (Token(kind, number),)) for number, name in numbered.items())
    for kind, numbered in words.ordinals.items():
        yield from ((name, (Token(kind, number, ordinal=True),)) for number, name in numbered.items())
    yield from ((name, (Token("c", 0, cal),)) for cal, name in words.marks.items())
    yield words.this, (Token("t", 0),)
    yield from ((name, (Token(kind),)) for kind, name in words.words.items())


def _numbered(words: Words) -> dict[str, Numbered]:
    return {
        "r": words.days,
        "a": words.parts,
        "p": words.last,
        "f": words.next,
        "1": words.units,
        "2": words.teens,
        "3": words.tens,
        "4": words.hundreds,
        "5": words.thousands,
    }
