"""What an expression says, before any calendar is consulted: points in time with the fields that are written."""

from __future__ import annotations

from dataclasses import dataclass

from extractor.models import Calendar


@dataclass(frozen=True, slots=True)
class Year:
    """A year as written. `relative` counts from the year of publication; `short` has two digits; `back` was named before."""

    number: int
    calendar: Calendar | None = None
    relative: bool = False
    short: bool = False
    back: bool = False


@dataclass(frozen=True, slots=True)
class Relative:
    """A whole unit (one of d, k, l, y, V, U: day, week, month, year, quarter, weekend), counted from publication.

    `back`: it is the unit of a day that was named before in the text.
    """

    unit: str
    offset: int
    calendar: Calendar | None = None
    back: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """One point in time. None: not written.

    `mark` is -1 for "last", -2 for "before last", 0 for "this", 1 for "next". `part` is 0, 1, 2 for
    early, middle, late. Months, seasons, quarters and halves count from 1, weekdays from Monday as 0.
    """

    relative: Relative | None = None
    weekday: int | None = None
    number: int | None = None
    month: tuple[Calendar, int] | None = None
    year: Year | None = None
    season: int | None = None
    quarter: int | None = None
    half: int | None = None
    part: int | None = None
    mark: int | None = None


@dataclass(frozen=True, slots=True)
class Range:
    """From the first day of one point to the last day of another; `adjacent` ones must follow upon each other."""

    first: Point
    last: Point
    adjacent: bool = False


@dataclass(frozen=True, slots=True)
class Night:
    """The night into a day: that day and the one before it."""

    into: Point


Saying = Point | Range | Night
