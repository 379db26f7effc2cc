"""Gold annotations: read, checked against their document, in one shape with extractions.

A gold file `<id>.gold.json` has `document` (the id), `entities`, `events` and `relations` with the
fields of an extraction, but plain strings for quotes: `evidence`, `trigger`, and for a time
`{"text", "start", "end"}` with ISO days, both included, or null where it names no interval. Entities
have ids of the annotator's own. `optional: true` marks an item on which fair coders differ: neither
rewarded nor punished. The same within an event: `arguable` names fields of it that are not scored (type,
modes, modality, source, time, figures), `arguable_parts` are arguments that may be given or not.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from extractor.errors import DocumentError
from extractor.models import Modality, Model
from extractor.ontology import Ontology
from extractor.text.grounding import TextIndex

Arguable = Literal["type", "modes", "modality", "source", "time", "figures"]


class GoldTime(Model):
    """A time expression, verbatim, and the days it names; both None where it names none."""

    text: str
    start: date | None = None
    end: date | None = None


class GoldEntity(Model):
    id: int
    type: str
    name: str
    aliases: tuple[str, ...] = ()
    name_en: str | None = None
    country: str | None = None
    sector: str | None = None
    optional: bool = False


class GoldPart(Model):
    role: str
    entity: int


class GoldEvent(Model):
    type: str
    modes: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()
    actors: tuple[int, ...] = ()
    recipients: tuple[int, ...] = ()
    participants: tuple[GoldPart, ...] = ()
    place: int | None = None
    time: GoldTime | None = None
    modality: Modality = "asserted"
    source: int | None = None
    dead: int | None = None
    injured: int | None = None
    arrested: int | None = None
    amount: str | None = None
    trigger: str
    evidence: str
    optional: bool = False
    arguable: tuple[Arguable, ...] = ()
    arguable_parts: tuple[GoldPart, ...] = ()
    note: str = ""


class GoldRelation(Model):
    subject: int
    predicate: str
    object: int
    time: GoldTime | None = None
    modality: Modality = "asserted"
    source: int | None = None
    evidence: str
    optional: bool = False
    note: str = ""


class Gold(Model):
    """All that a document says, as annotators settled it."""

    document: str
    annotators: tuple[str, ...] = ()
    entities: tuple[GoldEntity, ...] = Field(default_factory=tuple)
    events: tuple[GoldEvent, ...] = Field(default_factory=tuple)
    relations: tuple[GoldRelation, ...] = Field(default_factory=tuple)


def load_gold(path: Path) -> Gold:
    """Read a gold file. Raises DocumentError that names the file and the field."""
    try:
        return Gold.model_validate_json(path.read_bytes())
    except OSError as exc:
        raise DocumentError(f"Cannot read the gold file {path}: {exc.strerror}.") from None
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DocumentError(f"{path}: {where}: {first['msg']}.") from None


def check_gold(gold: Gold, text: str, ontology: Ontology) -> list[str]:
    """Everything that is wrong with a gold file: strings that are not in the text, unknown codes, dangling ids."""
    index = TextIndex(text)
    ids = [entity.id for entity in gold.entities]
    problems = [f"entity id {number} is used twice" for number in {i for i in ids if ids.count(i) > 1}]
    for entity in gold.entities:
        problems += _verbatim(f"entity {entity.id}", (entity.name, *entity.aliases), text)
        problems += _known(f"entity {entity.id}", [entity.type], ontology.entity_types)
        problems += _known(f"entity {entity.id}", [entity.sector] if entity.sector else [], ontology.sectors)
    for number, event in enumerate(gold.events):
        problems += _event_problems(f"event {number}", event, text, ontology, set(ids))
        if index.locate(event.evidence) is None:
            problems.append(f"event {number}: the evidence cannot be located")
    for number, relation in enumerate(gold.relations):
        problems += _relation_problems(f"relation {number}", relation, text, ontology, gold)
    return problems


def _event_problems(where: str, event: GoldEvent, text: str, ontology: Ontology, ids: set[int]) -> list[str]:
    quotes = [event.evidence, *([event.time.text] if event.time else []), *([event.amount] if event.amount else [])]
    problems = _verbatim(where, quotes, text) + _verbatim(where, [event.trigger], event.evidence)
    problems += _known(where, [event.type], ontology.types) + _known(where, event.contexts, ontology.contexts)
    if event.type in ontology.types:
        problems += _known(where, event.modes, ontology.types[event.type].modes)
    problems += _known(where, [part.role for part in event.participants], ontology.roles)
    parts = (*event.participants, *event.arguable_parts)
    used = [*event.actors, *event.recipients, *(part.entity for part in parts), event.place, event.source]
    return problems + [f"{where}: no entity {number}" for number in used if number is not None and number not in ids]


def _relation_problems(where: str, relation: GoldRelation, text: str, ontology: Ontology, gold: Gold) -> list[str]:
    types = {entity.id: entity.type for entity in gold.entities}
    problems = _verbatim(where, [relation.evidence, *([relation.time.text] if relation.time else [])], text)
    used = (relation.subject, relation.object, relation.source)
    problems += [f"{where}: no entity {number}" for number in used if number is not None and number not in types]
    predicate = ontology.predicates.get(relation.predicate)
    if predicate is None:
        return [*problems, f"{where}: {relation.predicate!r} is not in the ontology"]
    if types.get(relation.subject) not in predicate.subject or types.get(relation.object) not in predicate.object:
        ends = f"{types.get(relation.subject)} -> {types.get(relation.object)}"
        problems.append(f"{where}: {relation.predicate} does not join {ends}")
    return problems


def _verbatim(where: str, quotes: Any, text: str) -> list[str]:
    return [f"{where}: {quote!r} is not verbatim in the text" for quote in quotes if quote not in text]


def _known(where: str, words: Any, vocabulary: Any) -> list[str]:
    return [f"{where}: {word!r} is not in the ontology" for word in words if word not in vocabulary]
