"""Which item of one side is which of the other: optimal one-to-one matching."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from extractor.alignment import act_likeness, overlap
from extractor.evaluation.facts import Act, Facts, Link, Thing

T = TypeVar("T")
Pairs = dict[int, int]


def match(found: Sequence[T], gold: Sequence[T], similarity: Callable[[T, T], float]) -> Pairs:
    """The one-to-one pairs (index of found -> index of gold) of greatest total similarity; 0 means "never"."""
    if not found or not gold:
        return {}
    from scipy.optimize import linear_sum_assignment

    table = [[similarity(a, b) for b in gold] for a in found]
    rows, columns = linear_sum_assignment(table, maximize=True)
    return {int(r): int(c) for r, c in zip(rows, columns, strict=True) if table[r][c] > 0}


def match_things(found: Facts, gold: Facts) -> Pairs:
    return match(found.things, gold.things, entity_similarity)


def match_acts(found: Facts, gold: Facts, same: Callable[[object, object], bool]) -> Pairs:
    return match(found.acts, gold.acts, lambda a, b: act_similarity(a, b, same))


def match_links(found: Facts, gold: Facts, same: Callable[[object, object], bool], symmetric: set[str]) -> Pairs:
    return match(found.links, gold.links, lambda a, b: link_similarity(a, b, same, symmetric))


def entity_similarity(a: Thing, b: Thing) -> float:
    """Equal by a folded name or alias, or by the English name; agreement of type and full name settle ties."""
    shared = bool(a.keys & b.keys)
    english = bool(a.english) and a.english == b.english
    if not shared and not english:
        return 0.0
    exact = a.name == b.name
    return 1.0 + 0.5 * (a.type == b.type) + 0.25 * exact + 0.25 * english


def act_similarity(a: Act, b: Act, same: Callable[[object, object], bool]) -> float:
    """How much two events are one: words, type, arguments."""
    return act_likeness(
        words=overlap(a.place_in_text, b.place_in_text),
        trigger=overlap(a.trigger_in_text, b.trigger_in_text) > 0,
        typed=a.type == b.type,
        arguments=_agreement(a, b, same),
        actors=_actors_agree(a, b, same),
        modality=a.modality == b.modality,
    )


def link_similarity(a: Link, b: Link, same: Callable[[object, object], bool], symmetric: set[str]) -> float:
    """Relations are one by predicate and ends."""
    straight = same(a.subject, b.subject) and same(a.target, b.target)
    crossed = a.predicate in symmetric and same(a.subject, b.target) and same(a.target, b.subject)
    if a.predicate != b.predicate or not (straight or crossed):
        return 0.0
    return 1.0 + 0.25 * (a.modality == b.modality) + 0.25 * overlap(a.place_in_text, b.place_in_text)


def _agreement(a: Act, b: Act, same: Callable[[object, object], bool]) -> float:
    """Arguments that agree in role and entity, over those of the side that has more."""
    if not a.arguments or not b.arguments:
        return 0.0
    hits = sum(
        any(role == other and same(entity, thing) for other, thing in b.arguments) for role, entity in a.arguments
    )
    return hits / max(len(a.arguments), len(b.arguments))


def _actors_agree(a: Act, b: Act, same: Callable[[object, object], bool]) -> bool:
    actors = [entity for role, entity in a.arguments if role == "actor"]
    others = [entity for role, entity in b.arguments if role == "actor"]
    return bool(actors) and any(same(x, y) for x in actors for y in others)
