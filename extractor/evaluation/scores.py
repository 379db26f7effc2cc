"""Counts of hits, inventions and misses for each aspect of one document, and what they come to over many."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from extractor.alignment import overlap
from extractor.evaluation.facts import Act, Facts, Interval, Link, Thing
from extractor.evaluation.matching import Pairs, match_acts, match_links, match_things

ASPECTS = (
    "entities", "entity_types", "events", "typed", "arguments", "modes", "modality", "source", "dates", "figures", "relations",
    "evidence",
)  # fmt: skip
Drawn = TypeVar("Drawn")
RESAMPLES = 1000
SEED = 20240521


@dataclass(slots=True)
class Count:
    """True positives, false positives, false negatives."""

    hits: int = 0
    inventions: int = 0
    misses: int = 0

    def add(self, other: Count) -> None:
        self.hits += other.hits
        self.inventions += other.inventions
        self.misses += other.misses

    @property
    def precision(self) -> float | None:
        return _ratio(self.hits, self.hits + self.inventions)

    @property
    def recall(self) -> float | None:
        return _ratio(self.hits, self.hits + self.misses)

    @property
    def f1(self) -> float | None:
        """None where there was nothing to find and nothing was found."""
        return _ratio(2 * self.hits, 2 * self.hits + self.inventions + self.misses)


@dataclass(frozen=True, slots=True)
class Slip:
    """One miss or invention, in words: `aspect`, `kind` (missed, invented, differs), and the text of it."""

    aspect: str
    kind: str
    text: str


@dataclass(slots=True)
class Card:
    """The score card of one document."""

    document: str
    language: str
    length: int
    counts: dict[str, Count] = field(default_factory=dict)
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
    by_type: dict[str, Count] = field(default_factory=dict)
    by_role: dict[str, Count] = field(default_factory=dict)
    by_share: dict[tuple[str, float], Count] = field(default_factory=dict)
    slips: list[Slip] = field(default_factory=list)
    tokens: int = 0
    answer_tokens: int = 0
    facts: int = 0


def score(found: Facts, gold: Facts, card: Card, symmetric: set[str]) -> Card:
    """Fill in a document's card. Optional gold items, and what matches them, count for nothing.

    An entity that a firm gold fact needs is never optional: it counts whether it is found or missed.
    """
    things = match_things(found, gold)
    to_gold = {found.things[a].id: gold.things[b].id for a, b in things.items()}

    def same(entity: object, thing: object) -> bool:
        return to_gold.get(entity, _NOTHING) == thing

    acts = match_acts(found, gold, same)
    links = match_links(found, gold, same, symmetric)
    optional = {thing.id for thing in gold.things if thing.optional} - _used(gold)
    _score_things(found, gold, things, card, optional)
    _score_acts(found, gold, acts, card)
    for a, b in acts.items():
        if not gold.acts[b].optional:
            _score_details(
                found.acts[a], gold.acts[b], card, to_gold, optional, _names(found.things), _names(gold.things)
            )
    free = {b for b, thing in enumerate(gold.things) if thing.id in optional}
    _score_shares("entities", found.things, things, free, card)
    _score_shares("events", found.acts, acts, {b for b, act in enumerate(gold.acts) if act.optional}, card)
    _score_shares("relations", found.links, links, {b for b, link in enumerate(gold.links) if link.optional}, card)
    _score_lonely_arguments(found, gold, acts, card)
    _score_links(found, gold, links, card)
    card.facts = len(found.acts) + len(found.links)
    return card


_NOTHING = object()


def _used(gold: Facts) -> set[object]:
    """Entities that a gold fact needs: those are never optional to find."""
    firm = [act for act in gold.acts if not act.optional]
    acts = {entity for act in firm for _, entity in act.arguments - act.arguable_arguments}
    sources = {act.source for act in firm if act.source is not None and "source" not in act.arguable}
    return acts | sources | {end for link in gold.links if not link.optional for end in (link.subject, link.target)}


def _count(card: Card, aspect: str) -> Count:
    return card.counts.setdefault(aspect, Count())


def _score_things(found: Facts, gold: Facts, pairs: Pairs, card: Card, optional: set[object]) -> None:
    names, types = _count(card, "entities"), _count(card, "entity_types")
    for a, b in pairs.items():
        if gold.things[b].id in optional:
            continue
        names.hits += 1
        if found.things[a].type == gold.things[b].type:
            types.hits += 1
        else:
            types.inventions += 1
            types.misses += 1
            card.slips.append(
                Slip(
                    "entity_types",
                    "differs",
                    f"{found.things[a].name}: {found.things[a].type}, gold {gold.things[b].type}",
                )
            )
    for a in sorted(set(range(len(found.things))) - set(pairs)):
        names.inventions += 1
        card.slips.append(Slip("entities", "invented", f"{found.things[a].type}: {found.things[a].name}"))
    for b in sorted(set(range(len(gold.things))) - set(pairs.values())):
        if gold.things[b].id not in optional:
            names.misses += 1
            card.slips.append(Slip("entities", "missed", f"{gold.things[b].type}: {gold.things[b].name}"))


def _score_acts(found: Facts, gold: Facts, pairs: Pairs, card: Card) -> None:
    events, typed = _count(card, "events"), _count(card, "typed")
    for a, b in pairs.items():
        if gold.acts[b].optional:
            continue
        events.hits += 1
        if "type" in gold.acts[b].arguable:
            continue
        mine, theirs = found.acts[a].type, gold.acts[b].type
        card.confusion[theirs, mine] += 1
        if mine == theirs:
            typed.hits += 1
            _type(card, mine).hits += 1
            continue
        typed.inventions += 1
        typed.misses += 1
        _type(card, mine).inventions += 1
        _type(card, theirs).misses += 1
        card.slips.append(Slip("typed", "differs", f"{mine}, gold {theirs}: {gold.acts[b].evidence}"))
    for a in sorted(set(range(len(found.acts))) - set(pairs)):
        _lone_act(found.acts[a], "invented", card)
    for b in sorted(set(range(len(gold.acts))) - set(pairs.values())):
        if not gold.acts[b].optional:
            _lone_act(gold.acts[b], "missed", card)


def _score_shares(aspect: str, found: Sequence[Thing | Act | Link], pairs: Pairs, free: set[int], card: Card) -> None:
    """What was found and what was invented, by the share of passes that found it; gold that is `free` counts for nothing."""
    for a, one in enumerate(found):
        if one.share is None or pairs.get(a) in free:
            continue
        hit = a in pairs
        card.by_share.setdefault((aspect, round(one.share, 2)), Count()).add(Count(int(hit), int(not hit)))


def _lone_act(act: Act, kind: str, card: Card) -> None:
    """An event that one side has alone: a miss or an invention; of its type too, unless that is arguable."""
    missed = kind == "missed"
    counts = [_count(card, "events")]
    if "type" not in act.arguable:
        counts += [_count(card, "typed"), _type(card, act.type)]
        card.confusion[(act.type, "-") if missed else ("-", act.type)] += 1
    for count in counts:
        count.add(Count(misses=1) if missed else Count(inventions=1))
    card.slips.append(Slip("events", kind, f"{act.type}: {act.evidence}"))


def _type(card: Card, name: str) -> Count:
    return card.by_type.setdefault(name, Count())


def _score_details(
    mine: Act, gold: Act, card: Card, to_gold: dict[object, object], optional: set[object],
    names: dict[object, str], gold_names: dict[object, str],
) -> None:  # fmt: skip
    """What is said of an event that both sides have."""
    where = gold.evidence
    arguments = {(role, to_gold.get(entity, ("?", entity))) for role, entity in mine.arguments}
    arguments = {pair for pair in arguments if pair[1] not in optional} - gold.arguable_arguments
    wanted = gold.arguments - gold.arguable_arguments
    for role, entity in sorted(arguments | wanted, key=str):
        hit, invented = (role, entity) in wanted and (role, entity) in arguments, (role, entity) in arguments
        _argument(card, role, Count(int(hit), int(not hit and invented), int(not hit and not invented)))
        if not hit:
            name = gold_names.get(entity) or names.get(entity[1] if isinstance(entity, tuple) else entity, "?")
            card.slips.append(Slip("arguments", "invented" if invented else "missed", f"{role} {name}: {where}"))
    if "modes" not in gold.arguable:
        _sets("modes", set(mine.modes), set(gold.modes), card, where)
    if "figures" not in gold.arguable:
        _sets("figures", set(mine.figures), set(gold.figures), card, where)
    if "modality" not in gold.arguable:
        _value("modality", mine.modality, gold.modality, card, where)
    if "source" not in gold.arguable:
        source = to_gold.get(mine.source, "?") if mine.source is not None else None
        _value("source", source, gold.source, card, where, {**gold_names, "?": names.get(mine.source, "?")})
    if "time" not in gold.arguable and (gold.interval or mine.interval):
        _value("dates", _days(mine.interval), _days(gold.interval), card, f"{mine.time} / {gold.time}: {where}")
    _count(card, "evidence").add(Count(*_evidence(mine, gold)))


def _argument(card: Card, role: str, outcome: Count) -> None:
    for count in (_count(card, "arguments"), card.by_role.setdefault(role, Count())):
        count.add(outcome)


def _evidence(mine: Act, gold: Act) -> tuple[int, int, int]:
    """Right where both quotes share at least half of what they cover together."""
    good = overlap(mine.place_in_text, gold.place_in_text) >= 0.5
    return int(good), int(not good), int(not good)


def _days(interval: Interval) -> str | None:
    return f"{interval[0]}..{interval[1]}" if interval else None


def _sets(aspect: str, mine: set[object], gold: set[object], card: Card, where: str) -> None:
    _count(card, aspect).add(Count(len(mine & gold), len(mine - gold), len(gold - mine)))
    card.slips += [Slip(aspect, "invented", f"{_words(item)}: {where}") for item in sorted(mine - gold, key=str)]
    card.slips += [Slip(aspect, "missed", f"{_words(item)}: {where}") for item in sorted(gold - mine, key=str)]


def _words(item: object) -> str:
    """`arrest`; of a figure its kind and value: `dead 4`."""
    return " ".join(map(str, item)) if isinstance(item, tuple) else str(item)


def _value(
    aspect: str,
    mine: object | None,
    gold: object | None,
    card: Card,
    where: str,
    names: dict[object, str] | None = None,
) -> None:
    """A value that may be absent: a wrong one is both an invention and a miss."""
    if mine is None and gold is None:
        return
    hit = mine == gold
    _count(card, aspect).add(Count(int(hit), int(not hit and mine is not None), int(not hit and gold is not None)))
    if not hit:
        mine_name, gold_name = (names or {}).get(mine, mine), (names or {}).get(gold, gold)
        card.slips.append(Slip(aspect, "differs", f"{mine_name}, gold {gold_name}: {where}"))


def _score_lonely_arguments(found: Facts, gold: Facts, pairs: Pairs, card: Card) -> None:
    """An event that is missed takes its arguments with it; one that is invented brings some."""
    for a in set(range(len(found.acts))) - set(pairs):
        for role, _ in found.acts[a].arguments:
            _argument(card, role, Count(inventions=1))
    for b in set(range(len(gold.acts))) - set(pairs.values()):
        if not gold.acts[b].optional:
            for role, _ in gold.acts[b].arguments - gold.acts[b].arguable_arguments:
                _argument(card, role, Count(misses=1))


def _score_links(found: Facts, gold: Facts, pairs: Pairs, card: Card) -> None:
    count = _count(card, "relations")
    names, gold_names = _names(found.things), _names(gold.things)
    count.hits += sum(not gold.links[b].optional for b in pairs.values())
    for a in sorted(set(range(len(found.links))) - set(pairs)):
        link = found.links[a]
        count.inventions += 1
        ends = f"{names.get(link.subject)} {link.predicate} {names.get(link.target)}"
        card.slips.append(Slip("relations", "invented", f"{ends}: {link.evidence}"))
    for b in sorted(set(range(len(gold.links))) - set(pairs.values())):
        link = gold.links[b]
        if not link.optional:
            count.misses += 1
            ends = f"{gold_names.get(link.subject)} {link.predicate} {gold_names.get(link.target)}"
            card.slips.append(Slip("relations", "missed", f"{ends}: {link.evidence}"))


def _names(things: Iterable[Thing]) -> dict[object, str]:
    return {thing.id: thing.name for thing in things}


# -- over many documents


def total(cards: Iterable[Card], aspect: str) -> Count:
    """The counts of all documents together (micro-average)."""
    count = Count()
    for card in cards:
        count.add(card.counts.get(aspect, Count()))
    return count


def mean_by_document(cards: Iterable[Card], aspect: str) -> float | None:
    """The mean F1 of the documents that have the aspect at all (macro-average): a long document counts as one."""
    values = [value for card in cards if (value := total([card], aspect).f1) is not None]
    return sum(values) / len(values) if values else None


def interval(cards: Sequence[Card], aspect: str) -> tuple[float, float] | None:
    """The bootstrap 95 % interval of the F1; None where fewer than two documents have the aspect."""
    having = sum(total([card], aspect).f1 is not None for card in cards)
    return bootstrap(cards, lambda drawn: total(drawn, aspect).f1) if having > 1 else None


def bootstrap(
    documents: Sequence[Drawn], figure: Callable[[Sequence[Drawn]], float | None]
) -> tuple[float, float] | None:
    """The 95 % interval of a figure, over documents drawn with replacement, 1,000 times, seeded.

    Not for one document: drawn a thousand times it stays the same, which would look like certainty.
    """
    dice = random.Random(SEED)
    drawn = (figure(dice.choices(documents, k=len(documents))) for _ in range(RESAMPLES))
    values = sorted(value for value in drawn if value is not None)
    return (values[int(0.025 * (len(values) - 1))], values[int(0.975 * (len(values) - 1))]) if values else None


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
