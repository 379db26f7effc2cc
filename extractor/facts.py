"""How an answer becomes facts: checked against the ontology, located in the document, dated.

Whatever is not kept becomes a rejection with its reason. Facts still carry local ids
(`<chunk>.<number>`); merging and naming them is the next step.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TypeVar

from extractor.answers import Answer, AnswerEntity, AnswerEvent, AnswerModel, AnswerRelation, Flaw
from extractor.models import Document, Entity, Event, Mention, Participant, Rejection, Relation, Span, Time
from extractor.task import Task
from extractor.text.calendars import days_named
from extractor.text.grounding import TextIndex

T = TypeVar("T")
Raw = TypeVar("Raw", bound=AnswerModel)
MAX_COUNT = 100_000_000
ISO3 = re.compile(r"[A-Z]{3}")
DEEDS = frozenset(
    (
        "CONSULT", "SUPPORT", "COOPERATE", "AID", "RETREAT", "SANCTION", "MOBILIZE", "COERCE", "ASSAULT", "PROTEST",
    )
)  # fmt: skip
"""What has happened where it is asserted; the time of other events may be that of what is announced in them."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Entities, events and relations of one chunk, or of a document; references are entity ids."""

    entities: tuple[Entity, ...] = ()
    events: tuple[Event, ...] = ()
    relations: tuple[Relation, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Where an answer is held against: the document, its index, and the part that was asked about."""

    document: Document
    index: TextIndex
    within: Span
    chunk: int
    published: date | None
    language: str | None
    task: Task


def ground(answer: Answer, flaws: Iterable[Flaw], source: Source) -> tuple[Facts, list[Rejection]]:
    """The facts that stand, and a rejection for each item, or part of one, that does not."""
    grounder = Grounder(source)
    for flaw in flaws:
        grounder.reject(flaw.kind, "invalid", flaw.detail, flaw.item)
    limits = item_limits(source.within.end - source.within.start)
    entities = grounder.each(answer.entities, limits[0], grounder.entity, "entity")
    events = grounder.each(answer.events, limits[1], grounder.event, "event")
    relations = grounder.each(answer.relations, limits[2], grounder.relation, "relation")
    return Facts(entities, events, relations), grounder.rejections


class NotKept(Exception):
    """An item of the answer that does not stand; `each` turns it into a rejection."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


def item_limits(characters: int) -> tuple[int, int, int]:
    """The most entities, events and relations that a text of so many characters warrants."""
    return 40 + characters // 30, 20 + characters // 60, 20 + characters // 60


class Grounder:
    """Holds the answer's items against one document. Order matters: entities first."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.ontology = source.task.ontology
        self.rejections: list[Rejection] = []
        self.kept: dict[int, Entity] = {}

    def reject(self, kind: str, reason: str, detail: str, item: object) -> None:
        raw = item.model_dump(mode="json") if isinstance(item, AnswerModel) else item
        self.rejections.append(
            Rejection(
                kind=kind,
                reason=reason,
                detail=detail,
                item=raw if isinstance(raw, dict) else {"value": raw},
                chunk=self.source.chunk,
            )
        )

    def each(self, items: tuple[Raw, ...], most: int, make: Callable[[Raw], T], kind: str) -> tuple[T, ...]:
        facts = []
        for item in items[:most]:
            try:
                facts.append(make(item))
            except NotKept as exc:
                self.reject(kind, exc.reason, exc.detail, item)
        for item in items[most:]:
            self.reject(kind, "over_limit", f"more than {most} of this kind in one answer", item)
        return tuple(facts)

    # -- entities

    def entity(self, item: AnswerEntity) -> Entity:
        if item.id in self.kept:
            raise NotKept("duplicate_id", f"the id {item.id} is used twice")
        if item.type not in self.ontology.entity_types:
            raise NotKept("unknown_type", f"no entity type {item.type!r}")
        found = self.surface_forms(item)
        if not found:
            raise NotKept(self.absence(item.name), "neither its name nor an alias is in the text")
        name = found[0].text
        entity = self.kept[item.id] = Entity.trusted(
            {
                "id": f"{self.source.chunk}.{item.id}",
                "type": item.type,
                "name": name,
                "aliases": _unique([mention.text for mention in found[1:] if mention.text != name]),
                "name_en": (item.name_en or "").strip() or _english(name),
                "country": self.country(item),
                "sector": self.sector(item),
                "mentions": tuple(found),
                "share": None,
            }
        )
        return entity

    def surface_forms(self, item: AnswerEntity) -> list[Mention]:
        """Where the name and each alias stand; those that stand nowhere are let go, and said so."""
        forms = [form for form in dict.fromkeys((item.name, *item.aliases)) if form.strip()]
        places = {form: self.name(form) for form in forms}
        found = [mention for mention in places.values() if mention]
        for form, mention in places.items():
            if found and mention is None:
                self.reject("entity.name", "not_in_text", f"{form!r} is not in the text", item)
        return found

    def name(self, form: str) -> Mention | None:
        return self.mention(self.source.index.locate_name(form, within=self.source.within))

    def country(self, item: AnswerEntity) -> str | None:
        if item.country is None or ISO3.fullmatch(item.country):
            return item.country
        self.reject("entity.country", "not_iso3", f"{item.country!r} is not ISO 3166-1 alpha-3", item)
        return None

    def sector(self, item: AnswerEntity) -> str | None:
        if item.sector is None or item.sector in self.ontology.sectors:
            return item.sector
        self.reject("entity.sector", "unknown_sector", f"no sector {item.sector!r}", item)
        return None

    # -- events

    def event(self, item: AnswerEvent) -> Event:
        self.check_event(item)
        evidence = self.evidence(item.evidence)
        return Event(
            id=f"{self.source.chunk}.",
            type=item.type,
            modes=_unique(item.modes),
            contexts=self.contexts(item),
            actors=self.references("event.actor", item.actors, item),
            recipients=self.references("event.recipient", item.recipients, item),
            participants=self.participants(item),
            place=self.reference("event.place", item.place, item),
            time=self.time("event.time", evidence, item),
            modality=item.modality,
            source=self.reference("event.source", item.source, item),
            **self.figures(item, evidence),
            trigger=self.trigger(item, evidence),
            evidence=evidence,
            quad=self.ontology.quad(item.type),
            score=self.ontology.score(item.type, item.modes),
        )

    def check_event(self, item: AnswerEvent) -> None:
        event_type = self.ontology.types.get(item.type)
        if event_type is None:
            raise NotKept("unknown_type", f"no event type {item.type!r}")
        if item.modality not in self.ontology.modalities:
            raise NotKept("unknown_modality", f"no modality {item.modality!r}")
        foreign = [mode for mode in item.modes if mode not in event_type.modes]
        if foreign:
            raise NotKept("mode_of_other_type", f"{item.type} has no mode {foreign[0]!r}")

    def contexts(self, item: AnswerEvent) -> tuple[str, ...]:
        if not item.contexts:
            return ()
        known = _unique(context for context in item.contexts if context in self.ontology.contexts)
        for context in item.contexts:
            if context not in self.ontology.contexts:
                self.reject("event.context", "unknown_context", f"no context {context!r}", item)
        for context in known[3:]:
            self.reject("event.context", "over_limit", f"{context}: more than three contexts", item)
        return known[:3]

    def participants(self, item: AnswerEvent) -> tuple[Participant, ...]:
        kept = []
        for part in item.participants:
            if part.role not in self.ontology.roles:
                self.reject("event.participant", "unknown_role", f"no role {part.role!r}", item)
            elif entity := self.reference("event.participant", part.entity, item):
                kept.append(Participant(role=part.role, entity=entity))
        return _unique(kept)

    def figures(self, item: AnswerEvent, evidence: Mention) -> dict[str, int | str]:
        found: dict[str, int | str] = {}
        for figure in item.figures:
            if figure.kind in found:
                self.reject(f"event.{figure.kind}", "twice", "given twice; the first is kept", item)
            elif figure.kind == "amount":
                if mention := self.quote(figure.value, near=evidence.span):
                    found["amount"] = mention.text
                else:
                    self.reject("event.amount", "not_in_text", f"{figure.value!r} is not in the text", item)
            elif (count := _count(figure.value)) is not None:
                found[figure.kind] = count
            else:
                self.reject(f"event.{figure.kind}", "not_a_count", f"{figure.value!r} is no count in digits", item)
        return found

    def trigger(self, item: AnswerEvent, evidence: Mention) -> Mention | None:
        """Looked for inside the evidence first; one that stands nowhere is let go, and said so."""
        found = self.mention(self.source.index.locate_name(item.trigger, within=evidence.span, near=evidence.span))
        if found is None or not (evidence.span.start <= found.span.start and found.span.end <= evidence.span.end):
            self.reject("event.trigger", "not_in_evidence", f"{item.trigger!r} is not in the evidence", item)
            return None
        return found

    # -- relations

    def relation(self, item: AnswerRelation) -> Relation:
        self.check_relation(item)
        evidence = self.evidence(item.evidence)
        return Relation(
            id=f"{self.source.chunk}.",
            predicate=item.predicate,
            wikidata=self.ontology.predicates[item.predicate].wikidata,
            subject=self.kept[item.subject].id,
            object=self.kept[item.object].id,
            time=self.time("relation.time", evidence, item),
            modality=item.modality,
            source=self.reference("relation.source", item.source, item),
            evidence=evidence,
        )

    def check_relation(self, item: AnswerRelation) -> None:
        predicate = self.ontology.predicates.get(item.predicate)
        subject, target = self.kept.get(item.subject), self.kept.get(item.object)
        if predicate is None:
            raise NotKept("unknown_predicate", f"no predicate {item.predicate!r}")
        if item.modality not in self.ontology.modalities:
            raise NotKept("unknown_modality", f"no modality {item.modality!r}")
        if subject is None or target is None:
            raise NotKept("unknown_entity", "both ends of a relation are to be entities of the answer that were kept")
        if subject is target:
            raise NotKept("same_entity", "both ends are the same entity")
        if subject.type not in predicate.subject:
            raise NotKept("domain", f"the subject of {item.predicate} is not to be of type {subject.type}")
        if target.type not in predicate.object:
            raise NotKept("range", f"the object of {item.predicate} is not to be of type {target.type}")

    # -- what events and relations share

    def references(self, kind: str, ids: tuple[int, ...], item: AnswerModel) -> tuple[str, ...]:
        return _unique([found for number in ids if (found := self.reference(kind, number, item))])

    def reference(self, kind: str, number: int | None, item: AnswerModel) -> str | None:
        if number is None:
            return None
        if number in self.kept:
            return self.kept[number].id
        self.reject(kind, "unknown_entity", f"no entity {number} was kept", item)
        return None

    def time(self, kind: str, evidence: Mention, item: AnswerEvent | AnswerRelation) -> Time | None:
        expression = item.time
        if expression is None or not expression.strip():
            return None
        mention = self.quote(expression, near=evidence.span) or self.mention(
            self.source.index.locate_name(expression, near=evidence.span)
        )
        if mention is None:
            self.reject(kind, "not_in_text", f"{expression!r} is not in the text", item)
            return None
        anchor = self.day(kind, mention, item)
        interval = days_named(
            mention.text,
            published=self.source.published,
            language=self.source.language,
            ahead=_ahead(item),
        )
        return Time.trusted({"mention": mention, "interval": interval, "anchor": anchor})

    def day(self, kind: str, time: Mention, item: AnswerEvent | AnswerRelation) -> Mention | None:
        """Where the day stands that a time counts from; one that is said to count from itself counts from none."""
        if item.day is None or not item.day.strip():
            return None
        found = self.quote(item.day, near=time.span)
        if found is None:
            self.reject(kind, "not_in_text", f"{item.day!r} is not in the text", item)
        return None if found is None or found.span == time.span else found

    def evidence(self, quote: str) -> Mention:
        found = self.quote(quote)
        if found is None:
            raise NotKept(self.absence(quote), "the evidence is not in the text")
        return found

    def quote(self, quote: str, near: Span | None = None) -> Mention | None:
        within = None if near else self.source.within
        return self.mention(self.source.index.locate(quote, near=near, within=within))

    def mention(self, span: Span | None) -> Mention | None:
        return None if span is None else Mention.of(self.source.document.text, span)

    def absence(self, quote: str) -> str:
        """Why a quote is not there: out of a worked example of the prompt, or out of nowhere."""
        return "from_example" if self.source.task.examples.locate(quote) else "not_in_text"


def _ahead(item: AnswerEvent | AnswerRelation) -> bool | None:
    """Whether its time lies ahead: so of what is planned, not so of a deed that is asserted, else not known."""
    if item.modality == "future":
        return True
    is_deed = isinstance(item, AnswerEvent) and item.type in DEEDS
    return False if is_deed and item.modality == "asserted" else None


def _unique(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items)) if items else ()


def _english(name: str) -> str | None:
    """A name in Latin letters is its own English name where the LLM gives no other."""
    letters = filter(str.isalpha, name)
    return name if all(map(_is_latin, letters)) and any(map(str.isalpha, name)) else None


@lru_cache(maxsize=4096)
def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith("LATIN")


def _count(value: str) -> int | None:
    """Digits of any script, with or without separators of thousands; None for anything else."""
    digits = re.sub(r"(?<=\d)[,٬،. '\u00a0](?=\d{3}(\D|$))", "", value.strip())
    if not re.fullmatch(r"\d{1,9}", digits):
        return None
    return int(digits) if int(digits) <= MAX_COUNT else None
