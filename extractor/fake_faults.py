"""What a fake endpoint can be told to do wrong: one `Fault` is one answer that is not a plain completion."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

How = Literal["whole", "reset", "close", "cut", "cut_unsized", "hang", "drip", "bomb"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One answer of a fake endpoint, in all its parts; what is not given is as in a plain completion.

    `answer` is the LLM's text (a dict is written as JSON), `message` replaces the whole message,
    `body` the whole response body. `how` says what happens to the bytes: sent `whole`; the
    connection `reset` or `close`d before any of them; `cut` after half of them, with or without
    (`cut_unsized`) a content length; `hang` sends nothing; `drip` sends `drip` bytes each
    `interval` seconds; `bomb` sends `bomb` bytes of blanks under gzip. `delay` is in seconds and
    comes on top of the endpoint's latency.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str = "application/json"
    answer: str | Mapping[str, Any] | None = None
    finish_reason: str | None = "stop"
    message: Mapping[str, Any] | None = None
    choices: list[Any] | None = None
    usage: Mapping[str, int] | None = None
    model: str | None = None
    how: How = "whole"
    delay: float = 0.0
    drip: int = 30
    interval: float = 0.6
    bomb: int = 1 << 30


def status(code: int, message: str = "told to fail", *, error_code: str | None = None, **headers: str) -> Fault:
    """An error status with OpenAI's error body. Keyword `retry_after="2"` becomes the header `retry-after`."""
    general = "server_error" if code >= 500 else "invalid_request_error"
    kind = {401: "authentication_error", 429: "rate_limit_error"}.get(code, general)
    body = error_body(message, kind=kind, code=error_code)
    return Fault(status=code, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=body)


def error_body(
    message: str, *, kind: str = "server_error", code: str | int | None = None, param: str | None = None
) -> bytes:
    """OpenAI's error object, as bytes."""
    error = {"message": message, "type": kind, "param": param, "code": code}
    return json.dumps({"error": error}, ensure_ascii=False).encode()


def rate_limited(retry_after: str | None = "1", **headers: str) -> Fault:
    """A 429 that waiting helps against."""
    extra = {} if retry_after is None else {"retry_after": retry_after}
    return status(429, "Rate limit reached for requests", error_code="rate_limit_exceeded", **extra, **headers)


def out_of_quota() -> Fault:
    """A 429 that waiting does not help against."""
    return status(429, "You exceeded your current quota", error_code="insufficient_quota")


def unknown_model(name: str = "m") -> Fault:
    return status(404, f"The model `{name}` does not exist", error_code="model_not_found")


def malformed(text: str = '{"entities": [}') -> Fault:
    """An answer that is not JSON."""
    return Fault(answer=text)


def cut_at_length(answer: str | Mapping[str, Any] = '{"entities": [{"id": 1, "na') -> Fault:
    """An answer that stopped at the length limit, whole or not."""
    return Fault(answer=answer, finish_reason="length")


def refusal(text: str = "I cannot help with that.") -> Fault:
    return Fault(message={"role": "assistant", "content": None, "refusal": text})


def content_filter(answer: str | Mapping[str, Any] = "{}") -> Fault:
    return Fault(answer=answer, finish_reason="content_filter")


def tool_calls(*names: str, arguments: str = "{}") -> Fault:
    """Calls of the named tools, whatever the request asked for."""
    calls = [
        {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for number, name in enumerate(names)
    ]
    return Fault(message={"role": "assistant", "content": None, "tool_calls": calls}, finish_reason="tool_calls")


def not_a_completion(shape: str) -> Fault:
    """A 200 that is no completion.

    `shape` is html, error, empty, no_content (204), array, text, no_choices, null_content or null_finish.
    """
    return {
        "html": Fault(body=b"<html><body>Welcome</body></html>", content_type="text/html; charset=utf-8"),
        "error": Fault(body=error_body("upstream is down", code="server_error")),
        "empty": Fault(body=b""),
        "no_content": Fault(status=204, body=b""),
        "array": Fault(body=b"[1, 2]"),
        "text": Fault(body=b'"hello"'),
        "no_choices": Fault(choices=[]),
        "null_content": Fault(message={"role": "assistant", "content": None}),
        "null_finish": Fault(answer="{}", finish_reason=None),
    }[shape]


def redirect(to: str, code: int = 307) -> Fault:
    return Fault(status=code, headers={"location": to}, body=b"")


def slow(seconds: float, answer: str | Mapping[str, Any] | None = None) -> Fault:
    """The plain answer, late."""
    return Fault(delay=seconds, answer=answer)
