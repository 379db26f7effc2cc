"""Several passes over one document: their facts joined, each with the share of passes that found it.

Passes are joined as chunks are: the same thing found twice is one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from extractor.facts import Facts
from extractor.merging import merge_with_ids, same_event, same_relation, with_event_ids, with_relation_ids
from extractor.models import Entity, Event, Relation

Fact = TypeVar("Fact", Event, Relation)


def agree(passes: Sequence[Facts]) -> Facts:
    """The facts of all passes, joined; `share` says how many of the passes found each."""
    if len(passes) == 1:
        return passes[0]
    parts = [_numbered(facts, number) for number, facts in enumerate(passes)]
    merged, new_id = merge_with_ids(parts)
    events = [[with_event_ids(event, new_id) for event in part.events] for part in parts]
    relations = [[with_relation_ids(relation, new_id) for relation in part.relations] for part in parts]
    return Facts(
        tuple(entity.changed(share=_entity_share(entity, parts, new_id)) for entity in merged.entities),
        tuple(event.changed(share=_share(event, events, same_event)) for event in merged.events),
        tuple(relation.changed(share=_share(relation, relations, same_relation)) for relation in merged.relations),
    )


def _numbered(facts: Facts, number: int) -> Facts:
    """Ids under which the entities of different passes cannot be mixed up."""
    new_id = {entity.id: f"{number}.{entity.id}" for entity in facts.entities}
    return Facts(
        tuple(entity.changed(id=new_id[entity.id]) for entity in facts.entities),
        tuple(with_event_ids(event, new_id) for event in facts.events),
        tuple(with_relation_ids(relation, new_id) for relation in facts.relations),
    )


def _entity_share(entity: Entity, parts: Sequence[Facts], new_id: dict[str, str]) -> float:
    return sum(any(new_id[one.id] == entity.id for one in part.entities) for part in parts) / len(parts)


def _share(fact: Fact, parts: Sequence[Sequence[Fact]], same: Callable[[Fact, Fact], bool]) -> float:
    return sum(any(same(fact, other) for other in part) for part in parts) / len(parts)
