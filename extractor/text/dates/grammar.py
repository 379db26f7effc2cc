"""From tokens to points: which sequences of words say when, and what they say.

A sequence that no rule takes in full says nothing: a word that is not understood could change the day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from extractor.models import Calendar
from extractor.text.dates.lexicon import Lexicon
from extractor.text.dates.numbers import combine
from extractor.text.dates.numeric import numeric_point
from extractor.text.dates.points import Night, Point, Range, Relative, Saying, Year
from extractor.text.dates.rewriting import Tokens, rewrite
from extractor.text.dates.scanning import scan
from extractor.text.dates.tokens import Token, shape

_YEAR = "[YRi]"
_POINT = re.compile(
    "|".join(
        (
            r"a?rw?|wr",  # yesterday, Tuesday
            rf"r?w?a?[no]m{_YEAR}?|r?w?a?[no]m[ptf]|(?:w[ptf]|[ptf]w)(?:[no]m|m[no]){_YEAR}?|r?w?m[no]{_YEAR}?|[no]m{_YEAR}?w|m[no]{_YEAR}?w|[YR]w?[no]m|[YR]mn|m[no]",
            r"r?w?vw?",
            rf"a?[ptf]?m|a?m[ptf]|a?m{_YEAR}|[YR]a?m",
            rf"a?{_YEAR}",
            r"a?W|wW|Ww|U",
            r"a?O|w?[no]O|oOw|Ow?o",
            rf"a?[pt]?s|a?fs|a?s[ptf]|a?s{_YEAR}|[YR]a?s",
            rf"q{_YEAR}?|[YR]q|V",
            rf"B{_YEAR}|BO|Bm{_YEAR}?|Bm[ptf]|[YR]B",
            r"a?w|w[ptf]|[ptf]w",
        )
    )
)
_PARTIAL = re.compile(rf"{_POINT.pattern}|w?[no]{_YEAR}?")
_NIGHT = re.compile("u[^u]+|[^u]+u")
_DAYS = ("day", "weekday", "d")
_RELATIVE = {"r": "d", "W": "k", "O": "l", "V": "V", "U": "U"}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an expression says, once or in several calendars; `future`: it says that this lies ahead.

    `back`: it takes a week, month or year from what was named before in the text.
    """

    alternatives: tuple[Saying, ...]
    future: bool = False
    back: bool = False


def parse(expression: str, lexicon: Lexicon) -> Meaning | None:
    """What `expression` says in the language of `lexicon`; None where it names no time that can be computed."""
    tokens = scan(expression, lexicon)
    if any(token.kind == "!" for token in tokens) or _is_doubtful(tokens, lexicon):
        return None
    future = "G" in shape(tokens)
    tokens = rewrite(combine([token for token in tokens if token.kind not in "xG"], lexicon))
    found = _meaning(tokens, lexicon)
    return Meaning(found, future, any(token.back for token in tokens)) if found else None


def _is_doubtful(tokens: Tokens, lexicon: Lexicon) -> bool:
    """Whether all there is is a month name that is an everyday word as well."""
    return len(tokens) == 1 and tokens[0].kind == "m" and tokens[0].text in lexicon.doubtful


def _meaning(tokens: Tokens, lexicon: Lexicon) -> tuple[Saying, ...]:
    for reading in _readings(tokens):
        found = [_one(part, lexicon) for part in reading]
        if found and all(found):
            return tuple(part for part in found if part)
    return ()


def _readings(tokens: Tokens) -> Iterator[list[Tokens]]:
    """The ways to read `tokens`: as one expression, or as several that say the same."""
    kinds = shape(tokens)
    if not kinds or len(kinds) > 40:
        return
    yield [tokens]
    if "(" in kinds or ")" in kinds:
        yield [[token for token in tokens if token.kind not in "()"]]
        yield _split(tokens, "()")
    if kinds == "RY":
        yield [tokens[:1], tokens[1:]]
    if re.match("(?:wW|Ww)[no]m", kinds):
        yield [tokens[2:], tokens[:2]]
    if "E" in kinds:
        yield _split([token for token in tokens if token.kind not in "()"], "E")
    if "/" in kinds or "-" in kinds:
        yield _split(tokens, "/-")


def _split(tokens: Tokens, kinds: str) -> list[Tokens]:
    parts: list[Tokens] = [[]]
    for token in tokens:
        if token.kind in kinds:
            parts.append([])
        else:
            parts[-1].append(token)
    return [rewrite(part) for part in parts if part]


def _one(tokens: Tokens, lexicon: Lexicon) -> Saying | None:
    if _NIGHT.fullmatch(shape(tokens)):
        return _night([token for token in tokens if token.kind != "u"], lexicon)
    if _POINT.fullmatch(shape(tokens)):
        return _point(tokens, lexicon)
    if shape(tokens) in ("Y-n", "Y/n") and (month := _year_and_month(tokens, lexicon)):
        return month
    return _range(tokens, lexicon)


def _night(tokens: Tokens, lexicon: Lexicon) -> Saying | None:
    """Overnight into Monday, overnight from Sunday to Monday; of Sunday alone it remains open which night."""
    if shape(tokens)[:1] == "I":
        into = _side(tokens[1:], lexicon)
        return Night(into) if into and _grain(into) in _DAYS else None
    tokens = [token._replace(kind="T") if token.kind == "I" else token for token in tokens]
    found = _range(tokens, lexicon) if re.match("[^&]+$|b", shape(tokens)) else None
    return replace(found, adjacent=True) if found and _grain(found.first) in _DAYS else None


def _point(tokens: Tokens, lexicon: Lexicon) -> Point | None:
    point: Point | None = Point()
    for token in _month_and_number(tokens, lexicon):
        point = point and _add(point, token, lexicon)
    return None if point and _is_count(point, tokens) else point


def _is_count(point: Point, tokens: Tokens) -> bool:
    """Whether a number before "last month" counts months ("سه ماه گذشته") instead of naming a day."""
    of_month = point.relative and point.relative.unit == "l" and point.relative.offset != 0
    return bool(of_month and "n" in shape(tokens))


def _month_and_number(tokens: Tokens, lexicon: Lexicon) -> Tokens:
    """`tokens`, where a number behind a bare month may be its day (English), or a year of two digits."""
    if shape(tokens) not in ("mn", "wmn"):
        return tokens
    number = tokens[-1]
    is_day = lexicon.words.code in ("en", "ru") or tokens[0].kind == "w"
    if is_day:
        return tokens
    if number.value > 31 or (lexicon.words.code == "fa" and len(number.text) == 2 and number.text[0] == "0"):
        return [*tokens[:-1], number._replace(kind="i")]
    return [Token("!")]


def _add(point: Point, token: Token, lexicon: Lexicon) -> Point | None:
    """`point` with what `token` says."""
    kind, value = token.kind, token.value
    if kind == "!":
        return None
    if kind in "no":
        return replace(point, number=value)
    if kind == "m" and token.cal:
        return replace(point, month=(token.cal, value))
    if kind in "YRi":
        return replace(point, year=Year(value, token.cal, kind == "R", kind == "i", token.back))
    if kind in _RELATIVE:
        return replace(point, relative=Relative(_RELATIVE[kind], value, token.cal, token.back))
    if kind == "v":
        return numeric_point(point, token, lexicon.words.code)
    if kind in "ptf":
        return replace(point, mark=value)
    if kind == "w":
        return replace(point, weekday=value)
    if kind == "a":
        return replace(point, part=value)
    if kind == "s":
        return replace(point, season=value + 1)
    return replace(point, quarter=value) if kind == "q" else replace(point, half=value)


_FROM_TO = re.compile(r"F(.+?)[T-](.+)|b(.+?)[T&-](.+)|(.+?)T(.+)|(.+?)-(.+)|([^TFb-]+?)&([^TFb&-]+)|(Y)/([Yn])")


def _range(tokens: Tokens, lexicon: Lexicon) -> Range | None:
    kinds = shape(tokens)
    match = _FROM_TO.fullmatch(kinds)
    if not match:
        return None
    (start, middle), (after, end) = [span for span in map(match.span, range(1, 13)) if span != (-1, -1)]
    first = _side(tokens[start:middle], lexicon)
    last = _side(tokens[after:end], lexicon)
    return join(first, last, adjacent=kinds[middle] in "&/" and kinds[0] != "b") if first and last else None


def _year_and_month(tokens: Tokens, lexicon: Lexicon) -> Point | None:
    """As in 2023-05, where the second number cannot be a year."""
    year, _, month = tokens
    if len(month.text) != 2 or not 1 <= month.value <= min(12, year.value % 100):
        return None
    cal: Calendar = "jalali" if lexicon.words.code == "fa" and 1250 <= year.value <= 1450 else "gregorian"
    is_known = cal == "jalali" or year.value >= 1700
    return Point(month=(cal, month.value), year=Year(year.value, cal)) if is_known else None


def _side(tokens: Tokens, lexicon: Lexicon) -> Point | None:
    tokens = rewrite(tokens)
    return _point(tokens, lexicon) if _PARTIAL.fullmatch(shape(tokens)) else None


def join(first: Point, last: Point, *, adjacent: bool) -> Range | None:
    """The range between two points, each with what only the other one says."""
    if first == Point(year=first.year) and last == Point(number=last.number):
        return _years(first, last)
    if first.month and last.month and first.month[0] != last.month[0]:
        return None
    if first.number and not (first.month or first.relative):
        first = replace(first, month=last.month, relative=last.relative, mark=last.mark, year=first.year or last.year)
    if last.number and not (last.month or last.relative):
        last = replace(last, month=first.month, relative=first.relative, mark=first.mark)
        first = replace(first, year=first.year or last.year)
    if first == Point(weekday=first.weekday) and last.weekday is not None and not last.number:
        first = replace(first, relative=last.relative, mark=last.mark)
    if first == Point(month=first.month) and last.month and not last.number:
        first = replace(first, mark=last.mark)
    return Range(first, last, adjacent) if _grain(first) == _grain(last) != "" else None


def _years(first: Point, last: Point) -> Range | None:
    """Two years, the second in two digits, as in 2022-23; None where that may be a month."""
    if not first.year or first.year.relative or not last.number or last.number <= max(12, first.year.number % 100):
        return None
    number = first.year.number - first.year.number % 100 + last.number
    return Range(first, Point(year=replace(first.year, number=number)))


def _grain(point: Point) -> str:
    """What a point names, so that a range joins like with like; "" where it cannot be an end of a range."""
    if point.season or point.quarter or point.half:
        return ""
    if point.number:
        return "day" if point.month or point.relative else ""
    if point.weekday is not None:
        return "weekday"
    if point.relative:
        return point.relative.unit
    return "month" if point.month else "year"
