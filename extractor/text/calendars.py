"""What days a time expression names: Jalali, Hijri and Gregorian, in Persian, Arabic, English and Russian.

`resolve_time` computes; it never guesses. An expression with a word that it does not know, a day that does not
exist, a duration, an open interval ("since Monday", "as of 20 May"), a vague one ("recently"), and one that leans on
what was named before ("the same day", "May of that year"; see `extractor.dating`) are unresolved: None.

Conventions
-----------

- A day is one day. A month, season, quarter or year is the whole of it, in the calendar it is written in.
- Early, middle and late: days 1 to 10, 11 to 20 and 21 to the end of a month; four months each of a year; one month
  each of a season. With a day they say nothing ("late Monday"), nor do clock times and times of the day.
- Weeks begin on Monday in English and Russian, on Saturday in Persian and Arabic. "Last week" is the whole week
  before that of publication; "last month" and "last year" likewise, Jalali in Persian unless it says otherwise, else
  Gregorian. "N years ago" is that whole year, "N months ago" that month, "N weeks ago" that week.
- A bare weekday is the latest up to publication, that day included; "last Friday" lies before it, "next Friday" after
  it, "this Friday" in its week. "Friday of last week" is that.
- The night of two weekdays in a row ("ليل الأحد الاثنين") is both days.
- The night of a weekday or of a Hijri day ("شب جمعه", "ليلة الجمعة", "شب ۲۱ رمضان") may be the one before it:
  unresolved. Behind its name ("جمعه شب"), or beside a Jalali or Gregorian day of a month, it is that day's.
- "This winter" is the one that contains publication, else that of its year.
- A day or month without a year is the nearest past one that has begun, or the nearest future one where the expression
  says so (next, المقبل, آینده, scheduled for), or where a day was more than 300 days ago and comes within 60. With
  `ahead=True` (the event is planned) bare weekdays, days and months are the next ones from publication on, also where
  "this Tuesday" is over. With `ahead=False` (it has happened) none lies after publication, but a day that was more than
  300 days ago and comes within 7 is the coming one.
- A weekday beside a day without a year confirms the day, or settles another year where that day is more than three
  weeks from publication: from eight years back to 300 days ahead (half a year for what has happened, to the end of
  next year for what is planned), the nearest to publication. Where it fits none of these, or not the written year, the
  date holds, and the flag `weekday_contradicts` is set.
- Two digits of a Jalali year are of the century that makes it past, or the next year.
- Numbers with slashes: the year may stand first or last; day before month, but in English only where one of them is
  above 12. Years from 1250 to 1450 are Jalali in Persian; elsewhere they need a mark such as هـ.
- Jalali seasons are three months from Farvardin on; Gregorian ones begin in March, June, September and December, and a
  winter bears the year of its December.
- Hijri days are those of the Umm al-Qura calendar, as far as it is tabulated (1343 to 1500).
"""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache

from extractor.models import TimeInterval
from extractor.text.dates.grammar import Meaning, parse
from extractor.text.dates.languages import lexicons
from extractor.text.dates.lexicon import Lexicon
from extractor.text.dates.resolving import agreed
from extractor.text.dates.years import NEXT_DAYS, Context

_LONGEST = 200
"""Longer stretches of text, in characters, are no time expressions."""
_FAR_APART = (date(1900, 1, 1), date(2100, 1, 1))
"""What names the same days on both takes no day of publication."""
_BESIDE_TODAY = "relative_contradicts"
"""The flag of "today, 14 May 2024" where that is another day: without a day of publication nothing contradicts."""


def resolve_time(
    expression: str, *, published: date | datetime | str, language: str | None = None, ahead: bool | None = None
) -> TimeInterval | None:
    """The days that `expression` names, read on the day of publication; None where it names none for certain.

    `published` is a day, or one as ISO 8601 ("2023-10-18"); of a time only its day counts. `language` is an
    ISO 639-1 code; without it the script and letters decide. `ahead`: it is said of something planned (True), of
    something that has happened (False), or that is not known (None).
    Raises ValueError where `published` is no day.
    """
    return _resolve(expression, _day(published), language, ahead)


def days_named(
    expression: str, *, published: date | None, language: str | None = None, ahead: bool | None = None
) -> TimeInterval | None:
    """As `resolve_time`; where the day of publication is not known, only days that are written with their year."""
    if published is not None:
        return _resolve(expression, published, language, ahead)
    early, late = (_resolve(expression, day, language, ahead) for day in _FAR_APART)
    if not early or early != late or early.year != "written":
        return None
    return early.changed(flags=tuple(flag for flag in early.flags if flag != _BESIDE_TODAY))


def _day(published: date | datetime | str) -> date:
    if isinstance(published, datetime):
        return published.date()
    if isinstance(published, date):
        return published
    try:
        return datetime.fromisoformat(published).date()
    except (TypeError, ValueError):
        expected = 'published must be a date, or one as ISO 8601 such as "2023-10-18"'
        raise ValueError(f"{expected}; {published!r} is neither.") from None


@lru_cache(maxsize=8192)
def _resolve(expression: str, published: date, language: str | None, ahead: bool | None) -> TimeInterval | None:
    if len(expression) > _LONGEST:
        return None
    for lexicon in lexicons(expression, language):
        meaning = parse(expression, lexicon)
        if meaning:
            return _agreed(meaning, published, lexicon, ahead)
    return _before_a_comma(expression, published, language, ahead)


def _before_a_comma(expression: str, published: date, language: str | None, ahead: bool | None) -> TimeInterval | None:
    """A day with its number, where what follows says what day that was: "September 19, a Friday", "24 May, election day"."""
    head, comma, rest = re.sub("،", ",", expression).partition(",")
    if not comma or not re.search(r"\d", head) or re.search(r"\d", rest):
        return None
    found = _resolve(head, published, language, ahead)
    return found if found and found.precision == "day" else None


def _agreed(meaning: Meaning, published: date, lexicon: Lexicon, ahead: bool | None) -> TimeInterval | None:
    if meaning.back:
        return None
    future = True if meaning.future else ahead
    context = Context(published, lexicon.words.calendar, lexicon.words.week_start, future)
    found = agreed(meaning.alternatives, context)
    # What has happened in "this month" did not happen on a day of it that is still far off.
    is_far = found is not None and found.year == "publication" and found.start - published > NEXT_DAYS
    return None if is_far and future is False else found
