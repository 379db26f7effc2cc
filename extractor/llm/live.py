"""The live LLM: one request over the wire, and everything it can answer told apart."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from extractor.errors import CallTimeout, ExtractorError, ProviderError, ReplyTooLarge
from extractor.llm.base import Meter, Reply, Request
from extractor.llm.live_client import Headers, Line, Wire, read_body
from extractor.llm.live_envelope import Arrived, read_reply, tokens_of
from extractor.llm.live_ladder import ModeRefused
from extractor.llm.live_modes import Frame, Mode, Modes

MAX_REPLY_BYTES = 8 * 1024 * 1024


@dataclass(slots=True)
class CallProgress:
    """How far one call came: what decides whether it may be billed, and whether to try again."""

    answer_began: bool = False


class LiveLLM:
    """Asks an OpenAI-compatible endpoint.

    `timeout` is the wall-clock limit of one call in seconds, from the moment it has a connection
    slot to the last byte. `max_reply_bytes` bounds a reply after decompression. `mode` is how the
    schema is asked for; `auto` begins with json_schema and steps down where the endpoint refuses:
    LadderLLM then asks again.
    With `trust_env` proxies, certificates and extra headers are taken from the environment.
    `on_headers` is given the headers of every answer, errors included.

    Raises SettingsError at once for a key or an address that cannot be right.
    """

    def __init__(
        self,
        *,
        api_key: str,
        base_url: str | None = None,
        mode: Mode = "auto",
        timeout: float = 180.0,
        max_reply_bytes: int = MAX_REPLY_BYTES,
        trust_env: bool = False,
        concurrency: int = 64,
        meter: Meter | None = None,
        on_headers: Headers | None = None,
    ) -> None:
        self._wire = Wire(
            api_key=api_key, base_url=base_url, timeout=timeout, trust_env=trust_env, concurrency=concurrency,
            on_headers=on_headers,
        )  # fmt: skip
        self.modes = Modes(mode)
        self.meter = meter or Meter()
        self._timeout = timeout
        self._max_reply_bytes = max_reply_bytes

    @property
    def base_url(self) -> str:
        return self._wire.base_url

    async def complete(self, request: Request) -> Reply:
        """One reply, for one call. Raises ModeRefused where the same is to be asked in the mode that is next.

        Raises ProviderError or AnswerError; DocumentError for a text that cannot be sent.
        """
        frame = await self.modes.frame(request.schema)
        body = frame.body(request)
        try:
            reply = await self._ask(request, frame, body)
        except ProviderError as exc:
            if not self.modes.step_down(frame.rung, exc):
                raise
        except ExtractorError:
            self.modes.settle(frame.rung)
            raise
        else:
            self.modes.settle(frame.rung)
            return reply
        raise ModeRefused

    def forget(self, request: Request) -> None:
        """Nothing is kept here."""

    async def aclose(self) -> None:
        """Close the connections. The next call opens new ones."""
        await self._wire.aclose()

    async def _ask(self, request: Request, frame: Frame, body: bytes) -> Reply:
        line = self._wire.connect()
        try:
            async with line.gate:
                arrived = await self._send(line, body, request.model)
            reply = self._read(arrived, request, frame)
        except ExtractorError as exc:
            kind = type(exc).__name__
            self.meter.errors[kind] = self.meter.errors.get(kind, 0) + 1
            raise
        self.meter.heard(reply)
        return reply

    def _read(self, arrived: Arrived, request: Request, frame: Frame) -> Reply:
        """The answer that came. One that is of no use was paid for all the same."""
        try:
            return read_reply(arrived, request, frame, self._wire.border)
        except ExtractorError as exc:
            exc.tokens = tokens_of(arrived, self._wire.border)
            self.meter.paid(exc.tokens)
            raise

    async def _send(self, line: Line, body: bytes, model: str) -> Arrived:
        """One call: sent once, read to its end. Every foreign exception ends here."""
        self.meter.calls += 1
        self.meter.asking += 1
        progress = CallProgress()
        try:
            async with asyncio.timeout(self._timeout):
                return await self._exchange(line, body, progress)
        except TimeoutError:
            raise self._too_late(progress) from None
        except ExtractorError:
            raise
        except Exception as exc:  # openai, httpx2 and aiohttp have no common root; all of it is translated
            translated = self._wire.translate(exc, model, progress.answer_began)
        finally:
            self.meter.asking -= 1
        # Outside of the handler: the foreign exception holds the key and the document, and is not kept as context.
        raise translated

    async def _exchange(self, line: Line, body: bytes, progress: CallProgress) -> Arrived:
        response = await line.post(body)
        progress.answer_began = True
        try:
            read = await read_body(response, self._max_reply_bytes)
        finally:
            await response.aclose()
        if read is None:
            raise ReplyTooLarge(
                f"The reply of {self._wire.border.place} has more than {self._max_reply_bytes:,} bytes; no answer has.",
                cap=self._max_reply_bytes,
            )
        return Arrived(response.status_code, response.headers, read)

    def _too_late(self, progress: CallProgress) -> CallTimeout:
        state = "the answer had begun" if progress.answer_began else "nothing had come"
        return CallTimeout(
            f"No full answer from {self._wire.border.place} within {self._timeout:g} seconds; {state}.",
            hint="Raise timeout, or lower concurrency for a slow server.",
            deadline=self._timeout,
            answer_began=progress.answer_began,
            possibly_billed=True,
        )
