"""Which facts of several passes over one document are the same fact, told a little differently each time.

Within a pass facts are apart: the LLM saw them side by side. Across passes each is joined to the one that it is
most like, best first, and one to one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from extractor.merging import english_differs, types_agree
from extractor.models import Entity, Event, Mention, Relation, Time
from extractor.text.folding import fold_key

Fact = TypeVar("Fact", Entity, Event, Relation)
# Half-open offsets into a text.
Stretch = tuple[int, int]


def aligned(passes: Sequence[Sequence[Fact]], likeness: Callable[[Fact, Fact], float]) -> list[list[Fact]]:
    """The facts of all passes in groups, one fact of a pass at most in each. `likeness` 0 means "never the same"."""
    groups: list[list[Fact]] = []
    for facts in passes:
        joined = _pairs(groups, facts, likeness)
        for number, fact in enumerate(facts):
            if number in joined:
                groups[joined[number]].append(fact)
            else:
                groups.append([fact])
    return groups


def _pairs(groups: list[list[Fact]], facts: Sequence[Fact], likeness: Callable[[Fact, Fact], float]) -> dict[int, int]:
    """Fact -> group, by number: the likest pair of all first, then of what is left."""
    scores = (
        (max(likeness(member, fact) for member in group), place, number)
        for place, group in enumerate(groups)
        for number, fact in enumerate(facts)
    )
    found: dict[int, int] = {}
    taken: set[int] = set()
    for score, place, number in sorted(scores, key=lambda one: (-one[0], one[1], one[2])):
        if score > 0 and place not in taken and number not in found:
            found[number] = place
            taken.add(place)
    return found


def entity_likeness(a: Entity, b: Entity) -> float:
    """Entities are one by a name, by the English name, or where they are named in the same place by one of a kind.

    Never those whose English names contradict: Ali and Hassan Karimi are both called Karimi.
    """
    if english_differs(a, b) and fold_key(a.name) != fold_key(b.name):
        return 0.0
    shared = bool(_forms(a) & _forms(b))
    english = bool(a.name_en) and (a.name_en or "").casefold() == (b.name_en or "").casefold()
    place = types_agree(a.type, b.type) and any(
        _overlap(one, other) >= 0.5 for one in a.mentions for other in b.mentions
    )
    if not (shared or english or place):
        return 0.0
    return shared + english + place + 0.5 * (a.type == b.type) + 0.5 * (fold_key(a.name) == fold_key(b.name))


def event_likeness(a: Event, b: Event) -> float:
    """Events are one by their words, type and arguments; each may quote another sentence that tells the same act.

    In other words and at other times they are two: shelled on Monday, and again on Friday.
    """
    words = _overlap(a.evidence, b.evidence)
    if not words and _at_other_times(a.time, b.time):
        return 0.0
    return act_likeness(
        words=words,
        trigger=a.trigger is not None and b.trigger is not None and _overlap(a.trigger, b.trigger) > 0,
        typed=a.type == b.type,
        arguments=_agreement(a, b),
        actors=bool(set(a.actors) & set(b.actors)),
        modality=a.modality == b.modality,
    )


def _at_other_times(a: Time | None, b: Time | None) -> bool:
    """Both are told, in words that stand apart, and are not the same days."""
    return bool(a and b and a.mention.span != b.mention.span and days_said(a) != days_said(b))


def days_said(time: Time | None) -> object:
    """The days of a time, or its words where it names none."""
    if time is None:
        return None
    return (time.interval.start, time.interval.end) if time.interval else fold_key(time.mention.text)


def act_likeness(*, words: float, trigger: bool, typed: bool, arguments: float, actors: bool, modality: bool) -> float:
    """How much two events are one: the overlap of their words, the share of arguments that agree, and what else does.

    They are never one where the words have nothing in common, unless type and arguments agree: a
    report tells the same act in several sentences, and either may be quoted.
    """
    if words == 0 and not (typed and arguments >= 0.5 and actors):
        return 0.0
    if words > 0 and not typed and not trigger and arguments < 0.5:
        return 0.0
    return words + 1.5 * typed + 0.75 * trigger + arguments + 0.25 * modality


def relation_likeness(a: Relation, b: Relation) -> float:
    """Relations are one by predicate and ends."""
    if (a.predicate, a.subject, a.object) != (b.predicate, b.subject, b.object):
        return 0.0
    return 1.0 + 0.25 * (a.modality == b.modality) + 0.25 * _overlap(a.evidence, b.evidence)


def overlap(a: Stretch | None, b: Stretch | None) -> float:
    """Shared characters over the characters of both together: a stretch that is far too long agrees with nothing."""
    if a is None or b is None:
        return 0.0
    shared = min(a[1], b[1]) - max(a[0], b[0])
    return shared / (max(a[1], b[1]) - min(a[0], b[0])) if shared > 0 else 0.0


def _overlap(a: Mention, b: Mention) -> float:
    return overlap((a.span.start, a.span.end), (b.span.start, b.span.end))


def _arguments(event: Event) -> set[tuple[str, str]]:
    """Who takes part, as (role, entity): actors, recipients, place and the other roles."""
    found = {("actor", one) for one in event.actors} | {("recipient", one) for one in event.recipients}
    found |= {(part.role, part.entity) for part in event.participants}
    return found | ({("place", event.place)} if event.place else set())


def _agreement(a: Event, b: Event) -> float:
    mine, theirs = _arguments(a), _arguments(b)
    return len(mine & theirs) / max(len(mine), len(theirs)) if mine and theirs else 0.0


def _forms(entity: Entity) -> set[str]:
    return {fold_key(form) for form in (entity.name, *entity.aliases)}
