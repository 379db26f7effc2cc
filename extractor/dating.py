"""Times that count from a day named before in the text get their days from the nearest time before them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from datetime import timedelta
from typing import TypeVar

from extractor.facts import Facts
from extractor.models import Event, Relation, Time, TimeInterval
from extractor.text.dates.anaphora import days_after

Fact = TypeVar("Fact", Event, Relation)
Anchor = tuple[int, TimeInterval]
# How far before it, in characters, the day may stand that an expression counts from.
REACH = 1500
# The same for one that counts back: it mostly goes back from a deed that is told without its day.
REACH_BACK = 300
FLAG = "anaphoric"
# The most days that a time may span for another to count from its end, or back from its start.
FEW_DAYS = 7


def date_anaphora(facts: Facts) -> Facts:
    """The facts with `the same evening` and its like resolved; their intervals carry the flag `anaphoric`."""
    anchors = sorted(_anchors([*facts.events, *facts.relations]), key=lambda anchor: anchor[0])
    if not anchors:
        return facts
    return Facts(
        facts.entities,
        tuple([_with_day(event, anchors) for event in facts.events]),
        tuple([_with_day(link, anchors) for link in facts.relations]),
    )


def _with_day(fact: Fact, anchors: list[Anchor]) -> Fact:
    found = fact.time and _dated(fact.time, anchors)
    return fact if found is fact.time else fact.changed(time=found)


def _anchors(items: Iterable[Event | Relation]) -> Iterable[Anchor]:
    """Where days are named, and which."""
    for item in items:
        if item.time and item.time.interval:
            yield item.time.mention.span.start, item.time.interval


def _dated(time: Time, anchors: list[Anchor]) -> Time:
    if time.interval is not None:
        return time
    days = days_after(time.mention.text)
    if days is None:
        return time
    known = _counted_from(time.mention.span.start, days, anchors)
    if known is None:
        return time
    day = (known.end if days > 0 else known.start) + timedelta(days=days)
    return time.changed(interval=known.changed(start=day, end=day, precision="day", flags=(FLAG,)))


def _counted_from(start: int, days: int, anchors: list[Anchor]) -> TimeInterval | None:
    """The time named before: `two days later` counts from the nearest, if that is a few days; `the same day` means a day."""
    nearest = bisect_left(anchors, start, key=lambda anchor: anchor[0]) - 1
    for place, interval in reversed(anchors[: nearest + 1]):
        if start - place > (REACH_BACK if days < 0 else REACH):
            return None
        length = (interval.end - interval.start).days + 1
        if length == 1 or (days and length <= FEW_DAYS):
            return interval
        if days:
            return None
    return None
