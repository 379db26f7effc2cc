"""The live LLM: one request over the wire, with openai's client, and everything it can answer told apart.

openai, instructor and the HTTP library are imported on the first call.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from extractor.errors import BadEnvelope, CallTimeout, ExtractorError, ProviderError, ReplyTooLarge
from extractor.llm.base import Meter, Reply, Request
from extractor.llm.live_envelope import Arrived, read_reply
from extractor.llm.live_errors import Border, StatusReceived, chain
from extractor.llm.live_modes import Frame, Mode, Modes
from extractor.llm.live_secrets import Redactor, check_base_url, check_key, guard_logs, place, release_logs

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

MAX_REPLY_BYTES = 8 * 1024 * 1024
MAX_ERROR_BYTES = 64 * 1024
CONNECT_TIMEOUT = 15.0
KEEP_ALIVE = 20.0
CUSTOM_HEADERS = "OPENAI_CUSTOM_HEADERS"
PATH = "/chat/completions"

Headers = Callable[[Mapping[str, str]], None]


@dataclass(slots=True)
class Line:
    """What is bound to one event loop: the client with its connections, and the gate before them."""

    loop: asyncio.AbstractEventLoop
    client: AsyncOpenAI
    gate: asyncio.Semaphore


@dataclass(slots=True)
class Progress:
    """How far one call came: what decides whether it may be billed, and whether to try again."""

    answer_began: bool = False


class LiveLLM:
    """Asks an OpenAI-compatible endpoint.

    `timeout` is the wall-clock limit of one call in seconds, from the moment it has a connection
    slot to the last byte. `max_reply_bytes` bounds a reply after decompression. `mode` is how the
    schema is asked for; `auto` begins with json_schema and steps down where the endpoint refuses.
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
        self._key = check_key(api_key)
        self.base_url = check_base_url(base_url)
        self.modes = Modes(mode)
        self.meter = meter or Meter()
        self.on_headers = on_headers
        self._timeout = timeout
        self._max_reply_bytes = max_reply_bytes
        self._trust_env = trust_env
        self._concurrency = concurrency
        self._redactor = Redactor((self._key, *_custom_headers().values()))
        self._border = Border(place(self.base_url), self._redactor)
        self._line: Line | None = None

    async def complete(self, request: Request) -> Reply:
        """One reply, for one call or, while the mode is not settled, one for each mode refused.

        Raises ProviderError or AnswerError; DocumentError for a text that cannot be sent.
        """
        while True:
            frame = await self.modes.frame(request.schema)
            body = frame.body(request)
            try:
                reply = await self._ask(request, frame, body)
            except ProviderError as exc:
                if not self.modes.step_down(frame.rung, exc):
                    raise
                continue
            except ExtractorError:
                self.modes.settle(frame.rung)
                raise
            self.modes.settle(frame.rung)
            return reply

    def forget(self, request: Request) -> None:
        """Nothing is kept here."""

    async def aclose(self) -> None:
        """Close the connections. The next call opens new ones."""
        line, self._line = self._line, None
        release_logs(self._redactor)
        if line is not None and not line.loop.is_closed():
            await line.client.close()

    async def _ask(self, request: Request, frame: Frame, body: bytes) -> Reply:
        line = self._connect()
        try:
            async with line.gate:
                arrived = await self._send(line.client, body, request.model)
            reply = read_reply(arrived, request, frame, self._border)
        except ExtractorError as exc:
            kind = type(exc).__name__
            self.meter.errors[kind] = self.meter.errors.get(kind, 0) + 1
            raise
        self.meter.replies += 1
        self.meter.prompt_tokens += reply.usage.prompt
        self.meter.completion_tokens += reply.usage.completion
        self.meter.cached_tokens += reply.usage.cached
        return reply

    async def _send(self, client: AsyncOpenAI, body: bytes, model: str) -> Arrived:
        """One call: sent once, read to its end. Every foreign exception ends here."""
        self.meter.calls += 1
        progress = Progress()
        try:
            async with asyncio.timeout(self._timeout):
                return await self._exchange(client, body, progress)
        except TimeoutError:
            raise self._too_late(progress) from None
        except ExtractorError:
            raise
        except Exception as exc:  # openai, httpx2 and aiohttp have no common root; all of it is translated
            translated = self._translate(exc, model, progress)
        # Outside of the handler: the foreign exception holds the key and the document, and is not kept as context.
        raise translated

    async def _exchange(self, client: AsyncOpenAI, body: bytes, progress: Progress) -> Arrived:
        import httpx2

        # `post` instead of `create`: that walks the whole request and builds a response model, for 40 % of a call.
        response: httpx2.Response = await client.post(
            PATH, cast_to=httpx2.Response, content=body, stream=True, options={"headers": self._headers}
        )
        progress.answer_began = True
        try:
            read = await _read(response, self._max_reply_bytes)
        finally:
            await response.aclose()
        if read is None:
            raise ReplyTooLarge(
                f"The reply of {self._border.place} has more than {self._max_reply_bytes:,} bytes; no answer has.",
                cap=self._max_reply_bytes,
            )
        return Arrived(response.status_code, response.headers, read)

    def _translate(self, exc: Exception, model: str, progress: Progress) -> ExtractorError:
        causes = list(chain(exc))
        for cause in causes:
            if isinstance(cause, StatusReceived):
                return self._border.status(cause.status, cause.headers, cause.body, model)
        if any(type(cause).__name__ == "DecodingError" for cause in causes):
            found = "a body that does not decompress"
            return BadEnvelope(f"The endpoint answered 200 with no completion: {found}.", found=found)
        return self._border.connection(exc, progress.answer_began)

    def _too_late(self, progress: Progress) -> CallTimeout:
        state = "the answer had begun" if progress.answer_began else "nothing had come"
        return CallTimeout(
            f"No full answer from {self._border.place} within {self._timeout:g} seconds; {state}.",
            hint="Raise timeout, or lower concurrency for a slow server.",
            deadline=self._timeout,
            answer_began=progress.answer_began,
            possibly_billed=True,
        )

    def _connect(self) -> Line:
        loop = asyncio.get_running_loop()
        if self._line is None or self._line.loop is not loop:
            guard_logs(self._redactor)
            self._line = Line(loop, self._client(), asyncio.Semaphore(self._concurrency))
        return self._line

    def _client(self) -> AsyncOpenAI:
        import httpx2
        from openai import AsyncOpenAI, Omit

        self._headers: dict[str, Any] = {"Content-Type": "application/json"}
        if not self._trust_env:
            self._headers |= {name: Omit() for name in _custom_headers()}
            self._headers["Authorization"] = f"Bearer {self._key}"
        http = _http_client(
            timeout=httpx2.Timeout(None, connect=min(CONNECT_TIMEOUT, self._timeout)),
            limits=httpx2.Limits(
                max_connections=self._concurrency,
                max_keepalive_connections=self._concurrency,
                keepalive_expiry=KEEP_ALIVE,
            ),
            follow_redirects=False,
            trust_env=self._trust_env,
            event_hooks={"response": [self._received]},
        )
        return AsyncOpenAI(api_key=self._key, base_url=self.base_url, max_retries=0, http_client=http)

    async def _received(self, response: httpx2.Response) -> None:
        """Sees every answer before openai does: its headers count, and an error's body is read only so far."""
        if self.on_headers is not None:
            self.on_headers(response.headers)
        if not response.is_success:
            body = await _read(response, MAX_ERROR_BYTES)
            raise StatusReceived(response.status_code, response.headers, body or b"")


def _http_client(**options: Any) -> httpx2.AsyncClient:
    """openai's client over aiohttp, which needs half the CPU of its default one; that one where aiohttp is missing."""
    import openai

    try:
        import aiohttp  # noqa: F401 - only whether it is there
    except ImportError:
        return openai.DefaultAsyncHttpxClient(**options)
    return openai.DefaultAioHttpClient(**options)


async def _read(response: httpx2.Response, most: int) -> bytes | None:
    """The body, decompressed; None where it has more than `most` bytes, which then are not held."""
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > most:
            return None
        parts.append(part)
    return b"".join(parts)


def _custom_headers() -> dict[str, str]:
    """The headers that openai's client would take from the environment by itself."""
    lines = (line.partition(":") for line in os.environ.get(CUSTOM_HEADERS, "").splitlines())
    return {name.strip(): value.strip() for name, colon, value in lines if colon}
