"""Facts of several chunks become those of one document: the same thing found twice is one.

Pure functions. Entities are joined by name, alias and English name; events by type and place in the
text; relations by their ends. Ids come from content, so equal facts have equal ids.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Any, TypeVar

from extractor.facts import Facts
from extractor.models import Entity, Event, Mention, Relation, Span
from extractor.text.folding import fold_key

T = TypeVar("T")
Fact = TypeVar("Fact", Event, Relation)


def merge_facts(parts: Sequence[Facts]) -> Facts:
    """One set of facts out of those of the chunks, in the order of the chunks."""
    if len(parts) == 1:
        entities = [_tidied(entity) for entity in parts[0].entities]
        events, relations = list(parts[0].events), list(parts[0].relations)
    else:
        entities, new_id = _join_entities([entity for part in parts for entity in part.entities])
        events = [with_event_ids(event, new_id) for part in parts for event in part.events]
        relations = [with_relation_ids(relation, new_id) for part in parts for relation in part.relations]
    return Facts(
        tuple(entities),
        tuple(_join(events, attrgetter("type"), same_event, _merge_events)),
        tuple(_join(_not_of_itself(relations), attrgetter("subject", "object"), same_relation, _merge_relations)),
    )


def identify(facts: Facts, document_digest: str) -> Facts:
    """The facts in the order of the text, with ids made of their content."""
    entities = sorted(facts.entities, key=lambda e: (_first(e), e.type, e.name))
    names = _ids("n", document_digest, [(e.type, fold_key(e.name), _first(e)) for e in entities])
    new_id = {entity.id: name for entity, name in zip(entities, names, strict=True)}
    return Facts(
        tuple([entity.changed(id=new_id[entity.id]) for entity in entities]),
        _named("v", document_digest, [(event, _event_ids(event, new_id)) for event in facts.events], _event_key),
        _named("r", document_digest, [(link, _relation_ids(link, new_id)) for link in facts.relations], _relation_key),
    )


# -- entities


def same_entity(a: Entity, b: Entity) -> bool:
    """Whether two entities of different chunks are one: the same name or the same English name, and types that agree."""
    if not types_agree(a.type, b.type) or _lies_elsewhere(a, b):
        return False
    if _key(a.name_en) and _key(a.name_en) == _key(b.name_en):
        return True
    return fold_key(a.name) == fold_key(b.name) and not english_differs(a, b)


def _join_entities(entities: Sequence[Entity]) -> tuple[list[Entity], dict[str, str]]:
    """The entities joined, and for each old id the id of what it became part of."""
    bearers = _bearers(entities)
    groups: list[list[Entity]] = []
    called: dict[str, set[int]] = {}
    for entity in entities:
        number = _group_of(entity, groups, called, bearers)
        if number is None:
            number = len(groups)
            groups.append([])
        groups[number].append(entity)
        for key in _keys(entity):
            called.setdefault(key, set()).add(number)
    new_id = {entity.id: group[0].id for group in groups for entity in group}
    return [_merge_entities(group) for group in groups], new_id


def _group_of(
    entity: Entity, groups: list[list[Entity]], called: dict[str, set[int]], bearers: dict[str, int]
) -> int | None:
    """The first group of the same entity, else the first that shares an alias; only those of a common key can be either."""
    near = sorted({number for key in _keys(entity) for number in called.get(key, ())})
    free = [number for number in near if _free(groups[number], entity)]
    same = (number for number in free if any(same_entity(entity, other) for other in groups[number]))
    alike = (number for number in free if _shares_alias(groups[number], entity, bearers))
    return next(chain(same, alike), None)


def _free(group: list[Entity], entity: Entity) -> bool:
    """Two entities of one chunk are two: the LLM saw both and told them apart."""
    return all(_chunk(other) != _chunk(entity) for other in group)


def _shares_alias(group: list[Entity], entity: Entity, bearers: dict[str, int]) -> bool:
    """Whether one is named by the other's full name, and by nobody else's."""
    for other in group:
        agree = types_agree(other.type, entity.type) and not _lies_elsewhere(other, entity)
        if agree and not english_differs(other, entity):
            shared = (_forms(other) & {fold_key(entity.name)}) | (_forms(entity) & {fold_key(other.name)})
            if any(bearers[form] == 2 for form in shared):
                return True
    return False


def _bearers(everything: Sequence[Entity]) -> dict[str, int]:
    """How many entities bear each form, over all chunks and counting those alike once in each chunk; 99 if one chunk has two."""
    per_form: dict[str, Counter[str]] = defaultdict(Counter)
    for entity in everything:
        for form in _forms(entity):
            per_form[form][_chunk(entity)] += 1
    return {form: 99 if max(chunks.values()) > 1 else min(2, len(chunks)) for form, chunks in per_form.items()}


def _merge_entities(group: list[Entity]) -> Entity:
    name = max((entity.name for entity in group), key=lambda text: (len(text.split()), -_order(group, text)))
    forms = dict.fromkeys(form for entity in group for form in (entity.name, *entity.aliases))
    mentions = {(m.span.start, m.span.end): m for entity in group for m in entity.mentions}
    return group[0].changed(
        name=name,
        aliases=tuple(form for form in forms if form != name),
        name_en=_first_given(entity.name_en for entity in group),
        country=_first_given(entity.country for entity in group),
        sector=_first_given(entity.sector for entity in group),
        mentions=tuple(mentions[place] for place in sorted(mentions)),
    )


def _tidied(entity: Entity) -> Entity:
    """One that nothing is joined to: its mentions in the order of the text, each once."""
    return entity if len(entity.mentions) == 1 and not entity.aliases else _merge_entities([entity])


def _order(group: list[Entity], text: str) -> int:
    return [entity.name for entity in group].index(text)


def types_agree(a: str, b: str) -> bool:
    """Equal, or near enough for one party to be called either in two chunks."""
    near = {"organization", "armed_group", "government_body", "company", "media", "group"}
    return a == b or {a, b} <= near


def _lies_elsewhere(a: Entity, b: Entity) -> bool:
    """Two places of one name in two countries: Tripoli in Libya, and in Lebanon."""
    return a.type == b.type == "place" and bool(a.country and b.country) and a.country != b.country


def english_differs(a: Entity, b: Entity) -> bool:
    """Both have an English name, and neither is a part of the other."""
    first, second = set((a.name_en or "").lower().split()), set((b.name_en or "").lower().split())
    return bool(first and second) and not (first <= second or second <= first)


def _forms(entity: Entity) -> set[str]:
    return {fold_key(form) for form in (entity.name, *entity.aliases)}


def _keys(entity: Entity) -> set[str]:
    """Its forms and its English name: entities that are one have one of these in common."""
    english = _key(entity.name_en)
    return _forms(entity) | {english} if english else _forms(entity)


def _key(name: str | None) -> str:
    return fold_key(name) if name else ""


def _chunk(entity: Entity) -> str:
    return entity.id.partition(".")[0]


def _first(entity: Entity) -> int:
    return min([mention.span.start for mention in entity.mentions], default=0)


# -- events and relations


def same_event(a: Event, b: Event) -> bool:
    """The same type in the same words, by actors that do not contradict one another."""
    if a.type != b.type or a.modality != b.modality or not _overlap(a.evidence.span, b.evidence.span):
        return False
    if a.trigger and b.trigger and not _touch(a.trigger.span, b.trigger.span):
        return False
    if _of_one_chunk(a, b) and _contradict(a, b, "place", "time", "dead", "injured", "arrested", "amount"):
        return False
    return all(not x or not y or set(x) & set(y) for x, y in ((a.actors, b.actors), (a.recipients, b.recipients)))


def same_relation(a: Relation, b: Relation) -> bool:
    """The same predicate between the same ends, said in the same way."""
    ends = (a.subject, a.object) == (b.subject, b.object)
    alike = a.predicate == b.predicate and ends and a.modality == b.modality
    return alike and not (_of_one_chunk(a, b) and _contradict(a, b, "time"))


def _of_one_chunk(a: Event | Relation, b: Event | Relation) -> bool:
    """Whether the LLM saw both side by side: then it told them apart where they differ."""
    return a.id.partition(".")[0] == b.id.partition(".")[0]


def _contradict(a: Event | Relation, b: Event | Relation, *fields: str) -> bool:
    """Whether both say something of one of the fields, and not the same."""
    pairs = [(getattr(a, name), getattr(b, name)) for name in fields]
    return any(x is not None and y is not None and x != y for x, y in pairs)


def _join(
    facts: Iterable[Fact],
    kind: Callable[[Fact], Hashable],
    same: Callable[[Fact, Fact], bool],
    merge: Callable[[Fact, Fact], Fact],
) -> list[Fact]:
    """Those that are the same merged into the first of them; only facts of one kind can be the same."""
    joined: list[Fact] = []
    of_kind: dict[Hashable, list[int]] = defaultdict(list)
    for fact in facts:
        near = of_kind[kind(fact)]
        place = next((number for number in near if same(joined[number], fact)), None)
        if place is None:
            near.append(len(joined))
            joined.append(fact)
        else:
            joined[place] = merge(joined[place], fact)
    return joined


def _merge_events(a: Event, b: Event) -> Event:
    """The first, with what only the second knows; the mode of the greater weight settles the score."""
    stronger = max((a, b), key=lambda event: (abs(event.score), event is a))
    update: dict[str, object] = {
        "modes": _union(a.modes, b.modes),
        "contexts": _union(a.contexts, b.contexts)[:3],
        "actors": _union(a.actors, b.actors),
        "recipients": _union(a.recipients, b.recipients),
        "participants": _union(a.participants, b.participants),
        "score": stronger.score,
    }
    optional = ("place", "time", "source", "dead", "injured", "arrested", "amount", "trigger")
    update |= {name: _first_given((getattr(a, name), getattr(b, name))) for name in optional}
    return a.changed(**update)


def _not_of_itself(relations: Iterable[Relation]) -> list[Relation]:
    return [relation for relation in relations if relation.subject != relation.object]


def _merge_relations(a: Relation, b: Relation) -> Relation:
    return a.changed(**{name: _first_given((getattr(a, name), getattr(b, name))) for name in ("time", "source")})


def with_event_ids(event: Event, new_id: dict[str, str]) -> Event:
    """The event with other ids for its entities."""
    return event.changed(**_event_ids(event, new_id))


def _event_ids(event: Event, new_id: dict[str, str]) -> dict[str, Any]:
    participants = [part.changed(entity=new_id[part.entity]) for part in event.participants]
    return {
        "actors": _renamed(event.actors, new_id),
        "recipients": _renamed(event.recipients, new_id),
        "participants": tuple(dict.fromkeys(participants)),
        "place": event.place and new_id[event.place],
        "source": event.source and new_id[event.source],
    }


def _renamed(ids: tuple[str, ...], new_id: dict[str, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([new_id[i] for i in ids])) if ids else ()


def with_relation_ids(relation: Relation, new_id: dict[str, str]) -> Relation:
    """The relation with other ids for its entities."""
    return relation.changed(**_relation_ids(relation, new_id))


def _relation_ids(relation: Relation, new_id: dict[str, str]) -> dict[str, Any]:
    return {
        "subject": new_id[relation.subject],
        "object": new_id[relation.object],
        "source": relation.source and new_id[relation.source],
    }


def _overlap(a: Span, b: Span) -> bool:
    """At least half of the shorter stretch lies in the longer."""
    shared = min(a.end, b.end) - max(a.start, b.start)
    return shared > 0 and 2 * shared >= min(a.end - a.start, b.end - b.start)


def _touch(a: Span, b: Span) -> bool:
    return max(a.start, b.start) < min(a.end, b.end)


# -- ids


def _event_key(event: Event, ids: dict[str, Any]) -> tuple[object, ...]:
    trigger = event.trigger.span.start if event.trigger else -1
    who = ids["actors"], ids["recipients"]
    return (*_place(event.evidence), trigger, event.type, event.modality, event.modes, *who)


def _relation_key(relation: Relation, ids: dict[str, Any]) -> tuple[object, ...]:
    return (*_place(relation.evidence), relation.predicate, ids["subject"], ids["object"], relation.modality)


def _place(mention: Mention) -> tuple[int, int]:
    return mention.span.start, mention.span.end


def _named(
    prefix: str,
    digest: str,
    facts: Iterable[tuple[Fact, dict[str, Any]]],
    key: Callable[[Fact, dict[str, Any]], tuple[object, ...]],
) -> tuple[Fact, ...]:
    """The facts, each with the new ids of its entities, in the order of their keys, with ids made of these."""
    keyed = sorted([(key(fact, ids), fact, ids) for fact, ids in facts], key=itemgetter(0))
    names = _ids(prefix, digest, [found for found, _, _ in keyed])
    return tuple([fact.changed(id=name, **ids) for (_, fact, ids), name in zip(keyed, names, strict=True)])


def _ids(prefix: str, digest: str, keys: Sequence[tuple[object, ...]]) -> list[str]:
    """Ten hex digits of what each item is; the second of two equal ones gets a number behind."""
    seen: dict[str, int] = {}
    ids = []
    for key in keys:
        name = prefix + hashlib.sha256(repr((digest, key)).encode("utf-8", "surrogatepass")).hexdigest()[:10]
        times = seen.get(name, 0)
        ids.append(f"{name}-{times}" if times else name)
        seen[name] = times + 1
    return ids


def _union(*groups: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(chain.from_iterable(groups)))


def _first_given(values: Iterable[T | None]) -> T | None:
    return next((value for value in values if value is not None), None)
