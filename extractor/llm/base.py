"""The seam: one request type, one reply type, one method.

Live client, retries, limits, cache, cassettes and the scripted double all have the method
`complete`, so they nest. Nothing above this file asks who answers.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, Protocol

Json = None | bool | int | float | str | list[Any] | dict[str, Any]


def canonical(value: Json | Mapping[str, Any]) -> str:
    """JSON with sorted keys, no spaces and real characters: equal values give equal text."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def text_digest(text: str) -> str:
    """SHA-256 of a text as UTF-8, in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@lru_cache(maxsize=64)
def fixed_digest(text: str) -> str:
    """The same of what recurs in every request: the fixed part of a prompt, the answer schema."""
    return text_digest(text)


@dataclass(frozen=True, slots=True)
class Message:
    """One turn: `role` is system, user or assistant."""

    role: str
    content: str

    @property
    def digest(self) -> str:
        return fixed_digest(self.content) if self.role == "system" else text_digest(self.content)


@dataclass(frozen=True, slots=True)
class AnswerSchema:
    """The JSON Schema that an answer must satisfy, as canonical text, under a name."""

    name: str
    text: str

    @property
    def digest(self) -> str:
        return fixed_digest(self.text)


@dataclass(frozen=True, slots=True)
class Request:
    """Everything that can change the answer, and nothing else: no key, host, clock or client.

    `parameters` are sorted (name, value) pairs: temperature, max_tokens, seed, ... and `pass`, the
    number of a repeated sampling, which is not sent but makes a fingerprint of its own.
    """

    messages: tuple[Message, ...]
    schema: AnswerSchema
    model: str
    parameters: tuple[tuple[str, str | int | float | bool], ...] = ()
    _fingerprint: str = field(init=False, repr=False, compare=False, default="")

    def fingerprint(self) -> str:
        """SHA-256, in hex: the one definition of "the same question". Made once: each layer of the stack asks for it."""
        if not self._fingerprint:
            object.__setattr__(self, "_fingerprint", self._hashed())
        return self._fingerprint

    def _hashed(self) -> str:
        return text_digest(
            canonical(
                {
                    "messages": [[message.role, message.digest] for message in self.messages],
                    "schema": [self.schema.name, self.schema.digest],
                    "model": self.model,
                    "parameters": [list(pair) for pair in sorted(self.parameters)],
                }
            )
        )


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens as the endpoint counted them; `cached` is the part of `prompt` served from its prompt cache."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the answer's text as it came, why it ended, and what it cost.

    `finish_reason` is `stop` for a whole answer (tool calls included) and `length` for a truncated
    one; everything else is an error before it becomes a reply. `model` is the one that answered.
    """

    text: str
    finish_reason: str = "stop"
    model: str = ""
    usage: Tokens = Tokens()


@dataclass(frozen=True, slots=True)
class Spent:
    """What counts against a budget."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def plus(self, usage: Tokens) -> Spent:
        """The same and one call more."""
        return Spent(self.calls + 1, self.prompt_tokens + usage.prompt, self.completion_tokens + usage.completion)


@dataclass(slots=True)
class Meter:
    """Counts what may differ between two runs over the same replies; ends in run.json, never in results.

    `asking` is how many calls are under way at the moment; `models` counts the replies by the model that
    gave them, those out of the cache too.
    """

    calls: int = 0
    replies: int = 0
    cache_hits: int = 0
    cache_corrupt: int = 0
    joined: int = 0
    replayed: int = 0
    recorded: int = 0
    retries: int = 0
    pauses: int = 0
    paused_seconds: float = 0.0
    rate_limited: int = 0
    possible_duplicate_charges: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    asking: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    models: dict[str, int] = field(default_factory=dict)
    earlier: Spent = Spent()

    def heard(self, reply: Reply) -> None:
        """A reply came from the endpoint."""
        self.replies += 1
        self.prompt_tokens += reply.usage.prompt
        self.completion_tokens += reply.usage.completion
        self.cached_tokens += reply.usage.cached
        self.models[reply.model] = self.models.get(reply.model, 0) + 1

    def paid(self, tokens: Tokens | None) -> None:
        """A reply that could not be used was paid for too."""
        if tokens is not None:
            self.prompt_tokens += tokens.prompt
            self.completion_tokens += tokens.completion
            self.cached_tokens += tokens.cached

    def found(self, reply: Reply) -> None:
        """A reply came out of the cache."""
        self.cache_hits += 1
        self.models[reply.model] = self.models.get(reply.model, 0) + 1

    def charged(self, number: int) -> None:
        """So many calls broke off that the endpoint may bill all the same."""
        self.possible_duplicate_charges += number

    def add(self, other: Meter) -> None:
        """Count what another meter counted too; `earlier` is nobody else's."""
        for name in {one.name for one in fields(Meter)} - {"earlier"}:
            mine, theirs = getattr(self, name), getattr(other, name)
            setattr(self, name, dict(Counter(mine) + Counter(theirs)) if isinstance(mine, dict) else mine + theirs)

    def spent(self) -> Spent:
        """By this process, and by earlier starts of the same run."""
        return Spent(
            self.earlier.calls + self.calls,
            self.earlier.prompt_tokens + self.prompt_tokens,
            self.earlier.completion_tokens + self.completion_tokens,
        )


class LLM(Protocol):
    """Anything that answers requests."""

    async def complete(self, request: Request) -> Reply:
        """Answer one request. Raises a ProviderError, AnswerError, CassetteError or StorageError."""
        ...

    def forget(self, request: Request) -> None:
        """Do not answer this request out of anything that is kept: its reply was of no use."""
        ...

    async def aclose(self) -> None:
        """Release connections and files."""
        ...
