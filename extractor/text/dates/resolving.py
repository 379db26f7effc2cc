"""From what an expression says to the days it names: years are inferred here, against the day of publication."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from extractor.models import Calendar, Precision, TimeInterval, YearFrom
from extractor.text.dates import arithmetic
from extractor.text.dates.arithmetic import DAY, Days
from extractor.text.dates.points import Night, Point, Range, Relative, Saying, Year
from extractor.text.dates.years import Context, Spans, by_weekday, calendar_of, fixed, inferred, is_near, nearest


def agreed(sayings: Sequence[Saying], context: Context) -> TimeInterval | None:
    """The one interval that all of `sayings` name; Hijri days may differ by one from those of the other calendars."""
    try:
        found = [resolve(saying, context) for saying in sayings]
    except OverflowError:
        return None  # The day lies at the very end of what a date can hold.
    known = sorted((interval for interval in found if interval), key=lambda interval: interval.calendar == "hijri")
    if not known or len(known) < len(found):
        return None
    return known[0] if all(_close(known[0], other) for other in known) else None


def _close(one: TimeInterval, other: TimeInterval) -> bool:
    slack = DAY if other.calendar == "hijri" else 0 * DAY
    return abs(one.start - other.start) <= slack and abs(one.end - other.end) <= slack


def resolve(saying: Saying, context: Context) -> TimeInterval | None:
    """The interval that `saying` names; None where a day does not exist or the fields do not fit together."""
    if isinstance(saying, Night):
        return _night(saying, context)
    return _range(saying, context) if isinstance(saying, Range) else _point(saying, context)


def _point(point: Point, context: Context) -> TimeInterval | None:
    if point.season or point.quarter or point.half or (point.month and not point.number):
        return _part_of_year(point, context)
    if point.month:
        return _dated(point, context)
    if point.relative:
        return _relative(point, point.relative, context)
    if point.weekday is not None:
        return _weekday(point, point.weekday, context)
    return _part_of_year(point, context) if point.year else None


def _dated(point: Point, context: Context) -> TimeInterval | None:
    """A day of a month."""
    assert point.month and point.number
    cal, month = point.month
    number = point.number

    def spans(year: int) -> Days | None:
        found = arithmetic.day(cal, year, month, number)
        return (found, found) if found else None

    if point.relative:
        return _near(spans, cal, point, context)
    return _in_a_year(spans, cal, "day", point, context)


def _near(spans: Spans, cal: Calendar, point: Point, context: Context) -> TimeInterval | None:
    """A date beside a word such as today: the nearest such date, flagged where the two differ."""
    said = _relative(Point(relative=point.relative), point.relative, context) if point.relative else None
    found = fixed(spans, cal, point.year, context) if point.year else nearest(spans, cal, context)
    if not said or not found:
        return None
    flags = () if found[0] == said.start else ("relative_contradicts",)
    return _checked(found, cal, "day", "written" if point.year else "publication", point, flags)


def _in_a_year(
    spans: Spans, cal: Calendar, precision: Precision, point: Point, context: Context
) -> TimeInterval | None:
    """What recurs every year, in the year that is written, settled by the weekday, or nearest."""
    if point.year:
        days = fixed(spans, cal, point.year, context)
        return _checked(days, cal, precision, "publication" if point.year.relative else "written", point)
    days, year = inferred(spans, cal, point.mark, context)
    if point.weekday is not None:
        settled = _settled(days, spans, cal, point.weekday, point.mark, context)
        if settled:
            return _interval(settled, cal, precision, "weekday", ())
    return _checked(days, cal, precision, year, point)


def _settled(
    plain: Days | None, spans: Spans, cal: Calendar, weekday: int, mark: int | None, context: Context
) -> Days | None:
    """The days in the year that the weekday settles; None where `plain`, those without it, are too near for another."""
    if plain and is_near(plain, context):
        return plain if plain[0].weekday() == weekday else None
    return by_weekday(spans, cal, weekday, mark, context)


def _checked(
    days: Days | None, cal: Calendar, precision: Precision, year: YearFrom, point: Point, flags: tuple[str, ...] = ()
) -> TimeInterval | None:
    """The interval, flagged where the written weekday is another one."""
    if not days:
        return None
    if point.weekday is not None and precision == "day" and days[0].weekday() != point.weekday:
        flags = (*flags, "weekday_contradicts")
    return _interval(days, cal, precision, year, flags)


def _interval(days: Days, cal: Calendar, precision: Precision, year: YearFrom, flags: tuple[str, ...]) -> TimeInterval:
    return TimeInterval(start=days[0], end=days[1], calendar=cal, precision=precision, year=year, flags=flags)


# Months, seasons, quarters, halves, years, and their parts


def _part_of_year(point: Point, context: Context) -> TimeInterval | None:
    if point.month:
        return _month(point, *point.month, context)
    cal = _year_calendar(point.year, context)
    if not cal:
        return None
    if point.season:
        return _season(point, point.season, cal, context)
    if point.relative and point.half:
        return _half_of_relative_month(point, point.relative, context)
    if point.quarter:
        return _months_of_year(point, cal, 3 * point.quarter - 2, 3, "quarter", context)
    if point.half:
        return _months_of_year(point, cal, 6 * point.half - 5, 6, "part_of_year", context)
    if point.part is not None:
        return _months_of_year(point, cal, 4 * point.part + 1, 4, "part_of_year", context)
    return _months_of_year(point, cal, 1, 12, "year", context)


def _year_calendar(year: Year | None, context: Context) -> Calendar | None:
    if not year:
        return context.calendar
    if year.short or year.relative:
        return year.calendar or context.calendar
    return calendar_of(year, context.calendar, year.number, context)


def _months_of_year(
    point: Point, cal: Calendar, first: int, count: int, precision: Precision, context: Context
) -> TimeInterval | None:
    if first + count > 13:
        return None
    return _in_a_year(lambda year: arithmetic.months(cal, year, first, count), cal, precision, point, context)


def _season(point: Point, season: int, cal: Calendar, context: Context) -> TimeInterval | None:
    """Jalali seasons begin with the year; Gregorian ones in March, winter ending in the next year."""
    first = 3 * season - 2 if cal == "jalali" else 3 * season
    if cal == "hijri":
        return None
    if point.part is None:
        return _in_a_year(lambda year: arithmetic.months(cal, year, first, 3), cal, "season", point, context)
    whole = replace(point, part=None)
    if point.mark is not None:
        return _month_of(_season(whole, season, cal, context), point.part)
    month = first + point.part
    carry, month = (1, month - 12) if month > 12 else (0, month)
    return _in_a_year(lambda year: arithmetic.months(cal, year + carry, month), cal, "part_of_year", whole, context)


def _month_of(season: TimeInterval | None, index: int) -> TimeInterval | None:
    """One month of "this winter" or another season that is marked, in the year of that season."""
    first = season and arithmetic.year_and_month(season.calendar, season.start)
    if not season or not first:
        return None
    months = first[0] * 12 + first[1] - 1 + index
    days = arithmetic.months(season.calendar, months // 12, months % 12 + 1)
    return _interval(days, season.calendar, "part_of_year", season.year, ()) if days else None


def _month(point: Point, cal: Calendar, month: int, context: Context) -> TimeInterval | None:
    whole = _in_a_year(lambda year: arithmetic.months(cal, year, month), cal, "month", point, context)
    if not whole:
        return None
    days = _part_of_month((whole.start, whole.end), point)
    precision: Precision = "month" if point.part is None and not point.half else "part_of_month"
    return _interval(days, cal, precision, whole.year, ()) if days else None


def _part_of_month(month: Days, point: Point) -> Days | None:
    start, end = month
    if point.part is not None:
        return start + 10 * point.part * DAY, end if point.part == 2 else start + (10 * point.part + 9) * DAY
    if point.half:
        return {1: (start, start + 14 * DAY), 2: (start + 15 * DAY, end)}.get(point.half)
    return month


def _half_of_relative_month(point: Point, relative: Relative, context: Context) -> TimeInterval | None:
    whole = _unit(relative, context)
    days = _part_of_month((whole.start, whole.end), point) if whole and whole.precision == "month" else None
    return _interval(days, whole.calendar, "part_of_month", "publication", ()) if whole and days else None


# Relative to publication


def _relative(point: Point, relative: Relative, context: Context) -> TimeInterval | None:
    whole = _unit(relative, context)
    if not whole or relative.unit == "d":
        return whole if whole and point.weekday in (None, whole.start.weekday()) else None
    if relative.unit == "k" and point.weekday is not None:
        return _day_of(whole, (point.weekday - context.week_start) % 7, None)
    if relative.unit == "l" and point.number:
        return _day_of(whole, point.number - 1, point.weekday)
    if relative.unit == "l" and point.part is not None:
        return _half_of_relative_month(point, relative, context)
    return whole


def _day_of(whole: TimeInterval, index: int, weekday: int | None) -> TimeInterval | None:
    found = whole.start + index * DAY
    if not whole.start <= found <= whole.end:
        return None
    flags = () if weekday in (None, found.weekday()) else ("weekday_contradicts",)
    return _interval((found, found), whole.calendar, "day", "publication", flags)


def _unit(relative: Relative, context: Context) -> TimeInterval | None:
    cal = relative.calendar or context.calendar
    days = _unit_days(relative, cal, context)
    precision: dict[str, Precision] = {"d": "day", "k": "week", "l": "month", "V": "quarter", "U": "range"}
    if relative.unit in "dkU":
        cal = "gregorian"
    return _interval(days, cal, precision[relative.unit], "publication", ()) if days else None


def _unit_days(relative: Relative, cal: Calendar, context: Context) -> Days | None:
    today, offset = context.today, relative.offset
    if relative.unit == "d":
        return today + offset * DAY, today + offset * DAY
    if relative.unit == "k":
        return arithmetic.week(today + 7 * offset * DAY, context.week_start)
    if relative.unit == "U":
        return _weekend(today, offset)
    this = arithmetic.year_and_month(cal, today)
    if not this:
        return None
    if relative.unit == "l":
        months = this[0] * 12 + this[1] - 1 + offset
        return arithmetic.months(cal, months // 12, months % 12 + 1)
    quarters = this[0] * 4 + (this[1] - 1) // 3 + offset
    return arithmetic.months(cal, quarters // 4, quarters % 4 * 3 + 1, 3)


def _weekend(today: date, offset: int) -> Days:
    """Saturday and Sunday: 0 is the latest begun, -1 that of last week, 1 that of this week."""
    monday, _ = arithmetic.week(today, 0)
    saturday = monday + 5 * DAY
    if offset == -1 or (offset == 0 and saturday > today):
        saturday -= 7 * DAY
    return saturday, saturday + DAY


def _weekday(point: Point, weekday: int, context: Context) -> TimeInterval | None:
    """The latest such day up to publication; before it with "last", in its week with "this", after it with "next"."""
    today, mark = context.today, point.mark
    year: YearFrom = "past"
    if mark == 0:
        first, _ = arithmetic.week(today, context.week_start)
        found, year = first + ((weekday - context.week_start) % 7) * DAY, "publication"
        if context.future and found < today:
            found += 7 * DAY  # Planned: of the day that is over nothing is planned any more.
    elif (context.future and mark is None) or (mark is not None and mark > 0):
        ahead = (weekday - today.weekday()) % 7
        found, year = today + (ahead or (7 if mark else 0)) * DAY + 7 * ((mark or 1) - 1) * DAY, "future"
    else:
        behind = (today.weekday() - weekday) % 7
        found = today - (behind or (7 if mark else 0)) * DAY - 7 * (-(mark or -1) - 1) * DAY
    return _interval((found, found), "gregorian", "day", year, ())


# Nights and ranges


def _night(night: Night, context: Context) -> TimeInterval | None:
    last = _point(night.into, context)
    if not last:
        return None
    return _interval((last.start - DAY, last.end), last.calendar, "range", last.year, last.flags)


def _range(span: Range, context: Context) -> TimeInterval | None:
    ends = _ends(span, context)
    if not ends or (ends[0].calendar != ends[1].calendar and not _same_day(*ends)):
        return None
    first, last = ends
    if first.start > last.end or (span.adjacent and first.end + DAY != last.start):
        return None
    precision: Precision = "day" if first.start == last.end else "range"
    year = _year_of(span, first, last)
    return _interval((first.start, last.end), first.calendar, precision, year, first.flags or last.flags)


def _same_day(first: TimeInterval, last: TimeInterval) -> bool:
    return first.start == last.start and first.end == last.end


def _year_of(span: Range, first: TimeInterval, last: TimeInterval) -> YearFrom:
    return last.year if span.last.year and not span.first.year else first.year


def _ends(span: Range, context: Context) -> tuple[TimeInterval, TimeInterval] | None:
    """Both ends: the one without a year is the nearest before, or after, the one that has it."""
    if _is_anchored(span.last):
        last = _point(span.last, context)
        first = _point(span.first, context if _is_anchored(span.first) or not last else _before(last, context))
    else:
        first = _point(span.first, context)
        last = _point(replace(span.last, mark=None), _from(first, context)) if first else None
    return (first, last) if first and last else None


def _is_anchored(point: Point) -> bool:
    return bool(point.year or point.relative)


def _before(last: TimeInterval, context: Context) -> Context:
    return replace(context, today=last.start, future=None)


def _from(first: TimeInterval, context: Context) -> Context:
    return replace(context, today=first.start, future=True)
