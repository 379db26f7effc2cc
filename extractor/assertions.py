"""Two extractions compared as facts, with a difference that can be read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from extractor.models import Entity, Event, Extraction, Relation, Time


def assert_extraction(actual: Extraction, expected: Extraction | Mapping[str, Any] | str | Path) -> None:
    """Fail, and say which entities, events and relations are missing, unexpected or different.

    `expected` is an extraction, its JSON values, or the path of a JSON file. Provenance and usage are
    not compared.
    """
    __tracebackhide__ = True
    wanted = _extraction(expected)
    lines = difference(actual, wanted)
    if lines:
        raise AssertionError("The extraction differs from what was expected:\n" + "\n".join(lines))


def difference(actual: Extraction, expected: Extraction) -> list[str]:
    """What differs, a line each: `-` expected and not there, `+` there and not expected."""
    mine, theirs = facts_of(actual), facts_of(expected)
    lines: list[str] = []
    for kind in ("entity", "event", "relation", "rejection"):
        missing = [fact for fact in theirs[kind] if fact not in mine[kind]]
        extra = [fact for fact in mine[kind] if fact not in theirs[kind]]
        lines += [f"  - {kind} {fact}" for fact in missing] + [f"  + {kind} {fact}" for fact in extra]
    return lines


def facts_of(extraction: Extraction) -> dict[str, list[str]]:
    """An extraction as lines of words, by kind: names in place of ids."""
    names = {entity.id: entity.name for entity in extraction.entities}
    return {
        "entity": [_entity(entity) for entity in extraction.entities],
        "event": [_event(event, names) for event in extraction.events],
        "relation": [_relation(relation, names) for relation in extraction.relations],
        "rejection": [f"{r.kind} {r.reason}: {r.detail}" for r in extraction.rejections],
    }


def _extraction(expected: Extraction | Mapping[str, Any] | str | Path) -> Extraction:
    from extractor.models import Extraction

    if isinstance(expected, Extraction):
        return expected
    if isinstance(expected, str | Path):
        return Extraction.model_validate_json(Path(expected).read_bytes())
    return Extraction.model_validate_json(json.dumps(expected))


def _entity(entity: Entity) -> str:
    also = f" = {', '.join(sorted(entity.aliases))}" if entity.aliases else ""
    return f"{entity.type} «{entity.name}»{also} [{entity.name_en}, {entity.country}, {entity.sector}]"


def _event(event: Event, names: dict[str, str]) -> str:
    parts = [
        "/".join((event.type, *sorted(event.modes))),
        f"by {_names(event.actors, names)}",
        f"to {_names(event.recipients, names)}",
        *(f"{part.role} {names[part.entity]}" for part in event.participants),
        f"at {names[event.place]}" if event.place else "",
        _time(event.time),
        event.modality if event.modality != "asserted" else "",
        f"says {names[event.source]}" if event.source else "",
        *(
            f"{kind} {value}"
            for kind in ("dead", "injured", "arrested", "amount")
            if (value := getattr(event, kind)) is not None
        ),
        f"about {', '.join(sorted(event.contexts))}" if event.contexts else "",
        _quote(event.evidence.text, event.evidence.span.start),
    ]
    return "; ".join(part for part in parts if part)


def _relation(relation: Relation, names: dict[str, str]) -> str:
    parts = [
        f"{names[relation.subject]} {relation.predicate} {names[relation.object]}",
        _time(relation.time),
        relation.modality if relation.modality != "asserted" else "",
        f"says {names[relation.source]}" if relation.source else "",
        _quote(relation.evidence.text, relation.evidence.span.start),
    ]
    return "; ".join(part for part in parts if part)


def _names(ids: tuple[str, ...], names: dict[str, str]) -> str:
    return ", ".join(names[i] for i in ids) or "nobody"


def _time(time: Time | None) -> str:
    if time is None:
        return ""
    days = f" = {time.interval.start} to {time.interval.end}" if time.interval else ""
    return f"when {time.mention.text}{days}"


def _quote(text: str, start: int) -> str:
    return f"“{text}” at {start}"
