"""What is done with folders of cassettes: check, show, compare, prune, migrate, and exchange with the cache."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from extractor.answers import answer_schema, read_answer
from extractor.api import Extractor, run_in_background
from extractor.errors import CassetteFormat, CassetteMiss, ExtractorError
from extractor.llm.base import LLM, Reply, Request, text_digest
from extractor.llm.cache import ReplyCache
from extractor.llm.cassette import CassettePlayer, CassetteRecorder, Reel, cassette_paths, existing
from extractor.llm.cassette_file import (
    Cassette,
    Exchange,
    Shared,
    load_cassette,
    load_shared,
    save_cassette,
    save_shared,
)
from extractor.models import Extraction
from extractor.ontology import load_ontology
from extractor.ontology_text import prompt_lists
from extractor.prompts import existing_prompts, list_versions, load_prompt, prompt_names
from extractor.runs.reading.walking import SourceOptions
from extractor.runs.sources import open_source


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a cassette, or with one exchange of it: `kind` is format, stale, unused or unknown.

    Unknown are exchanges of a prompt or an ontology that is not there to be compared with: they are never removed.
    """

    path: Path
    kind: str
    detail: str
    fingerprint: str = ""


def check(place: Path, *, prompts: Path | None = None, documents: Path | None = None) -> list[Finding]:
    """Cassettes of an old format, exchanges that today's prompts and schemas no longer make, and, where a folder of
    documents is given, exchanges that nothing in it asks for."""
    today = _today(prompts)
    existing(place)
    findings, readable = [], []
    for path in cassette_paths(place):
        try:
            readable.append(load_cassette(path, load_shared(path.parent)))
        except CassetteFormat as exc:
            findings.append(Finding(path, "format", str(exc)))
    for cassette in readable:
        for exchange in cassette.exchanges:
            findings += _stale(cassette, exchange, today)
    if documents is not None:
        findings += _unused(readable, documents, prompts)
    return findings


def prune(place: Path, *, prompts: Path | None = None, documents: Path | None = None) -> int:
    """Remove the exchanges that `check` finds stale or unused; files that become empty go. Returns how many went."""
    found = check(place, prompts=prompts, documents=documents)
    unknown = {finding.fingerprint for finding in found if finding.kind == "unknown"}
    bad = {
        (finding.path, finding.fingerprint)
        for finding in found
        if finding.kind in ("stale", "unused") and finding.fingerprint not in unknown
    }
    for path in {path for path, _ in bad}:
        cassette = load_cassette(path, load_shared(path.parent))
        cassette.exchanges = [e for e in cassette.exchanges if (path, e.request.fingerprint()) not in bad]
        if cassette.exchanges:
            save_cassette(cassette)
        else:
            path.unlink()
    for folder in {path.parent for path, _ in bad}:
        _forget_unshared(folder)
    return len(bad)


def migrate(place: Path) -> int:
    """Write every cassette anew in today's format, what recurs in all into the shared file. Returns how many there are."""
    paths = cassette_paths(existing(place))
    for path in paths:
        save_cassette(load_cassette(path, load_shared(path.parent)))
    return len(paths)


def show(place: Path) -> Iterator[str]:
    """Header and facts of every cassette, as lines."""
    for path in cassette_paths(existing(place)):
        cassette = load_cassette(path, load_shared(path.parent))
        yield f"{path.name}: " + ", ".join(f"{name} {value}" for name, value in cassette.header.items() if value)
        for exchange in cassette.exchanges:
            usage = exchange.reply.usage
            cost = f"{usage.prompt}+{usage.completion} tokens"
            yield f"  {exchange.request.fingerprint()[:12]} {exchange.reply.finish_reason}, {cost}"
            yield from (f"    {fact}" for fact in answer_facts(exchange.reply.text))


def difference(old: Path, new: Path) -> Iterator[str]:
    """Two recordings side by side as facts: by document, what only one of them says."""
    before, after = ({path.name: path for path in cassette_paths(existing(place))} for place in (old, new))
    for name in sorted(before.keys() | after.keys()):
        if name not in before or name not in after:
            yield f"{name}: only in {old if name in before else new}"
            continue
        mine, theirs = _facts_of(before[name]), _facts_of(after[name])
        changed = [f"  - {fact}" for fact in mine if fact not in theirs] + [
            f"  + {fact}" for fact in theirs if fact not in mine
        ]
        if changed:
            yield f"{name}:"
            yield from changed


def answer_facts(text: str) -> list[str]:
    """What an answer says, a line a fact, names in place of ids; one line saying so where it cannot be read."""
    try:
        answer, flaws = read_answer(text)
    except ExtractorError as exc:
        return [f"unreadable: {exc.message}"]
    names = {entity.id: entity.name for entity in answer.entities}

    def named(ids: tuple[int, ...]) -> str:
        return ", ".join(names.get(number, f"?{number}") for number in ids) or "nobody"

    facts = [f"{entity.type} {entity.name} [{entity.name_en}]" for entity in answer.entities]
    for event in answer.events:
        kind = "/".join((event.type, *event.modes))
        parties = f"{named(event.actors)} -> {named(event.recipients)}"
        when = f"{event.time} ({event.day})" if event.day else event.time or "no time"
        facts.append(f"{kind}: {parties}, {when}, {event.modality}: {event.evidence}")
    for relation in answer.relations:
        facts.append(
            f"{named((relation.subject,))} {relation.predicate} {named((relation.object,))}: {relation.evidence}"
        )
    return facts + [f"invalid {flaw.kind}: {flaw.detail}" for flaw in flaws]


def import_cache(place: Path, cache: Path) -> int:
    """Put all whole recorded replies into a cache. Returns how many."""
    replies = ReplyCache(cache)
    number = 0
    for path in cassette_paths(existing(place)):
        for exchange in load_cassette(path, load_shared(path.parent)).exchanges:
            if exchange.reply.finish_reason == "stop":
                replies.set(exchange.request.fingerprint(), exchange.reply)
                number += 1
    replies.close()
    return number


def export_cache(extractions: Iterator[Extraction], cache: Path, to: Path, prompts: Path | None = None) -> int:
    """Make cassettes of a run out of the cache that served it; returns how many exchanges.

    Raises CassetteMiss where a reply is gone.
    """
    number = 0
    for extraction in extractions:
        made_by = extraction.provenance
        header = {"note": "Exported from a cache.", "prompt": made_by.prompt, "ontology": made_by.ontology}
        recorder = CassetteRecorder(OnlyCache(ReplyCache(cache)), to, "once", header=header)
        settings = {"prompt": made_by.prompt, "model": made_by.model, "prompts_dir": prompts, **made_by.parameters}
        with Extractor(llm=recorder, **settings) as extractor:
            extractor.extract(extraction.document)
        number += recorder.meter.recorded
    return number


@dataclass(slots=True)
class OnlyCache:
    """An LLM that knows what is in a cache, and nothing else."""

    cache: ReplyCache

    async def complete(self, request: Request) -> Reply:
        reply = self.cache.get(request.fingerprint())
        if reply is None:
            raise CassetteMiss(
                f"The cache {self.cache.folder} has no reply to {request.fingerprint()[:12]}.",
                hint="Run the batch again first.",
            )
        return reply

    def forget(self, request: Request) -> None:
        """Nothing is kept here."""

    async def aclose(self) -> None:
        self.cache.close()


@dataclass(frozen=True, slots=True)
class Today:
    """Digests of the fixed parts of all prompts of a folder, and of the answer schemas, and which prompts these are."""

    folder: Path
    systems: set[str] = field(default_factory=set)
    schemas: set[str] = field(default_factory=set)
    known: set[tuple[str, str]] = field(default_factory=set)


def _today(prompts: Path | None) -> Today:
    today = Today(existing_prompts(prompts))
    for name in prompt_names(today.folder):
        for version in list_versions(name, today.folder):
            prompt = load_prompt(f"{name}@{version}", today.folder)
            ontology = load_ontology(prompt.ontology)
            today.systems.add(text_digest(prompt.render_system(prompt_lists(ontology))))
            today.schemas.add(answer_schema(ontology, prompt.answer).digest)
            today.known.add((prompt.ref, ontology.ref))
    return today


def _stale(cassette: Cassette, exchange: Exchange, today: Today) -> list[Finding]:
    request, key = exchange.request, exchange.request.fingerprint()
    is_known = {message.digest for message in request.messages if message.role == "system"} <= today.systems
    if is_known and request.schema_digest in today.schemas:
        return []
    made_by = str(cassette.header.get("prompt", "")), str(cassette.header.get("ontology", ""))
    if all(made_by) and made_by not in today.known:
        detail = (
            f"{' with '.join(made_by)}, which made {key[:12]}, is not in {today.folder}; name its folder: --prompts-dir"
        )
        return [Finding(cassette.path, "unknown", detail, key)]
    if not is_known:
        return [Finding(cassette.path, "stale", f"no prompt of today has the template text of {key[:12]}", key)]
    return [Finding(cassette.path, "stale", f"the answer schema of {key[:12]} is not today's", key)]


def _unused(cassettes: list[Cassette], documents: Path, prompts: Path | None) -> list[Finding]:
    """Replay the documents under every prompt and model that was recorded; what was never asked for is unused."""
    player = CassettePlayer(documents)
    player._reel = Reel(documents)
    for cassette in cassettes:
        player.reel.add(cassette)
    pairs = {
        (str(c.header.get("prompt", "plover")), e.request.model, e.request.parameters)
        for c in cassettes
        for e in c.exchanges
    }
    for prompt, model, parameters in sorted(pairs, key=str):
        run_in_background(
            _ask_all(documents, player, {"prompt": prompt, "model": model, "prompts_dir": prompts, **dict(parameters)})
        )
    return [
        Finding(path, "unused", f"no document of {documents} asks for {key[:12]}", key)
        for path, key in player.reel.unused()
    ]


async def _ask_all(documents: Path, llm: LLM, settings: dict[str, Any]) -> None:
    extractor = Extractor(llm=llm, **settings)
    for entry in open_source(documents, SourceOptions()):
        try:
            await extractor.aextract(entry.load())
        except ExtractorError:
            # A document that is not recorded, or not readable, uses nothing.
            continue


def _forget_unshared(folder: Path) -> None:
    """Take out of the shared file what no cassette of the folder refers to any more."""
    shared = load_shared(folder)
    requests = [
        e.request
        for path in folder.glob("*.json")
        if path in cassette_paths(folder)
        for e in load_cassette(path, shared).exchanges
    ]
    texts = {message.digest for request in requests for message in request.messages}
    schemas = {request.schema_digest for request in requests}
    save_shared(
        folder,
        Shared(
            {digest: text for digest, text in shared.texts.items() if digest in texts},
            {digest: schema for digest, schema in shared.schemas.items() if digest in schemas},
        ),
    )


def _facts_of(path: Path) -> list[str]:
    cassette = load_cassette(path, load_shared(path.parent))
    return [fact for exchange in cassette.exchanges for fact in answer_facts(exchange.reply.text)]
