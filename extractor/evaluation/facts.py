"""Gold and extractions in one comparable shape: entities by index, quotes by their place in the text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from extractor.evaluation.gold import Gold, GoldEvent, GoldRelation, GoldTime
from extractor.models import Document, Entity, Event, Extraction, Mention, Relation, Span, Time
from extractor.text.folding import fold_key
from extractor.text.grounding import TextIndex

Interval = tuple[date, date] | None
ARTICLE = re.compile(r"\A(?:the|an?)\s+(?=\S)", re.IGNORECASE)
"""Before an English name: what is named `the water company` here is `water company` there."""


@dataclass(frozen=True, slots=True)
class Thing:
    """An entity: its type, and the keys by which it equals another: folded names, aliases, English name."""

    id: object
    type: str
    name: str
    keys: frozenset[str]
    english: str
    country: str | None
    sector: str | None
    optional: bool = False
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """An event. `arguments` are (role, entity id) pairs; actors, recipients and place are roles too."""

    type: str
    modes: frozenset[str]
    arguments: frozenset[tuple[str, object]]
    source: object | None
    modality: str
    time: str | None
    interval: Interval
    figures: frozenset[tuple[str, object]]
    evidence: str
    place_in_text: tuple[int, int] | None
    trigger_in_text: tuple[int, int] | None
    optional: bool = False
    share: float | None = None
    arguable: frozenset[str] = frozenset()
    arguable_arguments: frozenset[tuple[str, object]] = frozenset()


@dataclass(frozen=True, slots=True)
class Link:
    """A relation."""

    predicate: str
    subject: object
    target: object
    modality: str
    evidence: str
    place_in_text: tuple[int, int] | None
    optional: bool = False
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything one side says of one document."""

    things: tuple[Thing, ...]
    acts: tuple[Act, ...]
    links: tuple[Link, ...]


def facts_of_extraction(extraction: Extraction) -> Facts:
    return Facts(
        tuple(_thing(entity) for entity in extraction.entities),
        tuple(_act(event) for event in extraction.events),
        tuple(_link(relation) for relation in extraction.relations),
    )


def facts_of_gold(gold: Gold, document: Document) -> Facts:
    index = TextIndex(document.text)
    things = tuple(
        Thing(e.id, e.type, e.name, _keys((e.name, *e.aliases)), _english(e.name_en), e.country, e.sector, e.optional)
        for e in gold.entities
    )
    return Facts(
        things,
        tuple(_gold_act(event, index) for event in gold.events),
        tuple(_gold_link(relation, index) for relation in gold.relations),
    )


def _thing(entity: Entity) -> Thing:
    return Thing(
        id=entity.id,
        type=entity.type,
        name=entity.name,
        keys=_keys((entity.name, *entity.aliases)),
        english=_english(entity.name_en),
        country=entity.country,
        sector=entity.sector,
        share=entity.share,
    )


def _act(event: Event) -> Act:
    named = {"dead": event.dead, "injured": event.injured, "arrested": event.arrested, "amount": event.amount}
    return Act(
        type=event.type,
        modes=frozenset(event.modes),
        arguments=_arguments(
            event.actors, event.recipients, event.place, [(p.role, p.entity) for p in event.participants]
        ),
        source=event.source,
        modality=event.modality,
        time=event.time.mention.text if event.time else None,
        interval=_interval(event.time),
        figures=_figures(named),
        evidence=event.evidence.text,
        place_in_text=_place(event.evidence),
        trigger_in_text=_place(event.trigger) if event.trigger else None,
        share=event.share,
    )


def _link(relation: Relation) -> Link:
    return Link(
        relation.predicate,
        relation.subject,
        relation.object,
        relation.modality,
        relation.evidence.text,
        _place(relation.evidence),
        share=relation.share,
    )


def _gold_act(event: GoldEvent, index: TextIndex) -> Act:
    evidence = index.locate(event.evidence)
    trigger = index.locate_name(event.trigger, within=evidence, near=evidence) if evidence else None
    named = {"dead": event.dead, "injured": event.injured, "arrested": event.arrested, "amount": event.amount}
    return Act(
        type=event.type,
        modes=frozenset(event.modes),
        arguments=_arguments(
            event.actors, event.recipients, event.place, [(p.role, p.entity) for p in event.participants]
        ),
        source=event.source,
        modality=event.modality,
        time=event.time.text if event.time else None,
        interval=_gold_interval(event.time),
        figures=_figures(named),
        evidence=event.evidence,
        place_in_text=_span(evidence),
        trigger_in_text=_span(trigger),
        optional=event.optional,
        arguable=frozenset(event.arguable),
        arguable_arguments=frozenset((part.role, part.entity) for part in event.arguable_parts),
    )


def _gold_link(relation: GoldRelation, index: TextIndex) -> Link:
    return Link(
        relation.predicate,
        relation.subject,
        relation.object,
        relation.modality,
        relation.evidence,
        _span(index.locate(relation.evidence)),
        relation.optional,
    )


def _arguments(
    actors: Iterable[object], recipients: Iterable[object], place: object | None, parts: Iterable[tuple[str, object]]
) -> frozenset[tuple[str, object]]:
    found = [("actor", entity) for entity in actors] + [("recipient", entity) for entity in recipients]
    return frozenset([*found, *([("place", place)] if place is not None else []), *parts])


def _figures(named: Mapping[str, object | None]) -> frozenset[tuple[str, object]]:
    return frozenset((kind, fold_key(str(value))) for kind, value in named.items() if value is not None)


def _keys(forms: Iterable[str]) -> frozenset[str]:
    return frozenset(fold_key(ARTICLE.sub("", form)) for form in forms) - {""}


def _english(name: str | None) -> str:
    return fold_key(ARTICLE.sub("", name)) if name else ""


def _interval(time: Time | None) -> Interval:
    return (time.interval.start, time.interval.end) if time and time.interval else None


def _gold_interval(time: GoldTime | None) -> Interval:
    return (time.start, time.end) if time and time.start and time.end else None


def _place(mention: Mention) -> tuple[int, int]:
    return mention.span.start, mention.span.end


def _span(span: Span | None) -> tuple[int, int] | None:
    return (span.start, span.end) if span else None
