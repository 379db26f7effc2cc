"""What goes in and what comes out: documents, spans, entities, events, relations, extractions.

All of them are frozen pydantic models that forbid unknown fields, serialise to JSON and back without
loss, and hold no value that is filled in later. Offsets are half-open code-point offsets into
`Document.text`, which is kept exactly as it was given.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

How = Literal["exact", "folded", "fuzzy", "elided"]
Modality = Literal["asserted", "future", "hypothetical", "negated"]
Calendar = Literal["gregorian", "jalali", "hijri"]
Precision = Literal["day", "range", "week", "part_of_month", "month", "quarter", "season", "part_of_year", "year"]
# The share of passes that found a fact, 0 to 1; absent where a document was asked about once.
Share = Annotated[float | None, Field(exclude_if=lambda value: value is None)]
YearFrom = Literal["written", "weekday", "past", "future", "publication"]


# The setters of the four slots that a model is, looked up once: `object.__setattr__` looks each up again for each model.
_SLOTS = ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
_set_fields, _set_names, _set_extra, _set_private = (BaseModel.__dict__[slot].__set__ for slot in _SLOTS)
_new = object.__new__
Made = TypeVar("Made", bound="Model")


class Model(BaseModel):
    """Frozen, and closed to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def changed(self, **update: Any) -> Self:
        """A copy with some fields changed, unvalidated: `model_copy` for inner loops, at a tenth of its cost."""
        return _made(type(self), self.__dict__ | update)

    @classmethod
    def trusted(cls, fields: dict[str, Any]) -> Self:
        """A model out of all its fields, in their order, unvalidated: for values that this program made itself."""
        return _made(cls, fields)


def _made(kind: type[Made], fields: dict[str, Any]) -> Made:
    made = _new(kind)
    _set_fields(made, fields)
    _set_names(made, set(fields))
    _set_extra(made, None)
    _set_private(made, None)
    return made


class Document(Model):
    """One report, as it was given: `text` is never normalised.

    `published` is the day of publication, against which time expressions are resolved. `language`
    is an ISO 639-1 code ("fa", "ar", "en"); where it is None it is detected. `path` is where it stood in the folder
    that it was read from, with the record behind # in a file of many; absent where that is its id.
    """

    id: str
    text: str
    published: date | None = None
    language: str | None = None
    title: str | None = None
    url: str | None = None
    path: Annotated[str | None, Field(exclude_if=lambda value: value is None)] = None

    @property
    def digest(self) -> str:
        """SHA-256 of the text as UTF-8, in hex."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()


class Span(Model):
    """Where a quote stands: half-open code-point offsets, and how it was found.

    `exact`: character for character. `folded`: alike but for spelling (half-spaces, letter forms,
    digits, marks, case). `fuzzy`: within a small edit budget. `elided`: the quote left words out;
    `parts` then holds the pieces, in order, and start and end embrace them.
    """

    start: int
    end: int
    how: How = "exact"
    parts: tuple[tuple[int, int], ...] = ()

    @classmethod
    def at(cls, start: int, end: int, how: How = "exact") -> Self:
        """The span of a place that our own search found: not validated again, which is most of a span's cost."""
        return _made(cls, {"start": start, "end": end, "how": how, "parts": ()})


class Mention(Model):
    """A stretch of the document: its text, cut from the document, and where it stands."""

    text: str
    span: Span

    @classmethod
    def of(cls, text: str, span: Span) -> Self:
        """The mention at a span of a document's text."""
        return _made(cls, {"text": text[span.start : span.end], "span": span})


class TimeInterval(Model):
    """The days that a time expression names: both `start` and `end` are included, Gregorian.

    `calendar` is the one the expression is written in. `year` tells where the year came from:
    `written`, settled by the `weekday`, nearest `past` or `future` fitting one, or relative to the
    day of `publication`. `flags` names contradictions, such as `weekday_contradicts`.
    """

    start: date
    end: date
    calendar: Calendar = "gregorian"
    precision: Precision = "day"
    year: YearFrom = "written"
    flags: tuple[str, ...] = ()


class Time(Model):
    """A time expression as the document writes it, and the interval of days it names, if one.

    `anchor`: the words, elsewhere in the document, of the day that it counts from ("two days later"); absent where
    it names its days itself, or where nothing was said about it.
    """

    mention: Mention
    interval: TimeInterval | None = None
    anchor: Annotated[Mention | None, Field(exclude_if=lambda value: value is None)] = None


class Entity(Model):
    """One real-world referent in the document, however often and variously it is named."""

    id: str
    type: str
    name: str
    aliases: tuple[str, ...] = ()
    name_en: str | None = None
    country: str | None = None
    sector: str | None = None
    mentions: tuple[Mention, ...] = ()
    share: Share = None


class Participant(Model):
    """An entity's part in an event, beyond actors and recipients."""

    role: str
    entity: str


class Event(Model):
    """Something that somebody does, says or announces. Entity fields hold ids of `Extraction.entities`."""

    id: str
    type: str
    modes: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    participants: tuple[Participant, ...] = ()
    place: str | None = None
    time: Time | None = None
    modality: Modality = "asserted"
    source: str | None = None
    dead: int | None = None
    injured: int | None = None
    arrested: int | None = None
    amount: str | None = None
    trigger: Mention | None = None
    evidence: Mention
    quad: int
    score: float
    share: Share = None


class Relation(Model):
    """A lasting link between two entities. `wikidata` is the property id, or None where it is ours."""

    id: str
    predicate: str
    wikidata: str | None = None
    subject: str
    object: str
    time: Time | None = None
    modality: Modality = "asserted"
    source: str | None = None
    evidence: Mention
    share: Share = None


class Rejection(Model):
    """An item (or a part of one) of the answer that was not kept, and why.

    `kind` is entity, event, relation, or a field such as event.time; `reason` is a stable code,
    `detail` says it in words; `item` is what the LLM said; `chunk` counts from 0.
    """

    kind: str
    reason: str
    detail: str
    item: dict[str, Any] = Field(default_factory=dict)
    chunk: int = 0


class Usage(Model):
    """Tokens as the endpoint counted them, over all requests of the document, and how many there were."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0


class Provenance(Model):
    """What made this extraction: enough to make it again.

    Holds nothing that may differ between two runs over the same replies.
    """

    extractor: str
    prompt: str
    prompt_digest: str
    ontology: str
    ontology_digest: str
    model: str
    models_answered: tuple[str, ...]
    parameters: dict[str, Any] = Field(default_factory=dict)
    document_digest: str
    fingerprints: tuple[str, ...]
    chunks: int = 1
    repairs: int = 0
    splits: int = 0
    notes: tuple[str, ...] = ()


class Extraction(Model):
    """What we stand behind: every event and relation has its evidence located in `document.text`."""

    document: Document
    entities: tuple[Entity, ...] = ()
    events: tuple[Event, ...] = ()
    relations: tuple[Relation, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    provenance: Provenance
    usage: Usage = Usage()
