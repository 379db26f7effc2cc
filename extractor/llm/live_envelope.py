"""From the bytes of a 200 to a reply: the envelope is checked before anything in it is touched."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from extractor.errors import BadEnvelope, ConnectionFailed, ContentFiltered, ExtractorError, PromptTruncated, Refused
from extractor.llm.base import Reply, Request, Tokens
from extractor.llm.live_errors import Border
from extractor.llm.live_modes import Frame

KEPT = 2000
SHOWN = 200
WHOLE = frozenset({"stop", "tool_calls", "length"})
BLANK_SHARE = 0.9
BLANK_LEAST = 200
# What JSON permits between its parts.
BLANKS = " \t\n\r"
CHARS_PER_TOKEN = 6
TRUNCATED_SHARE = 0.5
RUNS = re.compile(r"([^\w]|_)\1{3,}")


@dataclass(frozen=True, slots=True)
class Arrived:
    """A success as it came in: headers with small letters, body decoded."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def sized(self) -> bool:
        """Whether the end of the body can be told from a cut."""
        return "content-length" in self.headers or "transfer-encoding" in self.headers


def read_reply(arrived: Arrived, request: Request, frame: Frame, border: Border) -> Reply:
    """The reply in a response.

    Raises BadEnvelope for what is no completion, the error of its code for an error object,
    Refused, ContentFiltered, PromptTruncated, or ConnectionFailed for a body cut off unseen.
    """
    envelope = _envelope(arrived, border)
    if envelope.get("error"):
        raise border.inner(envelope["error"], arrived.headers, request.model)
    choice, message = _choice(envelope, border)
    reason = choice.get("finish_reason")
    text = _text(message, frame)
    if reason == "content_filter":
        raise ContentFiltered("The provider's filter cut the answer.", reply_text=(text or "")[:KEPT])
    if refusal := message.get("refusal"):
        raise Refused("The LLM declined to answer.", reply_text=border.redactor.text(str(refusal))[:KEPT])
    if reason not in WHOLE:
        raise _bad(f"finish_reason {str(reason)[:40]!r}, which says nothing known about the answer's end")
    usage = _usage(envelope.get("usage"))
    _check_prompt(usage, request, frame)
    if reason == "length":
        return Reply(text or "", "length", _model(envelope, request), usage)
    if text is None:
        raise _bad(_missing(message, frame))
    return Reply(text, "length" if _is_blank(text) else "stop", _model(envelope, request), usage)


def tokens_of(arrived: Arrived, border: Border) -> Tokens | None:
    """What a response says that it cost, also one that cannot be used."""
    try:
        return _usage(_envelope(arrived, border).get("usage"))
    except ExtractorError:
        return None


def _bad(found: str, **detail: Any) -> BadEnvelope:
    return BadEnvelope(f"The endpoint answered 200 with no completion: {found}.", found=found, **detail)


def _envelope(arrived: Arrived, border: Border) -> dict[str, Any]:
    if not arrived.body.strip():
        raise _bad(f"an empty body (status {arrived.status})")
    try:
        value = orjson.loads(arrived.body)
    except orjson.JSONDecodeError:
        raise _not_json(arrived, border) from None
    if not isinstance(value, dict):
        raise _bad(f"a JSON {_kind(value)}, not an object")
    return value


def _not_json(arrived: Arrived, border: Border) -> BadEnvelope | ConnectionFailed:
    if not arrived.sized and arrived.body.lstrip()[:1] == b"{":
        return ConnectionFailed(
            f"No whole answer from {border.place}: the connection was closed inside the answer.",
            possibly_billed=True,
            cause="cut body",
        )
    kind = arrived.headers.get("content-type", "no content type").partition(";")[0]
    start = border.redactor.text(arrived.body[:SHOWN].decode("utf-8", "replace"))
    return _bad(f"not JSON: {kind}", starts=start)


def _kind(value: object) -> str:
    return {list: "array", str: "string", type(None): "null", bool: "boolean"}.get(type(value), "number")


def _choice(envelope: dict[str, Any], border: Border) -> tuple[dict[str, Any], dict[str, Any]]:
    choices = envelope.get("choices")
    if not isinstance(choices, list):
        raise _bad(
            f"an object without choices, with {border.redactor.text(', '.join(sorted(envelope)))[:SHOWN] or 'no keys'}"
        )
    if len(choices) != 1:
        raise _bad(f"{len(choices)} choices, expected 1")
    choice = choices[0]
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        raise _bad("a choice without a message")
    return choice, message


def _text(message: dict[str, Any], frame: Frame) -> str | None:
    """The answer's text: the arguments of the one tool asked for, or the content; None where there is none."""
    calls = message.get("tool_calls")
    if calls:
        return _arguments(calls, frame)
    content = message.get("content")
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
        content = "".join(part for part in parts if isinstance(part, str)) if parts else None
    return content if isinstance(content, str) else None


def _arguments(calls: Any, frame: Frame) -> str:
    if not isinstance(calls, list) or len(calls) != 1:
        raise _bad(f"{len(calls) if isinstance(calls, list) else 'unreadable'} tool calls, expected 1")
    function = calls[0].get("function") if isinstance(calls[0], dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if frame.tool is None or name != frame.tool:
        raise _bad(f"a call of the tool {str(name)[:80]!r}, expected {frame.tool or 'no tool call'!r}")
    arguments = function["arguments"] if isinstance(function, dict) and "arguments" in function else None
    if isinstance(arguments, dict):
        # Some local servers give the arguments as an object instead of its text.
        return orjson.dumps(arguments).decode()
    if not isinstance(arguments, str):
        raise _bad("a tool call without arguments")
    return arguments


def _missing(message: dict[str, Any], frame: Frame) -> str:
    return f"content {_kind(message.get('content'))}" + (", and no tool call" if frame.tool else "")


def _is_blank(text: str) -> bool:
    """Whether the answer ran into blanks, as servers that force a grammar do until the token limit."""
    if len(text) < BLANK_LEAST:
        return False
    return sum(map(text.count, BLANKS)) > BLANK_SHARE * len(text)


def _model(envelope: dict[str, Any], request: Request) -> str:
    model = envelope.get("model")
    return model[:200] if isinstance(model, str) and model else request.model


def _usage(usage: Any) -> Tokens:
    if not isinstance(usage, dict):
        return Tokens()
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else 0
    return Tokens(_count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")), _count(cached))


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**12 else 0


def _check_prompt(usage: Tokens, request: Request, frame: Frame) -> None:
    """A server that reports far fewer prompt tokens than the text can have read only a part of it.

    No tokenizer in use packs more than 6 characters of running text into a token on average
    (Persian: 1 to 3, English: 4 to 5); fewer than half of that many tokens is taken for a cut.
    Long runs of one sign (rules, dots, blanks) make single tokens and are not counted.
    """
    if usage.prompt <= 0:
        return
    characters = sum(len(message.content) for message in request.messages)
    if usage.prompt >= TRUNCATED_SHARE * characters / CHARS_PER_TOKEN:
        return
    characters = sum(len(RUNS.sub(r"\1", message.content)) for message in request.messages)
    least = int(TRUNCATED_SHARE * characters / CHARS_PER_TOKEN)
    if usage.prompt < least:
        raise PromptTruncated(
            f"The server read {usage.prompt:,} prompt tokens, where the request has at least {least:,}: it cut the prompt.",
            hint="Raise the server's context length (num_ctx, max_model_len), or make chunk_size smaller.",
            prompt_tokens=usage.prompt,
            expected_at_least=least,
        )
