"""A loopback server that speaks OpenAI's chat completions, with faults to order: the public double for a real endpoint.

    with FakeEndpoint({"Tehran": [status(500), {"entities": []}]}) as endpoint:
        ...  # point a client at endpoint.base_url
        assert len(endpoint.requests) == 2

Real sockets on 127.0.0.1, its own event loop in its own thread, the standard library alone.
`python -m extractor.fake_endpoint` runs one in a process of its own, prints its base URL, and ends when its standard input does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from extractor.fake_connection import Connection
from extractor.fake_faults import Fault, error_body, status

Answer = str | Mapping[str, Any] | Fault
Answers = Callable[[dict[str, Any]], Answer] | Mapping[str, Answer | Sequence[Answer]] | Sequence[Answer] | Answer
EMPTY: dict[str, Any] = {"entities": [], "events": [], "relations": []}
COMPLETIONS = "/chat/completions"


@dataclass(slots=True)
class Received:
    """One request as it came in, and what became of it. `whole` tells that the full response was handed to the socket."""

    number: int
    at: float
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    status: int = 0
    whole: bool = False
    sent: bytes = b""

    @property
    def json(self) -> dict[str, Any]:
        """The body as JSON; an empty dict where it is none."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


@dataclass(slots=True)
class RateLimit:
    """A token bucket: `rpm` requests a minute, `bucket` seconds' worth of them at once."""

    rpm: float
    bucket: float = 1.0
    level: float = field(init=False)
    at: float = field(init=False)

    def __post_init__(self) -> None:
        self.level, self.at = self.size, time.monotonic()

    @property
    def size(self) -> float:
        return max(1.0, self.rpm / 60 * self.bucket)

    def take(self) -> bool:
        now = time.monotonic()
        self.level = min(self.size, self.level + (now - self.at) * self.rpm / 60)
        self.at = now
        if self.level < 1:
            return False
        self.level -= 1
        return True

    def headers(self) -> dict[str, str]:
        reset = (self.size - self.level) * 60 / self.rpm
        return {
            "x-ratelimit-limit-requests": f"{self.rpm:g}",
            "x-ratelimit-remaining-requests": str(max(0, int(self.level))),
            "x-ratelimit-reset-requests": f"{reset * 1000:.0f}ms",
        }


class FakeEndpoint:
    """An OpenAI-compatible endpoint on 127.0.0.1, up while the context is.

    `answers` decides what the LLM says:

    - a function from the request's body to a text, a dict (written as JSON) or a `Fault`;
    - a mapping from a piece of the messages to one of these, or to a list of them, one for each
      attempt (the last one repeats); the key "" answers what no other key does;
    - a list: the n-th request gets the n-th item, the last one repeats;
    - one text, dict or Fault for all.

    `latency` is in seconds, before each answer. `rpm` limits the rate with a bucket of `bucket`
    seconds and answers 429 at once; `rate_headers` sends x-ratelimit-* with every answer.
    `modes` are the ways to ask for JSON that it takes; the others get a 400. `extra` may answer
    other paths (files, batches): it returns None for what it does not know.
    `requests` is the log, in order of arrival; `connections` counts those opened.
    """

    def __init__(
        self,
        answers: Answers = EMPTY,
        *,
        latency: float = 0.0,
        rpm: float | None = None,
        bucket: float = 1.0,
        rate_headers: bool = True,
        retry_after: str | None = "1",
        modes: Sequence[str] = ("json_schema", "tools", "json", "plain"),
        keep: bool = True,
        extra: Callable[[Received], Fault | None] | None = None,
        port: int = 0,
    ) -> None:
        self.answers = answers
        self.latency = latency
        self.limit = RateLimit(rpm, bucket) if rpm else None
        self.rate_headers = rate_headers
        self.retry_after = retry_after
        self.modes = frozenset(modes)
        self.keep = keep
        self.extra = extra
        self.requests: list[Received] = []
        self.statuses: Counter[int] = Counter()
        self.count = 0
        self.connections = 0
        self.most_in_flight = 0
        self.in_flight = 0
        self.port = port
        self._attempts: Counter[str] = Counter()
        self._live: set[Connection] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self._failed: OSError | None = None

    # -- life ---------------------------------------------------------------------------------

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(ready,), name="fake-endpoint", daemon=True)
        self._thread.start()
        ready.wait()
        if self._failed is not None:
            raise self._failed
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Close the port and every connection, at once, as a killed server would."""
        if self._thread.is_alive():
            self.loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join()

    def _serve(self, ready: threading.Event) -> None:
        async def main() -> None:
            self.loop = asyncio.get_running_loop()
            self._stopped = asyncio.Event()
            try:
                server = await self.loop.create_server(lambda: Connection(self), "127.0.0.1", self.port, backlog=2048)
            except OSError as exc:
                self._failed = exc
                ready.set()
                return
            self.port = server.sockets[0].getsockname()[1]
            ready.set()
            await self._stopped.wait()
            server.close()
            for connection in list(self._live):
                connection.abort()
            await asyncio.gather(*self.tasks)
            await asyncio.sleep(0)

        asyncio.run(main())

    # -- what a connection asks -----------------------------------------------------------------

    def opened(self, connection: Connection) -> None:
        self.connections += 1
        self._live.add(connection)

    def closed(self, connection: Connection) -> None:
        self._live.discard(connection)

    def receive(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[Received, Fault]:
        """Log a request and decide on its answer."""
        received = Received(self.count, time.time(), method, path, headers, body)
        self.count += 1
        if self.keep:
            self.requests.append(received)
        fault = self._decide(received)
        received.status = fault.status
        return received, fault

    def _decide(self, received: Received) -> Fault:
        if self.extra is not None and (fault := self.extra(received)) is not None:
            return fault
        if received.path.endswith("/models"):
            return Fault(body=b'{"object":"list","data":[]}')
        if not received.path.endswith(COMPLETIONS):
            return status(404, f"no such path: {received.path}")
        if self.limit is not None and not self.limit.take():
            return self._too_fast(self.limit)
        asked = received.json
        if (mode := asked_mode(asked)) not in self.modes:
            name = "tools" if mode == "tools" else "response_format"
            body = error_body(f"{name}: {mode} is not supported", kind="invalid_request_error", param=name)
            return Fault(status=400, body=body)
        return self.answered(asked)

    def answered(self, asked: dict[str, Any]) -> Fault:
        """The answer to a request's body, whichever way it came in."""
        return self._complete(asked, self._answer(asked))

    def _too_fast(self, limit: RateLimit) -> Fault:
        headers = limit.headers() if self.rate_headers else {}
        if self.retry_after is not None:
            headers["retry-after"] = self.retry_after
        body = error_body("Rate limit reached", kind="requests", code="rate_limit_exceeded")
        return Fault(status=429, headers=headers, body=body)

    def _answer(self, asked: dict[str, Any]) -> Answer:
        answers = self.answers
        if callable(answers):
            return answers(asked)
        if isinstance(answers, Mapping) and not _is_answer(answers):
            return self._by_marker(asked, answers)
        if isinstance(answers, Sequence) and not isinstance(answers, str):
            return self._next("", answers)
        return answers

    def _by_marker(self, asked: dict[str, Any], answers: Mapping[str, Any]) -> Answer:
        text = "\n".join(str(message.get("content")) for message in asked.get("messages", ()))
        marker = next((marker for marker in answers if marker and marker in text), "")
        chosen = answers.get(marker, EMPTY)
        return self._next(marker, chosen) if isinstance(chosen, Sequence) and not isinstance(chosen, str) else chosen

    def _next(self, marker: str, answers: Sequence[Answer]) -> Answer:
        number = self._attempts[marker]
        self._attempts[marker] += 1
        return answers[min(number, len(answers) - 1)]

    def _complete(self, asked: dict[str, Any], answer: Answer) -> Fault:
        """The answer with its response body filled in."""
        fault = answer if isinstance(answer, Fault) else Fault(answer=answer)
        headers = dict(fault.headers)
        if self.limit is not None and self.rate_headers:
            headers = self.limit.headers() | headers
        body = completion(asked, fault) if fault.body is None else fault.body
        return Fault(
            status=fault.status,
            headers=headers,
            body=body,
            content_type=fault.content_type,
            how=fault.how,
            delay=fault.delay,
            drip=fault.drip,
            interval=fault.interval,
            bomb=fault.bomb,
        )


def _is_answer(value: Mapping[str, Any]) -> bool:
    """Whether a mapping is one answer for all, and not markers: an answer has these keys."""
    return set(value) >= set(EMPTY)


def asked_mode(asked: Mapping[str, Any]) -> str:
    """How a request asks for JSON: json_schema, tools, json or plain."""
    kind = (asked.get("response_format") or {}).get("type")
    if kind in ("json_schema", "json_object"):
        return "json_schema" if kind == "json_schema" else "json"
    return "tools" if asked.get("tools") else "plain"


def completion(asked: Mapping[str, Any], fault: Fault) -> bytes:
    """A chat completion as OpenAI would send it, in the mode that was asked for."""
    answer = EMPTY if fault.answer is None else fault.answer
    text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    message, reason = fault.message, fault.finish_reason
    if message is None:
        message = _message(asked, text)
        if "tool_calls" in message and reason == "stop":
            reason = "tool_calls"
    choices = [{"index": 0, "message": message, "finish_reason": reason, "logprobs": None}]
    characters = sum(len(str(one.get("content") or "")) for one in asked.get("messages", ()))
    usage = fault.usage or {"prompt_tokens": characters // 4, "completion_tokens": len(text) // 4}
    whole = {
        "id": "chatcmpl-fake",
        "object": "chat.completion",
        "created": 1700000000,
        "model": fault.model or asked.get("model", ""),
        "choices": choices if fault.choices is None else fault.choices,
        "usage": {**usage, "total_tokens": sum(usage.values())},
    }
    return json.dumps(whole, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _message(asked: Mapping[str, Any], text: str) -> dict[str, Any]:
    if asked_mode(asked) != "tools":
        return {"role": "assistant", "content": text, "refusal": None}
    name = asked["tools"][0]["function"]["name"]
    call = {"id": "call_0", "type": "function", "function": {"name": name, "arguments": text}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def main(argv: Sequence[str] | None = None) -> None:
    """Serve until standard input closes, so that a benchmark can have the server in a process of its own."""
    import sys

    parser = argparse.ArgumentParser(prog="python -m extractor.fake_endpoint", description=__doc__.splitlines()[0])
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--rpm", type=float, help="requests a minute; more get a 429")
    parser.add_argument("--bucket", type=float, default=1.0, help="seconds' worth of requests that may come at once")
    parser.add_argument("--answer", help="a file with the answer for every request")
    options = parser.parse_args(argv)
    answer: Answers = EMPTY
    if options.answer:
        with open(options.answer, encoding="utf-8") as file:  # noqa: PTH123 - one import less at start
            answer = file.read()
    with FakeEndpoint(answer, latency=options.latency, rpm=options.rpm, bucket=options.bucket, keep=False) as endpoint:
        print(endpoint.base_url, flush=True)
        sys.stdin.read()
        counts = {
            "requests": endpoint.count,
            "connections": endpoint.connections,
            "most_in_flight": endpoint.most_in_flight,
        }
        print(json.dumps(counts | {"status": dict(endpoint.statuses)}), flush=True)


if __name__ == "__main__":
    main()
