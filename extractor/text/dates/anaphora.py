"""Expressions that count from a day named before in the text: the same evening, two days later, فردای آن روز."""

from __future__ import annotations

import re
from functools import lru_cache

from extractor.text.folding import fold_key

FA_PART = "بامداد|سحر|صبح|ظهر|عصر|غروب|شب|شامگاه|بعدازظهر|نیمهشب"
AR_PART = "مسا|صباح|فجر|ظهر|لیل|عصر"
# Patterns over folded texts (`fold_key`: no spaces, one form of each letter); n is a number of days.
PATTERNS = (
    (rf"(?:در)?(?:{FA_PART})?همان(?:روز|{FA_PART})", 0),
    (rf"(?:در)?(?:{FA_PART})?(?:فردایانروز|فردایهمانروز|روزبعد|روزپسازان)", 1),
    (r"(?P<n>\w+?)روز(?:بعد|پس)(?:ازان)?", 1),
    (r"(?P<n>\w+?)روز(?:قبل|پیش)ازان", -1),
    (r"(?:شب|روز)(?:قبل|پیش)ازان", -1),
    (rf"و?(?:فی)?(?:{AR_PART})?(?:الیوم|اللیله|المسا|الصباح)(?:نفسه|ذاته|نفسها|ذاتها)", 0),
    (rf"و?(?:فی)?(?:{AR_PART})?(?:الیوم|اللیله)(?:التالی|التالیه)", 1),
    (r"بعدذلکبیوم", 1),
    (r"بعدذلکبیومین", 2),
    (r"بعد(?P<n>\w+)ایاممنذلک", 1),
    (r"(?:later)?(?:on|in)?(?:the|that)same(?:day|night|evening|morning|afternoon)", 0),
    (r"(?:on)?that(?:night|evening|morning|afternoon)", 0),
    (r"(?:on)?the(?:next|following)(?:day|morning|evening|night)|thedayafter", 1),
    (r"(?P<n>[a-z]+|\d+)days?(?:later|afterwards|after|afterthat)", 1),
    (r"(?P<n>[a-z]+|\d+)days?(?:earlier|before|beforethat)", -1),
    (r"втотже(?:день|вечер)|тойженочью", 0),
    (r"наследующ(?:ии|ее)(?:день|утро)", 1),
)
COMPILED = tuple((re.compile(pattern), sign) for pattern, sign in PATTERNS)
NUMBERS = {
    word: number
    for number, words in enumerate(
        (
            "a one یک", "two دو", "three سه ثلاثه", "four چهار اربعه", "five پنج خمسه", "six شش سته", "seven هفت سبعه",
            "eight هشت ثمانیه", "nine نه تسعه", "ten ده عشره", "eleven یازده", "twelve دوازده",
        ),
        1,
    )
    for word in words.split()
}  # fmt: skip
MOST = 31


@lru_cache(maxsize=1024)
def days_after(expression: str) -> int | None:
    """How many days after the day named before it an expression is (0: the same day); None where it is none of these."""
    key = fold_key(expression)
    for pattern, sign in COMPILED:
        match = pattern.fullmatch(key)
        if match is None:
            continue
        counted = match.groupdict().get("n")
        number = 1 if counted is None else _number(counted)
        return None if number is None or number > MOST else sign * number
    return None


def _number(word: str) -> int | None:
    return int(word) if word.isdecimal() else NUMBERS.get(word)
