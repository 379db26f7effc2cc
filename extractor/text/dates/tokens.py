"""What the words of a time expression become: tokens, whose kinds are single letters.

A sequence of tokens has a *shape*, the string of its kinds, and the grammar is regular expressions
over shapes. The kinds that lexicons give:

====  =====================================  ====  =====================================
n o   number 1 to 99, ordinal                N     any other number
1-5   number words: units, teens, tens,      Y     a year, by its size or its mark
      hundreds, thousands                    v     a whole numeric date
m w   month name, weekday                    s q   season, quarter with its number
d D   day, days                              k K   week, weeks
l L   month, months                          y J   year, years
Q H   quarter, half (h: or the middle)       r     a day relative to publication
p t   last, this                             f A   next, ago
a     early, middle, late                    c     calendar mark
F T   from, to                               b &   between, and
C :   o'clock, a clock time                  z     a time of day
e j   earlier or later, "a" or "an"          i     a year has two digits here
G E   said of the future, "that is"          ~     about
x     no bearing on the day                  !     unknown, or forbids an answer
====  =====================================  ====  =====================================

U is a weekend, u a night from one day to the next, I "into" the second of them; g "that" or "the same"
before its unit, S behind it. The grammar makes W, O, R and V: a week, month, year or quarter relative
to publication, or to a day named before; and B: a half with its number.
"""

from __future__ import annotations

from typing import NamedTuple

from extractor.models import Calendar


class Token(NamedTuple):
    """One word, or a phrase that means one thing. `cal` is set where the word tells the calendar.

    `back`: a week, month or year that was named before in the text.
    """

    kind: str
    value: int = 0
    cal: Calendar | None = None
    text: str = ""
    ordinal: bool = False
    back: bool = False


def shape(tokens: list[Token]) -> str:
    """The kinds of `tokens`, one letter each."""
    return "".join([token.kind for token in tokens])
