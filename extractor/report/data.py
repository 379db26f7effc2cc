"""What the page needs, as plain JSON values: an index of all facts, and each document on its own."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from extractor.models import Entity, Event, Extraction, Mention, Relation, Time
from extractor.text.language import is_right_to_left


class Units:
    """Code-point offsets of one text as UTF-16 units, which is how browsers count; cheap for texts without wide characters."""

    def __init__(self, text: str) -> None:
        self._wide = [place for place, char in enumerate(text) if ord(char) > 0xFFFF]

    def __call__(self, offset: int) -> int:
        return offset + bisect_left(self._wide, offset)


def document_data(extraction: Extraction, number: int) -> dict[str, Any]:
    """One document with its text and all that its view shows."""
    document, units = extraction.document, Units(extraction.document.text)
    return {
        "n": number,
        "id": document.id,
        "title": document.title or _headline(document.text),
        "published": document.published.isoformat() if document.published else None,
        "language": document.language,
        "dir": "rtl" if is_right_to_left(document.language) else "ltr",
        "url": document.url if (document.url or "").startswith(("http://", "https://")) else None,
        "text": document.text,
        "entities": [_entity(entity, units) for entity in extraction.entities],
        "events": [_event(event, units) for event in extraction.events],
        "relations": [_relation(relation, units) for relation in extraction.relations],
        "rejections": [[r.kind, r.reason, r.detail, _quote_of(r.item)] for r in extraction.rejections],
        "provenance": {
            **extraction.provenance.model_dump(mode="json"),
            "tokens": [extraction.usage.prompt_tokens, extraction.usage.completion_tokens],
            "requests": extraction.usage.requests,
        },
    }


def index_data(extraction: Extraction, number: int) -> dict[str, Any]:
    """One document as the collection view needs it: no text, names in place of ids."""
    document = extraction.document
    names = {entity.id: entity for entity in extraction.entities}
    return {
        "n": number,
        "id": document.id,
        "title": document.title or _headline(document.text),
        "published": document.published.isoformat() if document.published else None,
        "language": document.language or "",
        "rejected": len(extraction.rejections),
        "models": extraction.provenance.models_answered or [extraction.provenance.model],
        "entities": [[e.name_en or e.name, e.name, e.type, e.country or ""] for e in extraction.entities],
        "events": [_event_row(event, names) for event in extraction.events],
        "relations": [
            [
                r.id,
                r.predicate,
                r.wikidata,
                _joined(names[r.subject]),
                _joined(names[r.object]),
                r.modality,
                r.evidence.text,
            ]
            for r in extraction.relations
        ],
    }


def _event_row(event: Event, names: dict[str, Entity]) -> dict[str, Any]:
    interval = event.time.interval if event.time else None
    everyone = [names[i] for i in (*event.actors, *event.recipients)]
    return {
        "id": event.id,
        "type": event.type,
        "modes": event.modes,
        "quad": event.quad,
        "score": event.score,
        "actors": [_joined(names[i]) for i in event.actors],
        "recipients": [_joined(names[i]) for i in event.recipients],
        "countries": sorted({e.country for e in everyone if e.country}),
        "modality": event.modality,
        "source": _joined(names[event.source]) if event.source else "",
        "from": interval.start.isoformat() if interval else None,
        "to": interval.end.isoformat() if interval else None,
        "evidence": event.evidence.text,
    }


def _joined(entity: Entity) -> str:
    """The name under which an entity is one across documents and languages."""
    return entity.name_en or entity.name


def _entity(entity: Entity, units: Units) -> dict[str, Any]:
    return {
        "id": entity.id,
        "type": entity.type,
        "name": entity.name,
        "aliases": entity.aliases,
        "name_en": entity.name_en,
        "country": entity.country,
        "sector": entity.sector,
        "at": [_range(mention, units) for mention in entity.mentions],
    }


def _event(event: Event, units: Units) -> dict[str, Any]:
    return {
        **event.model_dump(mode="json", exclude={"evidence", "trigger", "time"}),
        "time": _time(event.time, units),
        "at": _range(event.evidence, units),
        "parts": [[units(a), units(b)] for a, b in event.evidence.span.parts],
        "how": event.evidence.span.how,
        "trigger": _range(event.trigger, units) if event.trigger else None,
        "quote": event.evidence.text,
    }


def _relation(relation: Relation, units: Units) -> dict[str, Any]:
    return {
        **relation.model_dump(mode="json", exclude={"evidence", "time"}),
        "time": _time(relation.time, units),
        "at": _range(relation.evidence, units),
        "parts": [[units(a), units(b)] for a, b in relation.evidence.span.parts],
        "how": relation.evidence.span.how,
        "quote": relation.evidence.text,
    }


def _time(time: Time | None, units: Units) -> dict[str, Any] | None:
    if time is None:
        return None
    interval = time.interval.model_dump(mode="json") if time.interval else None
    counted = {"anchor": time.anchor.text} if time.anchor else {}
    return {"text": time.mention.text, "at": _range(time.mention, units), "interval": interval, **counted}


def _range(mention: Mention, units: Units) -> list[int]:
    return [units(mention.span.start), units(mention.span.end)]


def _headline(text: str) -> str:
    first = next((line.strip() for line in text.split("\n") if line.strip()), "")
    return first if len(first) <= 120 else first[:120].rsplit(" ", 1)[0] + " …"


def _quote_of(item: dict[str, Any]) -> str:
    return str(item.get("evidence") or item.get("name") or item.get("value") or "")[:400]
