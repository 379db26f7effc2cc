"""Which year an expression means: the written one, the one its weekday settles, or the nearest that fits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from extractor.models import Calendar, YearFrom
from extractor.text.dates import arithmetic
from extractor.text.dates.arithmetic import DAY, Days
from extractor.text.dates.points import Year

_BACK, _AHEAD = 8, 1
FAR, SOON = 300 * DAY, 60 * DAY
HALF_YEAR = 183 * DAY
"""How far ahead the weekday of a day may settle its year against what is told as done."""
NEXT_DAYS = 7 * DAY
"""How far ahead a day may lie for something that is told as done: a strike that is called is told so."""
NEAR = 21 * DAY
"""A day so near to publication is meant also where its weekday is written wrong."""
Spans = Callable[[int], "Days | None"]


@dataclass(frozen=True, slots=True)
class Context:
    """Against what an expression is resolved: a day, the language's calendar and week, and which way to look.

    `future`: what is dated is planned (True), has happened (False), or may be either (None).
    """

    today: date
    calendar: Calendar
    week_start: int
    future: bool | None = None


def _years_around(cal: Calendar, today: date, back: int, ahead: int) -> Iterable[int]:
    this = arithmetic.year_and_month(cal, today)
    return range(this[0] + back, this[0] + ahead + 1) if this else ()


def by_weekday(spans: Spans, cal: Calendar, weekday: int, mark: int | None, context: Context) -> Days | None:
    """The span nearest to publication that begins on `weekday`."""
    today = context.today
    found = [span for year in _years_around(cal, today, -_BACK, _AHEAD) if (span := spans(year))]
    found = [span for span in found if span[0].weekday() == weekday and _fits(span, mark, context)]
    return min(found, key=lambda span: abs(span[0] - today), default=None)


def is_near(days: Days, context: Context) -> bool:
    """Whether `days` begin within weeks of publication, before or after it."""
    return abs(days[0] - context.today) <= NEAR


def _fits(span: Days, mark: int | None, context: Context) -> bool:
    if mark is not None and mark > 0:
        return span[0] > context.today
    if mark is not None and mark < 0:
        return span[1] < context.today
    if context.future:
        return span[0] >= context.today
    return span[0] - context.today <= (FAR if context.future is None else HALF_YEAR)


def inferred(spans: Spans, cal: Calendar, mark: int | None, context: Context) -> tuple[Days | None, YearFrom]:
    """The nearest past span; the nearest future one where that is said, or where a day was almost a year ago."""
    today = context.today
    if mark == 0:
        return _this(spans, cal, today), "publication"
    if mark in (-2, 2):
        return None, "past"
    years = list(_years_around(cal, today, -_BACK - 1, _BACK + 1))
    ahead = next((span for year in years if (span := spans(year)) and _is_ahead(span, mark, today)), None)
    if mark == 1:
        return ahead, "future"
    past = next((span for year in reversed(years) if (span := spans(year)) and _is_past(span, mark, today)), None)
    if context.future and mark is None and ahead:
        # Planned for a day that was last month: of next year that would be said.
        is_past = past and _is_meant(past, today - past[0], ahead[0] - today, SOON)
        return (past, "past") if is_past else (ahead, "future")
    within = NEXT_DAYS if context.future is False else SOON
    if mark is None and past and ahead and _is_meant(ahead, ahead[0] - today, today - past[0], within):
        return ahead, "future"
    return past, "past"


def _this(spans: Spans, cal: Calendar, today: date) -> Days | None:
    """The span that is running, such as the winter that began last year, else that of this year."""
    found = [spans(year) for year in _years_around(cal, today, -1, 0)]
    running = next((span for span in found if span and span[0] <= today <= span[1]), None)
    return running or (found[-1] if found else None)


def _is_meant(span: Days, distance: timedelta, other: timedelta, within: timedelta) -> bool:
    """A single day not far off, where the other such day is almost a year off: a report would then name the year."""
    return span[0] == span[1] and distance <= within and other > FAR


def _is_ahead(span: Days, mark: int | None, today: date) -> bool:
    """From publication on, the month or season that is running included; after it where the next one is meant."""
    return span[0] > today if mark else span[1] >= today


def _is_past(span: Days, mark: int | None, today: date) -> bool:
    return span[1] < today if mark else span[0] <= today


def fixed(spans: Spans, cal: Calendar, year: Year, context: Context) -> Days | None:
    """The span in the year that is written, also where that is a year of another calendar."""
    number = _number(year, cal, context)
    other = calendar_of(year, cal, number, context)
    if number is None or other is None:
        return None
    if other == cal:
        return spans(number)
    if year.relative and cal == "gregorian" and not year.calendar:
        return _gregorian_in_relative_year(spans, year, number, context)
    return _inside(spans, cal, arithmetic.months(other, number, 1, 12))


def _gregorian_in_relative_year(spans: Spans, year: Year, number: int, context: Context) -> Days | None:
    """January of "last year" where years are Jalali: both countings must agree, but "this year" is then Gregorian."""
    found = spans(context.today.year + year.number)
    other = _inside(spans, "gregorian", arithmetic.months(context.calendar, number, 1, 12))
    return found if year.number == 0 or other in (None, found) else None


def _number(year: Year, cal: Calendar, context: Context) -> int | None:
    if year.relative:
        natural = year.calendar or context.calendar
        this = arithmetic.year_and_month(natural, context.today)
        return this[0] + year.number if this else None
    return _long(year.number, year.calendar or cal, context) if year.short else year.number


def _long(short: int, cal: Calendar, context: Context) -> int | None:
    """A year of two digits with its century: past or next year's, unless that would be far off."""
    this = arithmetic.year_and_month(cal, context.today)
    if not this:
        return None
    century = this[0] - this[0] % 100
    ahead = century + short - this[0]
    if ahead <= 1:
        return century + short
    return century - 100 + short if cal == "gregorian" or ahead >= 20 else None


def calendar_of(year: Year, cal: Calendar, number: int | None, context: Context) -> Calendar | None:
    """The calendar that a year is counted in; None where that remains open."""
    if year.calendar or number is None:
        return year.calendar
    if year.relative:
        return context.calendar
    if year.short:
        return cal
    if number >= 1700 or (number >= 1500 and cal == "gregorian"):
        return "gregorian"
    if cal != "gregorian":
        return cal if 1200 <= number <= 1500 else None
    return "jalali" if context.calendar == "jalali" and 1250 <= number <= 1450 else None


def _inside(spans: Spans, cal: Calendar, frame: Days | None) -> Days | None:
    """The one span of `cal` that lies wholly inside `frame`."""
    if not frame:
        return None
    found = [span for year in _years_around(cal, frame[0], -1, 2) if (span := spans(year))]
    found = [span for span in found if frame[0] <= span[0] and span[1] <= frame[1]]
    return found[0] if len(found) == 1 else None


def nearest(spans: Spans, cal: Calendar, context: Context) -> Days | None:
    """The span nearest to publication, before or after it."""
    found = [span for year in _years_around(cal, context.today, -1, 1) if (span := spans(year))]
    return min(found, key=lambda span: abs(span[0] - context.today), default=None)
