"""What depends only on the answer schema and the way of asking for it: made once, then reused for every request."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from extractor.errors import DocumentError, ProviderError, RequestRejected, ServerFault, UnknownModel
from extractor.llm.base import AnswerSchema, Request

Mode = Literal["auto", "json_schema", "tools", "json"]
Rung = Literal["json_schema", "tools", "json", "plain"]
LADDER: tuple[Rung, ...] = ("json_schema", "tools", "json", "plain")
IN_PROMPT = "\n\nAnswer with one JSON object that satisfies this JSON Schema, and with nothing else:\n{schema}"
NOT_SENT = frozenset({"pass"})
STEP_DOWN_STATUS = frozenset({400, 404, 405, 415, 422, 500, 501})
STEP_DOWN_WORDS = (
    "response_format",
    "response format",
    "json_schema",
    "json schema",
    "json_object",
    "structured output",
    "strict",
    "tool_choice",
    "tools",
    "tool use",
    "tool call",
    "function call",
    "functions",
)


@dataclass(frozen=True, slots=True)
class Frame:
    """How one answer schema is asked for in one mode.

    `fields` are the request fields that carry it, as finished JSON; `suffix` is what the system
    message says besides; `tool` is the name of the one tool that may be called.
    """

    rung: Rung
    fields: dict[str, orjson.Fragment]
    suffix: str = ""
    tool: str | None = None

    def body(self, request: Request) -> bytes:
        """The request as JSON in UTF-8, real characters and all. Raises DocumentError for lone surrogates."""
        messages = [{"role": message.role, "content": message.content} for message in request.messages]
        if self.suffix:
            _say(messages, self.suffix)
        parameters = {name: value for name, value in request.parameters if name not in NOT_SENT}
        try:
            return orjson.dumps({"model": request.model, "messages": messages, **parameters, **self.fields})
        except orjson.JSONEncodeError:
            raise DocumentError(
                "The request holds half of a character (a lone surrogate), which cannot be sent.",
                hint="Decode the document's bytes again, with the right encoding.",
            ) from None


def _say(messages: list[dict[str, str]], suffix: str) -> None:
    if messages and messages[0]["role"] == "system":
        messages[0]["content"] += suffix
    else:
        messages.insert(0, {"role": "system", "content": suffix.strip()})


@dataclass(slots=True)
class Modes:
    """The frames of one client, and which rung of the ladder it stands on.

    It starts on the first rung and steps down where the endpoint refuses the way of asking. Once
    an answer came on a rung it stays there: a refusal then is about the request and not the mode.
    """

    mode: Mode = "auto"
    rung: Rung = field(init=False)
    settled: bool = False
    _frames: dict[tuple[AnswerSchema, Rung], Frame] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rung = LADDER[0] if self.mode == "auto" else self.mode
        self.settled = self.mode != "auto"

    async def frame(self, schema: AnswerSchema) -> Frame:
        key = (schema, self.rung)
        found = self._frames.get(key)
        if found is None:
            found = self._frames[key] = await make_frame(schema, self.rung)
        return found

    def settle(self, rung: Rung) -> None:
        self.settled = self.settled or rung == self.rung

    def step_down(self, tried: Rung, error: ProviderError) -> bool:
        """Whether the request is worth sending again in another mode.

        Many first requests fail alike at the same moment; only the first of them moves the rung.
        """
        if not speaks_of_mode(error) or (self.settled and tried == self.rung):
            return False
        if tried == self.rung:
            at = LADDER.index(tried) + 1
            if at == len(LADDER):
                return False
            self.rung = LADDER[at]
        return True


def speaks_of_mode(error: ProviderError) -> bool:
    """Whether an endpoint refuses the way of asking, and not the request: by status and by its words."""
    if not isinstance(error, RequestRejected | UnknownModel | ServerFault):
        return False
    if error.detail.get("status") not in STEP_DOWN_STATUS or error.detail.get("too_long"):
        return False
    reason = f"{error.detail.get('param') or ''} {error.detail.get('reason') or ''}".lower()
    return any(word in reason for word in STEP_DOWN_WORDS)


async def make_frame(schema: AnswerSchema, rung: Rung) -> Frame:
    """The frame of a schema in a mode: its shape by instructor, the schema to the letter, `strict` put in."""
    asked = {} if rung == "plain" else await _shape(schema, rung)
    exact = orjson.Fragment(schema.text.encode("utf-8"))
    if rung == "json_schema":
        asked["response_format"]["json_schema"] |= {"name": schema.name, "schema": exact, "strict": True}
    elif rung == "tools":
        function = asked["tools"][0]["function"]
        function |= {"name": schema.name, "parameters": exact, "strict": True, "description": "Give the answer."}
        asked |= {"tool_choice": {"type": "function", "function": {"name": schema.name}}, "parallel_tool_calls": False}
    suffix = IN_PROMPT.format(schema=schema.text) if rung in ("json", "plain") else ""
    fields = {name: orjson.Fragment(orjson.dumps(value)) for name, value in asked.items()}
    return Frame(rung, fields, suffix, schema.name if rung == "tools" else None)


class _Captured(Exception):
    """Ends instructor's call where it would send: only what it prepared is wanted."""


async def _shape(schema: AnswerSchema, rung: Rung) -> dict[str, Any]:
    """The request fields that instructor makes for this mode. Nothing is sent, retried, cached or templated."""
    import instructor

    prepared: dict[str, Any] = {}

    async def create(**fields: Any) -> None:
        prepared.update(fields)
        raise _Captured

    modes = {"json_schema": instructor.Mode.JSON_SCHEMA, "tools": instructor.Mode.TOOLS, "json": instructor.Mode.JSON}
    ask: Any = instructor.patch(create=create, mode=modes[rung])
    # It also logs what ends a call as an error, to a logger whose last resort is stderr.
    quiet = logging.getLogger("instructor")
    level = quiet.level
    quiet.setLevel(logging.CRITICAL + 1)
    try:
        await ask(response_model=_carrier(schema), max_retries=0, messages=[{"role": "user", "content": "-"}])
    except Exception:  # instructor wraps `_Captured` in a class that differs between its versions
        if not prepared:
            raise
    finally:
        quiet.setLevel(level)
    return {name: prepared[name] for name in ("response_format", "tools", "tool_choice") if name in prepared}


def _carrier(schema: AnswerSchema) -> type:
    """A class that says of itself what the schema says: instructor asks a class and takes no schema."""
    from pydantic import BaseModel

    def model_json_schema(cls: type, *args: Any, **options: Any) -> dict[str, Any]:
        return {"title": schema.name, "description": schema.name, **json.loads(schema.text)}

    body = {"__module__": __name__, "model_json_schema": classmethod(model_json_schema)}
    return type(schema.name, (BaseModel,), body)
