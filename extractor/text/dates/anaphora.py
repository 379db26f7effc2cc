"""Expressions that count from a day named before in the text: the same evening, two days later, فردای آن روز."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from extractor.text.folding import fold_key

# Patterns over folded texts (`fold_key`: no spaces, one form of each letter); n is a number of days.
FA_PART = "بامداد|سحر|سحرگاه|صبح|پیشازظهر|ظهر|عصر|غروب|شب|شام|شامگاه|چاشت|بعدازظهر|نیمهشب"
FA_HOUR = r"(?:در)?(?:حدود|راس)?ساعت(?:\d[\d:.]*|یک|دو|سه|چهار|پنج|شش|هفت|هشت|نه|ده|یازده|دوازده)"
FA_LEAD = (
    "اوایل|اواسط|اواخر|ناوقت|پیشتر|بعدا|بعدتر|دیرتر|کمیبعد|اندکیبعد|(?:ساعتی|ساعاتی|چندساعت|یکساعت|دوساعت|سهساعت)(?:بعد|پس)(?:ازان)?"
    "|(?:نخستین|اولین)ساعات|ساعات(?:اولیه|ابتدایی|پایانی)|ادامه|طول|جریان|خلال|پایان"
)
AR_PART = "مسا|صباح|فجر|ظهر|بعدظهر|قبلظهر|ظهیره|ضحی|لیل|عصر"
AR_NUMBER = "الواحده|الثانیه|الثالثه|الرابعه|الخامسه|السادسه|السابعه|الثامنه|التاسعه|العاشره"
AR_HOUR = rf"(?:عند|فی|فیتمام)?الساعه(?:\d[\d:.]*|{AR_NUMBER})(?:من)?"
AR_LEAD = (
    "(?:وقت(?:سابق|لاحق|مبکر|متاخر)|ساعه(?:مبکره|متاخره)|ساعات(?:مبکره|متاخره)|الساعات(?:الاولی|الاخیره)|لاحقا?|سابقا|بعدساعات|بعدساعه"
    "|بعدهابساعات|اوایل|اواخر|خلال|اثنا|عند)(?:من|فی)?"
)
AR_SAME_DAY = "الیوم(?:نفسه|ذاته|عینه|نفسها|ذاتها)|(?:نفس|ذات)الیوم|ذلکالیوم"
AR_SAME_NIGHT = (
    "(?:اللیله|المسا|الصباح)(?:نفسه|ذاته|نفسها|ذاتها)|(?:نفس|ذات)(?:اللیله|المسا|الصباح)|تلکاللیله|ذلکالمسا|ذلکالصباح"
)
EN_PART = "night|evening|morning|afternoon"
EN_HOUR = r"(?:at|around|about)?\d[\d:.]*(?:am|pm|a\.m\.?|p\.m\.?|gmt)?(?:localtime)?"
EN_LEAD = "(?:much|abit|alittle|slightly|shortly)?(?:earlier|later)(?:on)?|late|early"
EN_HOURS = "(?:an|afew|several|some|two|three)?hours?(?:later|earlier)"
EN_SAME = "(?:the|that)(?:very)?same|that(?:very)?"
PATTERNS = (
    (rf"(?:در)?(?:{FA_LEAD})?(?:در)?(?:{FA_HOUR})?(?:{FA_PART})?(?:همان|ان)روز(?:{FA_PART})?", 0),
    (rf"(?:در)?(?:اوایل|اواخر|ناوقت|پیشتر|دیرتر)?(?:{FA_PART})?(?:همان|ان)(?:{FA_PART})", 0),
    (rf"(?:در)?(?:{FA_PART})?(?:فردایانروز|فردایهمانروز|روزبعد|روزپسازان)", 1),
    (r"(?P<n>\w+?)(?:روز|شب)(?:بعد|پس)(?:ازان)?", 1),
    (r"(?P<n>\w+?)روز(?:قبل|پیش)ازان", -1),
    (r"(?:شب|روز)(?:قبل|پیش)ازان", -1),
    (rf"و?(?:فی)?(?:{AR_LEAD})?(?:{AR_HOUR})?(?:{AR_PART})?(?:من)?(?:{AR_SAME_DAY})(?:{AR_PART})?", 0),
    (rf"و?(?:فی)?(?:{AR_LEAD})?(?:{AR_PART})?(?:{AR_SAME_NIGHT})", 0),
    (rf"و?(?:فی)?(?:{AR_PART})?(?:الیوم|اللیله)(?:التالی|التالیه|الموالی|الموالیه)", 1),
    (r"و?بعد(?:یومواحد|(?:ذلکب|هاب)یوم(?:واحد)?)", 1),
    (r"و?بعد(?:ذلکب|هاب)?یومین(?:منذلک)?", 2),
    (r"و?بعد(?:ذلکب|هاب)?(?P<n>\w+?)(?:ایام|یوما?)(?:منذلک)?", 1),
    (r"و?قبل(?:ذلکب|هاب)یوم(?:واحد)?", -1),
    (r"و?قبل(?:ذلکب|هاب)یومین", -2),
    (r"و?قبل(?:ذلکب|هاب)(?P<n>\w+?)(?:ایام|یوما?)", -1),
    (rf"(?:{EN_LEAD})?(?:on|in|during)?(?:{EN_SAME})(?:day|{EN_PART})", 0),
    (rf"(?:{EN_HOURS}|{EN_HOUR})(?:on|in)?(?:{EN_SAME})day|(?:on|in)?(?:{EN_SAME})day{EN_HOUR}", 0),
    (rf"(?:on|in)?the(?:early|late)?(?:{EN_PART}|(?:early|small)?hours)of(?:{EN_SAME})day", 0),
    (r"(?:earlier|later)(?:on)?inthe(?:day|morning|afternoon|evening)", 0),
    (r"(?:on)?the(?:next|following)(?:day|morning|evening|night)|thedayafter", 1),
    (r"(?P<n>[a-z]+|\d+)days?(?:later|afterwards|after|afterthat)", 1),
    (r"(?P<n>[a-z]+|\d+)days?(?:earlier|before|beforethat)", -1),
    (r"(?:позже|позднее|ранее)?в(?:тот|этот)же(?:день|вечер)|(?:вечером|утром|днем|ночью)тогожедня", 0),
    (r"тойженочью|втуженочь|темже(?:вечером|утром)|втот(?:день|вечер)", 0),
    (r"наследующ(?:ии|ее)(?:день|утро)", 1),
)
# Where the text has a day of its own to count from, what it counts from may be named too: two days before the vote.
BESIDE = (
    (r"(?:(?P<n>(?!the)[a-z]+|\d+)days?|(?:on)?the(?:day|night|morning|evening))after(?P<what>(?!tomorrow|noon).*)", 1),
    (r"(?:(?P<n>(?!the)[a-z]+|\d+)days?|(?:on)?the(?:day|night|morning|evening))before(?P<what>(?!yesterday).*)", -1),
    (r"(?:on)?theeveof(?P<what>.+)", -1),
    (rf"(?:در)?(?:{FA_PART})?(?:(?P<n>\w+?)روز|روز)(?:پس|بعد)از(?:انکه|اینکه)?(?P<what>.*)", 1),
    (rf"(?:در)?(?:{FA_PART})?(?:(?P<n>\w+?)روز|روز|شب)(?:پیش|قبل)از(?:انکه|اینکه)?(?P<what>.*)", -1),
    (r"فردای(?P<what>.+)", 1),
    (r"و?بعد(?:یوم(?:واحد)?|(?P<n>\w+?)(?:ایام|یوما?))(?:من|علی)(?P<what>.*)", 1),
    (r"و?بعدیومین(?:من|علی)(?P<what>.*)", 2),
    (r"و?قبل(?:یوم(?:واحد)?|(?P<n>\w+?)(?:ایام|یوما?))(?:من|علی)(?P<what>.*)", -1),
    (r"و?قبلیومین(?:من|علی)(?P<what>.*)", -2),
    (r"و?(?P<n>\w+?)(?:ایام|یوما?)بعد(?P<what>.*)", 1),
    (r"و?(?P<n>\w+?)(?:ایام|یوما?)قبل(?P<what>.*)", -1),
    (r"و?غداه(?P<what>.*)", 1),
    (r"و?فیالیومالتالیل(?P<what>.+)", 1),
    (r"و?عشیه(?P<what>(?!الیوم|ذلک|نفسالیوم|ذاتالیوم).*)", -1),
    (r"наследующ(?:ии|ее)(?:день|утро)после(?P<what>.*)", 1),
    (r"накануне(?P<what>.+)", -1),
)
EN_LEAD_ALONE = "(?:since|from|in|during|at|by)?(?:the)?(?:early|late)?(?:hours)?(?:ofthe)?"
EN_ALONE = f"{EN_LEAD_ALONE}(?:{EN_PART}|noon|midday|dawn|midnight)"
ALONE = (
    rf"{EN_ALONE}|overnight|(?:از|در|به)?(?:{FA_PART})(?:هنگام)?|(?:در)?(?:{FA_PART})?همینروز(?:{FA_PART})?|و?(?:منذ|فی|عند|خلال)?(?:ساعات)?(?:ال)?(?:{AR_PART})ا?"
    "|утром|днем|вечером|ночью"
)
COMPILED_ALONE = re.compile(ALONE)
COMPILED_BESIDE = tuple((re.compile(pattern), sign) for pattern, sign in BESIDE)
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
# What is said alike of a day to come and of one after a day named before.
_FROM_EITHER = re.compile(r"و?بعد(?:یومواحد|یومین|\w+(?:ایام|یوما?))")
# A morning behind a night may be that of the day after.
_MORNING = re.compile("morning|dawn|early|سحر|بامداد|صبح|سپیده|صباح|فجر|утр|рассвет")
_NIGHT = re.compile("night|evening|شب|شام|شامگاه|مسا|لیل|عشا|ноч|вечер")


@lru_cache(maxsize=1024)
def days_after(expression: str) -> int | None:
    """How many days after the day named before it an expression is (0: the same day); None where it is none of these."""
    key = fold_key(expression).replace(",", "")
    for pattern, sign in COMPILED:
        match = pattern.fullmatch(key)
        if match is None:
            continue
        counted = match.groupdict().get("n")
        number = 1 if counted is None else _number(counted)
        return sign * number if number is not None and 0 < number <= MOST else None
    return None


class Count(NamedTuple):
    """How many days after a day; `joins`: it ends in its preposition, and what follows is the other end of the count."""

    days: int
    joins: bool = False


@lru_cache(maxsize=1024)
def counted_from(expression: str) -> Count | None:
    """What an expression counts from a day that is known: as `days_after`, a part of a day alone, and `the eve of ...`."""
    days = days_after(expression)
    key = fold_key(expression).replace(",", "")
    for pattern, sign in COMPILED_BESIDE:
        match = pattern.fullmatch(key)
        number = match and _number(match.groupdict().get("n") or "1")
        if match and number and number <= MOST:
            return Count(sign * number, not match["what"])
    if days is None and COMPILED_ALONE.fullmatch(key):
        return Count(0)
    return None if days is None else Count(days)


def is_morning(expression: str) -> bool:
    """Whether a time speaks of the beginning of a day."""
    return _MORNING.search(fold_key(expression)) is not None


def is_night(expression: str) -> bool:
    """Whether a time speaks of the end of a day."""
    return _NIGHT.search(fold_key(expression)) is not None


def may_count_from_now(expression: str) -> bool:
    """Whether it says `in two days` as well as `two days later`: بعد يومين does."""
    return _FROM_EITHER.fullmatch(fold_key(expression)) is not None


def _number(word: str) -> int | None:
    return int(word) if word.isdecimal() and len(word) < 4 else NUMBERS.get(word)
