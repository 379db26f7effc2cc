"""Two independent annotations become one gold standard, by one rule: what both say is gold, what one says is optional.

python scripts/adjudicate.py A B SEEDS

A and B are folders of `<id>.gold.json` of one annotator each, SEEDS holds the texts; the gold is written into it. Within
an event that both have, a field on which they differ is arguable: neither rewarded nor punished. Decisions of
the adjudicator stand in `A/../decisions.json`: {"<id>": {"events": {"<evidence>": {"type": "..."}}}}. Prints the agreement.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from extractor.evaluation.facts import Facts, facts_of_gold
from extractor.evaluation.gold import Gold, GoldEvent, GoldPart, GoldRelation, GoldTime, check_gold, load_gold
from extractor.evaluation.matching import Pairs, match_acts, match_links, match_things
from extractor.evaluation.scores import ASPECTS, Card, score, total
from extractor.models import Document
from extractor.ontology import load_ontology

ONTOLOGY = load_ontology("plover@1")
SYMMETRIC = {name for name, predicate in ONTOLOGY.predicates.items() if predicate.symmetric}
FIGURES = ("dead", "injured", "arrested", "amount")
Ids = dict[int, int]


def demanded(facts: Facts) -> Facts:
    """The facts with nothing optional and nothing arguable: the agreement is over all of them."""

    def firm(items: tuple[Any, ...], **settled: Any) -> tuple[Any, ...]:
        return tuple(dataclasses.replace(item, optional=False, **settled) for item in items)

    acts = firm(facts.acts, arguable=frozenset(), arguable_arguments=frozenset())
    return Facts(firm(facts.things), acts, firm(facts.links))


def held_against(found: Facts, annotation: Gold, document: Document) -> Card:
    """The card of facts, from whatever side, against all that one annotator wrote."""
    return scored(found, demanded(facts_of_gold(annotation, document)), document)


def scored(found: Facts, wanted: Facts, document: Document) -> Card:
    """The card of facts against others."""
    return score(found, wanted, Card(document.id, "", len(document.text)), SYMMETRIC)


def pairs_of(a: Facts, b: Facts) -> tuple[Pairs, Pairs, Pairs]:
    """Index in A -> index in B, for entities, events and relations."""
    things = match_things(a, b)
    to_b = {a.things[i].id: b.things[j].id for i, j in things.items()}

    def same(mine: object, theirs: object) -> bool:
        return to_b.get(mine) == theirs and mine in to_b

    return things, match_acts(a, b, same), match_links(a, b, same, SYMMETRIC)


def adjudicated(first: Gold, second: Gold, document: Document, decisions: dict[str, Any]) -> Gold:
    """One gold annotation out of two."""
    a, b = demanded(facts_of_gold(first, document)), demanded(facts_of_gold(second, document))
    things, acts, links = pairs_of(a, b)
    entities, of_a, of_b = joined_entities(first, second, things)
    events = [joined_event(first.events[i], second.events[j], of_a, of_b, decisions) for i, j in acts.items()]
    events += [alone(event, of_a) for i, event in enumerate(first.events) if i not in acts]
    events += [alone(event, of_b) for j, event in enumerate(second.events) if j not in acts.values()]
    relations = [joined_relation(first.relations[i], second.relations[j], of_a) for i, j in links.items()]
    relations += [lone_relation(r, of_a) for i, r in enumerate(first.relations) if i not in links]
    relations += [lone_relation(r, of_b) for j, r in enumerate(second.relations) if j not in links.values()]
    place = {id(event): document.text.find(event.evidence) for event in events}
    return Gold(
        document=document.id, annotators=("A", "B"), entities=tuple(entities),
        events=tuple(sorted(events, key=lambda e: (place[id(e)], e.type))),
        relations=tuple(r for r in relations if r.subject != r.object and (not r.optional or joins(r, entities))),
    )  # fmt: skip


def joins(relation: GoldRelation, entities: list[Any]) -> bool:
    """Whether its predicate joins such entities: not always, where the other annotator's type of one of them stands."""
    types = {entity.id: entity.type for entity in entities}
    predicate = ONTOLOGY.predicates[relation.predicate]
    return types[relation.subject] in predicate.subject and types[relation.object] in predicate.object


def joined_entities(first: Gold, second: Gold, things: Pairs) -> tuple[list[Any], Ids, Ids]:
    """The entities of both, and the new ids of each annotator's."""
    entities, of_a, of_b = [], {}, {}
    for i, mine in enumerate(first.entities):
        of_a[mine.id] = number = len(entities) + 1
        update: dict[str, Any] = {"id": number, "optional": True}
        if i in things:
            theirs = second.entities[things[i]]
            of_b[theirs.id] = number
            aliases = dict.fromkeys((*mine.aliases, theirs.name, *theirs.aliases))
            update |= {
                "aliases": tuple(x for x in aliases if x != mine.name),
                "optional": mine.optional and theirs.optional,
            }
            update["type"] = decided_type(mine.type, theirs.type)
        entities.append(mine.model_copy(update=update))
    for theirs in second.entities:
        if theirs.id not in of_b:
            of_b[theirs.id] = len(entities) + 1
            entities.append(theirs.model_copy(update={"id": len(entities) + 1, "optional": True}))
    return entities, of_a, of_b


def decided_type(mine: str, theirs: str) -> str:
    """Entity types that differ: the narrower one stands."""
    order = [
        "person",
        "office",
        "country",
        "document",
        "armed_group",
        "media",
        "company",
        "government_body",
        "place",
        "conflict",
        "organization",
        "object",
        "group",
    ]
    return min(mine, theirs, key=order.index)


def renumbered(event: GoldEvent, ids: Ids) -> GoldEvent:
    return event.model_copy(
        update={
            "actors": tuple(ids[i] for i in event.actors),
            "recipients": tuple(ids[i] for i in event.recipients),
            "participants": tuple(p.model_copy(update={"entity": ids[p.entity]}) for p in event.participants),
            "place": event.place and ids[event.place],
            "source": event.source and ids[event.source],
        }
    )


def alone(event: GoldEvent, ids: Ids) -> GoldEvent:
    return renumbered(event, ids).model_copy(update={"optional": True})


def joined_event(mine: GoldEvent, theirs: GoldEvent, of_a: Ids, of_b: Ids, decisions: dict[str, Any]) -> GoldEvent:
    """A's event where both agree; what they differ on is arguable."""
    a, b = renumbered(mine, of_a), renumbered(theirs, of_b)
    arguable = [name for name in ("type", "modality", "source") if getattr(a, name) != getattr(b, name)]
    arguable += ["modes"] if set(a.modes) != set(b.modes) else []
    arguable += ["time"] if days(a.time) != days(b.time) else []
    arguable += ["figures"] if any(getattr(a, name) != getattr(b, name) for name in FIGURES) else []
    left, right = arguments(a), arguments(b)
    parts = [{"role": role, "entity": entity} for role, entity in sorted(left ^ right)]
    update: dict[str, Any] = {
        "optional": a.optional and b.optional,
        "arguable": tuple(arguable),
        "arguable_parts": tuple(GoldPart(**part) for part in parts),
        "contexts": tuple(dict.fromkeys([c for c in a.contexts if c in b.contexts] + [*a.contexts, *b.contexts]))[:3],
    }
    decision = decisions.get(a.evidence, {})
    if decision:
        update |= decision
        update["arguable"] = tuple(name for name in arguable if name not in decision)
    return a.model_copy(update=update)


def arguments(event: GoldEvent) -> set[tuple[str, int]]:
    found = {("actor", i) for i in event.actors} | {("recipient", i) for i in event.recipients}
    found |= {(part.role, part.entity) for part in event.participants}
    return found | ({("place", event.place)} if event.place else set())


def days(time: GoldTime | None) -> tuple[Any, Any] | None:
    return (time.start, time.end) if time and time.start else None


def joined_relation(mine: GoldRelation, theirs: GoldRelation, ids: Ids) -> GoldRelation:
    return lone_relation(mine, ids).model_copy(update={"optional": mine.optional and theirs.optional})


def lone_relation(relation: GoldRelation, ids: Ids) -> GoldRelation:
    update = {"subject": ids[relation.subject], "object": ids[relation.object], "optional": True}
    return relation.model_copy(update=update | {"source": relation.source and ids[relation.source]})


def written(gold: Gold) -> str:
    """One item a line, what is empty left out."""

    def lines(items: tuple[Any, ...]) -> str:
        rows = (json.dumps(item.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False) for item in items)
        return ",\n  ".join(rows)

    return (
        f'{{"document": "{gold.document}", "annotators": ["A", "B"],\n "entities": [\n  {lines(gold.entities)}],\n'
        f' "events": [\n  {lines(gold.events)}],\n "relations": [\n  {lines(gold.relations)}]}}\n'
    )


def main(first: Path, second: Path, seeds: Path) -> None:
    decisions_file = first.parent / "decisions.json"
    decisions = json.loads(decisions_file.read_text(encoding="utf-8")) if decisions_file.exists() else {}
    cards: list[Card] = []
    for path in sorted(first.glob("*.gold.json")):
        if not (second / path.name).exists():
            print(f"{path.name}: only one annotation")
            continue
        a, b = load_gold(path), load_gold(second / path.name)
        text = (seeds / f"{a.document}.txt").read_text(encoding="utf-8")
        document = Document(id=a.document, text=text)
        cards.append(held_against(demanded(facts_of_gold(a, document)), b, document))
        gold = adjudicated(a, b, document, decisions.get(a.document, {}))
        for problem in check_gold(gold, text, ONTOLOGY):
            print(f"{path.name}: {problem}")
        (seeds / path.name).write_text(written(gold), encoding="utf-8")
    print(f"agreement over {len(cards)} documents (F1 of one annotator against the other):")
    for aspect in ASPECTS:
        print(f"  {aspect:14}{total(cards, aspect).f1 or 0:.2f}")


if __name__ == "__main__":
    main(*(Path(name) for name in sys.argv[1:4]))
