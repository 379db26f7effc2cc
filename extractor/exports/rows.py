"""Events, relations and entities as rows: PLOVER's field names, and flat tables."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from extractor.exports.names import joined
from extractor.models import Entity, Event, Extraction, Relation, Time

FORMULA = re.compile(r"[\s\ufeff\u200b]*[=+\-@\t\r＝＋－＠]")


def plover_rows(extractions: Iterable[Extraction]) -> Iterator[dict[str, Any]]:
    """One row an event, under PLOVER's field names; lists where there are several."""
    for extraction in extractions:
        document, entities = extraction.document, {entity.id: entity for entity in extraction.entities}
        for event in extraction.events:
            actors, recipients = ([entities[i] for i in ids] for ids in (event.actors, event.recipients))
            yield {
                "event_id": event.id,
                "event_type": event.type,
                "event_mode": list(event.modes),
                "event_intensity": event.score,
                "quad_code": event.quad,
                "contexts": list(event.contexts),
                "event_date": _days(event.time),
                "event_modality": event.modality,
                **_party("actor", actors),
                **_party("recipient", recipients),
                "placename": joined(entities[event.place]) if event.place else None,
                "raw_placename": entities[event.place].name if event.place else None,
                "attributed_to": joined(entities[event.source]) if event.source else None,
                "fatalities": event.dead,
                "injured": event.injured,
                "detained": event.arrested,
                "evidence": event.evidence.text,
                "publication_date": document.published.isoformat() if document.published else None,
                "language": document.language,
                "headline": document.title,
                "document_id": document.id,
                "document_path": document.path or document.id,
            }


def _party(role: str, entities: Sequence[Entity]) -> dict[str, Any]:
    return {
        f"{role}_name": [joined(entity) for entity in entities],
        f"{role}_name_raw": [entity.name for entity in entities],
        f"{role}_country": [entity.country for entity in entities],
        f"{role}_primary_sector": [entity.sector for entity in entities],
    }


def _days(time: Time | None) -> list[str] | None:
    return [time.interval.start.isoformat(), time.interval.end.isoformat()] if time and time.interval else None


def tables(extractions: Iterable[Extraction]) -> dict[str, list[dict[str, Any]]]:
    """Events, relations and entities as flat rows, each with its document and evidence."""
    rows: dict[str, list[dict[str, Any]]] = {"events": [], "relations": [], "entities": []}
    for extraction in extractions:
        names = {entity.id: joined(entity) for entity in extraction.entities}
        document = extraction.document
        where = {"document_id": document.id, "document_path": document.path or document.id}
        rows["events"] += [where | _event_row(event, names) for event in extraction.events]
        rows["relations"] += [where | _relation_row(relation, names) for relation in extraction.relations]
        for entity in extraction.entities:
            plain = entity.model_dump(include={"id", "type", "name", "name_en", "country", "sector"})
            rows["entities"].append(where | plain | {"aliases": "; ".join(entity.aliases)})
    return rows


def _event_row(event: Event, names: dict[str, str]) -> dict[str, Any]:
    return {
        "id": event.id, "type": event.type, "modes": "; ".join(event.modes), "contexts": "; ".join(event.contexts),
        "quad": event.quad,
        "score": event.score, "actors": "; ".join(names[i] for i in event.actors),
        "recipients": "; ".join(names[i] for i in event.recipients),
        "participants": "; ".join(f"{p.role}: {names[p.entity]}" for p in event.participants),
        "place": names.get(event.place or ""),
        **_time_columns(event.time), "modality": event.modality, "source": names.get(event.source or ""), "dead": event.dead,
        "injured": event.injured, "arrested": event.arrested, "amount": event.amount, "evidence": event.evidence.text,
        "evidence_start": event.evidence.span.start, "evidence_end": event.evidence.span.end,
    }  # fmt: skip


def _relation_row(relation: Relation, names: dict[str, str]) -> dict[str, Any]:
    return {
        "id": relation.id, "subject": names[relation.subject], "predicate": relation.predicate, "wikidata": relation.wikidata,
        "object": names[relation.object], **_time_columns(relation.time), "modality": relation.modality,
        "source": names.get(relation.source or ""), "evidence": relation.evidence.text,
        "evidence_start": relation.evidence.span.start, "evidence_end": relation.evidence.span.end,
    }  # fmt: skip


def _time_columns(time: Time | None) -> dict[str, Any]:
    interval = time.interval if time else None
    return {
        "time": time.mention.text if time else None,
        "from": interval.start.isoformat() if interval else None,
        "to": interval.end.isoformat() if interval else None,
        "time_flags": " ".join(interval.flags) if interval and interval.flags else None,
    }


def csv_text(rows: Sequence[dict[str, Any]]) -> str:
    """CSV, safe to open in a spreadsheet: a cell that a spreadsheet would take for a formula gets an apostrophe before it."""
    out = io.StringIO()
    if rows:
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: safe_cell(value) for name, value in row.items()} for row in rows)
    return out.getvalue()


def safe_cell(value: Any) -> Any:
    return "'" + value if isinstance(value, str) and FORMULA.match(value) else value
