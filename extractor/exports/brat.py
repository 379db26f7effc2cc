"""Extractions for brat: standoff annotations beside the text, and the configuration that brat needs to show them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from extractor.models import Event, Extraction, Mention

CONFIGURATION = "annotation.conf"
TIME = "time"
LINE = re.compile(r"[^\r\n]+")


@dataclass
class Kinds:
    """The kinds of annotations in what was written: brat shows those alone that its configuration names."""

    entities: set[str] = field(default_factory=set)
    events: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)
    relations: set[str] = field(default_factory=set)
    modalities: set[str] = field(default_factory=set)

    def configuration(self) -> str:
        """The text of `annotation.conf`."""
        roles = ", ".join(f"{role}*:<ENTITY>" for role in sorted(self.roles))
        sections = {
            "entities": sorted(self.entities),
            "relations": [f"{name}\tArg1:<ENTITY>, Arg2:<ENTITY>" for name in sorted(self.relations)],
            "events": [f"{name}\t{roles}" for name in sorted(self.events)],
            "attributes": [f"Modality\tArg:<EVENT>, Value:{'|'.join(sorted(self.modalities))}"]
            if self.modalities
            else [],
        }
        return "\n".join(f"[{name}]\n" + "".join(f"{line}\n" for line in lines) for name, lines in sections.items())


class _Standoff:
    """The lines of one document's annotations; offsets in code points."""

    def __init__(self, kinds: Kinds) -> None:
        self.kinds = kinds
        self.lines: list[str] = []
        self.numbers = count(1)
        self.attributes = count(1)
        self.notes = count(1)
        self.marks: dict[str, str] = {}

    def mark(self, kind: str, mention: Mention) -> str:
        name = f"T{next(self.numbers)}"
        # A stretch over several lines is one piece in each; the words are those of the text, as brat compares them.
        pieces = [(match.start(), match.end()) for match in LINE.finditer(mention.text)]
        places = ";".join(f"{mention.span.start + start} {mention.span.start + end}" for start, end in pieces)
        words = " ".join(mention.text[start:end] for start, end in pieces)
        self.lines.append(f"{name}\t{kind} {places}\t{words}")
        return name

    def note(self, target: str, text: str) -> None:
        self.lines.append(f"#{next(self.notes)}\tAnnotatorNotes {target}\t{text}")

    def entities(self, extraction: Extraction) -> None:
        for entity in extraction.entities:
            self.kinds.entities.add(entity.type)
            self.marks[entity.id], *_ = [self.mark(entity.type, mention) for mention in entity.mentions]

    def event(self, number: int, event: Event) -> None:
        trigger = self.mark(event.type, event.trigger or event.evidence)
        marked = [(role, self.marks[entity]) for role, entity in _parts(event)]
        if event.time:
            self.kinds.entities.add(TIME)
            marked.append((TIME, self.mark(TIME, event.time.mention)))
        self.kinds.events.add(event.type)
        self.kinds.roles.update(role for role, _ in marked)
        said = [f"{event.type}:{trigger}", *(f"{role}:{mark}" for role, mark in _numbered(marked))]
        self.lines.append(f"E{number}\t" + " ".join(said))
        self.beside(number, event)

    def beside(self, number: int, event: Event) -> None:
        """What has no place in brat's events: the modality as an attribute, codes and figures as a note."""
        if event.modality != "asserted":
            self.kinds.modalities.add(event.modality)
            self.lines.append(f"A{next(self.attributes)}\tModality E{number} {event.modality}")
        if note := "; ".join(_notes(event)):
            self.note(f"E{number}", note)

    def relations(self, extraction: Extraction) -> None:
        for number, relation in enumerate(extraction.relations, 1):
            self.kinds.relations.add(relation.predicate)
            ends = f"Arg1:{self.marks[relation.subject]} Arg2:{self.marks[relation.object]}"
            self.lines.append(f"R{number}\t{relation.predicate} {ends}")
            if relation.modality != "asserted":
                self.note(f"R{number}", relation.modality)


def brat(extraction: Extraction, kinds: Kinds) -> tuple[str, str]:
    """Text and annotations: entities, triggers and times as T, events as E, relations as R. `kinds` gets to know theirs."""
    standoff = _Standoff(kinds)
    standoff.entities(extraction)
    for number, event in enumerate(extraction.events, 1):
        standoff.event(number, event)
    standoff.relations(extraction)
    return extraction.document.text, "".join(f"{line}\n" for line in standoff.lines)


def _parts(event: Event) -> Iterator[tuple[str, str]]:
    yield from (("actor", entity) for entity in event.actors)
    yield from (("recipient", entity) for entity in event.recipients)
    yield from ((part.role, part.entity) for part in event.participants)
    yield from ((role, entity) for role, entity in (("place", event.place), ("source", event.source)) if entity)


def _numbered(parts: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The second of a role is role2: brat takes each name once."""
    seen: Counter[str] = Counter()
    for role, mark in parts:
        seen[role] += 1
        yield (role if seen[role] == 1 else f"{role}{seen[role]}"), mark


def _notes(event: Event) -> Iterator[str]:
    for name, values in (("modes", event.modes), ("contexts", event.contexts)):
        if values:
            yield f"{name} {', '.join(values)}"
    for name in ("dead", "injured", "arrested", "amount"):
        if (value := getattr(event, name)) is not None:
            yield f"{name} {' '.join(str(value).split())}"
    if event.time and event.time.interval:
        yield f"days {event.time.interval.start} to {event.time.interval.end}"
