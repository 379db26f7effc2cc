"""Takes what waits in an outbox through a provider's batches, step by step; each step is noted before the next is tried.

Killed at any step and started again, it goes on from there: a file is not uploaded twice, and no
batch is ordered twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from extractor.errors import (
    AnswerError,
    BadEnvelope,
    CallTimeout,
    ConnectionFailed,
    ExtractorError,
    ProviderError,
    RateLimited,
    RequestRejected,
    ServerFault,
)
from extractor.llm.base import AnswerSchema, Message, Meter, Reply, Request
from extractor.llm.batch_provider import Batch, BatchProvider, Fault
from extractor.llm.live_envelope import Arrived, read_reply
from extractor.llm.live_modes import Mode, Modes
from extractor.llm.outbox import Outbox, Part

PASSING = (CallTimeout, ConnectionFailed, ServerFault, BadEnvelope, RateLimited)
TRY_LATER = frozenset({"token_limit_exceeded", "rate_limit_exceeded", "request_limit_exceeded"})
AT_ONCE = 500
STEP = 0.2


@dataclass(slots=True)
class Delivery:
    """`poll` seconds lie between two looks at a batch. A provider that is away is waited for, up to `patience` seconds.

    A request that came back without an outcome `tries` times is given up, alone.
    """

    outbox: Outbox
    provider: BatchProvider
    meter: Meter
    mode: Mode = "auto"
    poll: float = 30.0
    patience: float = 300.0
    tries: int = 5
    most_requests: int = 50_000
    most_bytes: int = 200_000_000

    async def deliver(self, stopping: Callable[[], bool], tell: Callable[[str], None]) -> None:
        """Send what waits and fetch what comes, until nothing is under way, or `stopping` says so.

        Raises ProviderError where the provider refuses, or stays away; what is under way stays noted.
        """
        self.outbox.pack(self.most_requests, self.most_bytes)
        for part in self.outbox.parts():
            if not stopping():
                await self._send(part)
        last_word = time.monotonic()
        while not stopping() and (parts := self.outbox.parts()):
            tell(f"{len(parts):,} batches at the provider, with {sum(part.requests for part in parts):,} requests")
            try:
                for part in parts:
                    await self._advance(await self._send(part))
                last_word = time.monotonic()
            except PASSING as exc:
                if time.monotonic() - last_word > self.patience:
                    raise
                tell(f"{exc.message} Looking again in {self.poll:g} s.")
            if self.outbox.parts():
                await self._wait(stopping)
        self._give_up()

    async def _wait(self, stopping: Callable[[], bool]) -> None:
        """Until the next look; in short steps, so that a stop is heard."""
        steps = max(1, round(self.poll / STEP))
        for _ in range(steps):
            if stopping():
                return
            await asyncio.sleep(self.poll / steps)

    # -- there

    async def _send(self, part: Part) -> Part:
        """Upload and order, as far as that was not done."""
        if part.state in ("packed", "uploading"):
            part = await self._upload(part)
        if part.state in ("uploaded", "ordering"):
            part = await self._order(part)
        return part

    async def _upload(self, part: Part) -> Part:
        begun = part.state == "uploading"
        part = self.outbox.note(part, "uploading")
        path = self._path(part, "jsonl")
        with path.open("wb") as file:
            file.writelines(self.outbox.lines(part))
        name = f"extractor-{self._mark(part)}.jsonl"
        file_id = await self.provider.upload(path, name, tried_before=begun)
        part = self.outbox.note(part, "uploaded", file=file_id)
        path.unlink()
        return part

    async def _order(self, part: Part) -> Part:
        begun = part.state == "ordering"
        part = self.outbox.note(part, "ordering")
        mark = f"{self._mark(part)}-{part.tries}"
        batch = await self.provider.order(part.file or "", mark, tried_before=begun)
        return self.outbox.note(part, "ordered", batch=batch.id)

    def _mark(self, part: Part) -> str:
        return f"{self.outbox.run}-{part.number}"

    def _path(self, part: Part, ending: str) -> Path:
        return self.outbox.folder / f"part-{part.number}.{ending}"

    # -- and back

    async def _advance(self, part: Part) -> None:
        """Look at a batch that was ordered; where it is over, take what came of it."""
        batch = await self.provider.look(part.batch or "")
        if not batch.over:
            return
        if batch.status == "failed" and not batch.outputs:
            self._refused(part, batch)
            return
        gone = False
        for number, file in enumerate(batch.outputs):
            path = self._path(part, f"out{number}")
            if await self.provider.fetch(file, path):
                await self._take(path)
                path.unlink()
            else:
                gone = True
        left = self.outbox.end(part)
        if gone:
            # Answered and paid for once, and nobody has the answers any more.
            self.meter.charged(left)
        if batch.status == "cancelled":
            raise ProviderError(
                f"The batch {batch.id} was cancelled at the provider.",
                hint="Run the same command again to ask what it did not answer.",
            )

    def _refused(self, part: Part, batch: Batch) -> None:
        """The provider did not begin: for now, or because of single lines, or because of all."""
        if any(fault.code in TRY_LATER for fault in batch.faults):
            self.outbox.again(part)
            return
        keys = [orjson.loads(line)["custom_id"] for line in self.outbox.lines(part)]
        bad = {keys[fault.line - 1]: fault for fault in batch.faults if fault.line and fault.line <= len(keys)}
        if not bad:
            words = "; ".join(f"{fault.code}: {fault.message}" for fault in batch.faults) or "without a reason"
            self.outbox.end(part)
            raise ProviderError(
                f"The provider refused the batch {batch.id} ({self.provider.wire.redactor.text(words)[:300]}).",
                hint="Check the model's name, and whether the provider takes it in batches.",
            )
        self.outbox.keep((key, _rejected(fault)) for key, fault in bad.items())
        self.outbox.end(part)

    async def _take(self, path: Path) -> None:
        """Keep the outcomes in a fetched file, some hundreds at a time; lines that make no sense count as missing."""
        some: dict[str, Reply | ExtractorError] = {}
        for key, line in _lines(path):
            found = await self._outcome(key, line) if key not in some else None
            if found is not None:
                some[key] = found
            if len(some) >= AT_ONCE:
                self.outbox.keep(some.items())
                some = {}
        self.outbox.keep(some.items())

    async def _outcome(self, key: str, line: dict[str, Any]) -> Reply | ExtractorError | None:
        """What became of a request; None where it is not ours, is known already, or is worth another try."""
        asked = self.outbox.line(key)
        if asked is None:
            return None
        request = _request(orjson.loads(asked)["body"])
        response = line.get("response")
        try:
            if not isinstance(response, dict):
                error = line.get("error")
                words = error.get("message") if isinstance(error, dict) else None
                raise ServerFault(f"The batch gave no answer: {words or 'without a reason'}.")
            reply = await self._read(request, response)
        except PASSING:
            return None
        except (ProviderError, AnswerError) as exc:
            self.meter.calls += 1
            return exc
        self.meter.calls += 1
        self.meter.heard(reply)
        return reply

    async def _read(self, request: Request, response: dict[str, Any]) -> Reply:
        status = response.get("status_code")
        body = orjson.dumps(response.get("body"))
        headers = {"content-type": "application/json", "content-length": str(len(body))}
        if status != 200:
            border = self.provider.wire.border
            raise border.status(status if isinstance(status, int) else 500, headers, body, request.model)
        frame = await Modes(self.mode).frame(request.schema)
        return read_reply(Arrived(200, headers, body), request, frame, self.provider.wire.border)

    def _give_up(self) -> None:
        """Requests that no batch answers are let go, so that the others are not held up for ever."""
        tired = self.outbox.tired(self.tries)
        message = f"{self.tries} batches came back without an answer to this request."
        self.outbox.keep((key, ServerFault(message, hint="Try it again with --retry-failed.")) for key in tired)


def _lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    with path.open("rb") as file:
        for line in file:
            try:
                value = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            if isinstance(value, dict) and isinstance(value.get("custom_id"), str):
                yield value["custom_id"], value


def _request(body: dict[str, Any]) -> Request:
    """As much of a request as its answer is read by: what was said, and to which model."""
    messages = tuple(Message(one["role"], one["content"]) for one in body["messages"])
    name = ((body.get("response_format") or {}).get("json_schema") or {}).get("name", "answer")
    return Request(messages, AnswerSchema(name, "{}"), body["model"])


def _rejected(fault: Fault) -> RequestRejected:
    return RequestRejected(f"The provider does not take this request ({fault.code}): {fault.message[:300]}")
