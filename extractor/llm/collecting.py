"""The LLM of a run through a provider's batches: it answers what has come back, and puts everything else into the outbox."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import orjson

from extractor.errors import ExtractorError
from extractor.llm.base import Meter, Reply, Request
from extractor.llm.budget import CHARACTERS_A_TOKEN, Limits
from extractor.llm.deferred import Deferred
from extractor.llm.grouped import Grouped
from extractor.llm.live_modes import Mode, Modes
from extractor.llm.outbox import Outbox

ENDPOINT: Final = "/v1/chat/completions"


@dataclass(slots=True)
class CollectingLLM:
    """Raises Deferred for what has no outcome yet, after it was put into the outbox; BudgetReached where it may not be.

    `asked` are the fingerprints of what was deferred.
    """

    outbox: Outbox
    mode: Mode = "auto"
    limits: Limits = field(default_factory=Limits)
    meter: Meter = field(default_factory=Meter)
    _modes: Modes = field(init=False)
    _puts: Grouped[tuple[str, bytes, int]] = field(init=False)
    asked: set[str] = field(default_factory=set)
    _adding: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._modes = Modes(self.mode)
        self._puts = Grouped(self._put)

    async def complete(self, request: Request) -> Reply:
        key = request.fingerprint()
        found = self.outbox.outcome(key)
        if isinstance(found, ExtractorError):
            # Asked again when the failed document is tried again, and not answered out of what is kept.
            self.outbox.forget(key)
            raise found
        if found is not None:
            return found
        if not self.outbox.holds(key):
            await self._add(key, request)
        self.asked.add(key)
        raise Deferred

    async def _add(self, key: str, request: Request) -> None:
        tokens = sum(len(message.content) for message in request.messages) // CHARACTERS_A_TOKEN
        waiting, estimate = self.outbox.waiting()
        self.limits.check(
            self.meter.spent(), waiting + len(self._adding), estimate + sum(self._adding.values()), tokens
        )
        self._adding[key] = tokens
        frame = await self._modes.frame(request.schema)
        body = orjson.Fragment(frame.body(request))
        line = orjson.dumps({"custom_id": key, "method": "POST", "url": ENDPOINT, "body": body})
        await self._puts.add((key, line, tokens))

    def _put(self, lines: list[tuple[str, bytes, int]]) -> None:
        self.outbox.put(lines)
        for key, _, _ in lines:
            self._adding.pop(key, None)

    def forget(self, request: Request) -> None:
        self.outbox.forget(request.fingerprint())

    async def aclose(self) -> None:
        self._puts.flush()
