"""Several passes over one document: one set of facts, each with the share of passes that found it.

What the passes say of one fact is put to the vote, field by field: the most frequent says what it is, of equals the earlier.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from extractor.alignment import aligned, days_said, entity_likeness, event_likeness, relation_likeness
from extractor.facts import Facts
from extractor.merging import with_event_ids, with_relation_ids
from extractor.models import Entity, Event, Relation
from extractor.text.folding import fold_key

T = TypeVar("T")
FIGURES = ("dead", "injured", "arrested", "amount")


def agree(passes: Sequence[Facts]) -> Facts:
    """The facts of all passes, joined; `share` says how many of the passes found each."""
    if len(passes) == 1:
        return passes[0]
    parts = [_numbered(facts, number) for number, facts in enumerate(passes)]
    entities = aligned([part.entities for part in parts], entity_likeness)
    new_id = {entity.id: group[0].id for group in entities for entity in group}
    events = aligned([[with_event_ids(one, new_id) for one in part.events] for part in parts], event_likeness)
    links = [[with_relation_ids(one, new_id) for one in part.relations] for part in parts]
    relations = aligned([[one for one in part if one.subject != one.object] for part in links], relation_likeness)
    return Facts(
        tuple(_entity(group).changed(share=len(group) / len(parts)) for group in entities),
        tuple(_event(group).changed(share=len(group) / len(parts)) for group in events),
        tuple(_relation(group).changed(share=len(group) / len(parts)) for group in relations),
    )


def _numbered(facts: Facts, number: int) -> Facts:
    """Ids under which the entities of different passes cannot be mixed up."""
    new_id = {entity.id: f"{number}.{entity.id}" for entity in facts.entities}
    return Facts(
        tuple(entity.changed(id=new_id[entity.id]) for entity in facts.entities),
        tuple(with_event_ids(event, new_id) for event in facts.events),
        tuple(with_relation_ids(relation, new_id) for relation in facts.relations),
    )


def _entity(group: list[Entity]) -> Entity:
    name = _elected((one.name for one in group), fold_key)
    forms = _carried([dict.fromkeys((one.name, *one.aliases)) for one in group], fold_key)
    mentions = {(m.span.start, m.span.end): m for one in group for m in one.mentions}
    return group[0].changed(
        type=_elected(one.type for one in group),
        name=name,
        aliases=tuple(form for form in forms if fold_key(form) != fold_key(name)),
        name_en=_elected(one.name_en for one in group),
        country=_elected(one.country for one in group),
        sector=_elected(one.sector for one in group),
        mentions=tuple(mentions[place] for place in sorted(mentions)),
    )


def _event(group: list[Event]) -> Event:
    """Type and modes are elected first, since the score hangs on both; what else is said goes with nothing."""
    kind = _elected(one.type for one in group)
    code = _elected((one for one in group if one.type == kind), lambda one: frozenset(one.modes))
    voted: dict[str, Any] = {name: _elected(getattr(one, name) for one in group) for name in FIGURES}
    voted |= {name: _elected(getattr(one, name) for one in group) for name in ("place", "source", "modality")}
    sets = {
        name: _carried([getattr(one, name) for one in group])
        for name in ("contexts", "actors", "recipients", "participants")
    }
    return code.changed(**voted, **sets, time=_elected((one.time for one in group), days_said))


def _relation(group: list[Relation]) -> Relation:
    voted = {name: _elected(getattr(one, name) for one in group) for name in ("source", "modality")}
    return group[0].changed(**voted, time=_elected((one.time for one in group), days_said))


def _elected(values: Iterable[T], key: Callable[[T], object] = lambda value: value) -> T:
    """The value that most passes give; of equally frequent ones that of the earlier pass."""
    given = list(values)
    votes = Counter(key(value) for value in given)
    return max(given, key=lambda value: votes[key(value)])


def _carried(groups: Sequence[Iterable[T]], key: Callable[[T], object] = lambda value: value) -> tuple[T, ...]:
    """What more than half of the passes have, in the order of the text of the first; of two passes, what the first has."""
    given = [list(group) for group in groups]
    votes = Counter(name for group in given for name in {key(value) for value in group})
    first = {key(value) for value in given[0]}
    every = {key(value): value for group in reversed(given) for value in reversed(group)}
    order = dict.fromkeys(key(value) for group in given for value in group)
    kept = (name for name in order if 2 * votes[name] > len(given) or (2 * votes[name] == len(given) and name in first))
    return tuple(every[name] for name in kept)
