"""The format of cassettes: readable JSON, one file a document, with real characters and texts as arrays of lines.

A folder of cassettes holds `<name>.json` files and `_shared.json`, which keeps once what recurs in all of them: the fixed
part of the prompt and the answer schema, by digest. Nothing else goes in: no key, header or host can be in a cassette, since
none is part of a request or a reply.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from extractor.errors import CassetteFormat, OutputError
from extractor.llm.base import AnswerSchema, Message, Reply, Request, Tokens, canonical, text_digest

FORMAT = 1
SHARED = "_shared.json"
SHARED_ROLES = frozenset({"system"})


@dataclass(frozen=True, slots=True)
class RecordedMessage:
    """A message as recorded: `content` is None where only its digest was kept."""

    role: str
    digest: str
    content: str | None


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request as recorded; enough to tell its fingerprint, even where texts were left out."""

    messages: tuple[RecordedMessage, ...]
    schema_name: str
    schema_digest: str
    model: str
    parameters: tuple[tuple[str, Any], ...]

    def fingerprint(self) -> str:
        return text_digest(
            canonical(
                {
                    "messages": [[m.role, m.digest] for m in self.messages],
                    "schema": [self.schema_name, self.schema_digest],
                    "model": self.model,
                    "parameters": [list(pair) for pair in sorted(self.parameters)],
                }
            )
        )


@dataclass(frozen=True, slots=True)
class Exchange:
    request: RecordedRequest
    reply: Reply


@dataclass(slots=True)
class Cassette:
    """One file: where it is, what its header says, and its exchanges in the order of recording."""

    path: Path
    header: dict[str, Any] = field(default_factory=dict)
    exchanges: list[Exchange] = field(default_factory=list)


@dataclass(slots=True)
class Shared:
    """What the cassettes of a folder have in common, by digest."""

    texts: dict[str, str] = field(default_factory=dict)
    schemas: dict[str, Any] = field(default_factory=dict)


def record_request(request: Request) -> RecordedRequest:
    """A request in the form in which it is recorded."""
    messages = tuple(RecordedMessage(m.role, text_digest(m.content), m.content) for m in request.messages)
    return RecordedRequest(
        messages, request.schema.name, request.schema.digest, request.model, tuple(sorted(request.parameters))
    )


def load_cassette(path: Path, shared: Shared) -> Cassette:
    """Read a cassette. Raises CassetteFormat with file and reason where it is none, or was changed by hand."""
    raw = _read(path)
    if raw.get("format") != FORMAT:
        hint = "Run extractor cassettes migrate." if isinstance(raw.get("format"), int) else "Record it again."
        raise CassetteFormat(f"{path} has cassette format {raw.get('format')!r}; expected {FORMAT}.", hint=hint)
    try:
        exchanges = [_exchange(item, shared) for item in raw["exchanges"]]
        for exchange, item in zip(exchanges, raw["exchanges"], strict=True):
            if exchange.request.fingerprint() != item["request"]["fingerprint"]:
                raise CassetteFormat(f"{path}: a request was changed by hand.", hint="Record it again.")
        return Cassette(path, dict(raw["header"]), exchanges)
    except (KeyError, TypeError, AttributeError) as exc:
        raise CassetteFormat(
            f"{path} is not a cassette: {type(exc).__name__} {exc}.", hint="Record it again."
        ) from None


def load_shared(folder: Path) -> Shared:
    path = folder / SHARED
    if not path.exists():
        return Shared()
    raw = _read(path)
    return Shared(
        {digest: _join(lines) for digest, lines in raw.get("texts", {}).items()}, dict(raw.get("schemas", {}))
    )


def save_cassette(cassette: Cassette, *, omit_documents: bool = False) -> None:
    """Write a cassette whole, and what it shares beside it."""
    body = {
        "format": FORMAT,
        "header": cassette.header,
        "exchanges": [_dump_exchange(exchange, omit_documents) for exchange in cassette.exchanges],
    }
    write_json(cassette.path, body)


def save_shared(folder: Path, shared: Shared) -> None:
    texts = {digest: text.split("\n") for digest, text in sorted(shared.texts.items())}
    write_json(folder / SHARED, {"format": FORMAT, "texts": texts, "schemas": dict(sorted(shared.schemas.items()))})


def share(request: Request, shared: Shared) -> bool:
    """Put into `shared` what a request has in common with others; True where something was new."""
    new = False
    for message in request.messages:
        digest = text_digest(message.content)
        if message.role in SHARED_ROLES and digest not in shared.texts:
            shared.texts[digest] = message.content
            new = True
    if request.schema.digest not in shared.schemas:
        shared.schemas[request.schema.digest] = json.loads(request.schema.text)
        new = True
    return new


def whole_request(recorded: RecordedRequest, shared: Shared) -> Request | None:
    """The request itself, where all of its texts were kept."""
    schema = shared.schemas.get(recorded.schema_digest)
    if schema is None or any(message.content is None for message in recorded.messages):
        return None
    messages = tuple(Message(m.role, m.content or "") for m in recorded.messages)
    return Request(messages, AnswerSchema(recorded.schema_name, canonical(schema)), recorded.model, recorded.parameters)


def write_json(path: Path, value: Any) -> None:
    """Write beside the file, force to the disk, put in place: a reader never sees half."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("w", encoding="utf-8", errors="surrogatepass", newline="\n") as file:
            file.write(json.dumps(value, ensure_ascii=False, indent=1) + "\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as exc:
        raise OutputError(f"Cannot write the cassette {path}: {exc.strerror}.") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8", errors="surrogatepass"))
    except OSError as exc:
        raise CassetteFormat(f"Cannot read the cassette {path}: {exc.strerror}.") from None
    except ValueError as exc:
        raise CassetteFormat(f"{path} is not a cassette: not valid JSON ({exc}).", hint="Record it again.") from None
    if not isinstance(raw, dict):
        raise CassetteFormat(f"{path} is not a cassette: expected an object.", hint="Record it again.")
    return raw


def _exchange(item: Mapping[str, Any], shared: Shared) -> Exchange:
    request, reply = item["request"], item["reply"]
    messages = tuple(_message(message, shared) for message in request["messages"])
    parameters = tuple(sorted(request["parameters"].items()))
    recorded = RecordedRequest(
        messages, request["schema"]["name"], request["schema"]["digest"], request["model"], parameters
    )
    usage = Tokens(**reply["usage"])
    return Exchange(recorded, Reply(_join(reply["text"]), reply["finish_reason"], reply["model"], usage))


def _message(message: Mapping[str, Any], shared: Shared) -> RecordedMessage:
    if "text" in message:
        content = _join(message["text"])
        return RecordedMessage(message["role"], text_digest(content), content)
    return RecordedMessage(message["role"], message["digest"], shared.texts.get(message["digest"]))


def _dump_exchange(exchange: Exchange, omit_documents: bool) -> dict[str, Any]:
    request, reply = exchange.request, exchange.reply
    usage = {"prompt": reply.usage.prompt, "completion": reply.usage.completion, "cached": reply.usage.cached}
    return {
        "request": {
            "fingerprint": request.fingerprint(),
            "model": request.model,
            "parameters": dict(request.parameters),
            "schema": {"name": request.schema_name, "digest": request.schema_digest},
            "messages": [_dump_message(message, omit_documents) for message in request.messages],
        },
        "reply": {
            "model": reply.model,
            "finish_reason": reply.finish_reason,
            "usage": usage,
            "text": reply.text.split("\n"),
        },
    }


def _dump_message(message: RecordedMessage, omit_documents: bool) -> dict[str, Any]:
    if message.role in SHARED_ROLES or message.content is None or (omit_documents and message.role == "user"):
        return {"role": message.role, "digest": message.digest}
    return {"role": message.role, "text": message.content.split("\n")}


def _join(lines: Any) -> str:
    return "\n".join(lines)
