"""Dates of three numbers: which is the year, which the month, and in which calendar."""

from __future__ import annotations

from dataclasses import replace

from extractor.models import Calendar
from extractor.text.dates.points import Point, Year
from extractor.text.dates.tokens import Token


def numeric_point(point: Point, token: Token, code: str) -> Point | None:
    """`point` with the date that `token` says; None where day and month, or the calendar, remain open."""
    first, month, last = token.text.split("/")
    if len(month) > 2 or (len(first) > 2) == (len(last) > 2) or "3" in (str(len(first)), str(len(last))):
        return _short(point, (first, month, last), token.cal, code)
    year, day = (first, last) if len(first) == 4 else (last, first)
    if year is last:
        ordered = _day_and_month(int(day), int(month), code)
        if not ordered:
            return None
        day, month = str(ordered[0]), str(ordered[1])
    cal = token.cal or _calendar(int(year), code)
    if not cal:
        return None
    return replace(point, number=int(day), month=(cal, int(month)), year=Year(int(year), cal))


def _day_and_month(first: int, second: int, code: str) -> tuple[int, int] | None:
    """Day first, but in English only where the order is plain."""
    if code != "en" or first == second or first > 12:
        return first, second
    return (second, first) if second > 12 else None


def _calendar(year: int, code: str) -> Calendar | None:
    if 1700 <= year <= 2200:
        return "gregorian"
    return "jalali" if code == "fa" and 1250 <= year <= 1450 else None


def _short(point: Point, parts: tuple[str, str, str], cal: Calendar | None, code: str) -> Point | None:
    """A date with a year of two digits, where only one of the numbers can be the year."""
    first, second, third = (int(part) for part in parts)
    if any(len(part) > 2 for part in parts):
        return None
    if code == "fa":
        return _short_jalali(point, first, second, third, cal)
    ordered = _day_and_month(first, second, code)
    if not ordered or max(ordered) > 31 or cal not in (None, "gregorian"):
        return None
    year = Year(third, "gregorian", short=True)
    return replace(point, number=ordered[0], month=("gregorian", ordered[1]), year=year)


def _short_jalali(point: Point, first: int, month: int, last: int, cal: Calendar | None) -> Point | None:
    if (first > 31) == (last > 31) or cal not in (None, "jalali"):
        return None
    year, day = (first, last) if first > 31 else (last, first)
    return replace(point, number=day, month=("jalali", month), year=Year(year, "jalali", short=True))
