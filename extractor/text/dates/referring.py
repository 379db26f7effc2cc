"""Expressions that lean on a week, month or year named before in the text: مهر همان سال, later that month, the same week."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from extractor.models import Calendar, TimeInterval
from extractor.text.dates import arithmetic
from extractor.text.dates.grammar import parse
from extractor.text.dates.languages import lexicons
from extractor.text.dates.lexicon import Lexicon
from extractor.text.dates.points import Night, Point, Range, Saying, Year
from extractor.text.dates.resolving import agreed
from extractor.text.dates.years import Context

Unit = Literal["week", "month", "year"]
_PARTS = "morning|afternoon|evening|night"
_WORD = r"[a-z]+(?:[- ](?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth))?"
_BARE_DAY = re.compile(
    rf"on (?:the (?:{_PARTS}) of )?(?:[a-z]+day,? )?the {_WORD}"
    rf"|(?:on )?(?:the (?:{_PARTS}) of )?(?:[a-z]+day,? )?the [0-9]{{1,2}}(?:st|nd|rd|th)"
)
"""A day without its month, as English writes it: on the sixth, the 26th."""
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Reference:
    """What an expression says, and which unit it takes from what was named before; `bare`: a day without its month."""

    unit: Unit
    sayings: tuple[Saying, ...]
    lexicon: Lexicon
    bare: bool = False


@lru_cache(maxsize=1024)
def reference(expression: str, language: str | None = None) -> Reference | None:
    """What `expression` needs to have been named before it; None where that is no week, month or year."""
    bare = bool(_BARE_DAY.fullmatch(expression.lower()))
    said = f"{expression} of that month" if bare else expression
    for lexicon in lexicons(said, language) if len(said) <= _LONGEST else ():
        meaning = parse(said, lexicon)
        if meaning:
            units = {_unit(saying) for saying in meaning.alternatives}
            unit = units.pop()
            return Reference(unit, meaning.alternatives, lexicon, bare) if unit and not units else None
    return None


def _points(saying: Saying) -> tuple[Point, ...]:
    if isinstance(saying, Range):
        return saying.first, saying.last
    return (saying.into if isinstance(saying, Night) else saying,)


def _unit(saying: Saying) -> Unit | None:
    """The unit that all points of `saying` take from before; a range may say its year once."""
    points = _points(saying)
    units = {_unit_of(point) for point in points}
    rest = [point for point in points if not _unit_of(point)]
    if "year" in units and all(not (point.year or point.relative) for point in rest):
        units.discard(None)
    return units.pop() if len(units) == 1 else None


def _unit_of(point: Point) -> Unit | None:
    if point.year and point.year.back:
        return "year"
    if point.relative and point.relative.back:
        return "week" if point.relative.unit == "k" else "month"
    return None


@lru_cache(maxsize=1024)
def is_written(expression: str, language: str | None = None) -> bool:
    """Whether `expression` names a month or the number of a year, and with it the calendar it is meant in."""
    for lexicon in lexicons(expression, language):
        meaning = parse(expression, lexicon)
        if meaning:
            points = [point for saying in meaning.alternatives for point in _points(saying)]
            return any(point.month or (point.year and not point.year.relative) for point in points)
    return False


def fits(refers: Reference, named: TimeInterval, calendar: Calendar) -> bool:
    """Whether what was named lies in one week or month, so that this can be meant; any year can."""
    if refers.unit == "week":
        into_week = (named.start.weekday() - refers.lexicon.words.week_start) % 7
        return into_week + (named.end - named.start).days < 7
    calendar = _mark(refers) or calendar
    months = {arithmetic.year_and_month(calendar, day) for day in (named.start, named.end)}
    return refers.unit == "year" or (len(months) == 1 and None not in months)


def resolve_reference(refers: Reference, named: TimeInterval, calendar: Calendar) -> TimeInterval | None:
    """The days that the expression names where `named`, meant in `calendar`, is what was named before it.

    The year is counted in the calendar of the month. Where counted in `calendar` it would be another month: None.
    """
    calendar = _mark(refers) or calendar
    context = Context(named.start, calendar, refers.lexicon.words.week_start)
    if refers.unit != "year":
        return agreed(refers.sayings, context)
    made = [_in_year(saying, year) for saying in refers.sayings for year in _years(saying, named, calendar)]
    return agreed([saying for saying in made if saying], context) if all(made) else None


def _mark(refers: Reference) -> Calendar | None:
    """The calendar that the expression names beside its week, month or year, as in «همان سال میلادی»."""
    points = [point for saying in refers.sayings for point in _points(saying)]
    marks = [unit.calendar for point in points for unit in (point.year, point.relative) if unit and unit.back]
    return next((mark for mark in marks if mark), None)


def _years(saying: Saying, named: TimeInterval, calendar: Calendar) -> Iterable[Year | None]:
    """The year in each calendar that it may be meant in; None for one that `named` does not lie in one year of."""
    month = next((point.month[0] for point in _points(saying) if point.month), calendar)
    if named.precision == "year":
        return [_year(named, calendar)]
    return [_year(named, cal) for cal in ((month,) if month == calendar else (month, calendar))]


def _year(named: TimeInterval, calendar: Calendar) -> Year | None:
    first, last = [arithmetic.year_and_month(calendar, day) for day in (named.start, named.end)]
    return Year(first[0], calendar) if first and last and first[0] == last[0] else None


def _in_year(saying: Saying, year: Year | None) -> Saying | None:
    """`saying` with `year` for the one named before."""
    if year is None:
        return None
    if isinstance(saying, Night):
        return Night(replace(saying.into, year=year))
    if isinstance(saying, Range):
        return Range(replace(saying.first, year=year), replace(saying.last, year=year), saying.adjacent)
    return replace(saying, year=year)
