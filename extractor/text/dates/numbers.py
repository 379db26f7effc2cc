"""Numbers in words: the tokens 1 to 5 (units, teens, tens, hundreds, thousands) become numbers."""

from __future__ import annotations

from extractor.text.dates.lexicon import Lexicon
from extractor.text.dates.scanning import number_kind
from extractor.text.dates.tokens import Token, shape


def combine(tokens: list[Token], lexicon: Lexicon) -> list[Token]:
    """`tokens` with every run of number words put together, as the language puts numbers together."""
    kinds = shape(tokens)
    out: list[Token] = []
    at = 0
    for match in lexicon.numbers.finditer(kinds):
        out += tokens[at : match.start()]
        out.append(_number([token for token in tokens[match.start() : match.end()] if token.kind in "12345"]))
        at = match.end()
    return out + tokens[at:]


def _number(words: list[Token]) -> Token:
    value = _century(words) if _is_century(words) else _sum(words)
    if any(word.ordinal for word in words):
        return Token("o", value, ordinal=True)
    if 1000 <= value <= 2200:
        return Token("Y", value)
    return Token(number_kind(value, len(str(value))), value)


def _is_century(words: list[Token]) -> bool:
    """Whether a year is said in two halves, as in "nineteen seventy-nine" and "twenty twenty"."""
    return len(words) > 1 and words[0].value >= 13 and words[0].kind in "23" and words[1].kind in "23"


def _century(words: list[Token]) -> int:
    return words[0].value * 100 + sum(word.value for word in words[1:])


def _sum(words: list[Token]) -> int:
    if len(words) > 1 and words[0].kind == "1" and words[1].value == 1000:
        return words[0].value * 1000 + sum(word.value for word in words[2:])
    return sum(word.value for word in words)
