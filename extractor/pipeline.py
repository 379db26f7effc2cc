"""One document, from its text to its extraction: chunks, questions, answers, facts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass, field, replace

from extractor.agreement import agree
from extractor.answers import Answer, Flaw, read_answer
from extractor.dating import date_anaphora
from extractor.errors import CallTimeout, DocumentError, RequestRejected, Truncated, Unreadable
from extractor.facts import Facts, Source, ground
from extractor.llm.base import LLM, Reply, Request
from extractor.llm.cassette import recording_for
from extractor.llm.clock import on_the_clock
from extractor.merging import identify, merge_facts
from extractor.models import Document, Extraction, Provenance, Rejection, Span, Usage
from extractor.recovery import recover
from extractor.task import Parameters, Task
from extractor.text.chunking import Chunk, chunk_text, halve
from extractor.text.grounding import TextIndex
from extractor.text.language import detect_language
from extractor.version import VERSION

UNDATED = "no day of publication: only times that are written with their year are resolved"


@dataclass(frozen=True, slots=True)
class Options:
    """How a document is asked about. Sizes in characters, times in seconds a chunk."""

    model: str
    parameters: Parameters = ()
    chunk_size: int = 8000
    chunk_overlap: int = 400
    max_document_chars: int = 1_000_000
    document_timeout: float = 900.0
    passes: int = 1

    def in_pass(self, number: int) -> Options:
        """The options of one pass (from 1): a later one asks the same under a fingerprint of its own, and with the next seed."""
        if number == 1:
            return self
        parameters = dict(self.parameters)
        if "seed" in parameters:
            parameters["seed"] = int(parameters["seed"]) + number - 1
        return replace(self, parameters=(*parameters.items(), ("pass", number)))


@dataclass(frozen=True, slots=True)
class Answered:
    """What the LLM said about one chunk: its words, and what they come to item by item."""

    chunk: Chunk
    text: str
    answer: Answer
    flaws: tuple[Flaw, ...]


# All that was answered in one pass over a document, chunk by chunk.
Answers = tuple[Answered, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A document with all that was answered about it, pass by pass; nothing of it is grounded yet."""

    document: Document
    passes: tuple[Answers, ...]
    provenance: Provenance
    usage: Usage


@dataclass(slots=True)
class Trail:
    """The requests made for one document, in order, and what they cost."""

    fingerprints: list[str] = field(default_factory=list)
    models: dict[str, None] = field(default_factory=dict)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    repairs: int = 0
    splits: int = 0
    recovered: dict[str, None] = field(default_factory=dict)

    def note(self, request: Request, reply: Reply) -> None:
        self.fingerprints.append(request.fingerprint())
        self.models[reply.model] = None
        self.prompt_tokens += reply.usage.prompt
        self.completion_tokens += reply.usage.completion
        self.cached_tokens += reply.usage.cached

    def add(self, other: Trail) -> None:
        """What was asked after it, or beside it."""
        self.fingerprints += other.fingerprints
        self.models |= other.models
        self.prompt_tokens += other.prompt_tokens
        self.completion_tokens += other.completion_tokens
        self.cached_tokens += other.cached_tokens
        self.repairs += other.repairs
        self.splits += other.splits
        self.recovered |= other.recovered

    def usage(self) -> Usage:
        return Usage(
            requests=len(self.fingerprints),
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            cached_tokens=self.cached_tokens,
        )


async def extract_document(document: Document, task: Task, llm: LLM, options: Options) -> Extraction:
    """Everything the document says, each fact with its place in the text.

    Raises DocumentError for a text that cannot be asked about, AnswerError where the LLM's answer
    cannot be used, ProviderError where there is none.
    """
    return ground_document(await ask_document(document, task, llm, options), task)


async def ask_document(document: Document, task: Task, llm: LLM, options: Options) -> Asked:
    """The first half of it: what the LLM answers. Raises as `extract_document` does."""
    document = check_document(document, options.max_document_chars)
    chunks = chunk_text(document.text, size=options.chunk_size, overlap=options.chunk_overlap)
    asking = [Asking(document, task, llm, options.in_pass(n), Trail()) for n in range(1, options.passes + 1)]
    limit = options.document_timeout * len(chunks) * options.passes
    try:
        async with asyncio.timeout(limit) as timeout:
            with recording_for(document.id), on_the_clock(timeout):
                passes = await _all_passes([one.all(chunks) for one in asking])
    except TimeoutError:
        raise CallTimeout(
            f"The document was not done within {limit:g} seconds.", hint="Raise document_timeout."
        ) from None
    trail = _joined([one.trail for one in asking])
    return Asked(document, passes, _provenance(document, task, options, len(chunks), trail), trail.usage())


async def _all_passes(passes: list[Coroutine[None, None, Answers]]) -> tuple[Answers, ...]:
    """What each pass was answered; they are asked side by side. Where one fails, the others are waited for: they are paid for."""
    if len(passes) == 1:
        return (await passes[0],)
    found = await asyncio.gather(*passes, return_exceptions=True)
    for one in found:
        if isinstance(one, BaseException):
            raise one
    return tuple(one for one in found if not isinstance(one, BaseException))


def _joined(trails: Sequence[Trail]) -> Trail:
    """The trails of all passes as one, in the order of the passes."""
    whole = trails[0]
    for trail in trails[1:]:
        whole.add(trail)
    return whole


def ground_document(asked: Asked, task: Task) -> Extraction:
    """The second half: what stands in the text becomes facts. Asks nothing, and takes no time but the processor's."""
    facts, rejections = _facts(asked, task)
    return Extraction(
        document=asked.document,
        entities=facts.entities,
        events=facts.events,
        relations=facts.relations,
        rejections=tuple(rejections),
        provenance=asked.provenance,
        usage=asked.usage,
    )


def check_document(document: Document, most: int) -> Document:
    """The document with its language filled in. Raises DocumentError where there is nothing to ask about."""
    if not document.text.strip():
        raise DocumentError(f"The document {document.id!r} is empty.", hint="Give a text with words in it.")
    if len(document.text) > most:
        raise DocumentError(
            f"The document {document.id!r} has {len(document.text):,} characters; at most {most:,} are taken.",
            hint="Cut it, or raise max_document_chars.",
        )
    if "\x00" in document.text:
        raise DocumentError(
            f"The document {document.id!r} holds NUL characters: it looks binary.", hint="Give plain text."
        )
    try:
        document.text.encode()
    except UnicodeEncodeError:
        hint = "Decode it again."
        raise DocumentError(
            f"The document {document.id!r} holds lone surrogates, which no encoding has.", hint=hint
        ) from None
    if document.language is not None:
        return document
    return document.model_copy(update={"language": detect_language(document.text)})


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks about the chunks of one document, one after the other: later ones are told the names met before."""

    document: Document
    task: Task
    llm: LLM
    options: Options
    trail: Trail

    async def all(self, chunks: tuple[Chunk, ...]) -> Answers:
        names: dict[str, None] = {}
        found: list[Answered] = []
        for chunk in chunks:
            answers = [answered async for answered in self.about(chunk, tuple(names))]
            names |= dict.fromkeys(entity.name for answered in answers for entity in answered.answer.entities)
            found += answers
        return tuple(found)

    async def about(self, chunk: Chunk, names: tuple[str, ...]) -> AsyncIterator[Answered]:
        """The chunk's answer, or those of its halves where it was cut off."""
        request = self.task.request(self.document, chunk, names, self.options.model, self.options.parameters)
        try:
            reply = await self.complete(request)
        except RequestRejected as exc:
            if not exc.detail.get("too_long"):
                raise
            too_long: RequestRejected | None = exc
        else:
            too_long = None
            if reply.finish_reason != "length":
                text, (answer, flaws) = await self.read(request, reply)
                yield Answered(chunk, text, answer, flaws)
                return
        halves = halve(self.document.text, chunk)
        if halves is None:
            raise too_long or _cut_off(reply)
        self.trail.splits += 1
        for half in halves:
            async for answered in self.about(half, names):
                yield answered

    async def read(self, request: Request, reply: Reply) -> tuple[str, tuple[Answer, tuple[Flaw, ...]]]:
        """The answer; asked for once more where it cannot be read."""
        try:
            return self.unwrapped(reply)
        except Unreadable as exc:
            self.trail.repairs += 1
            repair = self.task.repair(request, reply, exc.message)
        again = await self.complete(repair)
        if again.finish_reason == "length":
            raise _cut_off(again)
        try:
            return self.unwrapped(again)
        except Unreadable:
            # Twice of no use: whoever tries this document again is to be answered anew, not out of a cache.
            for asked in (request, repair):
                self.llm.forget(asked)
            raise

    def unwrapped(self, reply: Reply) -> tuple[str, tuple[Answer, tuple[Flaw, ...]]]:
        """The answer out of what it may be wrapped in; which wrappings there were is noted."""
        found = recover(reply.text)
        self.trail.recovered |= dict.fromkeys(found.how)
        return found.text, read_answer(found.text)

    async def complete(self, request: Request) -> Reply:
        reply = await self.llm.complete(request)
        self.trail.note(request, reply)
        return reply


def _cut_off(reply: Reply) -> Truncated:
    return Truncated(
        "The answer was cut off at the length limit, and the text is too short to be halved.",
        hint="Raise max_completion_tokens, or the model's context.",
        reply_text=reply.text[:2000],
    )


def _facts(asked: Asked, task: Task) -> tuple[Facts, list[Rejection]]:
    document, digest = asked.document, asked.provenance.document_digest
    index = TextIndex(document.text)
    rejections: list[Rejection] = []
    found = [merge_facts(_grounded(document, task, answered, index, rejections)) for answered in asked.passes]
    return identify(date_anaphora(agree(found), document), digest), rejections


def _grounded(
    document: Document, task: Task, answered: Sequence[Answered], index: TextIndex, rejections: list[Rejection]
) -> list[Facts]:
    """The facts of each chunk; what is not kept is added to `rejections`."""
    parts: list[Facts] = []
    for number, piece in enumerate(answered):
        within = Span(start=piece.chunk.start, end=piece.chunk.end)
        source = Source(document, index, within, number, document.published, document.language, task)
        facts, rejected = ground(piece.answer, piece.flaws, source)
        parts.append(facts)
        rejections += rejected
    return parts


def _provenance(document: Document, task: Task, options: Options, chunks: int, trail: Trail) -> Provenance:
    undated = () if document.published else (UNDATED,)
    recovered = tuple(f"answer recovered: {how}" for how in trail.recovered)
    return Provenance(
        extractor=VERSION,
        prompt=task.prompt.ref,
        prompt_digest=task.prompt.digest,
        ontology=task.ontology.ref,
        ontology_digest=task.ontology.digest,
        model=options.model,
        models_answered=tuple(trail.models),
        parameters=dict(options.parameters) | ({"passes": options.passes} if options.passes > 1 else {}),
        document_digest=document.digest,
        fingerprints=tuple(trail.fingerprints),
        chunks=chunks,
        repairs=trail.repairs,
        splits=trail.splits,
        notes=undated + recovered,
    )
