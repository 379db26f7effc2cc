"""Days, months and years of three calendars as Gregorian days: jdatetime and hijridate (Umm al-Qura) do the sums."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

from extractor.models import Calendar

Days = tuple[date, date]
"""First and last day, both included."""

DAY = timedelta(days=1)


@lru_cache(maxsize=4096)
def day(cal: Calendar, year: int, month: int, number: int) -> date | None:
    """The Gregorian day, or None where the calendar has no such day or the library does not reach it."""
    try:
        if cal == "gregorian":
            return date(year, month, number)
        if cal == "jalali":
            return _jalali(year, month, number)
        return _hijri(year, month, number)
    except (ValueError, OverflowError):
        return None


def _jalali(year: int, month: int, number: int) -> date:
    import jdatetime

    found: date = jdatetime.date(year, month, number).togregorian()
    return found


def _hijri(year: int, month: int, number: int) -> date:
    from hijridate import Hijri

    found = Hijri(year, month, number).to_gregorian()
    return date(found.year, found.month, found.day)


@lru_cache(maxsize=1024)
def year_and_month(cal: Calendar, when: date) -> tuple[int, int] | None:
    """Year and month of `cal` that `when` lies in; None where the library does not reach it."""
    try:
        if cal == "gregorian":
            return when.year, when.month
        if cal == "jalali":
            return _jalali_year_and_month(when)
        return _hijri_year_and_month(when)
    except (ValueError, OverflowError):
        return None


def _jalali_year_and_month(when: date) -> tuple[int, int]:
    import jdatetime

    found = jdatetime.date.fromgregorian(date=when)
    return found.year, found.month


def _hijri_year_and_month(when: date) -> tuple[int, int]:
    from hijridate import Gregorian

    found = Gregorian(when.year, when.month, when.day).to_hijri()
    return found.year, found.month


def months(cal: Calendar, year: int, month: int, count: int = 1) -> Days | None:
    """The days of `count` months from `month` on, over the end of the year where they run so far."""
    after = year * 12 + month - 1 + count
    start = day(cal, year, month, 1)
    end = day(cal, after // 12, after % 12 + 1, 1)
    return (start, end - DAY) if start and end else None


def week(when: date, first: int) -> Days:
    """The week that `when` lies in, beginning on weekday `first` (Monday is 0)."""
    start = when - DAY * ((when.weekday() - first) % 7)
    return start, start + 6 * DAY
