"""Recorded exchanges, played back: closed by default, recording only when it is asked for."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from extractor.errors import CassetteFormat, CassetteUnused
from extractor.llm.base import LLM, Meter, Reply, Request
from extractor.llm.cassette_diff import miss
from extractor.llm.cassette_file import (
    SHARED,
    Cassette,
    Exchange,
    Shared,
    load_cassette,
    load_shared,
    record_request,
    save_cassette,
    save_shared,
    share,
)

Mode = Literal["replay", "once", "rerecord", "live"]
ORIGIN = "Recorded from a large language model behind a loopback endpoint."

_document: ContextVar[str] = ContextVar("document", default="exchanges")


@contextmanager
def recording_for(document_id: str) -> Iterator[None]:
    """Within the block, exchanges belong to this document: its name is that of the file they go to."""
    token = _document.set(file_name(document_id))
    try:
        yield
    finally:
        _document.reset(token)


def file_name(document_id: str) -> str:
    """A document's id as a name that is safe in any folder."""
    import hashlib

    name = re.sub(r"[^\w.-]+", "-", document_id).strip("-.") or "document"
    if name == document_id and len(name) <= 80:
        return name
    return f"{name[:60]}-{hashlib.sha256(document_id.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


@dataclass(slots=True)
class Reel:
    """All exchanges of a file or of a folder (with those below it), by fingerprint."""

    place: Path
    cassettes: dict[Path, Cassette] = field(default_factory=dict)
    replies: dict[str, list[Reply]] = field(default_factory=lambda: defaultdict(list))
    homes: dict[str, Path] = field(default_factory=dict)
    played: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def load(self) -> Reel:
        shared: dict[Path, Shared] = {}
        for path in cassette_paths(self.place):
            if path.parent not in shared:
                shared[path.parent] = load_shared(path.parent)
            self.add(load_cassette(path, shared[path.parent]))
        return self

    def add(self, cassette: Cassette) -> None:
        self.cassettes[cassette.path] = cassette
        for exchange in cassette.exchanges:
            self.add_exchange(cassette.path, exchange)

    def add_exchange(self, path: Path, exchange: Exchange) -> None:
        fingerprint = exchange.request.fingerprint()
        self.replies[fingerprint].append(exchange.reply)
        self.homes[fingerprint] = path

    def play(self, fingerprint: str) -> Reply | None:
        """The next reply to a request: recorded several times, they play in order, and the last one stays."""
        replies = self.replies.get(fingerprint)
        if not replies:
            return None
        number = self.played[fingerprint]
        self.played[fingerprint] += 1
        return replies[min(number, len(replies) - 1)]

    def unused(self) -> list[tuple[Path, str]]:
        """File and fingerprint of each exchange that nothing asked for."""
        return [(self.homes[key], key) for key in self.replies if not self.played.get(key)]


def existing(place: Path) -> Path:
    """The same place. Raises CassetteFormat where nothing is there."""
    if not place.exists():
        raise CassetteFormat(f"There is no {str(place)!r}.", hint="Give a folder of cassettes, or one file.")
    return place


def cassette_paths(place: Path) -> list[Path]:
    """The cassette files of a folder and those below it; or the one file."""
    if place.is_dir():
        return sorted(path for path in place.rglob("*.json") if path.name != SHARED and not path.name.startswith("."))
    return [place] if place.exists() else []


class CassettePlayer:
    """Answers from what was recorded; a request that was not is an error that shows the nearest one.

    `place` is a cassette file or a folder of them. Order and concurrency do not matter.
    """

    def __init__(self, place: Path | str, *, meter: Meter | None = None) -> None:
        self.place = Path(place)
        self.meter = meter or Meter()
        self._reel: Reel | None = None

    @property
    def reel(self) -> Reel:
        if self._reel is None:
            self._reel = Reel(self.place).load()
        return self._reel

    async def complete(self, request: Request) -> Reply:
        reply = self.reel.play(request.fingerprint())
        if reply is None:
            recorded = [(c.path, e.request) for c in self.reel.cassettes.values() for e in c.exchanges]
            raise miss(request, self.place, recorded)
        self.meter.replayed += 1
        return reply

    def recorded_model(self) -> str | None:
        """The model that was asked, where all exchanges were asked of one."""
        asked = {exchange.request.model for cassette in self.reel.cassettes.values() for exchange in cassette.exchanges}
        return asked.pop() if len(asked) == 1 else None

    def check_used(self) -> None:
        """Raise CassetteUnused where an exchange was recorded that nothing asked for."""
        unused = self.reel.unused()
        if unused:
            names = ", ".join(f"{key[:12]} in {path.name}" for path, key in unused[:5])
            raise CassetteUnused(
                f"{len(unused)} recorded exchange(s) were not asked for: {names}.",
                hint="Remove them with extractor cassettes prune, or permit them with allow_unused=True.",
            )

    def forget(self, request: Request) -> None:
        """What was recorded stays: a cassette is what the LLM said."""

    async def aclose(self) -> None:
        """Nothing to release."""


class CassetteRecorder:
    """Asks the inner LLM and writes each exchange down as it came, one file a document.

    `once` plays what is there and records what is missing; `rerecord` asks everything and replaces the files it touches.
    `place` ending in .json is the one file for all.
    """

    def __init__(self, inner: LLM, place: Path | str, mode: Mode = "once", *, header: Mapping[str, Any] | None = None,
                 meter: Meter | None = None, omit_documents: bool = False) -> None:  # fmt: skip
        self.inner = inner
        self.place = Path(place)
        self.mode = mode
        self.header = dict(header or {})
        self.meter = meter or Meter()
        self.omit_documents = omit_documents
        self.reel = Reel(self.place).load() if mode == "once" else Reel(self.place)
        self._shared: Shared | None = None

    async def complete(self, request: Request) -> Reply:
        if self.mode == "once":
            known = self.reel.play(request.fingerprint())
            if known is not None:
                self.meter.replayed += 1
                return known
        reply = await self.inner.complete(request)
        self._write(request, reply)
        return reply

    def _write(self, request: Request, reply: Reply) -> None:
        path = self.place if self.place.suffix == ".json" else self.place / f"{_document.get()}.json"
        cassette = self.reel.cassettes.setdefault(path, Cassette(path))
        cassette.header = {"model": reply.model, **self.header}
        exchange = Exchange(record_request(request), reply)
        cassette.exchanges.append(exchange)
        self.reel.add_exchange(path, exchange)
        self.reel.played[request.fingerprint()] += 1
        shared = self._shared = self._shared or load_shared(path.parent)
        if share(request, shared):
            save_shared(path.parent, shared)
        save_cassette(cassette, omit_documents=self.omit_documents)
        self.meter.recorded += 1

    def check_used(self) -> None:
        """What was recorded was asked for."""

    def forget(self, request: Request) -> None:
        self.inner.forget(request)

    async def aclose(self) -> None:
        await self.inner.aclose()


def open_cassette(place: Path | str, mode: Mode, inner: LLM | None = None, *, header: Mapping[str, Any] | None = None,
                  meter: Meter | None = None, omit_documents: bool = False) -> LLM:  # fmt: skip
    """A player, a recorder, or the inner LLM itself, by mode."""
    if mode == "replay" or inner is None:
        return CassettePlayer(place, meter=meter)
    if mode == "live":
        return inner
    return CassetteRecorder(inner, place, mode, header=header, meter=meter, omit_documents=omit_documents)
