"""What the LLM fills in: quotes and local ids, never offsets.

The types here are the shape of an answer; `answer_schema` narrows them to an ontology's
vocabularies and to the strict dialect of JSON Schema. The docstrings are sent to the LLM.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, TypeVar

import orjson
import pydantic_core
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.json_schema import SkipJsonSchema

from extractor.answers_rows import expanded_rows, is_rows, rows_schema
from extractor.answers_short import LISTS, expanded, is_short, shortened
from extractor.errors import Unreadable
from extractor.llm.base import AnswerSchema, canonical
from extractor.ontology import Ontology

MAX_ANSWER_CHARS = 2_000_000
Day = SkipJsonSchema[str | None]
"""The words of the day that a time counts from; only the form of rows has room for it, so no schema names it."""


class AnswerModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True)


class AnswerEntity(AnswerModel):
    """One real-world referent of the document."""

    id: int
    type: str
    name: str
    aliases: tuple[str, ...]
    name_en: str | None
    country: str | None
    sector: str | None


class AnswerPart(AnswerModel):
    """The part that an entity plays in an event, beyond acting and being acted upon."""

    role: str
    entity: int


class AnswerFigure(AnswerModel):
    """A count of people, in digits, or an amount, verbatim."""

    kind: Literal["dead", "injured", "arrested", "amount"]
    value: str


class AnswerEvent(AnswerModel):
    """Something that somebody does, says or announces, with the words that prove it."""

    evidence: str
    trigger: str
    type: str
    modes: tuple[str, ...]
    contexts: tuple[str, ...]
    actors: tuple[int, ...]
    recipients: tuple[int, ...]
    participants: tuple[AnswerPart, ...]
    place: int | None
    time: str | None
    day: Day = None
    modality: str
    source: int | None
    figures: tuple[AnswerFigure, ...]


class AnswerRelation(AnswerModel):
    """A lasting link between two entities, with the words that prove it."""

    evidence: str
    subject: int
    predicate: str
    object: int
    time: str | None
    day: Day = None
    modality: str
    source: int | None


class Answer(AnswerModel):
    """All entities, events and relations of the document."""

    entities: tuple[AnswerEntity, ...]
    events: tuple[AnswerEvent, ...]
    relations: tuple[AnswerRelation, ...]


@dataclass(frozen=True, slots=True)
class Flaw:
    """An item of an answer that is not of its type: what it was, and what was wrong."""

    kind: str
    detail: str
    item: dict[str, Any] = field(default_factory=dict)


Item = TypeVar("Item", AnswerEntity, AnswerEvent, AnswerRelation)


def answer_schema(ontology: Ontology, form: int = 1) -> AnswerSchema:
    """The strict JSON Schema of an answer under this ontology, in the form that a prompt names. Made once for each."""
    return _schema(ontology.digest, form, lambda: vocabularies(ontology))


def vocabularies(ontology: Ontology) -> dict[tuple[str, str], list[str]]:
    """Which field of which type is narrowed to which words."""
    modes = dict.fromkeys(mode for event_type in ontology.types.values() for mode in event_type.modes)
    modalities = list(ontology.modalities)
    return {
        ("AnswerEntity", "type"): list(ontology.entity_types),
        ("AnswerEntity", "sector"): list(ontology.sectors),
        ("AnswerPart", "role"): list(ontology.roles),
        ("AnswerEvent", "type"): list(ontology.types),
        ("AnswerEvent", "modes"): list(modes),
        ("AnswerEvent", "contexts"): list(ontology.contexts),
        ("AnswerEvent", "modality"): modalities,
        ("AnswerRelation", "predicate"): list(ontology.predicates),
        ("AnswerRelation", "modality"): modalities,
    }


def read_answer(text: str) -> tuple[Answer, tuple[Flaw, ...]]:
    """An answer from its text, item by item: what is not of its type becomes a flaw, the rest stays.

    Raises Unreadable where the text is no JSON object of the answer's shape, or where it holds
    items and not one of them is of its type.
    """
    if len(text) > MAX_ANSWER_CHARS:
        raise _unreadable(text, f"an answer of {len(text):,} characters; at most {MAX_ANSWER_CHARS:,} are read")
    text = _whole_characters(text)
    raw = _loaded(text)
    body: str | bytes = text
    strays = _beside(raw)
    if is_rows(raw):
        full, said = expanded_rows(raw)
        body = _in_full(full, text)
        strays += tuple(Flaw(f"{one.kind}.part", f"{one.said!r}: {one.why}", {"said": one.said}) for one in said)
    elif is_short(raw):
        body = _in_full(expanded(raw), text)
    try:
        return Answer.model_validate_json(body), strays
    except ValidationError as exc:
        answer, flaws = _item_by_item(body, text, exc)
        return answer, (*flaws, *strays)


def _whole_characters(text: str) -> str:
    """The text without halves of characters (lone surrogates), which no file and no database takes."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _beside(raw: Any) -> tuple[Flaw, ...]:
    """What stands beside the three lists of an answer is no part of it, and is told."""
    if not isinstance(raw, dict) or len(raw) <= len(LISTS):
        return ()
    names = LISTS.values() if is_short(raw) else Answer.model_fields
    return tuple(
        Flaw("answer.part", f"{name!r} is no part of an answer", {"said": str(raw[name])[:200]})
        for name in raw
        if name not in names
    )


def _item_by_item(body: str | bytes, text: str, whole: ValidationError) -> tuple[Answer, tuple[Flaw, ...]]:
    first = whole.errors(include_input=False, include_url=False)[0]
    where = f"{'.'.join(str(part) for part in first['loc']) or 'the answer'}: {first['msg']}"
    try:
        raw = pydantic_core.from_json(body, allow_inf_nan=False)
    except ValueError as exc:
        raise _unreadable(text, f"not valid JSON ({exc})") from None
    if not isinstance(raw, dict) or not all(isinstance(raw.get(name), list) for name in Answer.model_fields):
        raise _unreadable(text, where)
    flaws: list[Flaw] = []
    answer = Answer(
        entities=_items(AnswerEntity, "entity", raw["entities"], flaws),
        events=_items(AnswerEvent, "event", raw["events"], flaws),
        relations=_items(AnswerRelation, "relation", raw["relations"], flaws),
    )
    if flaws and not (answer.entities or answer.events or answer.relations):
        raise _unreadable(text, where)
    return answer, tuple(flaws)


def _items(kind: type[Item], name: str, raw: list[Any], flaws: list[Flaw]) -> tuple[Item, ...]:
    kept: list[Item] = []
    for item in raw:
        try:
            kept.append(kind.model_validate_json(pydantic_core.to_json(item)))
        except ValidationError as exc:
            first = exc.errors(include_input=False, include_url=False)[0]
            detail = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
            flaws.append(Flaw(name, detail, item if isinstance(item, dict) else {"value": item}))
    return tuple(kept)


def _loaded(text: str) -> Any:
    """The JSON value. A text that orjson writes back as it stands holds no key twice; any other is looked at more closely."""
    with suppress(orjson.JSONDecodeError, orjson.JSONEncodeError):
        found = orjson.loads(text)
        if orjson.dumps(found) == text.encode():
            return found
    return _closely_loaded(text)


def _closely_loaded(text: str) -> Any:
    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) != len(items):
            raise _unreadable(text, "a key that occurs twice in one object")
        return found

    def constant(word: str) -> Any:
        raise _unreadable(text, f"{word}, which is no number of JSON")

    def finite(word: str) -> float:
        number = float(word)
        return number if math.isfinite(number) else constant(word[:20])

    try:
        return json.loads(text, object_pairs_hook=pairs, parse_constant=constant, parse_float=finite)
    except RecursionError:
        raise _unreadable(text, "brackets nested too deeply") from None
    except ValueError as exc:
        raise _unreadable(text, f"not valid JSON ({exc})") from None


def _in_full(answer: dict[str, Any], text: str) -> bytes:
    """A short answer in the first form, as JSON again."""
    with suppress(orjson.JSONEncodeError):
        return orjson.dumps(answer)
    try:
        return canonical(answer).encode()  # numbers that are too long for orjson
    except UnicodeEncodeError:
        raise _unreadable(text, "half of a character (a lone surrogate)") from None


def _unreadable(text: str, what: str) -> Unreadable:
    return Unreadable(f"The answer could not be read: {what}.", reply_text=text[:2000])


@lru_cache(maxsize=16)
def _cached_schema(digest: str, form: int, words: str) -> AnswerSchema:
    schema = Answer.model_json_schema()
    for definition, name, values in json.loads(words):
        _narrow(schema["$defs"][definition]["properties"][name], values)
    schema = strict(schema)
    if form == 1:
        return AnswerSchema("answer", canonical(schema))
    if form == 4:
        return AnswerSchema("answer", json.dumps(rows_schema(schema), ensure_ascii=False, separators=(",", ":")))
    brief = shortened(schema)
    # A constrained LLM fills in the fields in the order of the schema: evidence before codes, entities before events.
    text = json.dumps(brief, ensure_ascii=False, separators=(",", ":")) if form == 3 else canonical(brief)
    return AnswerSchema("answer", text)


def _schema(digest: str, form: int, words: Callable[[], dict[tuple[str, str], list[str]]]) -> AnswerSchema:
    return _cached_schema(digest, form, canonical([[*key, values] for key, values in words().items()]))


def _narrow(schema: dict[str, Any], values: list[str]) -> None:
    """Put an enum at the place of the string: in the field, in its items, or beside null."""
    if schema.get("type") == "array":
        _narrow(schema["items"], values)
    elif "anyOf" in schema:
        _narrow(schema["anyOf"][0], values)
    else:
        schema["enum"] = values


def strict(schema: Any) -> Any:
    """The same schema in the strict dialect: titles and defaults gone, objects closed, all fields required."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: strict(value) for key, value in schema.items() if key != "default" and not _is_title(key, value)}
    if kept.get("type") == "object":
        kept |= {"additionalProperties": False, "required": list(kept.get("properties", {}))}
    return kept


def _is_title(key: str, value: Any) -> bool:
    return key == "title" and isinstance(value, str)
