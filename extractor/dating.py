"""Times that lean on another one get their days from it: from the one that the answer names, or the nearest before them."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from itertools import takewhile
from typing import Any, NamedTuple, TypeVar

from extractor.facts import Facts
from extractor.models import Calendar, Document, Event, Mention, Relation, Time, TimeInterval
from extractor.text.calendars import days_named
from extractor.text.dates.anaphora import counted_from, days_after, is_morning, is_night, may_count_from_now
from extractor.text.dates.referring import Reference, fits, is_written, reference, resolve_reference
from extractor.text.dates.weekdays import only_weekday, weekdays_named

Fact = TypeVar("Fact", Event, Relation)
# How far before it, in characters, the day may stand that an expression counts from.
REACH = 1500
# The same for one that counts back: it mostly goes back from a deed that is told without its day.
REACH_BACK = 300
FLAG = "anaphoric"
# How many counts may hang on one another: eight days after the announcement, and on the same day ...
LINKS = 3
# The most characters of a time within which the words of a day are looked for: "Tuesday" in "on Tuesday, 7 May".
LONGEST = 80
# The most days that a time may span for another to count from its end, or back from its start.
FEW_DAYS = 7
# A day without its month that lies further back than this from the day before it is likely one of the next month.
HALF_MONTH = timedelta(days=15)
OF_WHAT = re.compile(r"\s*(?:من|على|از)\s")
BEFORE_WHAT = re.compile(r"\b(?:after|before)$", re.IGNORECASE)
SENTENCE_END = re.compile(r"[.!?؟…\n]")
COMMA = re.compile("[,،;؛]")
# What a clause of its own may begin behind: there the count may be of the fact that follows.
JOINING = re.compile(r"(?:^|[\s,،])(?:and|but|that|و|که|أن|إن|إنه|أنه|أما|ثم|и|что|но)\s*$", re.IGNORECASE)
OPENING = re.compile(rf"[,،;؛:–—-]\s*$|{JOINING.pattern}", re.IGNORECASE)
# What says that a day lies at the one end of the count, so that the other end follows: `this came three days after ...`
CAME = re.compile(r"(?:\b(?:came|comes|was|is|were|took place)|وذلك|ذلك|جاء|جاءت|يأتي|تأتي)\s*$", re.IGNORECASE)
QUOTES = " \t\"'«»“”„‘’"


class Anchor(NamedTuple):
    """Where a time is named, in which words, and which days it is."""

    place: int
    said: str
    interval: TimeInterval


@dataclass(frozen=True)
class Named:
    """The times of facts: those that have days (`anchors`), in the order of the document.

    `counting`: where those stand that have none and count to another day from one named before them.
    """

    document: Document
    anchors: list[Anchor]
    counting: list[int]

    @property
    def language(self) -> str | None:
        return self.document.language

    def before(self, start: int, reach: int) -> Iterator[Anchor]:
        """What is named before `start`, the nearest first."""
        nearest = bisect_left(self.anchors, start, key=lambda anchor: anchor.place)
        for anchor in reversed(self.anchors[:nearest]):
            if start - anchor.place > reach:
                return
            yield anchor

    def at(self, said: Mention, ahead: bool | None) -> Anchor | None:
        """What the words at a place name: as for the fact that has its time there or around them, or by themselves."""
        start, end = said.span.start, said.span.end
        first = bisect_left(self.anchors, start - LONGEST, key=lambda anchor: anchor.place)
        near = takewhile(lambda anchor: anchor.place <= start, self.anchors[first:])
        interval = next((anchor.interval for anchor in near if end <= anchor.place + len(anchor.said)), None)
        if interval is None:
            interval = days_named(said.text, published=self.document.published, language=self.language, ahead=ahead)
        return Anchor(said.span.start, said.text, interval) if interval else None

    def weekday_between(self, anchor: Anchor, start: int) -> bool:
        """Whether a weekday stands between the two that is no fact's day: what follows may well mean that one."""
        first = bisect_left(self._free_weekdays, (anchor.place, 0))
        between = takewhile(lambda named: named[0] < start, self._free_weekdays[first:])
        return any(weekday != anchor.interval.end.weekday() for _, weekday in between)

    def went_on_between(self, anchor: Anchor, start: int) -> bool:
        """Whether the report went on to another day: the next day it ended, and that evening ..."""
        return any(anchor.place < place < start for place in self.counting)

    @cached_property
    def _free_weekdays(self) -> list[tuple[int, int]]:
        """Where the text names a weekday that is no fact's day, and which."""
        days = [anchor for anchor in self.anchors if anchor.interval.start == anchor.interval.end]
        places = [anchor.place for anchor in days]

        def is_known(place: int) -> bool:
            near = bisect_right(places, place) - 1
            return near >= 0 and place < places[near] + len(days[near].said)

        return [named for named in weekdays_named(self.document.text, self.language) if not is_known(named[0])]


def date_anaphora(facts: Facts, document: Document) -> Facts:
    """The facts with `the same evening` and its like resolved; their intervals carry the flag `anaphoric`."""
    items: list[Event | Relation] = [*facts.events, *facts.relations]
    anchors = sorted(_anchors(items), key=lambda anchor: anchor.place)
    if not anchors and not any(item.time and item.time.anchor for item in items):
        return facts
    found = _dated_from(facts, Named(document, anchors, _counting(items)), _with_day)
    for _ in range(LINKS):
        dated: list[Event | Relation] = [*found.events, *found.relations]
        if not any(_is_open(item.time) for item in dated):
            break
        anchors = sorted(_anchors(dated), key=lambda anchor: anchor.place)
        found = _dated_from(found, Named(document, anchors, []), _with_day_of_chain)
    return found


def _dated_from(facts: Facts, named: Named, dated: Callable[[Any, Named], Any]) -> Facts:
    return Facts(
        facts.entities,
        tuple([dated(event, named) for event in facts.events]),
        tuple([dated(link, named) for link in facts.relations]),
    )


def _with_day(fact: Fact, named: Named) -> Fact:
    if fact.time is None:
        return fact
    found = _told(fact, fact.time, named) if fact.time.anchor else _dated(fact.time, named, fact.modality == "future")
    return fact if found is fact.time else fact.changed(time=found)


def _is_open(time: Time | None) -> bool:
    """Whether it is said to count from a day, and has none so far: that day may itself be one that was counted."""
    return time is not None and time.anchor is not None and time.interval is None


def _with_day_of_chain(fact: Fact, named: Named) -> Fact:
    return _with_day(fact, named) if _is_open(fact.time) else fact


def _anchors(items: Iterable[Event | Relation]) -> Iterable[Anchor]:
    """Where days are named, and which."""
    for item in items:
        if item.time and item.time.interval:
            yield Anchor(item.time.mention.span.start, item.time.mention.text, item.time.interval)


def _counting(items: Iterable[Event | Relation]) -> list[int]:
    """Where times stand that count from a day named before them to another one."""
    undated = (item.time.mention for item in items if item.time and not item.time.interval)
    return [mention.span.start for mention in undated if days_after(mention.text)]


def _told(fact: Fact, time: Time, named: Named) -> Time:
    """A time counted from the day that it is said to count from; as it was, where that is not known."""
    count = counted_from(time.mention.text)
    # Of what is planned the same day lies ahead; what it counts from may well lie behind.
    is_ahead = fact.modality == "future" and not (count and count.days)
    anchor = time.anchor and named.at(time.anchor, ahead=is_ahead or None)
    if not anchor:
        return time
    if count is None:
        found = _of_that_day(time, anchor, named.language) or _in_that_week(time, anchor, named.language)
        return time.changed(interval=found) if found else time
    if not count.days and is_morning(time.mention.text) and is_night(anchor.said):
        return time
    days = count.days * _side(fact, time, anchor, named.document.text) if count.joins else count.days
    is_sure = (days or not count.days) and _countable(anchor.interval, days)
    return time.changed(interval=_days_from(anchor.interval, days)) if is_sure else time


def _side(fact: Fact, time: Time, anchor: Anchor, text: str) -> int:
    """On which side of `three days after` the fact is told: 1 before it, -1 behind it, 0 where that is not sure.

    In `the verdict came three days after he was jailed` and `on Friday, three days after he was jailed, ...` the jailing lies
    behind it. At the head of a sentence the other side comes first: in `three days after the court met, he spoke` he spoke
    three days after. Else it may be an adverb of the fact: `and the day after, he resigned`; in Persian verbs stand last.
    """
    start, end = time.mention.span.start, time.mention.span.end
    trigger = fact.trigger if isinstance(fact, Event) else None
    told, evidence = (trigger or fact.evidence).span.start, fact.evidence.span
    if told < start:
        return 1
    before = SENTENCE_END.split(text[max(0, start - REACH_BACK) : start])[-1]
    if not before.strip(QUOTES):
        return 1 if COMMA.search(text, end, told) and text[end : evidence.start].strip() else 0
    if CAME.search(before) or (anchor.place >= start - len(before) and not COMMA.search(text, end, told)):
        return 0 if JOINING.search(before) else -1
    is_next = evidence.start == start or (evidence.start >= end and not text[end : evidence.start].strip())
    return -1 if is_next and not OPENING.search(before) else 0


def _of_that_day(time: Time, anchor: Anchor, language: str | None) -> TimeInterval | None:
    """The day it is said to be, where it repeats its weekday and says nothing else: on the Saturday itself."""
    day = anchor.interval.start
    is_it = day == anchor.interval.end and only_weekday(time.mention.text, language) == day.weekday()
    return _days_from(anchor.interval, 0) if is_it else None


def _in_that_week(time: Time, anchor: Anchor, language: str | None) -> TimeInterval | None:
    refers = reference(time.mention.text, language)
    if not refers or refers.bare or not fits(refers, anchor.interval, _calendar(anchor, refers, language)):
        return None
    return _in_unit_of(anchor, refers, language)


def _countable(interval: TimeInterval, days: int) -> bool:
    """Whether days can be counted from it: from the end of a few days, or back from their start; the same day is one day."""
    return interval.precision != "week" and (interval.end - interval.start).days < (FEW_DAYS if days else 1)


def _days_from(interval: TimeInterval, days: int) -> TimeInterval:
    day = (interval.end if days > 0 else interval.start) + timedelta(days=days)
    return interval.changed(start=day, end=day, precision="day", flags=(FLAG,))


def _dated(time: Time, named: Named, future: bool) -> Time:
    if time.interval is not None:
        return time
    found = _counted(time, named, future) or _referred(time, named)
    return time.changed(interval=found) if found else time


def _counted(time: Time, named: Named, future: bool) -> TimeInterval | None:
    """The day named before, or the one some days after it or before it."""
    days = days_after(time.mention.text)
    if days is None or _goes_on(time, named.document.text) or (may_count_from_now(time.mention.text) and future):
        return None
    known = _counted_from(time.mention.span.start, days, named)
    return known and _days_from(known, days)


def _goes_on(time: Time, text: str) -> bool:
    """Whether the text says after what: بعد يومين من الهجوم, three days after the strike."""
    said, rest = time.mention.text, text[time.mention.span.end :]
    if OF_WHAT.match(rest):
        return True
    return BEFORE_WHAT.search(said) is not None and rest[:1].isspace() and rest.lstrip()[:1].isalpha()


def _counted_from(start: int, days: int, named: Named) -> TimeInterval | None:
    """The time named before: `two days later` counts from the nearest, if that is a few days; `the same day` means a day."""
    for anchor in named.before(start, REACH_BACK if days < 0 else REACH):
        if _countable(anchor.interval, days):
            unsure = named.weekday_between(anchor, start) or named.went_on_between(anchor, start)
            return None if unsure else anchor.interval
        if days:
            return None
    return None


def _referred(time: Time, named: Named) -> TimeInterval | None:
    """The days in the week, month or year of the time named before; None where that is not sure."""
    refers = reference(time.mention.text, named.language)
    anchor = refers and _referred_to(refers, time.mention.span.start, named)
    if not refers or not anchor:
        return None
    found = _in_unit_of(anchor, refers, named.language)
    return None if found and refers.bare and anchor.interval.start - found.start > HALF_MONTH else found


def _in_unit_of(anchor: Anchor, refers: Reference, language: str | None) -> TimeInterval | None:
    """What is referred to in the week, month or year of `anchor`."""
    found = resolve_reference(refers, anchor.interval, _calendar(anchor, refers, language))
    return found.changed(year=anchor.interval.year, flags=(FLAG,)) if found and not found.flags else None


def _referred_to(refers: Reference, start: int, named: Named) -> Anchor | None:
    """The nearest time before it that lies in one week or month; for a year the nearest."""
    near = named.before(start, REACH)
    if refers.bare:
        return _with_its_month(near, named.language)
    return next((it for it in near if fits(refers, it.interval, _calendar(it, refers, named.language))), None)


def _with_its_month(near: Iterable[Anchor], language: str | None) -> Anchor | None:
    """The nearest day named with its month, on which `on the sixth` leans; None behind a day of another month."""
    days = [anchor for anchor in near if anchor.interval.start == anchor.interval.end]
    written = next((day for day in days if is_written(day.said, language)), None)
    return written if written and _month(written) == _month(days[0]) else None


def _month(anchor: Anchor) -> tuple[int, int]:
    return anchor.interval.start.year, anchor.interval.start.month


def _calendar(anchor: Anchor, refers: Reference, language: str | None) -> Calendar:
    """The calendar that a time is meant in: the one it is written in; for a weekday and its like, that of the language."""
    known = anchor.interval.calendar
    return known if known != "gregorian" or is_written(anchor.said, language) else refers.lexicon.words.calendar
