"""The connection to one endpoint: openai's client with our limits, and every foreign exception translated at its edge.

The only home of openai. It and the HTTP library are imported on the first call.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from extractor.errors import BadEnvelope, ExtractorError
from extractor.llm.descriptors import connections, is_shortage
from extractor.llm.live_errors import Border, StatusReceived, chain
from extractor.llm.live_secrets import Redactor, check_base_url, check_key, guard_logs, place, release_logs

if TYPE_CHECKING:
    import ssl

    import httpx2
    from openai import AsyncOpenAI

MAX_ERROR_BYTES = 64 * 1024
CONNECT_TIMEOUT = 15.0
KEEP_ALIVE = 20.0
# Seconds until another try where no file descriptor is left, and how many tries: others give theirs back.
SHORTAGE_WAIT = 0.25
SHORTAGE_TRIES = 120
CUSTOM_HEADERS = "OPENAI_CUSTOM_HEADERS"
PATH = "/chat/completions"

Headers = Callable[[Mapping[str, str]], None]


@dataclass(slots=True)
class Line:
    """What is bound to one event loop: the client with its connections, and the gate before them."""

    loop: asyncio.AbstractEventLoop
    client: AsyncOpenAI
    http: httpx2.AsyncClient
    url: httpx2.URL
    headers: httpx2.Headers
    gate: asyncio.Semaphore

    async def post(self, body: bytes) -> httpx2.Response:
        """Send a body; the answer's is still to be read. What is the same for every request was made once:
        openai's own `post` builds options, address and headers anew each time, which is a third of a call's CPU."""
        import httpx2

        tries = 1
        while True:
            request = httpx2.Request("POST", self.url, headers=self.headers, content=body)
            try:
                return await self.http.send(request, stream=True)
            except Exception as exc:  # only one kind is dealt with here; it has no class of its own in any library
                if tries >= SHORTAGE_TRIES or not any(map(is_shortage, chain(exc))):
                    raise
            tries += 1
            await asyncio.sleep(SHORTAGE_WAIT)


class Wire:
    """One endpoint with one key. `timeout` (seconds) bounds connecting; `on_headers` sees the headers of every answer.

    Raises SettingsError at once for a key or an address that cannot be right.
    """

    def __init__(
        self,
        *,
        api_key: str,
        base_url: str | None = None,
        timeout: float = 180.0,
        trust_env: bool = False,
        concurrency: int = 64,
        on_headers: Headers | None = None,
    ) -> None:
        self._key = check_key(api_key)
        self.base_url = check_base_url(base_url)
        self.on_headers = on_headers
        self._timeout = timeout
        self._trust_env = trust_env
        self._concurrency = concurrency
        self.redactor = Redactor((self._key, *_custom_headers().values()))
        self.border = Border(place(self.base_url), self.redactor)
        self._line: Line | None = None

    def connect(self) -> Line:
        """The client of the running event loop."""
        loop = asyncio.get_running_loop()
        if self._line is None or self._line.loop is not loop:
            guard_logs(self.redactor)
            self._line = self._connected(loop)
        return self._line

    def headers(self) -> dict[str, Any]:
        """What to send besides the client's own: nothing comes out of the environment unless it is trusted."""
        from openai import Omit

        if self._trust_env:
            return {}
        return {name: Omit() for name in _custom_headers()} | {"Authorization": f"Bearer {self._key}"}

    def _all_headers(self, client: AsyncOpenAI) -> dict[str, str]:
        """The same and the client's own, for requests that openai does not put together."""
        ours = {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"}
        headers = {**client.default_headers, **ours, **self.headers()}
        return {name: value for name, value in headers.items() if isinstance(value, str)}

    def translate(self, exc: Exception, model: str, answer_began: bool) -> ExtractorError:
        """What openai or the HTTP library raised, as an error of ours."""
        causes = list(chain(exc))
        for cause in causes:
            if isinstance(cause, StatusReceived):
                return self.border.status(cause.status, cause.headers, cause.body, model)
        if any(type(cause).__name__ == "DecodingError" for cause in causes):
            found = "a body that does not decompress"
            return BadEnvelope(f"The endpoint answered 200 with no completion: {found}.", found=found)
        return self.border.connection(exc, answer_began)

    async def aclose(self) -> None:
        """Close the connections. The next call opens new ones."""
        line, self._line = self._line, None
        release_logs(self.redactor)
        if line is not None and not line.loop.is_closed():
            await line.client.close()

    def _connected(self, loop: asyncio.AbstractEventLoop) -> Line:
        import httpx2
        from openai import AsyncOpenAI

        at_once = connections(self._concurrency)
        http = _http_client(
            timeout=httpx2.Timeout(None, connect=min(CONNECT_TIMEOUT, self._timeout)),
            limits=httpx2.Limits(
                max_connections=at_once,
                max_keepalive_connections=at_once,
                keepalive_expiry=KEEP_ALIVE,
            ),
            verify=_roots(self._trust_env),
            follow_redirects=False,
            trust_env=self._trust_env,
            event_hooks={"response": [self._received]},
        )
        client = AsyncOpenAI(api_key=self._key, base_url=self.base_url, max_retries=0, http_client=http)
        return Line(
            loop, client, http, httpx2.URL(self.base_url + PATH), httpx2.Headers(self._all_headers(client)),
            asyncio.Semaphore(at_once),
        )  # fmt: skip

    async def _received(self, response: httpx2.Response) -> None:
        """Sees every answer before openai does: its headers count, and an error's body is read only so far."""
        if self.on_headers is not None:
            self.on_headers(response.headers)
        if not response.is_success:
            body = await read_body(response, MAX_ERROR_BYTES)
            raise StatusReceived(response.status_code, response.headers, body or b"")


@lru_cache(maxsize=2)
def _roots(trust_env: bool) -> ssl.SSLContext:
    """The authorities to trust, as the HTTP library chooses them; read once, which takes longer than all else about a client."""
    import httpx2

    return httpx2.create_ssl_context(trust_env=trust_env)


def _http_client(**options: Any) -> httpx2.AsyncClient:
    """openai's client over aiohttp, which needs half the CPU of its default one; that one where aiohttp is missing."""
    import openai

    try:
        import aiohttp  # noqa: F401 - only whether it is there
    except ImportError:
        return openai.DefaultAsyncHttpxClient(**options)
    return openai.DefaultAioHttpClient(**options)


async def read_body(response: httpx2.Response, most: int) -> bytes | None:
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
