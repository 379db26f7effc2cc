"""Extractions for Label Studio, and corrections made there back as gold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from extractor.errors import DocumentError
from extractor.models import Extraction, Time
from extractor.text.offsets import Offsets


def label_studio(extractions: Iterable[Extraction]) -> list[dict[str, Any]]:
    """Tasks with pre-annotations for Label Studio; offsets in UTF-16 units, as browsers count.

    Regions bear our ids: what a corrector leaves alone keeps all its fields when it comes back.
    """
    return [_task(extraction) for extraction in extractions]


def _task(extraction: Extraction) -> dict[str, Any]:
    offsets = Offsets(extraction.document.text)
    regions = [
        _region(e.id, e.mentions[0].span.start, e.mentions[0].span.end, e.type, "entity", offsets)
        for e in extraction.entities
    ]
    regions += [
        _region(e.id, e.evidence.span.start, e.evidence.span.end, e.type, "event", offsets) for e in extraction.events
    ]
    regions += [
        {
            "type": "relation",
            "from_id": r.subject,
            "to_id": r.object,
            "direction": "right",
            "labels": [r.predicate],
            "meta": {"id": r.id},
        }
        for r in extraction.relations
    ]
    data = {
        "text": extraction.document.text,
        "document": extraction.document.id,
        "extraction": extraction.model_dump(mode="json"),
    }
    return {"data": data, "predictions": [{"model_version": extraction.provenance.prompt, "result": regions}]}


def _region(name: str, start: int, end: int, label: str, control: str, offsets: Offsets) -> dict[str, Any]:
    low, high = offsets.to_utf16(start, end)
    return {
        "id": name,
        "from_name": control,
        "to_name": "text",
        "type": "labels",
        "value": {"start": low, "end": high, "labels": [label]},
    }


def gold_of_label_studio(task: dict[str, Any]) -> dict[str, Any]:
    """A corrected task as gold: regions that stayed keep their fields, new ones come bare, changed labels win.

    Raises DocumentError where the task is none of ours, or nobody annotated it.
    """
    try:
        extraction = Extraction.model_validate(task["data"]["extraction"], strict=False)
        result = next(one["result"] for one in task["annotations"] if not one.get("was_cancelled"))
        return _Gold(extraction, result).made()
    except (KeyError, IndexError, TypeError, ValueError, StopIteration, AttributeError) as exc:
        hint = "Give an export of tasks made by extractor export, each annotated by somebody, with a label on every region."
        raise DocumentError(f"Not an annotated task of ours: {exc!r}"[:200] + ".", hint=hint) from None


class _Gold:
    """Puts together what a corrector left and what was there."""

    def __init__(self, extraction: Extraction, result: list[dict[str, Any]]) -> None:
        self.text = extraction.document.text
        self.document = extraction.document.id
        self.offsets = Offsets(self.text)
        self.regions = [region for region in result if region.get("type") == "labels"]
        self.links = [region for region in result if region.get("type") == "relation"]
        self.entities = {entity.id: entity for entity in extraction.entities}
        self.events = {event.id: event for event in extraction.events}
        self.relations = list(extraction.relations)
        kept = [region["id"] for region in self.regions if region.get("from_name") == "entity"]
        self.numbers = {name: number for number, name in enumerate(kept, 1)}

    def made(self) -> dict[str, Any]:
        entities = [self.entity(region) for region in self.regions if region.get("from_name") == "entity"]
        events = [self.event(region) for region in self.regions if region.get("from_name") == "event"]
        return {
            "document": self.document, "annotators": ["label-studio"], "entities": entities, "events": events,
            "relations": [found for link in self.links if (found := self.relation(link))],
        }  # fmt: skip

    def quote(self, region: dict[str, Any]) -> str:
        start, end = self.offsets.from_utf16(region["value"]["start"], region["value"]["end"])
        return self.text[start:end]

    def entity(self, region: dict[str, Any]) -> dict[str, Any]:
        old = self.entities.get(region["id"])
        made = {"id": self.numbers[region["id"]], "type": region["value"]["labels"][0], "name": self.quote(region)}
        if old is not None:
            made |= {"aliases": old.aliases, "name_en": old.name_en, "country": old.country, "sector": old.sector}
        return made

    def event(self, region: dict[str, Any]) -> dict[str, Any]:
        old, evidence = self.events.get(region["id"]), self.quote(region)
        made: dict[str, Any] = {"type": region["value"]["labels"][0], "evidence": evidence, "trigger": evidence}
        if old is None:
            return made
        trigger = old.trigger.text if old.trigger and old.trigger.text in evidence else evidence
        return made | {
            "trigger": trigger, "modes": old.modes if old.type == made["type"] else (), "contexts": old.contexts,
            "actors": self.known(old.actors), "recipients": self.known(old.recipients),
            "participants": [
                {"role": p.role, "entity": self.numbers[p.entity]} for p in old.participants if p.entity in self.numbers
            ],
            "place": self.numbers.get(old.place or ""), "source": self.numbers.get(old.source or ""), "modality": old.modality,
            "time": _gold_time(old.time),
            "dead": old.dead, "injured": old.injured, "arrested": old.arrested, "amount": old.amount,
        }  # fmt: skip

    def relation(self, link: dict[str, Any]) -> dict[str, Any] | None:
        ends = link["from_id"], link["to_id"]
        if not set(ends) <= self.numbers.keys():
            return None
        predicate = link["labels"][0]
        made = {"subject": self.numbers[ends[0]], "predicate": predicate, "object": self.numbers[ends[1]]}
        old = next(
            (r for r in self.relations if (r.subject, r.predicate, r.object) == (ends[0], predicate, ends[1])), None
        )
        if old is None:
            return made | {"evidence": next(self.quote(region) for region in self.regions if region["id"] == ends[0])}
        self.relations.remove(old)
        return made | {
            "evidence": old.evidence.text, "time": _gold_time(old.time), "modality": old.modality,
            "source": self.numbers.get(old.source or ""),
        }  # fmt: skip

    def known(self, ids: Iterable[str]) -> list[int]:
        return [self.numbers[name] for name in ids if name in self.numbers]


def _gold_time(time: Time | None) -> dict[str, Any] | None:
    if time is None:
        return None
    interval = time.interval
    days = (interval.start.isoformat(), interval.end.isoformat()) if interval else (None, None)
    return {"text": time.mention.text, "start": days[0], "end": days[1]}
