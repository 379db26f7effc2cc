"""Gold annotations: read, checked against their document, in one shape with extractions.

A gold file `<id>.gold.json` has `document` (the id), `entities`, `events` and `relations` with the
fields of an extraction, but plain strings for quotes: `evidence`, `trigger`, and for a time
`{"text", "start", "end"}` with ISO days, both included, or null where it names no interval. Entities
have ids of the annotator's own. `optional: true` marks an item on which fair coders differ: neither
rewarded nor punished. The same within an event: `arguable` names fields of it that are not scored (type,
modes, modality, source, time, figures), `arguable_parts` are arguments that may be given or not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from extractor.errors import DocumentError
from extractor.models import Modality, Model
from extractor.ontology import Ontology
from extractor.text.grounding import TextIndex

Arguable = Literal["type", "modes", "modality", "source", "time", "figures"]
# The roles that an event has fields for; `arguable_parts` name them as they name the others.
OWN_ROLES = ("actor", "recipient", "place")
# Characters of a quote that an error shows.
SHOWN = 60


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
        raise DocumentError(f"{path}: {f'{where}: ' if where else ''}{first['msg']}.") from None


def check_gold(gold: Gold, text: str, ontology: Ontology) -> list[str]:
    """Everything that is wrong with a gold file, in words: `check_quotes` and `check_codes`."""
    return check_quotes(gold, text) + check_codes(gold, ontology)


def check_quotes(gold: Gold, text: str) -> list[str]:
    """What is not in the text though it should be, character for character."""
    index = TextIndex(text)
    problems = []
    for entity in gold.entities:
        problems += _verbatim(f"entity {entity.id}", (entity.name, *entity.aliases), text)
    for where, fact in _facts(gold):
        problems += _verbatim(where, [fact.time.text] if fact.time else [], text)
        problems += _verbatim(where, [fact.evidence], text) or _located(where, fact.evidence, index)
        if isinstance(fact, GoldEvent):
            problems += _verbatim(where, [fact.amount] if fact.amount else [], text)
    return problems


def check_codes(gold: Gold, ontology: Ontology) -> list[str]:
    """What is wrong whatever the text says: words that the ontology does not have, dangling and doubled ids, half intervals."""
    counted = Counter(entity.id for entity in gold.entities)
    problems = [f"entity id {number} is used twice" for number, times in counted.items() if times > 1]
    for entity in gold.entities:
        problems += _known(f"entity {entity.id}", [entity.type], ontology.entity_types, ontology)
        problems += _known(f"entity {entity.id}", [entity.sector] if entity.sector else [], ontology.sectors, ontology)
    types = {entity.id: entity.type for entity in gold.entities}
    for where, fact in _facts(gold):
        problems += _days(where, fact.time)
        if isinstance(fact, GoldEvent):
            problems += _event_codes(where, fact, types, ontology)
        else:
            problems += _relation_codes(where, fact, types, ontology)
    return problems


def _facts(gold: Gold) -> Iterator[tuple[str, GoldEvent | GoldRelation]]:
    """Events and relations, each with its name in messages."""
    for number, event in enumerate(gold.events):
        yield f"event {number}", event
    for number, relation in enumerate(gold.relations):
        yield f"relation {number}", relation


def _event_codes(where: str, event: GoldEvent, types: Mapping[int, str], ontology: Ontology) -> list[str]:
    problems = [] if event.trigger in event.evidence else [f"{where}: {_cut(event.trigger)} is not in its evidence"]
    problems += _known(where, [event.type], ontology.types, ontology)
    problems += _known(where, event.contexts, ontology.contexts, ontology)
    if event.type in ontology.types:
        problems += _known(where, event.modes, ontology.types[event.type].modes, ontology)
    problems += _known(where, [part.role for part in event.participants], ontology.roles, ontology)
    problems += _known(where, [part.role for part in event.arguable_parts], {*OWN_ROLES, *ontology.roles}, ontology)
    parts = (*event.participants, *event.arguable_parts)
    used = (*event.actors, *event.recipients, *(part.entity for part in parts), event.place, event.source)
    return problems + _dangling(where, used, types)


def _relation_codes(where: str, relation: GoldRelation, types: Mapping[int, str], ontology: Ontology) -> list[str]:
    problems = _dangling(where, (relation.subject, relation.object, relation.source), types)
    predicate = ontology.predicates.get(relation.predicate)
    if predicate is None:
        return problems + _known(where, [relation.predicate], ontology.predicates, ontology)
    start, end = types.get(relation.subject), types.get(relation.object)
    if start and end and (start not in predicate.subject or end not in predicate.object):
        problems.append(f"{where}: {relation.predicate} does not join {start} -> {end}")
    return problems


def _days(where: str, time: GoldTime | None) -> list[str]:
    """An interval has both its days, in their order; or neither, where the words name none."""
    if time is None or time.start == time.end:
        return []
    if time.start is None or time.end is None:
        return [f"{where}: the time has one of start and end, expected both or neither"]
    return [f"{where}: the time ends on {time.end}, before it starts on {time.start}"] if time.end < time.start else []


def _dangling(where: str, used: Iterable[int | None], types: Mapping[int, str]) -> list[str]:
    return [f"{where}: no entity {number}" for number in used if number is not None and number not in types]


def _verbatim(where: str, quotes: Iterable[str], text: str) -> list[str]:
    return [f"{where}: {_cut(q)} is not verbatim in the text" for q in quotes if not q.strip() or q not in text]


def _located(where: str, evidence: str, index: TextIndex) -> list[str]:
    return (
        []
        if index.locate(evidence)
        else [f"{where}: the evidence {_cut(evidence)} stands in the text only inside words"]
    )


def _known(where: str, words: Iterable[str], vocabulary: Container[str], ontology: Ontology) -> list[str]:
    return [f"{where}: {word!r} is not in the ontology {ontology.ref}" for word in words if word not in vocabulary]


def _cut(quote: str) -> str:
    """Enough of a quote to find it."""
    return repr(quote if len(quote) <= SHOWN else f"{quote[:SHOWN]}...")
